"""The split: near-duplicates stay together; it is stable, seeded, and keeps to the roles of the sources."""

import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from lpr.composition.compose import compose
from lpr.config import KFoldSplit, OneSplit, Source, Split
from lpr.data.annotations import read_annotations
from lpr.data.similarity import fingerprints
from lpr.data.split import split_images
from lpr.errors import UserError


def config(**changes: object) -> Split:
    values = {"name": "grouped", "train": 0.7, "validation": 0.1, "test": 0.2, "seed": 0}
    values |= {"hash_distance_threshold": 6, "group_by": None}
    section = KFoldSplit if changes.get("name") == "kfold" else OneSplit
    return section.model_validate(values | changes)


def sources(**roles: str) -> list[Source]:
    return [
        Source.model_validate({"name": name, "format": "table", "annotations": "x.csv", "role": role})
        for name, role in roles.items()
    ]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 different images, but b000…b009 are slightly changed copies of a000…a009."""
    folder = tmp_path_factory.mktemp("images")
    for number in range(150):
        coarse = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((128, 128), Image.Resampling.BICUBIC)
        image.save(folder / f"a{number:03}.jpg")
        if number < 10:
            image.point(lambda value: int(value * 0.95)).save(folder / f"b{number:03}.jpg", quality=60)
    return folder


def plates(images: Path, count: int = 150, copies: int = 10) -> pd.DataFrame:
    names = [f"a{n:03}.jpg" for n in range(count)] + [f"b{n:03}.jpg" for n in range(copies)]
    frame = pd.DataFrame({"image": names, "source": "set", "url": names, "text": ""})
    # a100…a109 show the plates of a110…a119.
    for number in range(10):
        frame.loc[frame["image"].isin([f"a{100 + number}.jpg", f"a{110 + number}.jpg"]), "text"] = f"KA01AA{number:04}"
    return frame


def splits_of(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(table["image"], table["split"], strict=True))


def test_near_duplicates_and_images_of_one_plate_stay_together(images: Path) -> None:
    for seed in range(5):
        table, counts = split_images(plates(images), images, sources(set="both"), config(seed=seed))
        split = splits_of(table)
        assert all(split[f"a{n:03}.jpg"] == split[f"b{n:03}.jpg"] for n in range(10))
        assert all(split[f"a{n}.jpg"] == split[f"a{n + 10}.jpg"] for n in range(100, 110))
        assert set(counts["leakage"].values()) == {0}  # type: ignore[attr-defined]
        assert counts["groups"] == 140


def test_a_random_split_leaks_and_the_leaks_are_counted(images: Path) -> None:
    table, counts = split_images(plates(images), images, sources(set="both"), config(name="random"))
    split = splits_of(table)
    astride = sum(split[f"a{n:03}.jpg"] != split[f"b{n:03}.jpg"] for n in range(10))
    assert counts["leakage"] == counts["leakage_of_random_split"]
    assert counts["leakage"]["near_duplicate_pairs"] == astride > 0  # type: ignore[index]


@pytest.mark.parametrize("name", ["grouped", "random"])
def test_fractions_are_kept(images: Path, name: str) -> None:
    table, _ = split_images(plates(images), images, sources(set="both"), config(name=name))
    share = table["split"].value_counts(normalize=True)
    assert share["test"] == pytest.approx(0.2, abs=0.07)
    assert share["validation"] == pytest.approx(0.1, abs=0.06)


def test_added_images_leave_the_others_in_their_splits(images: Path) -> None:
    before, _ = split_images(plates(images, 90, 0), images, sources(set="both"), config())
    after, _ = split_images(plates(images, 150, 0), images, sources(set="both"), config())
    assert splits_of(before).items() <= splits_of(after).items()


def test_the_seed_decides(images: Path) -> None:
    splits = [split_images(plates(images), images, sources(set="both"), config(seed=s))[0] for s in (0, 0, 1)]
    assert splits_of(splits[0]) == splits_of(splits[1]) != splits_of(splits[2])


@pytest.mark.parametrize("name", ["grouped", "random"])
def test_roles_are_kept(images: Path, name: str) -> None:
    frame = plates(images)
    frame["source"] = ["train", "test", "both"] * (len(frame) // 3) + ["both"] * (len(frame) % 3)
    roles = sources(train="train", test="test", both="both")
    table, _ = split_images(frame, images, roles, config(name=name))
    by_source = table.groupby("source")["split"].agg(set)
    assert "test" not in by_source["train"]
    assert by_source["test"] == {"test"}
    assert by_source["both"] == {"train", "validation", "test"}


def test_images_of_a_validation_source_are_validated_by_and_their_near_duplicates_not_trained_on(images: Path) -> None:
    frame = plates(images)
    frame["source"] = np.where(frame["image"].str.startswith("b"), "chosen_by", "shown")
    table, counts = split_images(
        frame, images, sources(chosen_by="validation", shown="train"), config(train=1.0, validation=0.0, test=0.0)
    )
    assert table.groupby("source")["split"].agg(set).to_dict() == {"chosen_by": {"validation"}, "shown": {"train"}}
    assert counts["left_out"] == 10


def test_a_training_image_whose_near_duplicate_is_tested_is_left_out(images: Path) -> None:
    frame = plates(images)
    frame["source"] = np.where(frame["image"].str.startswith("b"), "test", "train")
    table, counts = split_images(frame, images, sources(train="train", test="test"), config())
    assert counts["left_out"] == 10
    assert not set(table["image"]) & {f"a{n:03}.jpg" for n in range(10)}


def test_a_split_that_would_be_empty_is_refused(images: Path) -> None:
    with pytest.raises(UserError, match=r"split\.test=0\.2 of 2 images"):
        split_images(plates(images, 2, 0), images, sources(set="both"), config(train=0.8, validation=0, test=0.2))


def test_no_known_pair_of_dataturks_is_in_two_splits(
    real_data: Path, in_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = real_data / "dataturks"
    found = read_annotations(folder / "Indian_Number_plates.json", "dataturks").plates
    found["image"] = found["url"].str.rpartition("/")[2]
    urls = list(dict.fromkeys(found["image"]))
    chosen = compose(["experiment=original"]).split
    made = fingerprints([folder / "mirror" / name for name in urls])
    monkeypatch.setattr("lpr.data.split.fingerprints", lambda _: made)  # once for all seeds
    for seed in range(10):
        table, counts = split_images(
            found, folder / "mirror", sources(dataturks="both"), chosen.model_copy(update={"seed": seed})
        )
        split = splits_of(table)
        for a, b in [(0, 206), (34, 212), (134, 205), (147, 227), (182, 235)]:
            assert split[urls[a]] == split[urls[b]]
        assert counts["leakage"]["near_duplicate_pairs"] == 0  # type: ignore[index]


def test_the_folds_test_every_image_once_without_leaks(images: Path) -> None:
    tested: list[str] = []
    for fold in range(5):
        folds = config(name="kfold", folds=5, fold=fold)
        table, counts = split_images(plates(images), images, sources(set="both"), folds)
        assert set(counts["leakage"].values()) == {0}  # type: ignore[attr-defined]
        count = table["split"].value_counts()
        assert count["test"] == pytest.approx(32, abs=16)
        assert count["validation"] / (count["train"] + count["validation"]) == pytest.approx(0.125, abs=0.07)
        tested += table.loc[table["split"] == "test", "image"].tolist()
    assert sorted(tested) == sorted(plates(images)["image"])


def test_folds_go_with_sets_that_only_train_or_only_test(images: Path) -> None:
    frame = plates(images)
    frame.loc[:49, "source"], frame.loc[50:79, "source"] = "old", "far"
    roles = sources(set="both", old="train", far="test")
    for fold in (0, 1):
        table, _ = split_images(frame, images, roles, config(name="kfold", folds=2, fold=fold))
        assert set(table.loc[table["source"] == "old", "split"]) == {"train", "validation"}
        assert set(table.loc[table["source"] == "far", "split"]) == {"test"}
        assert set(table.loc[table["source"] == "set", "split"]) == {"train", "validation", "test"}


def frame(video: int, time: int) -> Image.Image:
    """What a camera that turns slowly sees: neighbours are alike, but mostly no near-duplicates by their hashes."""
    coarse = np.random.default_rng(video).integers(0, 256, (8, 40, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((640, 128), Image.Resampling.BICUBIC).crop((4 * time, 0, 4 * time + 128, 128))


def saved(folder: Path, images: dict[str, Image.Image], texts: dict[str, str] | None = None) -> pd.DataFrame:
    for name, image in images.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        image.save(folder / name)
    names = list(images)
    return pd.DataFrame(
        {"image": names, "url": names, "source": "set", "text": [(texts or {}).get(name, "") for name in names]}
    )


def settings_of(overrides: str) -> dict[str, object]:
    """The keys of `split` that overrides set, as they are typed in a shell."""
    pairs = [override.removeprefix("split.").split("=", 1) for override in shlex.split(overrides)]
    return {key: value[1:-1] if value[0] == '"' else yaml.safe_load(value) for key, value in pairs}


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """Twelve recordings of ten frames each."""
    folder = tmp_path_factory.mktemp("videos")
    return folder, saved(folder, {f"rec{v}.mp4#t={t}.jpg": frame(v, t) for v in range(12) for t in range(10)})


def test_frames_of_a_video_in_two_splits_are_measured_and_said(
    videos: tuple[Path, pd.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, frames = videos
    table, counts = split_images(frames, folder, sources(set="both"), config())
    leakage, suspected = counts["leakage"], counts["suspected_videos"]
    assert isinstance(leakage, dict)
    assert isinstance(suspected, dict)
    assert leakage["near_duplicate_pairs"] == leakage["same_text_pairs"] == 0
    assert leakage["test_images_leaked"] == leakage["test_images_of_the_same_scene"] > 0
    split = splits_of(table)
    of = {name: {split[f"{name.partition('#')[0]}#t={t}.jpg"] for t in range(10)} for name in split}
    leaked = sum(split[name] == "test" and "train" in of[name] for name in split)
    assert suspected == {"videos": 12, "images": 120, "test_images_with_frames_in_training": leaked}
    said = capsys.readouterr().out
    assert f"{leaked} of {list(split.values()).count('test')} test images seem to have frames of the same video" in said
    assert "split.group_by=" in said

    # What is said to help does help.
    proposed = settings_of(said.rpartition("; ")[2].partition(" keeps 108 of 108 neighbours together")[0])
    assert "group_by" in proposed
    table, counts = split_images(frames, folder, sources(set="both"), config(**proposed))
    split = splits_of(table)
    assert all(len({split[f"rec{v}.mp4#t={t}.jpg"] for t in range(10)}) == 1 for v in range(12))
    assert set(counts["leakage"].values()) == {0}  # type: ignore[attr-defined]
    assert counts["suspected_videos"] == {"videos": 12, "images": 120, "test_images_with_frames_in_training": 0}
    assert counts["group_by"] == {"groups": 12, "images_in_none": 0}
    assert not capsys.readouterr().out


def test_different_cars_with_names_that_count_are_no_video(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, counts = split_images(plates(images), images, sources(set="both"), config())
    assert counts["suspected_videos"] == {"videos": 0, "images": 0, "test_images_with_frames_in_training": 0}
    assert not capsys.readouterr().out


def test_a_folder_keeps_its_images_together_and_those_in_none_are_counted(images: Path, tmp_path: Path) -> None:
    frames = plates(images, 60, 0)
    frames["url"] = [f"cam{n // 10}/{n}.jpg" if n < 50 else f"{n}.jpg" for n in range(60)]
    table, counts = split_images(
        frames, images, sources(set="both"), config(group_by="folder", validation=0, train=0.8)
    )
    split = splits_of(table)
    assert all(len({split[f"a{n:03}.jpg"] for n in range(first, first + 10)}) == 1 for first in range(0, 50, 10))
    assert counts["group_by"] == {"groups": 5, "images_in_none": 10}
    assert counts["groups"] == 15


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """40 cars before one fixed camera, and their texts."""
    folder = tmp_path_factory.mktemp("gate")
    images = {}
    for number in range(40):
        images[f"f{number:02}.jpg"] = frame(0, 0)
        colour = tuple(np.random.default_rng(number).integers(0, 256, 3).tolist())
        images[f"f{number:02}.jpg"].paste(colour, (50, 60, 80, 76))
    return folder, saved(folder, images, {f"f{number:02}.jpg": f"KA01AA{number:04}" for number in range(40)})


def test_different_plates_before_a_fixed_camera_are_no_group(
    gate: tuple[Path, pd.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, cars = gate
    _, counts = split_images(cars, folder, sources(set="both"), config())
    assert counts["groups"] == 40
    assert set(counts["leakage"].values()) == {0}  # type: ignore[attr-defined]
    assert counts["suspected_videos"] == {"videos": 0, "images": 0, "test_images_with_frames_in_training": 0}
    assert not capsys.readouterr().out

    twice = cars.assign(text=["KA01AA0001" if n < 3 else text for n, text in enumerate(cars["text"])])
    assert split_images(twice, folder, sources(set="both"), config())[1]["groups"] == 38
    unknown = cars.assign(text=["" if n == 5 else text for n, text in enumerate(cars["text"])])
    with pytest.raises(UserError, match=r"is none"):
        split_images(unknown.assign(text=""), folder, sources(set="both"), config())
    assert split_images(unknown, folder, sources(set="both"), config(hash_distance_threshold=0))[1]["groups"] > 30


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"group_by": "f"},
        {"name": "kfold", "folds": 20, "fold": 1},
        {"hash_distance_threshold": 0, "group_by": "f"},
        {"train": 0.97, "validation": 0.01, "test": 0.02},
    ],
    ids=str,
)
def test_what_a_refusal_names_helps(gate: tuple[Path, pd.DataFrame], settings: dict[str, object]) -> None:
    folder, cars = gate
    unread = cars.assign(text="" if settings.get("train") is None else cars["text"])
    with pytest.raises(UserError, match=r"is none\. What helps: split") as refused:
        split_images(unread, folder, sources(set="both"), config(**settings))
    for remedy in str(refused.value).partition("What helps: ")[2].split("; or "):
        split_images(unread, folder, sources(set="both"), config(**settings | settings_of(remedy)))


@pytest.mark.parametrize("count", [0, 1])
def test_where_nothing_helps_more_images_do(images: Path, count: int) -> None:
    with pytest.raises(UserError, match=r"What helps: more images$"):
        split_images(plates(images, count, 0), images, sources(set="both"), config())


@pytest.mark.parametrize("group_by", ["(open", "*"])
def test_what_is_no_regular_expression_is_refused(group_by: str) -> None:
    with pytest.raises(ValueError, match="neither folder nor a regular expression"):
        config(group_by=group_by)
