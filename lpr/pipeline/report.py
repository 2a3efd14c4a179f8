"""The page, the provenance and the wandb run: `reports/index.html`, `reports/provenance.json`."""

from pathlib import Path

from lpr.config import Config
from lpr.data.tables import write_json
from lpr.paths import PAGE, PROVENANCE
from lpr.report.page import write_page
from lpr.tracking.provenance import collect
from lpr.tracking.wandb_run import RunLabels, log_run

DVC = RunLabels("repro")


def run(config: Config, labels: RunLabels = DVC) -> None:
    """Log the experiment to wandb, then write its provenance and its page."""
    provenance = collect(config)
    if run := log_run(config, Path(), provenance, labels):
        provenance["wandb"] = run
    write_json(provenance, PROVENANCE)
    write_page(config, Path(), provenance, PAGE)
