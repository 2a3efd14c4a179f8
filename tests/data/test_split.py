"""The split: near-duplicates stay together; it is stable, seeded, and keeps to the roles of the sources."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lpr.composition.compose import compose
from lpr.config import KFoldSplit, OneSplit, Source, Split
from lpr.data.annotations import read_annotations
from lpr.data.split import perceptual_hashes, split_images
from lpr.errors import UserError


def config(**changes: object) -> Split:
    values = {"name": "grouped", "train": 0.7, "validation": 0.1, "test": 0.2, "seed": 0, "hash_distance_threshold": 6}
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
    frame = pd.DataFrame({"image": names, "source": "set", "text": ""})
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
        assert counts["leakage"] == {"near_duplicate_pairs": 0, "same_text_pairs": 0, "test_images_leaked": 0}
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
    hashes = perceptual_hashes([folder / "mirror" / name for name in urls])
    monkeypatch.setattr("lpr.data.split.perceptual_hashes", lambda _: hashes)  # once for all seeds
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
        assert counts["leakage"] == {"near_duplicate_pairs": 0, "same_text_pairs": 0, "test_images_leaked": 0}
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
