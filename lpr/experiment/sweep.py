"""The table of a sweep: its jobs, best first, repetitions averaged, and whether their differences are significant."""

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
from lpr.experiment.defaults import describe_defaults
from lpr.experiment.folders import RUN, find_folders
from lpr.experiment.run import FAILURE, FINISHED
from lpr.metrics.table import DETECTION_OBJECTIVE, RECOGNITION_OBJECTIVE
from lpr.paths import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from lpr.config import Metrics
    from lpr.metrics.comparison import CaseScores, Difference
    from lpr.metrics.statistics import Score

_REPETITIONS = ("seed", "train.seed", "recognizer.train.seed", "split.seed", "split.fold")
"""Keys that repeat an experiment rather than change it; so does the seed of a synthetic source."""
_OVERRIDES = f"{RUN}/overrides.yaml"
_DETECTION = METRICS / "detection.json"
_VALIDATED, _TESTED = "mean IoU of the validation images", "mean IoU of the test images"
_SYNTHETIC = f"{RECOGNITION_OBJECTIVE} of synthetic plates"


@dataclass(frozen=True)
class Job:
    """One job of a sweep.

    Attributes:
        folder: of the job.
        name: the folder's path below that of the sweep.
        overrides: of its command line, by their keys.
    """

    folder: Path
    name: str
    overrides: dict[str, str]

    @property
    def state(self) -> str:
        """finished, failed, or unfinished: it was killed, or is still running."""
        if (self.folder / FINISHED).is_file():
            return "finished"
        return "failed" if (self.folder / FAILURE).is_file() else "unfinished"

    @property
    def settings(self) -> dict[str, str]:
        """The overrides that do not merely repeat an experiment."""
        return {key: value for key, value in self.overrides.items() if not is_repetition(key)}

    def finished(self) -> dict[str, Any]:
        """The content of `finished.json`, which `lpr.experiment.run.run` writes at the end."""
        content: dict[str, Any] = json.loads((self.folder / FINISHED).read_text())
        return content

    def objective(self) -> str:
        """The name of the score that jobs are ranked by."""
        if not (self.folder / _DETECTION).is_file():
            return _SYNTHETIC
        scores = json.loads((self.folder / _DETECTION).read_text())
        validated = any(DETECTION_OBJECTIVE in splits.get("validation", {}) for splits in scores.values())
        return _VALIDATED if validated else _TESTED


@dataclass(frozen=True)
class Row:
    """Jobs that differ in nothing but seeds and folds, as one.

    Attributes:
        case_scores: of `lpr.metrics.comparison.average_repetitions`.
        metrics: the metrics that any of the jobs is scored by.
        defaults: keys that a job's own configuration lacks, with the values that are assumed.
        objective, seconds: the mean over the jobs.
    """

    settings: dict[str, str]
    jobs: list[Job]
    case_scores: dict[str, CaseScores]
    metrics: Metrics
    defaults: dict[str, Any]
    objective: float
    seconds: float

    def std(self, source: str, metric: str) -> float:
        """Standard deviation of the repetitions' own scores; NaN where there are fewer than two."""
        values = [value for job in self.jobs if (value := _score(job, source, metric)) is not None]
        return statistics.stdev(values) if len(values) > 1 else math.nan


class EndOfSweep(Callback):
    """Hydra's callback: the table, and an exit status of 1 where jobs failed."""

    def on_multirun_end(self, config: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Show the sweep; exit with 1 where not every job finished."""
        folder = Path(config.hydra.sweep.dir)
        try:
            show(folder)
        except UserError as error:
            print(f"lpr experiment: {error}", file=sys.stderr)
            sys.exit(1)
        if bad := [job for job in read_jobs(folder) if job.state != "finished"]:
            names = ", ".join(job.name for job in bad)
            print(f"lpr experiment: these jobs did not finish: {names}; --resume runs them again", file=sys.stderr)
            sys.exit(1)


def is_repetition(key: str) -> bool:
    """Whether an override of this key repeats an experiment."""
    return key in _REPETITIONS or (key.startswith("data.sources") and key.endswith(".seed"))


def read_jobs(folder: Path) -> list[Job]:
    """The jobs of a sweep, in the order of their names; numbers in the order of numbers."""
    found = [path for path in find_folders(folder)[0] if (path / _OVERRIDES).is_file()]
    found.sort(key=lambda path: [_number_first(part) for part in path.relative_to(folder).parts])
    return [Job(path, path.relative_to(folder).as_posix(), _overrides(path)) for path in found]


def _number_first(name: str) -> tuple[bool, int, str]:
    return (False, int(name), name) if name.isdecimal() else (True, 0, name)


def show(folder: Path, output: Path | None = None, baseline: int = 1) -> None:
    """Print the table of a sweep, and write `sweep.csv` and `sweep.png`.

    Args:
        folder: of the sweep.
        output: where the files go; None: into `folder`.
        baseline: the row, from 1, that the others are compared with.

    Raises:
        UserError: no job of it has finished, or it has no such row.
    """
    jobs = read_jobs(folder)
    finished = [job for job in jobs if job.state == "finished"]
    if not finished:
        reasons = "".join(f"\n  {job.name}: {_reason(job)}" for job in jobs)
        raise UserError(f"no job of {folder} has finished, so there is no table{reasons}")
    rows = average_jobs(finished)
    if not 1 <= baseline <= len(rows):
        raise UserError(f"{folder} has rows 1 to {len(rows)}, so that none is row {baseline}")
    keys = _differing(rows)
    from lpr.metrics.comparison import compare
    from lpr.report.sweep_figure import draw_sweep

    others = {number: row for number, row in enumerate(rows, start=1) if number != baseline}
    differences = compare(rows[baseline - 1].case_scores, [row.case_scores for row in others.values()])
    by_row = dict(zip(others, differences, strict=True))
    objectives = {job.objective() for row in rows for job in row.jobs}
    headlines = _headlines(rows, objectives)
    output = output or folder
    table = _table(rows, keys, by_row)
    output.mkdir(parents=True, exist_ok=True)
    table.to_csv(output / "sweep.csv", index=False, lineterminator="\n")
    draw_sweep(table, [_label(row, keys) for row in rows], headlines, output / "sweep.png")

    _print_rows(rows, keys, table, objectives, headlines)
    _print_differences(rows, keys, by_row, baseline, headlines[0])
    for line in dict.fromkeys(line for row in rows for line in describe_defaults(str(folder), row.defaults)):
        print(line)
    for job in jobs:
        if job.state != "finished":
            print(f"{job.name}: {_reason(job)}", file=sys.stderr)
    print(f"{folder}: {len(finished)} of {len(jobs)} jobs finished; {output / 'sweep.csv'}, {output / 'sweep.png'}")


def average_jobs(jobs: Sequence[Job]) -> list[Row]:
    """The rows of the table, best first: by the mean of the objective, which `lpr experiment` returns."""
    from lpr.experiment.results import load
    from lpr.metrics import table as metric_table
    from lpr.metrics.comparison import average_repetitions

    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(json.dumps(sorted(job.settings.items())), []).append(job)
    results = {job.folder: load(str(job.folder), Path()) for job in jobs}
    metrics = metric_table.union(result.metrics for result in results.values())
    rows = []
    for members in groups.values():
        finished = [job.finished() for job in members]
        rows.append(
            Row(
                members[0].settings,
                members,
                average_repetitions([results[job.folder].case_scores(metrics) for job in members]),
                metrics,
                {key: value for job in members for key, value in results[job.folder].defaults.items()},
                statistics.fmean(one["objective"] for one in finished),
                statistics.fmean(one["seconds"] for one in finished),
            )
        )
    return sorted(rows, key=lambda row: -row.objective)


def _headlines(rows: Sequence[Row], objectives: set[str]) -> list[str]:
    """The metrics in the terminal and the figure; the CSV has all. The printed differences are of the first."""
    from lpr.metrics import table as metric_table

    metrics = metric_table.load(rows[0].metrics)
    recognition = [metric.name for metric in metrics.recognition if metric.headline]
    if _SYNTHETIC in objectives:
        return [f"true/{name}" for name in recognition]
    detection = [metric.name for metric in metrics.detection if metric.headline]
    return [*detection, *(f"predicted/{name}" for name in recognition)]


def _overrides(folder: Path) -> dict[str, str]:
    listed = yaml.safe_load((folder / _OVERRIDES).read_text()) or []
    pairs = [override.lstrip("+").partition("=") for override in listed]
    return {key: value for key, _, value in pairs if not key.startswith("tracking")}


def _reason(job: Job) -> str:
    """Why a job is not finished, in one line."""
    if job.state == "failed":
        return (job.folder / FAILURE).read_text().partition("\n\n")[0].replace("\n ", "").strip()
    return "unfinished: the same command with --resume continues it"


def _differing(rows: Sequence[Row]) -> list[str]:
    """The keys whose values differ between rows, in the order of the command line."""
    keys = list(dict.fromkeys(key for row in rows for key in row.settings))
    return [key for key in keys if len({row.settings.get(key) for row in rows}) > 1]


def _label(row: Row, keys: Sequence[str]) -> str:
    return ", ".join(f"{key}={row.settings[key]}" for key in keys if key in row.settings) or "as it is"


def _score(job: Job, source: str, metric: str) -> float | None:
    """A test score of a job, from its `metrics/*.json`."""
    boxes, _, name = metric.rpartition("/")
    path = job.folder / METRICS / ("recognition.json" if boxes else "detection.json")
    scores = json.loads(path.read_text()).get(source, {}).get("test", {}) if path.is_file() else {}
    value: float | None = (scores.get(boxes, {}) if boxes else scores).get(name, {}).get("value")
    return value


def _table(rows: Sequence[Row], keys: Sequence[str], differences: Mapping[int, Sequence[Difference]]) -> pd.DataFrame:
    """`sweep.csv`: a line per row, test set and metric; the baseline's own lines have no difference."""
    import pandas as pd

    lines = []
    for number, row in enumerate(rows, start=1):
        against = {(one.source, one.metric): one for one in differences.get(number, ())}
        for source, metric, score in _scores(row):
            line = {
                "row": number,
                **{key: row.settings.get(key, "") for key in keys},
                "jobs": " ".join(job.name for job in row.jobs),
                "objective": round(row.objective, 6),
                "seconds": round(row.seconds, 1),
                "source": source,
                "metric": metric,
                **score.as_dict(),
                "std": row.std(source, metric),
            }
            if one := against.get((source, metric)):
                line |= {"difference": one.difference.value}
                line |= {"difference_low": one.difference.low, "difference_high": one.difference.high}
                line |= {"p": one.p, "p_corrected": one.p_corrected, "verdict": one.verdict}
            lines.append(line)
    return pd.DataFrame(lines)


def _scores(row: Row) -> Iterator[tuple[str, str, Score]]:
    """Source, metric and score over the row's test cases."""
    sources = {source for scores in row.case_scores.values() for source in scores.cases["source"]}
    for source in sorted(sources):
        for metric, scores in row.case_scores.items():
            if score := scores.score(source):
                yield str(source), metric, score


def _print_rows(
    rows: Sequence[Row], keys: Sequence[str], table: pd.DataFrame, objectives: set[str], headlines: Sequence[str]
) -> None:
    from tabulate import tabulate

    print(f"best first, by {' or '.join(sorted(objectives))}; the scores are of the test")
    print("images, with a 95 % bootstrap interval, and ± the standard deviation between repetitions")
    if _TESTED in objectives:
        print("(nothing was validated: the order itself is by the test images)")
    for source, part in table.groupby("source", sort=True):
        lines = []
        for number, row in enumerate(rows, start=1):
            by_metric = {line["metric"]: _cell(line) for line in part[part["row"] == number].to_dict("records")}
            cells = [by_metric.get(metric, "") for metric in headlines]
            settings = [row.settings.get(key, "") for key in keys]
            lines.append([number, *settings, len(row.jobs), f"{row.objective:.3f}", *cells, f"{row.seconds:.0f}"])
        headers = ["", *keys, "runs", "objective", *headlines, "s per run"]
        plates = part.loc[part["metric"].isin(headlines), "n"].max()
        print(f"\n{source} (n={plates:.0f} plates)")
        print(tabulate(lines, headers, tablefmt="simple", disable_numparse=True))


def _cell(line: Mapping[Any, Any]) -> str:
    deviation = "" if math.isnan(line["std"]) else f" ±{line['std']:.3f}"
    return f"{line['value']:.3f} [{line['low']:.3f}, {line['high']:.3f}]{deviation}"


def _print_differences(
    rows: Sequence[Row],
    keys: Sequence[str],
    differences: Mapping[int, Sequence[Difference]],
    baseline: int,
    metric: str,
) -> None:
    from tabulate import tabulate

    lines = [
        [
            *(number, _label(rows[number - 1], keys), one.source, one.metric),
            *(str(one.difference), f"{one.p_corrected:.2g}", one.verdict),
        ]
        for number, of_row in differences.items()
        for one in of_row
        if one.metric == metric
    ]
    if lines:
        label = _label(rows[baseline - 1], keys)
        print(f"\ndifferences to row {baseline} ({label}), paired on the same test images; p corrected by Holm")
        headers = ["", "", "set", "metric", "difference", "p", ""]
        print(tabulate(lines, headers, tablefmt="simple", disable_numparse=True))
