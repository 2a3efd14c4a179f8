"""What differences between experiments prove, on tables made by hand."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lpr.metrics.comparison import METRICS, Difference, compare, fold, plate_scores
from lpr.metrics.statistics import groups_needed, holm, mcnemar, paired_difference, sign_flip

BOX = {"top_x": 10.0, "top_y": 20.0, "bottom_x": 90.0, "bottom_y": 40.0}


def detections(ious: list[float], plates_a_image: int = 1, split: str = "test") -> pd.DataFrame:
    rows = [
        {
            "image": f"{index // plates_a_image}.jpg",
            "source": "drawn",
            "split": split,
            "plate": index % plates_a_image,
            "text": "MH12AB1234",
            **BOX,
            "iou": value,
        }
        for index, value in enumerate(ious)
    ]
    return pd.DataFrame(rows)


def scores(ious: list[float], plates_a_image: int = 1) -> pd.DataFrame:
    return plate_scores(detections(ious, plates_a_image), None)


def found(differences: list[Difference], metric: str) -> Difference:
    (one,) = [difference for difference in differences if difference.metric == metric]
    return one


def test_plates_have_the_scores_of_their_boxes_and_readings() -> None:
    tested = detections([0.4, 0.6, 0.8])
    tested.loc[2, "text"] = ""
    every = pd.concat([tested, detections([1.0], split="train").assign(image="9.jpg")])
    readings = pd.concat(
        [
            tested.assign(boxes="true", edits=[0.0, 0.0, np.nan]),
            tested.assign(boxes="predicted", edits=[3.0, 0.0, np.nan]).iloc[::-1],
        ]
    )
    found = plate_scores(every, readings)
    assert found["image"].tolist() == ["0.jpg", "1.jpg", "2.jpg"]
    assert found["mean_iou"].tolist() == [0.4, 0.6, 0.8]
    assert found["recall@0.5"].tolist() == [0, 1, 1]
    assert found["recall@0.7"].tolist() == [0, 0, 1]
    assert found["true/plate_acc"].tolist()[:2] == [1, 1]
    assert found["predicted/plate_acc"].tolist()[:2] == [0, 1]
    assert found[list(METRICS[3:])].iloc[2].isna().all()


def test_right_and_wrong_have_mcnemars_exact_p() -> None:
    """1 against 9 discordant plates: 2 · (1 + 10) / 2¹⁰, as any table of the binomial distribution has it."""
    (differences,) = compare(scores([0.4] * 9 + [0.6] * 11), [scores([0.6] * 9 + [0.4] + [0.6] * 10)])
    recall = found(differences, "recall@0.5")
    assert recall.p == recall.p_corrected == pytest.approx(22 / 1024)
    assert (recall.baseline, recall.other, recall.difference.value) == pytest.approx((0.55, 0.95, 0.4))
    assert (recall.difference.n, recall.images, recall.verdict) == (20, 20, "better")


def test_the_worse_one_is_called_worse() -> None:
    good, bad = scores([0.9] * 12), scores([0.6] * 12)
    assert {one.verdict for one in compare(good, [bad])[0] if one.metric != "recall@0.5"} == {"worse"}
    assert {one.verdict for one in compare(bad, [good])[0] if one.metric != "recall@0.5"} == {"better"}


def test_equal_experiments_show_no_difference() -> None:
    same = scores(list(np.linspace(0, 1, 30)))
    for one in compare(same, [same])[0]:
        assert (one.difference.value, one.difference.low, one.difference.high, one.p) == (0, 0, 0, 1)
        assert one.verdict == "no difference shown: needs more images than feasible"


def test_one_image_is_too_few() -> None:
    assert {one.verdict for one in compare(scores([0.1, 0.2], 2), [scores([0.9, 0.9], 2)])[0]} == {"too few images"}


def test_only_plates_under_the_same_truth_are_compared() -> None:
    baseline, other = scores([0.2] * 10), scores([0.9] * 10)
    other.loc[0, "top_x"] += 1
    other.loc[1, "text"] = "MH12AB1235"
    other.loc[2, "image"] = "other.jpg"
    assert found(compare(baseline, [other])[0], "mean_iou").difference.n == 7


def test_several_others_are_corrected_together() -> None:
    baseline = scores([0.4] * 9 + [0.6] * 11)
    better, same = scores([0.6] * 9 + [0.4] + [0.6] * 10), baseline
    corrected = [found(differences, "recall@0.5") for differences in compare(baseline, [better, same, same])]
    assert corrected[0].p_corrected == pytest.approx(3 * 22 / 1024)
    assert corrected[0].verdict.startswith("no difference shown: needs about")
    assert corrected[1].p_corrected == 1


def test_holm_is_the_example_of_the_textbooks() -> None:
    """Smallest times 4, next times 3, …, never falling."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_plates_of_one_image_are_no_more_evidence_than_one() -> None:
    """Ten images with four plates that all agree have the interval and the p of ten images."""
    gains = np.array([0.1, 0.1, 0.2, 0.1, 0.3, -0.1, 0.1, 0.2, 0.1, -0.2])
    images = [f"{index}.jpg" for index in range(10)]
    alone, fourfold = paired_difference(gains, images), paired_difference(gains.repeat(4), np.repeat(images, 4))
    assert alone is not None
    assert fourfold == replace(alone, n=40)
    independent = paired_difference(gains.repeat(4), range(40))
    assert independent is not None
    assert independent.high - independent.low < 0.7 * (alone.high - alone.low)
    assert sign_flip(gains.repeat(4), np.repeat(images, 4)) == sign_flip(gains, images) > 0.05


def test_the_sign_flip_test_is_mcnemars_where_scores_are_right_or_wrong() -> None:
    differences = [1] * 8 + [-1] * 2 + [0] * 3
    assert sign_flip(differences, range(13)) == pytest.approx(mcnemar(differences), abs=0.01)


def test_the_number_of_images_would_show_the_difference_four_times_in_five() -> None:
    """By simulation: as many images as asked for, drawn from those seen, a paired t test on each draw."""
    from scipy.stats import ttest_1samp

    rng = np.random.default_rng(0)
    gains = rng.normal(0.02, 0.2, 60)
    needed = round(groups_needed(gains, range(60), level=0.05))
    assert needed > 60
    draws = rng.choice(gains, (2000, needed))
    assert (ttest_1samp(draws, 0, axis=1).pvalue < 0.05).mean() == pytest.approx(0.8, abs=0.04)
    (differences,) = compare(scores([0.5] * 60), [scores(list(0.5 + gains))])
    told = re.fullmatch(r"no difference shown: needs about (\d+) images", found(differences, "mean_iou").verdict)
    assert told
    assert needed <= int(told[1]) <= 1.1 * needed


def test_a_repeated_experiment_has_the_mean_of_each_plate_over_the_runs_that_tested_it() -> None:
    first, second = scores([0.4, 0.8]), scores([0.6, 0.9, 0.3])
    redrawn = scores([1.0]).assign(text="another scene of that name")
    together = fold([first, second, redrawn])
    assert together["mean_iou"].tolist() == pytest.approx([0.5, 0.85, 0.3, 1.0])
    assert together["recall@0.5"].tolist() == [0.5, 1, 0, 1]
    (differences,) = compare(together, [together])
    assert {one.p for one in differences} == {1}


def test_repetitions_that_all_gain_a_little_are_better() -> None:
    rng = np.random.default_rng(1)
    ious = rng.uniform(0.3, 0.8, (3, 40))
    (differences,) = compare(
        fold([scores(list(one)) for one in ious]), [fold([scores(list(one + 0.1)) for one in ious])]
    )
    assert found(differences, "mean_iou").verdict == "better"
    assert found(differences, "recall@0.5").verdict == "better"
