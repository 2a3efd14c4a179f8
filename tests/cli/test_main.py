"""The command line: help, version, messages, and what it imports."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
from clones import ROOT

from lpr.cli.main import build_parser, main


def verbs() -> list[str]:
    (chosen,) = (action for action in build_parser()._actions if action.dest == "verb")
    return list(chosen.choices or ())


@pytest.mark.parametrize("verb", verbs())
def test_the_help_of_each_verb_has_an_example_that_it_understands(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    examples = [line.split() for line in lines if line.startswith(f"  lpr {verb}")]
    assert examples
    assert max(map(len, lines)) <= 88
    for _, *arguments in examples:
        if verb != "experiment":  # whose command line is Hydra's
            assert build_parser().parse_args([argument.strip("'") for argument in arguments]).verb == verb


@pytest.mark.parametrize("verb", verbs())
def test_the_module_of_each_verb_is_there(verb: str) -> None:
    arguments = {"predict": ["image.jpg"], "scene": ["image.jpg"], "data": ["check", "boxes.csv"]}.get(verb, [])
    assert find_spec(build_parser().parse_args([verb, *arguments]).module)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['lpr', '--help']\n"
        "try: import lpr.__main__\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'pandas', 'pydantic', 'hydra', 'dvc', 'wandb', 'yaml', 'PIL'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage: lpr [-h] [--version] VERB" in done.stdout


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"lpr {version('lpr')}\n"


def test_a_verb_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["red"])
    assert end.value.code == 2
    assert "usage: lpr" in capsys.readouterr().err


def test_a_key_is_explained_and_nothing_is_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["params", "--explain", "train.epochs", "experiment=original"]) == 0
    explained = capsys.readouterr().out
    assert "train.epochs" in explained
    assert "30" in explained
    assert not Path("params.yaml").exists()


def test_mistakes_are_messages(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["params", "train.epoch=5"]) == 1
    assert capsys.readouterr().err.startswith("lpr params: train.epoch=5: there is no key 'train.epoch'")
    assert main(["split"]) == 1
    assert capsys.readouterr().err.startswith("lpr split: params.yaml is not in ")


def test_a_stamp_is_left_where_params_are_fresh(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["params", "tracking=off"]) == 0
    assert main(["check", "--stamp"]) == 0
    assert Path("data/checked.txt").is_file()
    Path("data/checked.txt").unlink()
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("epochs: 50", "epochs: 51"))
    assert main(["check", "--stamp"]) == 1
    assert not Path("data/checked.txt").exists()
    assert "train.epochs: 51 in params.yaml, 50 in conf/" in capsys.readouterr().err


def test_modules_of_the_current_folder_are_found(tmp_path: Path) -> None:
    """As by the installed command, of whose path the current folder is no part."""
    (tmp_path / "my_engines.py").write_text("")
    code = (
        "import sys; sys.path = [path for path in sys.path if path]\n"
        "from lpr.cli.main import main\n"
        "assert main(['compare', '--baseline', '1']) == 1\n"
        "import my_engines"
    )
    environment = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_reader_that_goes_away_ends_the_command_without_a_message() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lpr", "models"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    process.stdout.close()
    assert process.wait() == 141
    assert process.stderr
    assert process.stderr.read() == b""


def test_a_full_disk_is_told_with_the_file_and_what_to_do(tmp_path: Path) -> None:
    """Full from 2,000 bytes on, of which the table of a source with many plates needs more."""
    import json

    size = {"imageWidth": 100, "imageHeight": 100}
    plate = {"label": ["number_plate"], "notes": "", "points": [{"x": 0.1, "y": 0.1}, {"x": 0.5, "y": 0.5}], **size}
    line = json.dumps({"content": "http://host/NAME.jpg", "annotation": [plate]})
    (tmp_path / "boxes.json").write_text("".join(line.replace("NAME", str(n)) + "\n" for n in range(100)))
    (tmp_path / "conf").symlink_to(ROOT / "conf")
    code = (
        "import resource, sys; from lpr.cli.main import main\n"
        "assert main(['params', 'data=dataturks', 'data.annotations=boxes.json']) == 0\n"
        "assert main(['source']) == 0\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "sys.exit(main(['annotate']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("Traceback")) == (1, 0), done.stderr
    assert "lpr annotate: data/plates.csv cannot be written: File too large. Free some space" in done.stderr
    assert not (tmp_path / "data/plates.csv").exists()
