"""`lpr models`: the networks whose weights come with lpr."""

from __future__ import annotations

from typing import Any

from lpr.cli.verbs import add_verb
from lpr.paths import SHIPPED


def add_verbs(verbs: Any) -> None:
    """Add it."""
    models = add_verb(
        verbs,
        "models",
        "lpr.inference.models",
        lambda module, options: module.run(options.card),
        help="list the networks that come with lpr: file, size, SHA-256, and what their model cards say",
        description="List the networks that come with lpr, by which `lpr predict` works where no other is named: file, "
        "size, SHA-256, and the beginning of each entry of their model cards: what they are, what they were trained "
        "on, licence.",
        example="lpr models\nlpr models --card recognizer",
    )
    models.add_argument("--card", choices=SHIPPED, metavar="NAME", help="print the model card of one: %(choices)s")
