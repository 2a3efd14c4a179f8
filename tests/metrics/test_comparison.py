"""Paired comparisons of experiments, on tables made by hand."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lpr.boxes import PREDICTED_BOX_COLUMNS
from lpr.metrics.base import DetectionCases, RatioMetric
from lpr.metrics.comparison import (
    CaseScores,
    Difference,
    average_repetitions,
    compare,
    detection_case_scores,
    recognition_case_scores,
)
from lpr.metrics.statistics import groups_needed, holm, mcnemar, paired_difference, sign_flip

BOX = {"top_x": 10.0, "top_y": 20.0, "bottom_x": 90.0, "bottom_y": 40.0}


def detections(ious: list[float], plates_per_image: int = 1, split: str = "test") -> pd.DataFrame:
    rows = [
        {
            "image": f"{index // plates_per_image}.jpg",
            "source": "synthetic",
            "split": split,
            "plate": index % plates_per_image,
            "text": "MH12AB1234",
            **BOX,
            "iou": value,
        }
        for index, value in enumerate(ious)
    ]
    return pd.DataFrame(rows)


def cases(plates: pd.DataFrame, false_positives: dict[str, int] | None = None) -> DetectionCases:
    """These plates, and so many boxes beside them in each image; `empty.jpg` shows no plate."""
    images = [*plates["image"].unique(), "empty.jpg"]
    rows = [(name, rank, 0.9, 0, 0, 5, 5) for name, count in (false_positives or {}).items() for rank in range(count)]
    predictions = pd.DataFrame(rows, columns=["image", "rank", "confidence", *PREDICTED_BOX_COLUMNS])
    named = pd.DataFrame({"image": images, "source": "synthetic", "split": "test"})
    return DetectionCases(plates, predictions, named, 0.5)


def scores(ious: list[float], plates_per_image: int = 1) -> dict[str, CaseScores]:
    """By the metrics of which a case is a plate."""
    found = detection_case_scores(cases(detections(ious, plates_per_image)))
    del found["false_positives_per_image"]
    return found


def changed(scores: dict[str, CaseScores], row: int, column: str, value: object) -> None:
    """Another identity of one case."""
    for one in scores.values():
        one.cases.loc[row, column] = value


def found(differences: list[Difference], metric: str) -> Difference:
    (one,) = [difference for difference in differences if difference.metric == metric]
    return one


def test_plates_have_the_scores_of_their_boxes_and_recognized_texts() -> None:
    tested = detections([0.4, 0.6, 0.8])
    tested.loc[2, "text"] = ""
    recognitions = pd.concat(
        [
            tested.assign(boxes="true", predicted_text=["MH12AB1234", "MH12AB1234", "X"]),
            tested.assign(boxes="predicted", predicted_text=["MH12AB1", "MH12AB1234", "X"]).iloc[::-1],
            detections([1.0], split="train").assign(image="9.jpg", boxes="true", predicted_text=""),
        ]
    ).assign(text_before_grammar="")
    found = detection_case_scores(cases(tested)) | recognition_case_scores(tested, recognitions)
    assert found["mean_iou"].cases["image"].tolist() == ["0.jpg", "1.jpg", "2.jpg"]
    values = {name: one.cases["numerator"].tolist() for name, one in found.items()}
    assert values["mean_iou"] == [0.4, 0.6, 0.8]
    assert values["recall@0.5"] == [0, 1, 1]
    assert values["recall@0.7"] == [0, 0, 1]
    assert values["true/plate_acc"] == [1, 1]
    assert values["predicted/plate_acc"] == [0, 1]
    assert values["predicted/cer"] == [3, 0]
    assert found["predicted/cer"].cases["denominator"].tolist() == [10, 10]
    assert not {"AP50", "AP50:95", "keras_accuracy", "true/plate_acc_folded"} & found.keys()


def test_right_and_wrong_have_mcnemars_exact_p() -> None:
    """1 against 9 discordant plates: 2 · (1 + 10) / 2¹⁰, as any table of the binomial distribution has it."""
    (differences,) = compare(scores([0.4] * 9 + [0.6] * 11), [scores([0.6] * 9 + [0.4] + [0.6] * 10)])
    recall = found(differences, "recall@0.5")
    assert recall.p == recall.p_corrected == pytest.approx(22 / 1024)
    assert (recall.baseline, recall.other, recall.difference.value) == pytest.approx((0.55, 0.95, 0.4))
    assert (recall.difference.n, recall.images, recall.verdict) == (20, 20, "better")


def test_plates_of_one_image_that_are_right_or_wrong_together_are_one_case() -> None:
    """Of four images, 2 / 2⁴; of their sixteen plates, McNemar's p would be 2 / 2¹⁶."""
    (differences,) = compare(scores([0.4] * 16, plates_per_image=4), [scores([0.6] * 16, plates_per_image=4)])
    recall = found(differences, "recall@0.5")
    assert recall.p == pytest.approx(2 / 2**4)
    assert recall.verdict.startswith("no difference shown")


def test_verdicts_name_the_better_one() -> None:
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


def test_only_plates_of_the_same_truth_are_compared() -> None:
    baseline, other = scores([0.2] * 10), scores([0.9] * 10)
    changed(other, 0, "top_x", 11.0)
    changed(other, 1, "text", "MH12AB1235")
    changed(other, 2, "image", "other.jpg")
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
    verdict = re.fullmatch(r"no difference shown: needs about (\d+) images", found(differences, "mean_iou").verdict)
    assert verdict
    assert needed <= int(verdict[1]) <= 1.1 * needed


def test_a_repeated_experiment_has_the_mean_of_each_plate_over_the_runs_that_tested_it() -> None:
    first, second = scores([0.4, 0.8]), scores([0.6, 0.9, 0.3])
    redrawn = scores([1.0])
    changed(redrawn, 0, "text", "another scene of that name")
    together = average_repetitions([first, second, redrawn])
    assert together["mean_iou"].cases["numerator"].tolist() == pytest.approx([0.5, 0.85, 0.3, 1.0])
    assert together["recall@0.5"].cases["numerator"].tolist() == [0.5, 1, 0, 1]
    (differences,) = compare(together, [together])
    assert {one.p for one in differences} == {1}


def test_repetitions_that_all_gain_a_little_are_better() -> None:
    rng = np.random.default_rng(1)
    ious = rng.uniform(0.3, 0.8, (3, 40))
    (differences,) = compare(
        average_repetitions([scores(list(one)) for one in ious]),
        [average_repetitions([scores(list(one + 0.1)) for one in ious])],
    )
    assert found(differences, "mean_iou").verdict == "better"
    assert found(differences, "recall@0.5").verdict == "better"


def test_fewer_false_positives_are_better_over_all_images() -> None:
    """One more in each image with a plate, none in the one without: by hand, 12 more in 13 images."""
    plates = detections([0.6] * 12)
    few, many = (detection_case_scores(cases(plates, dict.fromkeys(plates["image"], count))) for count in (1, 2))
    (differences,) = compare(few, [many])
    more = found(differences, "false_positives_per_image")
    assert (more.unit, more.difference.n, more.images) == ("image", 13, 13)
    assert (more.baseline, more.other, more.difference.value) == pytest.approx((12 / 13, 24 / 13, 12 / 13))
    assert more.verdict == "worse"
    assert found(compare(many, [few])[0], "false_positives_per_image").verdict == "better"


def test_images_of_other_truth_are_not_compared() -> None:
    one, moved = detections([0.6] * 3), detections([0.6] * 3)
    moved.loc[0, "bottom_x"] += 1
    (differences,) = compare(*[detection_case_scores(cases(one)), [detection_case_scores(cases(moved))]])
    assert found(differences, "false_positives_per_image").difference.n == 3  # two with a plate, and the empty one


def test_character_error_rates_are_compared_as_ratios_of_sums() -> None:
    """Errors of long texts weigh as much as their characters: 12 of 2 + 10 each are less, not a mean of 12 ratios."""
    plates = detections([0.6] * 12)
    plates.loc[::2, "text"] = "KA"
    known = plates.assign(boxes="true", predicted_text=plates["text"], text_before_grammar=plates["text"])
    wrong = known.assign(predicted_text=known["text"].str[1:])
    right, worse = (recognition_case_scores(plates, rows) for rows in (known, wrong))
    (differences,) = compare(right, [worse])
    cer = found(differences, "true/cer")
    assert (cer.baseline, cer.other, cer.difference.value) == pytest.approx((0, 12 / 72, 12 / 72))
    assert cer.difference.low < cer.difference.value < cer.difference.high
    assert cer.verdict == "worse"
    assert found(differences, "true/plate_acc").verdict == "worse"


def test_a_metric_of_ones_own_is_compared_in_its_direction() -> None:
    miss = RatioMetric[DetectionCases](
        name="miss_rate",
        meaning="share of plates with an IoU below 0.5",
        unit="plate",
        numerators=lambda cases: cases.plates["iou"] < 0.5,
        higher_is_better=False,
    )
    bad, good = (detection_case_scores(cases(detections([iou] * 12)), [miss]) for iou in (0.4, 0.9))
    (differences,) = compare(bad, [good])
    assert [(one.metric, one.difference.value, one.verdict) for one in differences] == [("miss_rate", -1, "better")]


def test_other_metrics_change_no_p_value() -> None:
    """Holm's correction is among experiments, by source and metric."""
    baseline, other = scores([0.4] * 9 + [0.6] * 11), scores([0.6] * 9 + [0.4] + [0.6] * 10)
    alone = [{"recall@0.5": one["recall@0.5"]} for one in (baseline, other)]
    together = compare(baseline, [other, other])
    assert compare(alone[0], [alone[1]] * 2) == [[found(one, "recall@0.5")] for one in together]
