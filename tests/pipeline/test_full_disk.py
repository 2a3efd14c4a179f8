"""Stages on a full disk, and in a folder that must not be written to: a sentence, and nothing half-written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from clones import Clone, content

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


def test_a_folder_that_must_not_be_written_to_is_named_with_what_to_do(clone: Clone) -> None:
    data = clone.folder / "data"
    table = (data / "plates.csv").read_bytes()
    # As another user than root, who may write anywhere. The first run imports what only root may read.
    another = "import os; os.geteuid() or os.setuid(65534)\n"
    data.chmod(0o555)
    for parent in data.parents:
        if parent.stat().st_uid == os.geteuid() and parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o055)
    done = run(
        clone, f"import lpr.pipeline.annotate, tqdm, pandas.io.formats.csvs\n{another}sys.exit(main(['annotate']))"
    )
    data.chmod(0o755)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "lpr annotate: data/" in done.stderr
    assert "Permission denied. Give yourself the right to it, or work in another folder" in done.stderr
    assert (data / "plates.csv").read_bytes() == table
