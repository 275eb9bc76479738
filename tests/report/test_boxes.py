import itertools
import math

import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.report.boxes import draw_boxes


def test_boxes_of_all_groups_share_their_region_and_do_not_overlap(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr("cardiotrace.report.boxes.save_png", lambda figure, path: figures.append(figure))
    some = [3.0, 4.0, 4.5, 12.0, math.inf, math.nan]
    many = {region: dict.fromkeys(("good", "medium", "poor"), some) for region in ("LV", "LV_EPI", "LA", "RV")}
    draw_boxes({**many, "RA": {"good": []}}, tmp_path / "many.png", score="HD, mm")
    (axes,) = figures[0].axes
    spans = sorted(tuple(patch.get_path().get_extents().get_points()[:, 0]) for patch in axes.patches)
    assert len(spans) == 12
    assert all(left[1] < right[0] for left, right in itertools.pairwise(spans))
    centres = [(low + high) / 2 for low, high in spans]
    assert centres == pytest.approx([place + shift * 0.8 / 3 for place in range(4) for shift in (-1, 0, 1)])
    # The point beyond the whisker, 4.25 + 1.5 * 2.5 = 10.1 at most, is drawn by itself.
    assert sum(12.0 in line.get_ydata() and len(line.get_ydata()) == 1 for line in axes.lines) == 12


def test_boxes_stand_at_their_quartiles_and_missed_ones_are_counted(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr("cardiotrace.report.boxes.save_png", lambda figure, path: figures.append(figure))
    values = {"ED": [1.0, 2.0, 3.0, 4.0, 5.0, math.nan], "ES": [2.0, math.inf]}
    draw_boxes({"LV": values, "RV": {"ED": [7.0]}}, tmp_path / "x.png", score="HD, mm")
    (axes,) = figures[0].axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["LV\n1 missed or false", "RV"]
    low, high = axes.patches[0].get_path().get_extents().get_points()[:, 1]
    assert (low, high) == (2.0, 4.0)
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == ["ED", "ES"]


def test_nothing_to_draw_is_said(tmp_path):
    with pytest.raises(InputError, match="no HD, mm to draw"):
        draw_boxes({"LV": {"ED": [math.nan, math.inf]}}, tmp_path / "none.png", score="HD, mm")
    assert list(tmp_path.iterdir()) == []
