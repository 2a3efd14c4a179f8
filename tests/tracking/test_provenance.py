import json
import shutil
import subprocess
from pathlib import Path

import composed
import pytest

from lpr.tracking.provenance import NOT_TIMED, collect, write_timing

LOCK = """\
schema: '2.0'
stages:
  annotate:
    cmd: python -m lpr annotate
    deps: [{path: data/sources, hash: md5, md5: 00000000000000000000000000000000.dir}]
    outs:
    - {path: data/plates.csv, hash: md5, md5: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, size: 1}
    - {path: metrics/annotate.json, hash: md5, md5: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, size: 1}
  ocr:
    cmd: python -m lpr ocr
    outs:
    - {path: reports/recognitions.csv, hash: md5, md5: cccccccccccccccccccccccccccccccc, size: 1}
  report:
    cmd: python -m lpr report
    outs:
    - {path: reports/index.html, hash: md5, md5: dddddddddddddddddddddddddddddddd, size: 1}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project's folder, as the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.lock").write_text(LOCK)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/recognition.json").write_text("{}")
    return tmp_path


@pytest.fixture(scope="module")
def experiment():
    return composed.config()


def git(*arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_revision_and_changes_to_the_code_are_recorded(project, experiment):
    (project / "lpr").mkdir()
    (project / "lpr/train.py").write_text("1")
    git("init", "-q")
    git("add", "--all")
    git("commit", "-qm", "first")
    (project / "dvc.lock").write_text(LOCK + "# rewritten by the run itself\n")
    (project / "metrics/recognition.json").write_text('{"rewritten": 1}')
    assert collect(experiment)["git"] == {"revision": git("rev-parse", "HEAD"), "dirty": False, "changed": []}
    (project / "lpr/train.py").write_text("2")
    changed = collect(experiment)["git"]
    assert changed["dirty"] is True
    assert changed["changed"] == ["lpr/train.py"]


def test_without_git_the_revision_is_unknown(project, experiment, monkeypatch):
    monkeypatch.setenv("PATH", str(project))
    assert collect(experiment)["git"] == {"revision": "unknown", "dirty": "unknown", "changed": []}


def test_outside_a_repository_the_revision_is_unknown(project, experiment, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    assert collect(experiment)["git"]["revision"] == "unknown"


def test_outputs_before_the_report_have_dvcs_hashes(project, experiment):
    outputs = collect(experiment)["dvc"]["outputs"]
    assert outputs["data/plates.csv"] == "a" * 32
    assert outputs["reports/recognitions.csv"] == "c" * 32
    assert "reports/index.html" not in outputs


def test_without_dvc_lock_there_are_no_hashes_and_no_timings(project, experiment):
    (project / "dvc.lock").unlink()
    found = collect(experiment)
    assert found["dvc"]["outputs"] == {}
    assert found["timings"] == {}


def test_a_timing_is_valid_only_while_the_output_is_unchanged(project, experiment):
    write_timing("ocr", 12.3456, Path("metrics/recognition.json"), median_ms_per_plate=41.5, threads=2)
    timings = collect(experiment)["timings"]
    assert timings == {
        "annotate": NOT_TIMED,
        "ocr": {"seconds": 12.346, "median_ms_per_plate": 41.5, "threads": 2},
    }
    (project / "metrics/recognition.json").write_text('{"from": "the cache"}')
    assert collect(experiment)["timings"]["ocr"] == NOT_TIMED
    (project / "metrics/recognition.json").unlink()
    assert collect(experiment)["timings"]["ocr"] == NOT_TIMED


def test_versions_and_hardware_are_recorded(project, experiment):
    found = collect(experiment)
    assert found["versions"]["python"].startswith("3.")
    assert found["versions"]["numpy"]
    assert found["hardware"]["cores"] >= 1
    assert found["hardware"]["cpu"]
    assert found["written"].endswith("+00:00")


def test_the_wandb_run_is_recorded(project, experiment):
    run = {"id": "abc", "mode": "offline", "folder": "wandb/offline-run-abc"}
    assert collect(experiment, wandb_run=run)["wandb"] == run
    assert collect(experiment)["wandb"] == {"mode": "offline"}


def test_it_is_json_and_holds_no_secret_and_no_path_of_the_machine(project, experiment, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "planted-secret-value")
    text = json.dumps(collect(experiment))
    assert "planted-secret-value" not in text
    assert str(project) not in text
