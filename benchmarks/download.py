"""How much slower the download stage is than decoding and encoding alone.

    python benchmarks/download.py [ROUNDS] [--output docs/results/speed_download.json]

Compares `lpr.data.image_cache.download` over loopback HTTP with a pool of as many threads that only decodes and encodes
the same bytes from memory, in turns, and prints the median of the rounds' ratios. The images are those of
`$LPR_DATA/dataturks/mirror` where that is set, else 240 synthetic ones.

The stage does more, HTTP, hashing, and writing the cache below `$TMPDIR` (`TMPDIR=/dev/shm` excludes the disk), and
less: RGB JPEGs are not encoded again. The server is a process of its own on the same cores, and does little: images in
memory, connections kept open, no header parsed but the path.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import socketserver
import tempfile
import time
from multiprocessing.connection import Connection
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter
from results import add_output, median_of, write_results
from tables import cell

from lpr.composition.compose import compose
from lpr.data.image_cache import download

IMAGES = 240


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    add_output(parser)
    return parser


def main() -> None:
    options = build_parser().parse_args()
    originals = images()
    port, server_end = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(server_end, originals), daemon=True)
    server.start()
    base_url = f"http://127.0.0.1:{port.recv()}/"
    try:
        ratio = median_of([compare(originals, base_url) for _ in range(options.rounds)], "×")
    finally:
        server.terminate()
    print(f"images a second of the download stage: {cell(ratio, with_n=True)} those of bare decoding and encoding")
    if options.output:
        rows = [{"what": "images per second, against the bare pool", "ratio": ratio}]
        pool = "a bare pool of as many threads that decodes and encodes from memory"
        data = f"{len(originals)} images over loopback HTTP: fetch, convert and store, against {pool}"
        write_results(options.output, "Fetching images", data, rows, "range")


def compare(originals: dict[str, bytes], base_url: str) -> float:
    """One round: images a second of the stage over those of the bare pool."""
    data = compose(["data=dataturks", "data.annotations=unused.json", f"data.image_root={base_url}"]).data

    started = time.perf_counter()
    with ThreadPool(data.workers) as pool:
        sizes = pool.map(lambda content: len(recode(content, data.jpeg_quality)), originals.values(), chunksize=4)
    bare = len(sizes) / (time.perf_counter() - started)

    plates = pd.DataFrame({"image": [f"{i}.jpg" for i in range(len(originals))], "url": list(originals)})
    plates = plates.assign(source="dataturks", image_width=1, image_height=1)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        root = Path(folder)
        started = time.perf_counter()
        counts = download(plates, data, root, root / "images", root / "images.csv", root / "failures.csv")
        stage = counts["images"] / (time.perf_counter() - started)
    assert counts["images"] == len(originals), counts
    print(f"{data.workers} threads: bare {bare:.0f} images/s, stage {stage:.0f} images/s, ratio {stage / bare:.2f}")
    return stage / bare


def recode(content: bytes, quality: int) -> bytes:
    image: Image.Image = Image.open(io.BytesIO(content))
    image.load()
    if image.mode != "RGB":
        image = image.convert("RGB")
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=quality)
    return jpeg.getvalue()


def images() -> dict[str, bytes]:
    """File name → bytes."""
    if folder := os.environ.get("LPR_DATA"):
        return {path.name: path.read_bytes() for path in sorted(Path(folder, "dataturks", "mirror").iterdir())}
    return {f"{seed}.jpg": random_image(seed) for seed in range(IMAGES)}


def random_image(seed: int) -> bytes:
    """A JPEG of about the size and the detail of the Dataturks images."""
    random = np.random.default_rng(seed)
    width, height = (int(side) for side in random.integers((360, 240), (900, 640)))
    coarse = Image.fromarray(random.integers(0, 256, (height // 24, width // 24, 3), dtype=np.uint8))
    image = coarse.resize((width, height), Image.Resampling.NEAREST).filter(ImageFilter.GaussianBlur(2))
    grain = random.normal(0, 4, (height, width, 1))
    noisy = np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)
    jpeg = io.BytesIO()
    Image.fromarray(noisy).save(jpeg, "JPEG", quality=85)
    return jpeg.getvalue()


def serve(port: Connection, originals: dict[str, bytes]) -> None:
    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while request := self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                content = originals[request.split()[1].decode().lstrip("/")]
                self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        port.send(server.server_address[1])
        server.serve_forever()


if __name__ == "__main__":
    main()
