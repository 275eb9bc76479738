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
    with Image.open(path) as image:
        return {colour for _, colour in image.convert("RGB").getcolors(1 << 24)}


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were saved."""
    figures = []
    monkeypatch.setattr("cardiotrace.report.sweep.save_png", lambda figure, path: figures.append(figure))
    return figures


def test_bars_are_as_high_as_the_means_and_runs_are_points(drawn, tmp_path):
    draw_bars(VARIANTS, tmp_path / "bars.png", score="Dice", marks={"published": 0.67, "constant": 0.2})
    (axes,) = drawn[0].axes
    assert axes.get_ylabel() == "Dice"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["scaling none", "scaling min-max"]
    # levels 2 of both groups, then levels 3 of the one that has it: a variant may be missing.
    heights = sorted(round(bar.get_height(), 3) for bar in axes.patches if bar.get_height())
    assert heights == [0.3, 0.655, 0.7]
    points = sorted(round(float(y), 3) for item in axes.collections for _, y in item.get_offsets())
    assert {0.0, 0.6, 0.65, 0.66, 0.7} <= set(points)
    marks = {line.get_label(): line.get_ydata()[0] for line in axes.lines if not line.get_label().startswith("_")}
    assert marks == {"published": 0.67, "constant": 0.2}
    told = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert set(told) == {"published", "constant", "collapsed run", "levels 2", "levels 3"}


def test_bars_have_the_colours_of_their_variants(tmp_path):
    draw_bars(VARIANTS, tmp_path / "bars.png", score="Dice", marks={})
    with Image.open(tmp_path / "bars.png") as image:
        shades = image.convert("RGB").getcolors(1 << 24)
    # Bars of 45 % of the two colours over white.
    assert {(140, 191, 220), (236, 182, 140)} <= {colour for count, colour in shades if count > 1000}


def test_curves_of_a_variant_stand_in_its_own_panel(drawn, tmp_path):
    draw_validation(VARIANTS, tmp_path / "curves.png")
    panels = drawn[0].axes
    assert [axes.get_title() for axes in panels] == ["levels 2, 1 of 2 collapsed", "levels 3", "levels 2", "levels 3"]
    assert [axes.get_ylabel().split("\n")[0] for axes in panels] == ["scaling none", "", "scaling min-max", ""]
    assert [axes.get_xlabel() for axes in panels] == ["", "", "epoch", "epoch"]
    curves = [[(line.get_linestyle(), line.get_ydata().tolist()) for line in axes.lines] for axes in panels]
    # A variant may be missing: its panel is there, and empty.
    assert curves == [
        [("--", [0.0, 0.0]), ("-", [0.1, 0.6])],
        [("-", [0.2, 0.7, 0.7])],
        [("-", [0.6]), ("-", [0.5])],
        [],
    ]
    assert {axes.get_xlim() for axes in panels} == {(1.0, 3.0)}


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


def test_traces_may_differ_in_length_and_hold_no_number(drawn, tmp_path):
    traces = {"a": {"Dice": [0.1, 0.2], "norm": [1.0, math.nan]}, "b": {"Dice": [0.3], "norm": [10.0]}}
    draw_traces(traces, tmp_path / "traces.png", logarithmic=("norm",))
    dice, norm = drawn[0].axes
    assert [(line.get_label(), list(line.get_xdata()), list(line.get_ydata())) for line in dice.lines] == [
        ("a", [1, 2], [0.1, 0.2]),
        ("b", [1], [0.3]),
    ]
    assert (dice.get_yscale(), norm.get_yscale()) == ("linear", "log")
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == ["a", "b"]


@pytest.mark.parametrize("draw", [draw_validation, lambda runs, path: draw_bars(runs, path, score="Dice", marks={})])
def test_nothing_to_draw_is_said(draw, tmp_path):
    with pytest.raises(InputError, match="no run"):
        draw({}, tmp_path / "none.png")
    with pytest.raises(InputError, match="no trace"):
        draw_traces({}, tmp_path / "none.png")


def test_a_strip_is_image_reference_and_predictions(drawn, tmp_path):
    reference = np.array([[1, 0], [0, 0]], np.uint8)
    cells = {("a", "x"): 1 - reference, ("a", "y"): reference, ("b", "y"): reference}
    example = Example(np.full((2, 2, 3), 0.5), reference, np.ones((2, 2), bool), cells, dict.fromkeys(cells, 0.25))
    draw_strips(example, tmp_path / "strips.png")
    titles = [axes.get_title() for axes in drawn[0].axes]
    assert titles == ["image", "reference", "x: 0.25", "y: 0.25", "image", "reference", "y: 0.25"]
    wrong = np.asarray(drawn[0].axes[2].images[0].get_array())
    assert wrong.tolist() == [[[86, 180, 233], [213, 94, 0]], [[213, 94, 0], [213, 94, 0]]]
