"""The commands that README and docs/ say to type."""

import re
import shlex
from pathlib import Path

import pytest

from lpr.cli.main import main as cli
from lpr.composition.compose import compose

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[list[str]]:
    """The words of each line of its code blocks that calls lpr."""
    text = page.read_text().replace("\\\n", "")
    lines = [line for block in BLOCKS.findall(text) for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("lpr ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lpr_understands_its_commands(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for _, verb, *rest in commands(page):
        if verb == "params":
            compose(rest)
        elif verb != "experiment":  # whose command line is Hydra's
            assert cli.build_parser().parse_args([verb, *rest]).verb == verb


def test_there_are_such_commands() -> None:
    assert len(commands(ROOT / "README.md")) > 15
