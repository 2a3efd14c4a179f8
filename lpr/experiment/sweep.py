"""The table of a sweep: its jobs, best first, repetitions folded into one row, and what the differences prove."""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hydra.experimental.callback import Callback

from lpr.errors import UserError
from lpr.experiment.run import FAILURE, FINISHED
from lpr.paths import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from lpr.metrics.comparison import Difference

_REPETITIONS = ("seed", "train.seed", "recognizer.train.seed", "split.seed", "split.fold")
"""Keys that repeat an experiment rather than change it; so does the seed of a drawn source."""
# In the terminal and the image; the CSV has all. The verdicts are about the first.
_SHOWN = ("mean_iou", "recall@0.5", "predicted/plate_acc")
_SHOWN_OF_READERS = ("true/plate_acc",)
_DETECTION = METRICS / "detection.json"
_VALIDATED, _TESTED = "mean IoU of the validation images", "mean IoU of the test images"
_DRAWN = "the share of drawn plates read exactly"


@dataclass(frozen=True)
class Job:
    """One job of a sweep: what its command line said, and what came of it."""

    folder: Path
    overrides: dict[str, str]

    @property
    def state(self) -> str:
        """finished, failed, or unfinished: it was killed, or runs still."""
        if (self.folder / FINISHED).is_file():
            return "finished"
        return "failed" if (self.folder / FAILURE).is_file() else "unfinished"

    @property
    def settings(self) -> dict[str, str]:
        """The overrides that make it another experiment."""
        return {key: value for key, value in self.overrides.items() if not is_repetition(key)}

    def finished(self) -> dict[str, Any]:
        """What `lpr.experiment.run.run` wrote at the end."""
        content: dict[str, Any] = json.loads((self.folder / FINISHED).read_text())
        return content

    def judged_by(self) -> str:
        """What the objective is, in words."""
        if not (self.folder / _DETECTION).is_file():
            return _DRAWN
        scores = json.loads((self.folder / _DETECTION).read_text())
        validated = any("mean_iou" in sides.get("validation", {}) for sides in scores.values())
        return _VALIDATED if validated else _TESTED


@dataclass(frozen=True)
class Row:
    """Jobs that differ in nothing but seeds and folds, as one."""

    settings: dict[str, str]
    jobs: list[Job]
    plates: pd.DataFrame  # of `comparison.fold`
    objective: float
    seconds: float

    def spread(self, source: str, metric: str) -> float:
        """Standard deviation of the repetitions' own scores; NaN where there are fewer than two."""
        values = [value for job in self.jobs if (value := _score(job, source, metric)) is not None]
        return statistics.stdev(values) if len(values) > 1 else math.nan


class EndOfSweep(Callback):
    """Hydra's hook: the table, and an exit status that tells of jobs that failed."""

    def on_multirun_end(self, config: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Show the sweep; exit with 1 where not every job finished."""
        folder = Path(config.hydra.sweep.dir)
        try:
            show(folder)
        except UserError as error:
            print(f"lpr experiment: {error}", file=sys.stderr)
            sys.exit(1)
        if bad := [job for job in read_jobs(folder) if job.state != "finished"]:
            names = ", ".join(job.folder.name for job in bad)
            print(f"lpr experiment: these jobs did not finish: {names}; --resume runs them again", file=sys.stderr)
            sys.exit(1)


def is_repetition(key: str) -> bool:
    """Whether an override of this key repeats an experiment."""
    return key in _REPETITIONS or (key.startswith("data.sources") and key.endswith(".seed"))


def read_jobs(folder: Path) -> list[Job]:
    """The jobs of a sweep, in the order of their names; numbers as numbers."""
    found = [path.parent.parent for path in folder.glob("*/.hydra/overrides.yaml")]
    found.sort(key=lambda path: (not path.name.isdigit(), int(path.name) if path.name.isdigit() else 0, path.name))
    return [Job(path, _overrides(path)) for path in found]


def show(folder: Path, output: Path | None = None, baseline: int = 1) -> None:
    """Print the table of a sweep, and write `sweep.csv` and `sweep.png`.

    Args:
        folder: of the sweep.
        output: where the files go; None: into `folder`.
        baseline: the row, from 1, that the others are held against.

    Raises:
        UserError: no job of it has finished, or it has no such row.
    """
    jobs = read_jobs(folder)
    finished = [job for job in jobs if job.state == "finished"]
    if not finished:
        reasons = "".join(f"\n  {job.folder.name}: {_reason(job)}" for job in jobs)
        raise UserError(f"no job of {folder} has finished, so there is nothing to show{reasons}")
    rows = fold_jobs(finished)
    if not 1 <= baseline <= len(rows):
        raise UserError(f"{folder} has rows 1 to {len(rows)}, so that none is row {baseline}")
    keys = _differing(rows)
    from lpr.metrics.comparison import compare
    from lpr.report.sweep_figure import draw_sweep

    others = {number: row for number, row in enumerate(rows, start=1) if number != baseline}
    found = compare(rows[baseline - 1].plates, [row.plates for row in others.values()])
    verdicts = dict(zip(others, found, strict=True))
    judged = {job.judged_by() for row in rows for job in row.jobs}
    shown = _SHOWN_OF_READERS if _DRAWN in judged else _SHOWN
    output = output or folder
    table = _table(rows, keys, verdicts)
    output.mkdir(parents=True, exist_ok=True)
    table.to_csv(output / "sweep.csv", index=False, lineterminator="\n")
    draw_sweep(table, [_label(row, keys) for row in rows], shown, output / "sweep.png")

    _print_rows(rows, keys, table, judged, shown)
    _print_verdicts(rows, keys, verdicts, baseline, shown[0])
    for job in jobs:
        if job.state != "finished":
            print(f"{job.folder.name}: {_reason(job)}", file=sys.stderr)
    print(f"{folder}: {len(finished)} of {len(jobs)} jobs finished; {output / 'sweep.csv'}, {output / 'sweep.png'}")


def fold_jobs(jobs: Sequence[Job]) -> list[Row]:
    """The rows of the table, best first: by the mean of what `lpr experiment` returns."""
    from lpr.experiment.results import load
    from lpr.metrics.comparison import fold

    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(json.dumps(sorted(job.settings.items())), []).append(job)
    rows = []
    for members in groups.values():
        plates = [load(str(job.folder), Path()).plates for job in members]
        finished = [job.finished() for job in members]
        rows.append(
            Row(
                members[0].settings,
                members,
                fold(plates),
                statistics.fmean(one["objective"] for one in finished),
                statistics.fmean(one["seconds"] for one in finished),
            )
        )
    return sorted(rows, key=lambda row: -row.objective)


def _overrides(folder: Path) -> dict[str, str]:
    listed = yaml.safe_load((folder / ".hydra/overrides.yaml").read_text()) or []
    pairs = [override.lstrip("+").partition("=") for override in listed]
    return {key: value for key, _, value in pairs if not key.startswith("tracking")}


def _reason(job: Job) -> str:
    """Why a job is not finished, in a line."""
    if job.state == "failed":
        return (job.folder / FAILURE).read_text().partition("\n\n")[0].replace("\n ", "").strip()
    return "unfinished: the same command and --resume goes on with it"


def _differing(rows: Sequence[Row]) -> list[str]:
    """The keys that not all rows have alike, in the order of the command line."""
    keys = list(dict.fromkeys(key for row in rows for key in row.settings))
    return [key for key in keys if len({row.settings.get(key) for row in rows}) > 1]


def _label(row: Row, keys: Sequence[str]) -> str:
    return ", ".join(f"{key}={row.settings[key]}" for key in keys if key in row.settings) or "as it is"


def _score(job: Job, source: str, metric: str) -> float | None:
    """A test score of a job, as its `metrics/*.json` have it."""
    boxes, _, name = metric.rpartition("/")
    path = job.folder / METRICS / ("recognition.json" if boxes else "detection.json")
    scores = json.loads(path.read_text()).get(source, {}).get("test", {}) if path.is_file() else {}
    value: float | None = (scores.get(boxes, {}) if boxes else scores).get(name, {}).get("value")
    return value


def _table(rows: Sequence[Row], keys: Sequence[str], verdicts: Mapping[int, Sequence[Difference]]) -> pd.DataFrame:
    """`sweep.csv`: a line a row, test set and metric; the baseline's own lines have no difference."""
    import pandas as pd

    lines = []
    for number, row in enumerate(rows, start=1):
        against = {(one.source, one.metric): one for one in verdicts.get(number, ())}
        for source, metric, score in _scores(row):
            line = {
                "row": number,
                **{key: row.settings.get(key, "") for key in keys},
                "jobs": " ".join(job.folder.name for job in row.jobs),
                "objective": round(row.objective, 6),
                "seconds": round(row.seconds, 1),
                "source": source,
                "metric": metric,
                **score.as_dict(),
                "spread": row.spread(source, metric),
            }
            if one := against.get((source, metric)):
                line |= {"difference": one.difference.value}
                line |= {"difference_low": one.difference.low, "difference_high": one.difference.high}
                line |= {"p": one.p, "p_corrected": one.p_corrected, "verdict": one.verdict}
            lines.append(line)
    return pd.DataFrame(lines)


def _scores(row: Row) -> Iterator[tuple[str, str, Any]]:
    """Source, metric and score over the row's test plates."""
    from lpr.metrics.comparison import METRICS
    from lpr.metrics.statistics import mean_score

    for source, plates in row.plates.groupby("source", sort=True):
        for metric in METRICS:
            if (score := mean_score(plates[metric].dropna().to_numpy(float))) is not None:
                yield str(source), metric, score


def _print_rows(
    rows: Sequence[Row], keys: Sequence[str], table: pd.DataFrame, judged: set[str], shown: Sequence[str]
) -> None:
    from tabulate import tabulate

    print(f"best first, by {' or '.join(sorted(judged))}; the scores are of the test")
    print("images, with a 95 % bootstrap interval, and ± the standard deviation between repetitions")
    if _TESTED in judged:
        print("(nothing was validated: the order itself was chosen by looking at the test images)")
    for source, part in table.groupby("source", sort=True):
        lines = []
        for number, row in enumerate(rows, start=1):
            by_metric = {line["metric"]: _cell(line) for line in part[part["row"] == number].to_dict("records")}
            cells = [by_metric.get(metric, "") for metric in shown]
            settings = [row.settings.get(key, "") for key in keys]
            lines.append([number, *settings, len(row.jobs), f"{row.objective:.3f}", *cells, f"{row.seconds:.0f}"])
        headers = ["", *keys, "runs", "objective", *shown, "s a run"]
        print(f"\n{source} (n={part['n'].max()} plates)")
        print(tabulate(lines, headers, tablefmt="simple", disable_numparse=True))


def _cell(line: Mapping[Any, Any]) -> str:
    spread = "" if math.isnan(line["spread"]) else f" ±{line['spread']:.3f}"
    return f"{line['value']:.3f} [{line['low']:.3f}, {line['high']:.3f}]{spread}"


def _print_verdicts(
    rows: Sequence[Row],
    keys: Sequence[str],
    verdicts: Mapping[int, Sequence[Difference]],
    baseline: int,
    metric: str,
) -> None:
    from tabulate import tabulate

    lines = [
        [
            *(number, _label(rows[number - 1], keys), one.source, one.metric),
            *(str(one.difference), f"{one.p_corrected:.2g}", one.verdict),
        ]
        for number, differences in verdicts.items()
        for one in differences
        if one.metric == metric
    ]
    if lines:
        label = _label(rows[baseline - 1], keys)
        print(f"\nagainst row {baseline} ({label}), paired on the same test images; p corrected by Holm")
        headers = ["", "", "set", "metric", "difference", "p", ""]
        print(tabulate(lines, headers, tablefmt="simple", disable_numparse=True))
