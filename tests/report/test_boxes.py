import math

import pytest
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.report.boxes import draw_boxes


def test_more_groups_and_regions_make_a_wider_picture(tmp_path):
    some = [3.0, 4.0, 4.5, 12.0, math.inf, math.nan]
    draw_boxes({"LV": {"ED": some}}, tmp_path / "one.png", score="HD, mm")
    many = {region: dict.fromkeys(("good", "medium", "poor"), some) for region in ("LV", "LV_EPI", "LA", "RV")}
    draw_boxes({**many, "RA": {"good": []}}, tmp_path / "many.png", score="HD, mm")
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "many.png") as all_of_them:
        assert all_of_them.width > 1.5 * one.width


def test_nothing_to_draw_is_said(tmp_path):
    with pytest.raises(InputError, match="no HD, mm to draw"):
        draw_boxes({"LV": {"ED": [math.nan, math.inf]}}, tmp_path / "none.png", score="HD, mm")
    assert list(tmp_path.iterdir()) == []
