"""`lpr experiment`: the same figures as DVC's chain, over its data or others."""

import json
from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from clones import TINY, Clone, content
from PIL import Image

from lpr.composition.compose import compose
from lpr.data.tables import read_table
from lpr.errors import UserError
from lpr.experiment.run import has_same_data, objective, prepare_data, prepare_folder, run_stages, write_finished


def test_images_without_plates_have_no_part_in_the_objective() -> None:
    empty = {"false_positives_per_image": {"value": 2.0, "n": 8}}
    cars = {"mean_iou": {"value": 0.5, "n": 8}, **empty}
    assert objective({"streets": {"validation": empty}, "cars": {"validation": cars}}) == 0.5
    assert objective({"streets": {"validation": empty}, "cars": {"test": cars}}) == 0.5
    with pytest.raises(UserError, match="nothing was validated or tested"):
        objective({"streets": {"validation": empty}})


def test_scores_by_one_kind_of_label_have_no_part_in_the_objective() -> None:
    cars, again = ({"mean_iou": {"value": value, "n": 8}} for value in (0.5, 0.9))
    scores = {"cars": {"validation": cars}, "cars_original_boxes": {"margins": {"left": 0.1}, "validation": again}}
    assert objective({**scores, "cars_override_boxes": {"validation": again}}) == 0.5


def test_an_experiment_has_the_files_of_dvc_repro_to_the_last_byte(clone: Clone) -> None:
    before = (clone.folder / "dvc.lock").read_bytes()
    clone.lpr("experiment", *TINY, "hydra.run.dir=experiments/one")
    folder = clone.folder / "experiments" / "one"
    assert (folder / "data" / "images").resolve() == clone.folder / "data" / "images"
    stages = yaml.safe_load(before)["stages"]
    for stage in ("split", "train", "evaluate", "ocr"):
        for path in (Path(out["path"]) for out in stages[stage]["outs"]):
            assert content(folder / path) == content(clone.folder / path), path
    assert "plate_acc" in (folder / "reports" / "index.html").read_text()
    assert (clone.folder / "dvc.lock").read_bytes() == before
    assert clone.dvc("status", "dvc.yaml").stdout.strip() == "Data and pipelines are up to date."


def test_other_data_is_prepared_in_a_place_of_its_own(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in (clone.folder / "data").rglob("*.csv")}
    monkeypatch.chdir(clone.folder)
    settings = compose([*(override for override in TINY if "scenes" not in override), "data.sources.0.scenes=20"])
    folder = clone.folder / "experiments" / "other"
    folder.mkdir(parents=True)
    prepare_folder(settings, clone.folder, folder)
    assert "preparing it in experiments/data/" in capsys.readouterr().out
    monkeypatch.chdir(folder)
    run_stages(["split"], settings)
    counted = json.loads((folder / "metrics" / "split.json").read_text())
    assert sum(counted["images"]["synthetic"].values()) == 20
    assert {path: path.read_bytes() for path in (clone.folder / "data").rglob("*.csv")} == before
    capsys.readouterr()
    monkeypatch.chdir(clone.folder)
    prepare_folder(settings, clone.folder, folder)
    assert "preparing it" not in capsys.readouterr().out


def test_images_that_changed_are_prepared_anew(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images").mkdir()
    rows = "".join(f"{number}.png,10,20,40,30\n" for number in range(5))
    (tmp_path / "boxes.csv").write_text(f"image,xmin,ymin,xmax,ymax\n{rows}")
    for number in range(5):
        Image.effect_noise((64, 48), 20 * number).save(tmp_path / "images" / f"{number}.png")
    monkeypatch.chdir(clone.folder)
    mine = ["experiment=none", "data=table", f"data.annotations={tmp_path}/boxes.csv"]

    def prepared() -> tuple[bool, list[int]]:
        place = prepare_data(compose(mine), clone.folder)
        widths = [Image.open(path).width for path in sorted((place / "data/images").iterdir())]
        return "preparing it" in capsys.readouterr().out, widths

    assert prepared() == (True, [64] * 5)
    assert prepared() == (False, [64] * 5)
    Image.effect_noise((80, 60), 30).save(tmp_path / "images" / "2.png")
    assert prepared() == (True, [64, 64, 80, 64, 64])


def test_what_dvc_prepared_is_used_only_while_its_labels_and_images_are_unchanged(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(clone.folder)
    boxes, image = Path("mine/boxes.csv"), Path("mine/images/2.png")
    image.parent.mkdir(parents=True)
    for number in range(5):
        Image.effect_noise((64, 48), 20 * number).save(image.with_name(f"{number}.png"))
    boxes.write_text("image,xmin,ymin,xmax,ymax,text\n" + "".join(f"{n}.png,10,20,40,30,AB{n}\n" for n in range(5)))
    mine = ["experiment=none", "data=table", "data.annotations=./mine/boxes.csv", "data.image_root=mine/images"]
    clone.lpr("params", *mine)
    clone.dvc("repro", "download")

    def prepared() -> tuple[bool, list[str], list[int]]:
        folder = clone.folder / "experiments" / "mine"
        folder.mkdir(parents=True, exist_ok=True)
        settings = compose(mine)
        with chdir(folder):
            prepare_folder(settings, clone.folder, folder)
        widths = [Image.open(path).width for path in sorted((folder / "data/images").iterdir())]
        return "preparing it" in capsys.readouterr().out, list(read_table(folder / "data/plates.csv")["text"]), widths

    texts = [f"AB{number}" for number in range(5)]
    assert prepared() == (False, texts, [64] * 5)
    labels = boxes.read_text()
    boxes.write_text(labels.replace("0.png,10,20,40,30,AB0\n", ""))
    assert prepared() == (True, texts[1:], [64] * 4)
    boxes.write_text(labels)
    assert prepared() == (False, texts, [64] * 5)
    noise = image.read_bytes()
    Image.effect_noise((80, 60), 30).save(image)
    assert prepared() == (True, texts, [64, 64, 80, 64, 64])
    image.write_bytes(noise)
    assert prepared() == (False, texts, [64] * 5)
    boxes.write_text(labels.replace("AB1", "XY1"))
    clone.dvc("repro", "source@0")  # and not what comes after it
    assert prepared() == (True, ["AB0", "XY1", *texts[2:]], [64] * 5)
    folder = clone.folder / "experiments" / "mine"
    write_finished(compose(mine), folder, 0.5, 1.0)
    assert has_same_data(compose(mine), clone.folder, folder)
    boxes.write_text(labels)
    assert not has_same_data(compose(mine), clone.folder, folder)  # so that --resume does it again
