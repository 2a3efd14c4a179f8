"""`params.yaml`: written from conf/, and refused where it is not what conf/ composes."""

import json
import os
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from lpr import config
from lpr.composition.compose import compose
from lpr.composition.params import check_fresh, write_params
from lpr.config.params import HEADER
from lpr.errors import UserError
from lpr.hashes import file_md5

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning:dvc")


def test_params_has_the_composed_values_after_the_command_that_wrote_it(project: Path) -> None:
    write_params(["experiment=original", "optimizer.learning_rate=3e-4"])
    text = Path("params.yaml").read_text()
    assert text.splitlines()[0].endswith("lpr params experiment=original optimizer.learning_rate=3e-4")
    assert yaml.safe_load(text)["optimizer"]["learning_rate"] == 3e-4
    assert config.load() == compose(["experiment=original", "optimizer.learning_rate=3e-4"])
    assert check_fresh() == config.load()


def test_the_committed_params_is_what_conf_composes(in_root: Path) -> None:
    check_fresh()


def test_broken_links_and_pipes_among_the_images_are_named(project: Path) -> None:
    Path("photos/by_day").mkdir(parents=True)
    Path("boxes.csv").write_text("image,xmin,ymin,xmax,ymax\na.jpg,1,1,9,9\n")
    for name in ("a.jpg", "by_day/a.jpg"):
        Path("photos", name).write_bytes(b"bytes")
    Path("photos/linked.jpg").symlink_to("a.jpg")
    Path("photos/linked_folder").symlink_to("by_day")
    own = ["experiment=none", "data=table", "data.annotations=boxes.csv", "data.image_root=photos"]
    write_params(own)
    before = Path("params.yaml").read_bytes()
    Path("photos/gone.jpg").symlink_to("moved_away.jpg")
    os.mkfifo("photos/by_day/pipe.jpg")
    with pytest.raises(UserError, match="2 entries of image folders are broken links or pipes") as refusal:
        write_params(own)
    assert {"  photos/gone.jpg", "  photos/by_day/pipe.jpg"} <= set(str(refusal.value).splitlines())
    assert Path("params.yaml").read_bytes() == before


def test_an_edit_of_conf_makes_params_stale_and_the_message_has_the_command(project: Path) -> None:
    write_params(["experiment=original"])
    adam = Path("conf/optimizer/adam.yaml")
    adam.write_text(adam.read_text().replace("learning_rate: 0.001", "learning_rate: 0.002"))
    with pytest.raises(UserError) as refusal:
        check_fresh()
    assert "optimizer.learning_rate: 0.001 in params.yaml, 0.002 in conf/" in str(refusal.value)
    assert "`lpr params experiment=original`" in str(refusal.value)
    write_params(["experiment=original"])
    check_fresh()


def test_an_edit_that_changes_no_value_leaves_params_up_to_date(project: Path) -> None:
    write_params([])
    adam = Path("conf/optimizer/adam.yaml")
    adam.write_text(adam.read_text() + "# a remark\n")
    check_fresh()


def test_an_edit_of_params_by_hand_is_refused(project: Path) -> None:
    write_params([])
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("epochs:", "epochs: 7  # was:", 1))
    with pytest.raises(UserError, match=r"train\.epochs: 7 in params\.yaml"):
        check_fresh()


def test_a_key_that_a_plug_in_does_not_have_is_refused_by_name(project: Path) -> None:
    write_params([])
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("convs: 8", "convs: 8\n  colour_space: rgb"))
    with pytest.raises(UserError, match=r"detector\.colour_space: there is no such key"):
        check_fresh()


def composed_by_dvc(*, locked: bool) -> None:
    """A `params.yaml` without the first line, as `dvc exp run` writes it; `locked`: with its hash in `dvc.lock`."""
    write_params(["train.epochs=3"])
    text = Path("params.yaml").read_text()
    assert text.startswith(HEADER)
    Path("params.yaml").write_text(text.partition("\n")[2])
    if locked:
        Repo.init(no_scm=True).add("conf")
        (conf,) = yaml.safe_load(Path("conf.dvc").read_text())["outs"]
        deps = [{"path": "params.yaml", "md5": file_md5(Path("params.yaml"))}, {"path": "conf", "md5": conf["md5"]}]
        Path("dvc.lock").write_text(json.dumps({"stages": {"config": {"deps": deps}}}))


def test_params_of_a_dvc_experiment_are_up_to_date_while_it_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed_by_dvc(locked=False)
    monkeypatch.setenv("DVC_EXP_NAME", "an-experiment")
    assert check_fresh().train.epochs == 3


def test_params_of_a_dvc_experiment_are_up_to_date_after_it_if_dvc_lock_has_them_and_conf(project: Path) -> None:
    composed_by_dvc(locked=True)
    assert check_fresh().train.epochs == 3


def test_params_of_a_dvc_experiment_that_dvc_lock_does_not_have_are_refused(project: Path) -> None:
    composed_by_dvc(locked=False)
    with pytest.raises(UserError, match="was not written by `lpr params`"):
        check_fresh()


@pytest.mark.parametrize("edited", ["params.yaml", "conf/optimizer/adam.yaml"])
def test_an_edit_after_a_dvc_experiment_is_refused(project: Path, edited: str) -> None:
    composed_by_dvc(locked=True)
    Path(edited).write_text(Path(edited).read_text() + "# a remark\n")
    with pytest.raises(UserError, match="was not written by `lpr params`"):
        check_fresh()
