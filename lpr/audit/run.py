"""`lpr audit`: the labels that differ most from the detector's predictions, as a page and a CSV in `reports/audit/`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lpr.audit.duplicates import find_duplicates
from lpr.audit.findings import find_missing_labels, find_wrong_labels, match_predictions
from lpr.audit.inputs import load_input
from lpr.audit.page import KINDS, write_page
from lpr.boxes import BOX_COLUMNS
from lpr.data.tables import write_table
from lpr.paths import AUDIT


def run(folder: Path) -> None:
    """Audit the labels of the project (`.`), an experiment or a sweep; write the findings and print their counts.

    Raises:
        UserError: the outputs of the stages are missing or do not match.
    """
    from tabulate import tabulate

    audit = load_input(folder)
    matches = match_predictions(audit.labels.dropna(subset=BOX_COLUMNS), audit.predictions)
    duplicates, harmless = find_duplicates(
        audit.labels, audit.splits, audit.image_dir, audit.config.split.hash_distance_threshold
    )
    found = [find_wrong_labels(matches, audit.config.inference.confidence_threshold), duplicates]
    if audit.has_confidence:
        found.append(find_missing_labels(audit.labels, matches, audit.predictions))
    else:
        print(
            f"detector={audit.config.detector.name} predicts one plate in every image, always with a confidence of 1: "
            "a plate that it misses is listed as a wrong label, and missing labels are not searched for. "
            "experiment=best has a detector with confidences."
        )
    findings = pd.concat([part for part in found if len(part)] or found)
    # Of equally severe findings, the largest plates first: the detector may miss small ones whose label is right.
    findings["kind"] = pd.Categorical(findings["kind"], list(KINDS))
    findings["area"] = (findings["bottom_x"] - findings["top_x"]) * (findings["bottom_y"] - findings["top_y"])
    findings = findings.sort_values(["kind", "severity", "area", "image"], ascending=[True, False, False, True])
    findings = findings.drop(columns="area").astype({"plate": "Int64"}).reset_index(drop=True)

    output = folder / AUDIT
    write_table(findings, output / "audit.csv")
    write_page(audit, matches, findings, harmless, output / "index.html")
    counts = pd.crosstab(findings["source"], findings["kind"]).reindex(
        index=audit.labels["source"].unique(), columns=list(KINDS), fill_value=0
    )
    print(tabulate(counts.reset_index().to_numpy().tolist(), ["source", *KINDS]))
    print(f"{len(findings)} findings of {len(matches)} labels: {output / 'index.html'}, {output / 'audit.csv'}")
