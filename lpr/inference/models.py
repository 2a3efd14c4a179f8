"""`lpr models`: the networks whose weights come with lpr, and their model cards.

A model card is `README.md` beside the weights: a heading, and a list whose entries begin with their name in bold.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from pathlib import Path

from lpr.errors import UserError
from lpr.paths import SHIPPED

_ENTRY = re.compile(r"^- \*\*(.+?):?\*\*:?\s+(.*(?:\n(?!- ).+)*)", re.MULTILINE)
_WIDTH = 118


def run(name: str | None) -> None:
    """Print all models; or, given a name, the model card of that one.

    Raises:
        UserError: the model has no card in this installation.
    """
    if name:
        card = _card(SHIPPED[name])
        if not card.is_file():
            raise UserError(f"{card} is missing")
        print(card.read_text(encoding="utf-8"), end="")
        return
    width = max(map(len, SHIPPED))
    print(f"{'name':{width}}  {'MB':>5}  {'SHA-256':12}  file")
    for model, weights in SHIPPED.items():
        if weights.is_file():
            size = weights.stat().st_size / 1e6
            print(f"{model:{width}}  {size:5.1f}  {_sha256(weights)[:12]}  {weights}")
        else:
            print(f"{model:{width}}  {'-':>5}  {'-':12}  {weights} is missing")
    for model, weights in SHIPPED.items():
        if _card(weights).is_file():
            print(f"\n{model}: {_card(weights)}")
            for entry, text in entries(_card(weights).read_text(encoding="utf-8")):
                print(f"  {textwrap.shorten(f'{entry}: {text}', _WIDTH, placeholder=' …')}")
    print("\nall of a card: lpr models --card NAME")


def entries(card: str) -> list[tuple[str, str]]:
    """The entries of a model card: the name, and the first sentence, without the marks of Markdown."""
    return [(name, _first_sentence(text)) for name, text in _ENTRY.findall(card)]


def _card(weights: Path) -> Path:
    return weights.with_name("README.md")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_sentence(markdown: str) -> str:
    text = re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(markdown.split()))
    return re.split(r"(?<=[.]) ", text, maxsplit=1)[0]
