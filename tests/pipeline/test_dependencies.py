"""What the DVC stages declare, compared with what their code reaches; no list here is kept by hand."""

from __future__ import annotations

import copy
import re
import shutil
from pathlib import Path
from typing import Any

import imports
import pytest
import yaml
from clones import ROOT

from lpr.cli.main import build_parser
from lpr.composition.compose import compose_values
from lpr.config import Config, load
from lpr.config.target import NETWORKS
from lpr.errors import UserError
from lpr.pipeline import train

PIPELINES = ("dvc.yaml", "recognizer/dvc.yaml", "tuning/dvc.yaml")
Stage = dict[str, Any]


def stages() -> dict[str, Stage]:
    """All stages of the pipelines; one for each source counts once."""
    found = {}
    for pipeline in PIPELINES:
        for name, stage in yaml.safe_load((ROOT / pipeline).read_text())["stages"].items():
            found[name] = stage.get("do", stage)
    return found


def module(stage: Stage) -> str:
    """The module that the stage's command runs."""
    python, option, lpr, *arguments = stage["cmd"].split()
    assert (python, option, lpr) == ("python", "-m", "lpr")
    return build_parser().parse_args(arguments).module


def undeclared_code(stage: Stage) -> list[str]:
    """The files that the stage's code reaches and its deps do not have; a folder has all in it."""
    declared = {Path(dep) for dep in stage["deps"]}
    return sorted(str(file) for file in imports.reached(module(stage)) if not declared & {file, *file.parents})


def unreached_code(stage: Stage) -> list[str]:
    """The files and folders of lpr in the stage's deps of which its code reaches nothing."""
    reached = {place for file in imports.reached(module(stage)) for place in (file, *file.parents)}
    return [dep for dep in stage["deps"] if dep.startswith("lpr/") and Path(dep) not in reached]


def declared_keys(stage: Stage) -> list[str]:
    entries = stage.get("params", [])
    return [key for entry in entries for key in (entry["params.yaml"] if isinstance(entry, dict) else [entry])]


def read_keys(stage: Stage) -> set[str]:
    """The keys of the configuration that the stage's code reads; sections where it takes the whole."""
    keys = imports.keys(module(stage))
    return (keys - {""}) | (settable_sections() if "" in keys else set())


def settable_sections() -> set[str]:
    """The sections but those that conf/ composes from others."""
    composed = {
        key for key, value in yaml.safe_load((ROOT / "conf/config.yaml").read_text()).items() if "${" in str(value)
    }
    return set(Config.model_fields) - composed


def is_in(key: str, section: str) -> bool:
    return f"{key}.".startswith(f"{section}.")


def undeclared_keys(stage: Stage) -> list[str]:
    """The keys that the stage's code reads and its params do not have; a section has all in it."""
    declared = declared_keys(stage)
    return sorted(key for key in read_keys(stage) if not any(is_in(key, section) for section in declared))


def unread_keys(stage: Stage) -> list[str]:
    """The keys in the stage's params that its code does not read."""
    read = read_keys(stage)
    return [key for key in declared_keys(stage) if not any(is_in(key, one) or is_in(one, key) for one in read)]


@pytest.mark.parametrize("name", stages())
def test_the_code_that_a_stage_reaches_is_declared(name: str) -> None:
    stage = stages()[name]
    assert undeclared_code(stage) == []
    assert unreached_code(stage) == []


# `config` depends on the whole of params.yaml; for `tune`, see below.
@pytest.mark.parametrize("name", [name for name in stages() if name not in ("config", "tune")])
def test_the_keys_that_a_stage_reads_are_declared(name: str) -> None:
    stage = stages()[name]
    assert undeclared_keys(stage) == []
    assert unread_keys(stage) == []


def test_a_search_depends_on_the_settings_of_either_network() -> None:
    """All of the configuration goes to wandb only; its results depend on what trials depend on."""
    assert set(declared_keys(stages()["tune"])) == NETWORKS | {"tuner", "target", "data.sources"}
    assert "params.yaml" in stages()["config"]["deps"]


@pytest.mark.parametrize("name", stages())
def test_each_dependency_that_is_left_out_is_found(name: str) -> None:
    """The checks themselves: without one of its deps or params, no stage passes."""
    stage = stages()[name]
    for dep in (dep for dep in stage["deps"] if dep.startswith("lpr/")):
        less = copy.deepcopy(stage)
        less["deps"].remove(dep)
        missing = undeclared_code(less)
        assert missing
        assert all(Path(dep) in (Path(file), *Path(file).parents) for file in missing)
        assert unreached_code(copy.deepcopy(stage) | {"deps": [*stage["deps"], "lpr/no_such_module.py"]})
    for key in declared_keys(stage) if name != "tune" else ():
        less = copy.deepcopy(stage) | {"params": [one for one in declared_keys(stage) if one != key]}
        assert all(is_in(missing, key) for missing in undeclared_keys(less))
        assert undeclared_keys(less)
        assert unread_keys(copy.deepcopy(stage) | {"params": ["no_such_key"]}) == ["no_such_key"]


def test_imports_by_name_and_files_beside_the_code_are_reached() -> None:
    reached = {str(path) for path in imports.reached("lpr.pipeline.ocr")}
    assert {"lpr/ocr/engines/ocrspace.py", "lpr/ocr/recognizer/weights/recognizer.onnx"} <= reached
    assert "lpr/detection/families/centernet.py" in {str(path) for path in imports.reached("lpr.pipeline.train")}
    assert "lpr/pipeline/__init__.py" not in reached, "it has no code"
    assert "lpr/detection/training.py" not in reached


OWN = {
    "formats": ["data.sources.0.format={}"],
    "detector": ["detector.name={}"],
    "ocr": ["ocr.name={}"],
    "metrics": ["metrics.recognition=[cer,{}:METRIC]"],
}


@pytest.mark.parametrize("key", OWN)
def test_dvc_watches_the_file_of_a_plug_in_of_ones_own(project: Path, key: str) -> None:
    def watched(name: str) -> str:
        return compose_values([override.format(name) for override in OWN[key]], Path("conf"))["code"][key]

    Path("mine").mkdir()
    Path("mine/plug_in.py").touch()
    assert watched("mine.plug_in") == "mine/plug_in.py"
    package = watched("anything")
    assert (ROOT / package).is_dir()
    assert watched("installed.plug_in") == package, "it is no file of this folder"


def test_dvc_watches_the_folder_of_several_plug_ins(project: Path) -> None:
    for name in ("mine/one.py", "mine/two.py", "other.py", "others/one.py"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert compose_values(["metrics.recognition=[mine.one:A,mine.two:B]"], Path("conf"))["code"]["metrics"] == "mine"
    with pytest.raises(UserError, match="these share none"):
        compose_values(["metrics.recognition=[mine.one:A,others.one:B]"], Path("conf"))


def test_the_stages_that_load_plug_ins_depend_on_those_of_ones_own() -> None:
    """Such a stage reaches the module that loads them by name, and reads the section that names them."""
    code = yaml.safe_load((ROOT / "params.yaml").read_text())["code"]
    assert set(code) == set(OWN)
    needed = set()
    for key, package in code.items():
        section = OWN[key][0].partition("=")[0].split(".")[0]
        loaders = {
            file.relative_to(ROOT)
            for file in (ROOT / package).rglob("*.py")
            if re.search(r"plugins\.(load|find)\(", file.read_text())
        }
        assert len(loaders) == 1
        for name, stage in stages().items():
            reads = name == "config" or any(is_in(one, section) for one in read_keys(stage))
            if reads and loaders <= imports.reached(module(stage)):
                needed.add((name, f"${{code.{key}}}"))
    declared = {(name, dep) for name, stage in stages().items() for dep in stage["deps"] if dep.startswith("${code.")}
    assert declared == needed


def test_training_the_recognizer_by_dvc_repro_is_refused_by_name(project: Path) -> None:
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    values = yaml.safe_load(Path("params.yaml").read_text())
    values["target"], values["tuner"]["objective"] = "recognizer", "char_acc"
    Path("params.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(UserError, match=r"target=recognizer.*`dvc repro recognizer/dvc\.yaml`.*`lpr experiment"):
        train.run(load())
