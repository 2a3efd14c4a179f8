"""The origin's own experiment, whole: from its JSON, its images over HTTP, to the scored plate texts.

    python benchmarks/origin.py FOLDER [KEY=VALUE …]

FOLDER holds Dataturks's `Indian_Number_plates.json`, the images under the last part of their URLs in `mirror/`,
and `plate_text.csv` (and `tight_boxes.csv`). The images are served on loopback; `lpr params experiment=original` and
`dvc repro` run in a copy of this checkout, so nothing here changes. Prints a row a score.
"""

from __future__ import annotations

import functools
import http.server
import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from checkout import copy_checkout, run

from lpr.metrics.statistics import Score


class _Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        pass


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder, overrides = Path(sys.argv[1]).resolve(), sys.argv[2:]
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder / "mirror"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    chosen = [
        "experiment=original",
        "ocr=rapidocr",
        "data=dataturks",
        f"data.annotations={folder / 'Indian_Number_plates.json'}",
        f"data.texts={folder / 'plate_text.csv'}",
        f"data.image_root=http://127.0.0.1:{server.server_port}",
        "tracking=off",
        *overrides,
    ]
    with tempfile.TemporaryDirectory() as place:
        copy = copy_checkout(Path(place) / "copy")
        run(copy, "python", "-m", "lpr", "params", *chosen)
        run(copy, "dvc", "repro")
        print_scores(copy / "metrics")
    server.shutdown()


def print_scores(metrics: Path) -> None:
    """The counts, and every score of the test images with its interval."""
    for name in ("annotate", "download", "split"):
        print(name, json.dumps(json.loads((metrics / f"{name}.json").read_text())))
    detection = json.loads((metrics / "detection.json").read_text())["dataturks"]["test"]
    reading = json.loads((metrics / "recognition.json").read_text())["dataturks"]["test"]
    scores = detection | {
        f"{score} on {boxes} boxes": value
        for boxes, part in reading.items()
        for score, value in part.items()
        if isinstance(value, dict)
    }
    for name, score in scores.items():
        print(f"{name:36} {Score(**score)}")


if __name__ == "__main__":
    main()
