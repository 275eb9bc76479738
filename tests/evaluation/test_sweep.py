import math

import numpy as np
import pytest

from cardiotrace.core.terms import Phase, View
from cardiotrace.evaluation.case_table import SCORES, CaseRow, CaseTable
from cardiotrace.evaluation.sweep import (
    RunResult,
    best_constant_dice,
    collapse_of,
    compare_along,
    readable,
    result_rows,
    variant_rows,
)
from cardiotrace.metrics.overlap import Presence


def result(levels, scaling, seed, dice, *, collapse=""):
    settings = {"levels": levels, "scaling": scaling}
    variant = f"levels-{levels}_scaling-{scaling}"
    scores = {"dice": dice, "jaccard": dice / (2 - dice)}
    return RunResult(
        f"{variant}-seed{seed}", variant, settings, seed, 1, 9, 4, dice, 0.2, 0.1, 0.2, False, collapse, scores
    )


def table(**patients):
    rows = []
    for patient, dice in patients.items():
        scores = {**dict.fromkeys(SCORES, math.nan), "dice": dice}
        rows.append(
            CaseRow(patient, patient, View.FUNDUS, Phase.OTHER, 0, {}, "VESSEL", Presence.PRESENT, scores, math.nan)
        )
    return CaseTable(tuple(rows))


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, ""),
        ({"is_diverged": True}, "diverged"),
        ({"shares": (0.0, 0.0)}, "all background"),
        ({"shares": (1.0, 1.0)}, "all foreground"),
        ({"shares": (0.0, 0.1)}, ""),
        ({"validation_dice": 0.25}, "as a constant"),
        ({"validation_dice": 0.26}, ""),
    ],
)
def test_what_counts_as_collapsed(facts, verdict):
    known = {"validation_dice": 0.7, "constant_dice": 0.2, "margin": 0.05, "shares": (0.1, 0.12), **facts}
    assert collapse_of(**known) == verdict


def test_the_best_constant_answer_is_scored_as_validation_is():
    planes = np.zeros((2, 4, 5), np.uint8)
    planes[0, 0] = 1  # 5 of 20 pixels: 2 * 0.25 / 1.25 = 0.4
    planes[1, :2] = 1  # 10 of 20: 2 / 3
    assert best_constant_dice(planes, 2, ignore=255) == pytest.approx((0.4 + 2 / 3) / 2)
    assert best_constant_dice(planes, 3, ignore=255) == pytest.approx((0.4 + 2 / 3) / 4)
    planes[0, 1:3] = 255  # 5 of 10 that count
    assert best_constant_dice(planes, 2, ignore=255) == pytest.approx(2 / 3)


def test_collapsed_runs_count_in_the_mean():
    runs = [result("2", "none", 1, 0.0, collapse="all background"), result("2", "none", 2, 0.6)]
    (row,) = variant_rows(runs)
    assert (row["runs"], row["collapsed"]) == (2, 1)
    assert row["dice"] == pytest.approx(0.3)
    assert row["dice_sd"] == pytest.approx(0.6 / math.sqrt(2))
    assert readable([row])[0]["dice"] == "0.300 ± 0.424"
    assert readable(variant_rows(runs[1:]))[0]["dice"] == "0.600"
    assert math.isnan(row["native_dice"])
    assert result_rows(runs)[0]["levels"] == "2"


def test_values_of_an_axis_meet_on_the_same_patients_seeds_and_settings():
    runs = [result(levels, scaling, 1, 0.5) for levels in "23" for scaling in ("none", "min-max")]
    gains = {"levels-2_scaling-none": 0.0, "levels-3_scaling-none": 0.1, "levels-2_scaling-min-max": 0.2}
    tables = {
        run.name: table(**{f"p{n}": 0.1 * n + n * gains.get(run.variant, 0.5) for n in range(1, 6)}) for run in runs
    }
    rows = compare_along(tables, runs, "levels")
    assert [(row["at"], row["count"]) for row in rows] == [("all", 5), ("scaling none", 5), ("scaling min-max", 5)]
    # Differences grow with the patient's number, whose mean is 3.
    assert [row["mean_difference"] for row in rows] == pytest.approx([-0.2 * 3, -0.1 * 3, -0.3 * 3])
    assert [row["p_value"] for row in rows] == [0.0625] * 3
    assert [row["p_holm"] for row in rows] == [0.1875] * 3


def test_runs_without_a_table_are_left_out():
    runs = [result("2", "none", 1, 0.5), result("3", "none", 1, 0.5)]
    assert compare_along({runs[0].name: table(p=0.5)}, runs, "levels") == []
