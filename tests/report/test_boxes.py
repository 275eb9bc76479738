import math

import pytest
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.report.boxes import draw_boxes


def test_more_groups_and_regions_make_a_wider_image(tmp_path):
    some = [3.0, 4.0, 4.5, 12.0, math.inf, math.nan]
    draw_boxes({"LV": {"ED": some}}, tmp_path / "one.png", score="HD, mm")
    many = {region: dict.fromkeys(("good", "medium", "poor"), some) for region in ("LV", "LV_EPI", "LA", "RV")}
    draw_boxes({**many, "RA": {"good": []}}, tmp_path / "many.png", score="HD, mm")
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "many.png") as all_of_them:
        assert all_of_them.width > 1.5 * one.width


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
