import math

import numpy as np
import pytest
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.report.sweep import Example, Runs, draw_bars, draw_strips, draw_traces, draw_validation, painted

VARIANTS = {
    ("scaling none", "levels 2"): Runs([0.0, 0.6], [True, False], [[0.0, 0.0], [0.1, 0.6]]),
    ("scaling none", "levels 3"): Runs([0.7], [False], [[0.2, 0.7, 0.7]]),
    ("scaling min-max", "levels 2"): Runs([0.65, 0.66], [False, False], [[0.6], [0.5]]),
}


def colours_of(path):
    with Image.open(path) as picture:
        return {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}


def test_a_variant_may_be_missing(tmp_path):
    draw_bars(VARIANTS, tmp_path / "bars.png", score="Dice", marks={"published": 0.67, "constant": 0.2})
    draw_validation(VARIANTS, tmp_path / "curves.png")
    assert (tmp_path / "bars.png").stat().st_size > 10_000
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.height > 500  # two rows of panels


def test_a_collapsed_run_stands_out_in_the_curves(tmp_path):
    fine = {cell: Runs(runs.values, [False] * len(runs.values), runs.curves) for cell, runs in VARIANTS.items()}
    draw_validation(VARIANTS, tmp_path / "one.png")
    draw_validation(fine, tmp_path / "none.png")
    vermilion = (213, 94, 0)
    assert vermilion in colours_of(tmp_path / "one.png")
    assert vermilion not in colours_of(tmp_path / "none.png")


def test_strips_show_what_is_found_false_and_missed(tmp_path):
    reference = np.zeros((8, 8), np.uint8)
    reference[2:4] = 1
    cells = {("scaling none", "levels 2"): np.roll(reference, 1, 0), ("scaling none", "levels 3"): reference}
    counts = np.ones((8, 8), bool)
    example = Example(np.full((8, 8, 3), 0.5), reference, counts, cells, dict.fromkeys(cells, 0.5))
    draw_strips(example, tmp_path / "strips.png")
    assert {(255, 255, 255), (213, 94, 0), (86, 180, 233)} <= colours_of(tmp_path / "strips.png")


def test_pixels_that_do_not_count_are_grey():
    ones = np.ones((1, 2), np.uint8)
    assert painted(ones, ones, np.array([[True, False]])).tolist() == [[[255, 255, 255], [90, 90, 90]]]


def test_traces_may_differ_in_length_and_hold_no_number(tmp_path):
    traces = {"a": {"Dice": [0.1, 0.2], "norm": [1.0, math.nan]}, "b": {"Dice": [0.3], "norm": [10.0]}}
    draw_traces(traces, tmp_path / "traces.png", logarithmic=("norm",))
    assert (tmp_path / "traces.png").stat().st_size > 10_000


@pytest.mark.parametrize("draw", [draw_validation, lambda runs, path: draw_bars(runs, path, score="Dice", marks={})])
def test_nothing_to_draw_is_said(draw, tmp_path):
    with pytest.raises(InputError, match="no run"):
        draw({}, tmp_path / "none.png")
    with pytest.raises(InputError, match="no trace"):
        draw_traces({}, tmp_path / "none.png")
