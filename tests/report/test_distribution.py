"""Figures of a data set: bars of counts, histograms of sizes."""

import pytest
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.report.canvas import blank_figure
from cardiotrace.report.distribution import CountPanel, SizePanel, _draw_bars, _draw_histogram, draw_distributions

COUNTS = CountPanel("patients", {"DCM": {"A": 3, "B": 1}, "NOR": {"A": 2}})


def axes():
    return blank_figure(4, 3).add_subplot()


def test_bars_are_as_long_as_their_counts():
    drawn = axes()
    _draw_bars(drawn, COUNTS)
    pieces = [(patch.get_x(), patch.get_width()) for patch in drawn.patches]
    assert pieces == [(0, 3), (0, 2), (3, 1), (2, 0)]
    assert [text.get_text() for text in drawn.texts] == ["3", "2", "1"]
    assert [text.get_text() for text in drawn.get_legend().get_texts()] == ["A", "B"]


def test_many_groups_are_drawn_together():
    drawn = axes()
    _draw_bars(drawn, CountPanel("", {"all": {f"centre {number:02d}": number for number in range(1, 13)}}))
    assert len(drawn.containers) == 8
    assert drawn.get_legend().get_texts()[-1].get_text() == "5 others"
    assert drawn.patches[-1].get_width() == 1 + 2 + 3 + 4 + 5


def test_whole_numbers_have_a_bin_each():
    drawn = axes()
    _draw_histogram(drawn, SizePanel("", "slices", {"SAX": [8, 10, 10]}, is_whole=True))
    assert [(round(patch.get_x() + 0.5), patch.get_height()) for patch in drawn.patches] == [(8, 1), (9, 0), (10, 2)]


def test_there_is_no_half_slice_on_the_axis():
    drawn = axes()
    _draw_histogram(drawn, SizePanel("", "slices", {"SAX": [12, 12]}, is_whole=True))
    assert all(float(tick).is_integer() for tick in drawn.get_xticks())


def test_one_size_for_all_is_one_bar():
    drawn = axes()
    _draw_histogram(drawn, SizePanel("", "mm", {"A4C": [0.308] * 5}))
    assert [patch.get_height() for patch in drawn.patches] == [5]


def test_panels_without_numbers_are_left_out(tmp_path):
    path = tmp_path / "x.png"
    draw_distributions([COUNTS, SizePanel("", "mm", {}), SizePanel("", "mm", {"SAX": [1.0, 2.0]})], path, title="x")
    with Image.open(path) as image:
        assert image.width == round(2 * 4.4 * 130)
    with pytest.raises(InputError, match="nothing to draw"):
        draw_distributions([SizePanel("", "mm", {})], path, title="x")
