"""Stages on a full disk, and in a folder that must not be written to: a sentence, and nothing half-written."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from clones import ROOT, Clone, content

STAGES = {"source@0": "source"} | {
    name: name for name in ("annotate", "download", "split", "train", "evaluate", "ocr", "report")
}


def run(clone: Clone, code: str) -> subprocess.CompletedProcess[str]:
    return clone.run(sys.executable, "-c", f"import sys; from lpr.cli.main import main\n{code}", check=False)


@pytest.mark.slow
def test_every_stage_says_that_the_disk_is_full_and_goes_on_when_it_is_not(clone: Clone) -> None:
    """Full from 500 bytes of a file on, of which every stage writes larger ones."""
    lock = yaml.safe_load((clone.folder / "dvc.lock").read_text())["stages"]
    for name, verb in STAGES.items():
        made = [
            Path(out["path"]) for out in lock[name]["outs"] if "html" not in out["path"] and "prov" not in out["path"]
        ]
        before = {path: content(clone.folder / path) for path in made}
        full = run(
            clone, f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\nsys.exit(main(['{verb}']))"
        )
        assert (full.returncode, "Traceback" in full.stderr) == (1, False), (verb, full.stderr[-3000:])
        assert "Free some space" in full.stderr, (verb, full.stderr[-3000:])
        assert not list(clone.folder.rglob("unfinished-*")), verb
        clone.lpr(verb)
        assert {path: content(clone.folder / path) for path in made} == before, verb


def test_a_folder_that_must_not_be_written_to_is_named_with_what_to_do(project: Path) -> None:
    plate = '{"content": "http://host/1.jpg", "annotation": [{"notes": "", "points": [{"x": 0.1, "y": 0.1}, {"x": 0.5, '
    Path("boxes.json").write_text(plate + '"y": 0.5}], "imageWidth": 100, "imageHeight": 100}]}')
    clone, data = Clone(project), project / "data"
    clone.environment["PYTHONPATH"] = str(ROOT)
    clone.lpr_in_process("params", "data=dataturks", "data.annotations=boxes.json")
    for verb in ("source", "annotate"):
        clone.lpr_in_process(verb)
    table = (data / "plates.csv").read_bytes()
    project.chmod(0o755)
    data.chmod(0o555)
    # As another user than root, who may write anywhere; the first run loads what only root may read.
    done = run(clone, "import os; os.geteuid() or (main(['annotate']), os.setuid(65534))\nsys.exit(main(['annotate']))")
    data.chmod(0o755)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "lpr annotate: data/" in done.stderr
    assert "Permission denied. Give yourself the right to it, or work in another folder" in done.stderr
    assert (data / "plates.csv").read_bytes() == table
