"""The page, the provenance and the wandb run: `reports/index.html`, `reports/provenance.json`."""

from pathlib import Path

from lpr.config import Config
from lpr.data.tables import write_json
from lpr.paths import PAGE, PROVENANCE
from lpr.report.page import write_page
from lpr.tracking.provenance import collect
from lpr.tracking.wandb_run import Origin, mirror

DVC = Origin("repro")


def run(config: Config, origin: Origin = DVC) -> None:
    """Mirror the experiment to wandb, then write where it came from and what it looks like."""
    provenance = collect(config)
    if run := mirror(config, Path(), provenance, origin):
        provenance["wandb"] = run
    write_json(provenance, PROVENANCE)
    write_page(config, Path(), provenance, PAGE)
