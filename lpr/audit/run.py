"""`lpr audit`: the labels that the trained detector disagrees with most, as a page and a CSV in `reports/audit/`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lpr.audit.duplicates import find_duplicates
from lpr.audit.evidence import gather
from lpr.audit.findings import find_missing_labels, find_wrong_labels, match
from lpr.audit.page import KINDS, write_page
from lpr.boxes import BOX_COLUMNS
from lpr.data.tables import write_table
from lpr.paths import AUDIT


def run(folder: Path) -> None:
    """Audit the labels of the project (`.`), an experiment or a sweep, and print how much was found.

    Raises:
        UserError: what the stages leave is not there.
    """
    from tabulate import tabulate

    evidence = gather(folder)
    matches = match(evidence.labels.dropna(subset=BOX_COLUMNS), evidence.predictions)
    duplicates, harmless = find_duplicates(
        evidence.labels, evidence.splits, evidence.images, evidence.config.split.hash_distance
    )
    found = [find_wrong_labels(matches, evidence.config.inference.confidence_threshold), duplicates]
    if evidence.graded:
        found.append(find_missing_labels(evidence.labels, matches, evidence.predictions))
    else:
        print(
            f"detector={evidence.config.detector.name} sees one plate in every image, and is always sure of it: what "
            "it misses looks like a wrong label, and plates without a label are not looked for. One that can tell is "
            "experiment=best."
        )
    findings = pd.concat([part for part in found if len(part)] or found)
    # Of findings that are as severe, the largest plates first: small ones may be hard to see rather than wrong.
    findings["kind"] = pd.Categorical(findings["kind"], list(KINDS))
    findings["area"] = (findings["bottom_x"] - findings["top_x"]) * (findings["bottom_y"] - findings["top_y"])
    findings = findings.sort_values(["kind", "severity", "area", "image"], ascending=[True, False, False, True])
    findings = findings.drop(columns="area").astype({"plate": "Int64"}).reset_index(drop=True)

    output = folder / AUDIT
    write_table(findings, output / "audit.csv")
    write_page(evidence, matches, findings, harmless, output / "index.html")
    counts = pd.crosstab(findings["source"], findings["kind"]).reindex(
        index=evidence.labels["source"].unique(), columns=list(KINDS), fill_value=0
    )
    print(tabulate(counts.reset_index().to_numpy().tolist(), ["source", *KINDS]))
    print(f"{len(findings)} findings of {len(matches)} labels: {output / 'index.html'}, {output / 'audit.csv'}")
