"""The worst come first, and a missed structure is worse than a bad one."""

from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.score import CasePrediction, score_case
from cardiotrace.evaluation.worst import typical_frames, worst_frames
from tests.evaluation.cases import label_map, make_case, square

REFERENCE = square(10, 10, 10)


def table() -> CaseTable:
    predicted = {"fine": REFERENCE, "missed": REFERENCE * 0, "far": square(10, 16, 10), "near": square(10, 12, 10)}
    judged = [
        CasePrediction(make_case(name, REFERENCE), label_map(plane), label_map(REFERENCE))
        for name, plane in predicted.items()
    ]
    return CaseTable(tuple(row for item in judged for row in score_case(item)))


def test_in_order_of_the_mean_over_regions() -> None:
    worst = worst_frames(table(), 3)
    assert [item.case for item in worst] == ["missed", "far", "near"]
    assert [round(item.mean, 6) for item in worst] == [0.0, 0.4, 0.8]  # LV and LV_EPI alike, LA absent
    assert [row.region for row in worst[0].rows] == ["LV", "LV_EPI", "LA"]


def test_the_largest_distances_are_the_worst() -> None:
    assert [item.case for item in worst_frames(table(), 9, score="hausdorff_mm")] == ["missed", "far", "near", "fine"]


def test_worst_median_and_best() -> None:
    scored = table()
    assert {word: item.case for word, item in typical_frames(scored).items()} == {
        "worst": "missed", "median": "far", "best": "fine",
    }  # fmt: skip
    two = scored.where(lambda row: row.case in ("near", "fine"))
    assert {word: item.case for word, item in typical_frames(two).items()} == {"worst": "near", "best": "fine"}
    one = scored.where(lambda row: row.case == "near")
    assert list(typical_frames(one)) == ["worst"]
    assert typical_frames(CaseTable(())) == {}
