"""Picture URLs → `data/images/`, a cache of RGB JPEGs."""

from lpr.config import Config
from lpr.data.images import download
from lpr.data.tables import read_table
from lpr.stages.files import FAILURES, IMAGES, METRICS, PICTURES, PLATES, SOURCES, write_json


def run(config: Config) -> None:
    """Fetch and convert the pictures that are not there yet."""
    counts = download(read_table(PLATES), config.data, SOURCES, IMAGES, PICTURES, FAILURES)
    write_json(counts, METRICS / "download.json")
