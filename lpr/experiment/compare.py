"""`lpr compare`: which of several experiments is better on the same test images, and whether that is significant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lpr.config.target import scored
from lpr.errors import UserError
from lpr.experiment import listing
from lpr.experiment.defaults import describe_defaults
from lpr.experiment.folders import SWEEP

if TYPE_CHECKING:
    from lpr.experiment.results import Result
    from lpr.metrics.comparison import Difference

COMPARISONS = Path("experiments/comparisons")
_COLUMNS = ["", "n", "baseline", "other", "difference", "p", "verdict"]


def run(names: list[str], output: Path | None, baseline: int | None) -> None:
    """Compare the named experiments with the first of them; where none is named, list them all.

    Prints the tables; writes `comparison.csv`, `comparison.png` and `index.html`.

    Args:
        names: folders, Git revisions or DVC experiments; or the folder of one sweep.
        output: where the files go; None: a folder of its own under `experiments/comparisons/`.
        baseline: the row of a sweep that the others are compared with; None: the best.

    Raises:
        UserError: an experiment is not there, has not finished or lacks files, or they share no test image.
    """
    if baseline is not None and len(names) != 1:
        raise UserError("--baseline names a row of one sweep; of several experiments, the first is the baseline")
    if not names:
        listing.show(Path())
    elif len(names) == 1:
        _show_sweep(Path(names[0]), output, baseline or 1)
    else:
        _compare(names, output or COMPARISONS / "_vs_".join(map(_file_name, names)))


def _show_sweep(folder: Path, output: Path | None, baseline: int) -> None:
    if not (folder / SWEEP).is_file():
        raise UserError(f"{folder}: compare it with what? Name a second experiment; `lpr compare` lists what there is")
    from lpr.experiment import sweep

    sweep.show(folder, output, baseline)


def _compare(names: Sequence[str], output: Path) -> None:
    import pandas as pd
    from tabulate import tabulate

    from lpr.data.tables import write_table
    from lpr.experiment.comparison_page import draw_differences, write_comparison
    from lpr.metrics import table as metric_table
    from lpr.metrics.comparison import compare
    from lpr.report.page import Table

    baseline, *others = _load(names)
    left_out = [line for other in others for line in _left_out(baseline, other)]
    metrics = metric_table.union(one.metrics for one in (baseline, *others))
    differences = compare(baseline.case_scores(metrics), [other.case_scores(metrics) for other in others])

    summary = [f"baseline: {baseline.name}", *(_summary(baseline, other) for other in others)]
    summary += [*(line for one in (baseline, *others) for line in describe_defaults(one.name, one.defaults)), *left_out]
    tables = [
        Table(f"{other.name}, {source}", _COLUMNS, [_cells(one) for one in part if one.source == source])
        for other, part in zip(others, differences, strict=True)
        for source in dict.fromkeys(one.source for one in part)
    ]
    explanation = _explain(differences)
    print("\n".join(summary))
    for table in tables:
        print(f"\n{table.title}")
        print(tabulate(table.rows, table.columns, tablefmt="simple", disable_numparse=True))
    print(f"\n{explanation}")

    listed = [
        {"baseline_name": baseline.name, "other_name": other.name, **_flat(one)}
        for other, part in zip(others, differences, strict=True)
        for one in part
    ]
    write_table(pd.DataFrame(listed), output / "comparison.csv")
    labelled = {other.name: part for other, part in zip(others, differences, strict=True)}
    draw_differences(labelled, baseline.name, output / "comparison.png")
    write_comparison(baseline, others, tables, [*summary, explanation], output)
    print(f"{output / 'index.html'}, {output / 'comparison.csv'}, {output / 'comparison.png'}")


def _load(names: Sequence[str]) -> list[Result]:
    """All of them; where some cannot be loaded, one error names all reasons."""
    from lpr.experiment.results import load

    results, problems = [], []
    for name in names:
        try:
            results.append(load(name, Path()))
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n  ".join(problems))
    return results


def _left_out(baseline: Result, other: Result) -> Iterator[str]:
    """Lines about what only one of the two tested.

    Raises:
        UserError: no image was tested by both, or images have other true boxes or texts.
    """
    from lpr.metrics.comparison import PLATE_IDENTITY

    names = (baseline.name, other.name)
    plates = [set(map(tuple, one.detections[PLATE_IDENTITY].to_numpy(object))) for one in (baseline, other)]
    both = plates[0] & plates[1]
    images = [
        {plate[:2] for plate in tested} | _tested_images(one)
        for tested, one in zip(plates, (baseline, other), strict=True)
    ]
    relabelled = {plate[:2] for plate in plates[0] ^ plates[1]} & images[0] & images[1]
    if relabelled:
        examples = ", ".join(sorted(image for _, image in relabelled)[:3])
        raise UserError(
            f"{names[0]} and {names[1]} tested {len(relabelled)} of the same images by other true boxes or texts, so "
            f"that their scores cannot be compared: {examples}"
        )
    if not images[0] & images[1]:
        raise UserError(
            f"{names[0]} ({len(images[0])} test images) and {names[1]} ({len(images[1])}) tested none of the same"
            " images: run them with the same data and split"
        )
    for name, only, own, others in zip(names, (plates[0] - both, plates[1] - both), images, images[::-1], strict=True):
        if left := len(own - others):
            yield f"left out: {left} of {len(own)} test images ({len(only)} plates), which only {name} tested"


def _tested_images(one: Result) -> set[tuple[Any, ...]]:
    """Source and name of the test images of a detector, those without plates among them."""
    return set(one.cases.images[["source", "image"]].itertuples(index=False, name=None)) if one.cases else set()


def _changes(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The keys that differ, with both values; None where one lacks the key."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            yield from _changes(old.get(name), new.get(name), f"{key}.{name}" if key else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from _changes(*pair, f"{key}.{index}")
    elif old != new:
        yield key, old, new


def _summary(baseline: Result, other: Result) -> str:
    changed = [f"{key} {old} → {new}" for key, old, new in _changes(scored(baseline.config), scored(other.config))]
    return f"{other.name}: {', '.join(changed) or 'the same configuration'}"


def _cells(one: Difference) -> list[str]:
    score = one.difference
    p = f"{one.p_corrected:.2g}" if one.p_corrected >= 0.001 else "< 0.001"
    return [one.metric, str(score.n), f"{one.baseline:.3f}", f"{one.other:.3f}", f"{score:+.3f}", p, one.verdict]


def _flat(one: Difference) -> dict[str, Any]:
    """A row of `comparison.csv`."""
    values = asdict(one)
    score = values.pop("difference")
    verdict = values.pop("verdict")
    bounds = {"low": score["low"], "high": score["high"], "n": score["n"]}
    return {**values, "difference": score["value"], **bounds, "verdict": verdict}


def _explain(differences: Sequence[Sequence[Difference]]) -> str:
    listed = [one for part in differences for one in part]
    lower = ", ".join(dict.fromkeys(one.metric for one in listed if not one.higher_is_better))
    by_image = ", ".join(dict.fromkeys(one.metric for one in listed if one.unit == "image"))
    others = len(differences)
    corrected = f", corrected for comparing {others} with one baseline (Holm)" if others > 1 else ""
    return (
        "[ ]: 95 % paired bootstrap interval over images. n: plates"
        + (f", or images of {by_image}. " if by_image else ". ")
        + (f"Lower is better of {lower}. " if lower else "")
        + "p: the probability that two equally good experiments differ as much by chance"
        + f"{corrected}; below 0.05 the verdict is “better” or “worse”. It holds for these trained networks on such "
        "images; whether another seed would give the same, only repetitions show."
    )


def _file_name(name: str) -> str:
    """The end of a name, its most specific part, without characters that a file name cannot have."""
    return re.sub(r"[^\w.=,@-]+", "-", "workspace" if name == "." else name).strip("-")[-60:]
