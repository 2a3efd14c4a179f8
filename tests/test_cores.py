import os

import pytest

from lpr.cores import usable_cores


@pytest.fixture
def affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may use eight cores, without limits in its environment."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for name in ("OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("affinity")
@pytest.mark.parametrize(
    ("limits", "cores"),
    [
        ({}, 8),
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "4", "SLURM_CPUS_PER_TASK": "2"}, 2),
        ({"SLURM_CPUS_PER_TASK": "16"}, 8),
        ({"OMP_NUM_THREADS": "0"}, 1),
        ({"OMP_NUM_THREADS": "4,2"}, 8),  # a list, of nested parallelism
    ],
)
def test_the_lowest_limit_counts(limits: dict[str, str], cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in limits.items():
        monkeypatch.setenv(name, value)
    assert usable_cores() == cores
