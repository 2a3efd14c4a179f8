"""Image URLs → `data/images/`, a cache of RGB JPEGs."""

from lpr.config import Config
from lpr.data.image_cache import download
from lpr.data.tables import read_table, write_json
from lpr.paths import FAILURES, IMAGE_CACHE, IMAGES_CSV, METRICS, PLATES, SOURCES, UNLISTED_IMAGES


def run(config: Config) -> None:
    """Fetch and convert the images that are not there yet."""
    counts = download(read_table(PLATES), config.data, SOURCES, IMAGE_CACHE, IMAGES_CSV, FAILURES, UNLISTED_IMAGES)
    write_json(counts, METRICS / "download.json")
