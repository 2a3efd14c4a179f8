"""`lpr params` and `lpr check`: `params.yaml` written from `conf/`, explained, and compared with it."""

from __future__ import annotations

from argparse import Namespace
from types import ModuleType
from typing import Any

from lpr.cli.verbs import add_verb
from lpr.paths import CHECKED

_COMPOSED = "lpr.composition.params"


def add_verbs(verbs: Any) -> None:
    """Add them."""
    params = add_verb(
        verbs,
        "params",
        _COMPOSED,
        _params,
        help="compose conf/ into params.yaml, which `dvc repro` runs",
        description="Compose conf/ and the overrides into params.yaml, or explain one key of the configuration.",
        example="lpr params experiment=original train.epochs=5\nlpr params --explain train.epochs",
    )
    params.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="e.g. detector=centernet train.epochs=5")
    params.add_argument(
        "--explain",
        metavar="KEY",
        help="print what the key means, its type, range, value and where that is set; write nothing",
    )
    check = add_verb(
        verbs,
        "check",
        _COMPOSED,
        _check,
        help="check that params.yaml is what conf/ composes",
        description="Check params.yaml against the schema and against conf/; where they differ, name the keys and exit "
        "with 1.",
        example="lpr check",
    )
    check.add_argument("--stamp", action="store_true", help=f"write {CHECKED} if so, for DVC")


def _params(module: ModuleType, options: Namespace) -> None:
    if options.explain:
        from lpr.composition.explain import explain

        print(explain(options.explain, options.overrides))
        return
    module.write_params(options.overrides)
    print("wrote params.yaml; `dvc repro` runs it")


def _check(module: ModuleType, options: Namespace) -> None:
    module.check_fresh()
    if options.stamp:
        CHECKED.parent.mkdir(exist_ok=True)
        CHECKED.write_text("params.yaml is what conf/ composes\n")
