"""The overrides of the ablations are keys and options of today's configuration."""

import sys
from pathlib import Path

import pytest

from lpr.composition.compose import compose

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from ablation import ABLATIONS, at


@pytest.mark.parametrize("network", ABLATIONS)
def test_all_overrides_together_compose(network: str, in_root: Path) -> None:
    ablation = ABLATIONS[network]
    chosen = [ablation.begin or (), *(overrides for name, overrides in ablation.variants.items())]
    merged = dict(override.split("=", 1) for part in [ablation.fixed, *chosen] for override in part)
    if network == "detector":
        merged["experiment"] = "development"  # that of the baseline; `experiment=original` is composed below
    compose([f"{key}={value}" for key, value in (merged | {"data.root": "folder"}).items()])


def test_the_original_network_composes(in_root: Path) -> None:
    overrides = dict(
        override.split("=", 1)
        for override in [*ABLATIONS["detector"].fixed, *ABLATIONS["detector"].variants["experiment=original"]]
    )
    assert compose([f"{k}={v}" for k, v in (overrides | {"data.root": "x"}).items()]).detector.name == "regression"


def test_scores_are_found_by_path() -> None:
    assert at({"true": {"cer": {"value": 1}}}, "true/cer") == {"value": 1}
