"""The original experiment as a whole: from its annotation JSON and its images over HTTP to the scored plate texts.

    python benchmarks/original.py FOLDER [KEY=VALUE …] [--output FILE]

FOLDER holds Dataturks' `Indian_Number_plates.json`, the images under the last part of their URLs in `mirror/`, and
`plate_text.csv` (and `tight_boxes.csv`). The images are served on loopback; `lpr params experiment=original` and
`dvc repro` run in a copy of this checkout, which itself stays as it is. Prints a row a score of the test split.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import tempfile
import threading
from pathlib import Path
from typing import Any

from checkout import copy_checkout, run
from results import add_output, write_results

from lpr.metrics.statistics import Score


class _Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        pass


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    folder = options.folder.resolve()
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder / "mirror"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    overrides = [
        "experiment=original",
        "ocr=rapidocr",
        "data=dataturks",
        f"data.annotations={folder / 'Indian_Number_plates.json'}",
        f"data.texts={folder / 'plate_text.csv'}",
        f"data.image_root=http://127.0.0.1:{server.server_port}",
        "tracking=off",
        *options.overrides,
    ]
    with tempfile.TemporaryDirectory() as place:
        copy = copy_checkout(Path(place) / "copy")
        run(copy, "python", "-m", "lpr", "params", *overrides)
        run(copy, "dvc", "repro")
        for name in ("annotate", "download", "split"):
            print(name, json.dumps(json.loads((copy / "metrics" / f"{name}.json").read_text())))
        scores = read_scores(copy / "metrics")
    server.shutdown()
    for name, score in scores.items():
        print(f"{name:36} {Score(**score)}")
    if options.output:
        network = " ".join(options.overrides) or "experiment=original"
        rows = [{"network": network, "images": "test", **scores}]
        write_results(options.output, "The original system, measured", "Dataturks", rows)


def read_scores(metrics: Path) -> dict[str, dict[str, Any]]:
    """The scores of the test split by name; those of recognition are named by the boxes, too."""
    detection = json.loads((metrics / "detection.json").read_text())["dataturks"]["test"]
    recognition = json.loads((metrics / "recognition.json").read_text())["dataturks"]["test"]
    scores: dict[str, dict[str, Any]] = detection | {
        f"{name}, {boxes} boxes": score
        for boxes, part in recognition.items()
        for name, score in part.items()
        if isinstance(score, dict)
    }
    return scores


if __name__ == "__main__":
    main()
