"""The commands, files and keys that README and the pages of docs/ name."""

import importlib
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from lpr.cli.main import build_parser
from lpr.composition.compose import compose

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = ROOT / "docs" / "examples"
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:lpr|make|dvc|python) [^`]+)`")
# What stands for something else in a command of the text, so that it cannot be parsed.
_PLACEHOLDER = re.compile(r"VERB|NAME|STAGE|…|\[|ROUNDS|KEY")


def commands(program: str) -> list[list[str]]:
    """The words after the program in each of its calls, in the code blocks and the text of all pages; `;` ends one."""
    found = set()
    for page in PAGES:
        text = page.read_text().replace("\\\n", "")
        lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
        lines += [line for line in _INLINE.findall(text) if not _PLACEHOLDER.search(line)]
        found |= {tuple(words[1:]) for words in split(lines) if words[0] == program}
    return [list(words) for words in sorted(found)]


def split(lines: list[str]) -> Iterator[list[str]]:
    for line in lines:
        words: list[str] = []
        for word in shlex.split(line, comments=True):
            words.append(word.removesuffix(";"))
            if word.endswith(";"):
                yield words
                words = []
        if words:
            yield words


LPR, BENCHMARKS = commands("lpr"), [words for words in commands("python") if words[0].startswith("benchmarks/")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose conf/ has the options of the examples, and the winner of a search."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "conf", folder / "conf")
    shutil.copytree(EXAMPLES, folder / "docs" / "examples")
    shutil.copytree(EXAMPLES / "conf", folder / "conf", dirs_exist_ok=True)
    (folder / "conf" / "experiment" / "tuned.yaml").write_text("# @package _global_\n{}\n")
    (folder / "lpr").symlink_to(ROOT / "lpr")
    return folder


@pytest.fixture
def in_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(project)
    return project


@pytest.mark.parametrize("words", LPR, ids=" ".join)
def test_lpr_understands_its_commands(words: list[str], in_project: Path) -> None:
    if words[0].startswith("--"):
        return
    if words[0] == "experiment":  # whose command line is Hydra's
        compose_first(words[1:])
        return
    if words[0] == "predict" and not [word for word in words[1:] if not word.startswith("--")][1::2]:
        words = [*words, "image.jpg"]  # where the text names options alone
    if words[0] == "data" and len(words) < 3:  # where it names the verb alone
        action = (words[1:] or ["check"])[0]
        words = ["data", action, "boxes.csv", *([] if action == "check" else ["--to", "coco", "--output", "out"])]
    options = build_parser().parse_args(words)
    if options.verb in ("params", "tune") and not getattr(options, "explain", None):
        compose_first(options.overrides)


def compose_first(arguments: list[str]) -> None:
    """Compose the first job of an `lpr experiment -m`, or what another verb is given; Hydra's own keys aside."""
    jobs = [word for word in arguments if "=" in word and not word.lstrip("+").startswith("hydra")]
    swept = [re.sub(r"^([^=]+)=([^\[{'\"]*?),.*", r"\1=\2", job) for job in jobs]
    compose(swept)


def test_make_has_the_targets() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words[0] for words in commands("make")}
    assert {"repro", "test", "docs", "recognizer"} <= named
    assert named <= targets


@pytest.mark.parametrize("words", commands("dvc"), ids=" ".join)
def test_dvc_has_the_stages_and_files(words: list[str], in_project: Path) -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    if words[0] == "repro":
        assert [word for word in words[1:] if word not in stages and not (ROOT / word).is_file()] == []
    elif words[:2] == ["exp", "run"]:
        compose_first([word for flag, word in pairwise(words) if flag == "-S"])


@pytest.mark.parametrize("words", BENCHMARKS, ids=" ".join)
def test_benchmarks_understand_their_commands(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    script = ROOT / words[0]
    assert script.is_file()
    if "def build_parser" in script.read_text():
        monkeypatch.syspath_prepend(ROOT / "benchmarks")
        importlib.import_module(script.stem).build_parser().parse_args(words[1:])


def test_there_are_such_commands() -> None:
    assert len(LPR) > 40
    assert len(BENCHMARKS) > 15


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    """Code, options, tests and benchmarks in backquotes; of a list, later names may be in the folder of the first."""
    written_later = {"conf/experiment/tuned.yaml", "conf/tuner/space/mine.yaml", "conf/data/mine.yaml"}
    names = re.findall(r"`((?:lpr|conf|tests|benchmarks|recognizer|tuning|docs)/[\w./-]+)`", page.read_text())
    missing = [
        name
        for name in names
        if not (ROOT / name).exists()
        and not re.search(r"[A-Z]{4}|^tuning/|/origin_", name.replace("README", ""))
        and name not in written_later
    ]
    assert missing == []


def test_readme_links_exist_and_it_is_short() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.encode()) <= 9000
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_option_of_the_table_exists() -> None:
    """The table of groups on the page of experiments names every option of conf/."""
    rows = re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \| (.+) \|$", (ROOT / "docs" / "experiments.md").read_text(), re.MULTILINE
    )
    named: dict[str, str] = {}
    for groups, options in rows:
        for group in re.findall(r"\w+", groups):
            named[group] = named.get(group, "") + options
    for group in ("data", "split", "detector", "augment", "optimizer", "loss", "inference", "ocr", "tuner", "tracking"):
        options = {path.stem for path in (ROOT / "conf" / group).glob("*.yaml")} - {"base"}
        assert [option for option in options if f"`{option}`" not in named[group]] == []
    experiments = {path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml")} - {"tuned"}
    assert [name for name in experiments if not any(name in cell for row in rows for cell in row)] == []


def test_licences_name_every_package_of_fonts() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (ROOT / "docs" / "licences.md").read_text()
    packages = [re.split("[>=<]", entry)[0] for entry in project["optional-dependencies"]["fonts"]]
    assert [package for package in packages if f"`{package}`" not in page] == []
    assert project["license"] == "MIT"


def test_one_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {version} " in (ROOT / "CHANGELOG.md").read_text()


def test_new_keys_of_the_changelog_exist() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    keys = changelog[changelog.index("### Keys") : changelog.index("### Files, scores and columns")]
    options = "".join(path.read_text() for path in (ROOT / "conf").rglob("*.yaml"))
    new = {
        name for row in re.findall(r"\| (`[^|]+`) \|$", keys, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    }
    assert len(new) > 60
    assert [name for name in new if not re.search(rf"\b{name.split(':')[0].split('.')[-1]}:", options)] == []
