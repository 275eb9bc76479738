"""Limits by name: how they count, what they cannot judge, and that references keep to ours."""

import math
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.clinical.anatomy.criterion import Axis, Measured
from cardiotrace.clinical.anatomy.flags import short_axis_anatomy_flags
from cardiotrace.clinical.anatomy.limits import PRESETS, preset
from cardiotrace.clinical.anatomy.plane import Plane
from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.datasets.acdc import Acdc
from cardiotrace.datasets.camus import Camus, CamusConfig
from tests.clinical.anatomy.test_criterion import short_axis


def words(values: dict[str, float], axis: Axis, name: str = "references", side_mm: float | None = 2.0) -> list[str]:
    pixel_mm = None if side_mm is None else (side_mm, side_mm)
    sizes = dict.fromkeys((Structure.LV, Structure.MYO, Structure.RV, Structure.LA), 400)
    return [item.words for item in PRESETS[name].failures(Measured(values, sizes, pixel_mm), axis)]


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="choose from: published, published-code, references"):
        preset("x")


def test_areas_are_pixels_shares_or_square_millimetres() -> None:
    assert words({"holes_in_lv": 1.0}, Axis.LONG, "published") == ["the left ventricle has holes of 1 pixel"]
    assert words({"holes_in_lv": 8.0}, Axis.LONG) == []  # 2 % of 400 pixels
    assert words({"holes_in_lv": 9.0}, Axis.LONG) == ["the left ventricle has holes of 2.2 %"]
    assert words({"holes_in_lv": 2.0}, Axis.SHORT) == []  # 8 mm2
    assert words({"holes_in_lv": 3.0}, Axis.SHORT) == ["the left ventricle has holes of 12 mm2"]
    assert words({"frontier_lv_rv": 3.0}, Axis.SHORT) == ["left and right ventricle touch along 6 mm"]


def test_without_a_pixel_size_square_millimetres_are_not_judged() -> None:
    assert words({"holes_in_lv": 300.0, "lv_circularity": 0.1}, Axis.SHORT, side_mm=None) == [
        "the left ventricle is far from round: 0.1 of a circle's 1"
    ]


def test_what_is_missing_fails_by_the_published_limits_of_a_long_axis_alone() -> None:
    lacking = {"width_ratio_lv_myo": math.nan}
    assert len(words(lacking, Axis.LONG, "published")) == 1
    assert words(lacking, Axis.LONG) == []
    assert words({"rv_concavity": math.nan}, Axis.SHORT, "published") == []


def test_a_stack_is_doubted_from_three_odd_slices_on() -> None:
    odd = short_axis()
    odd[6:11, 12] = 0
    for count in range(5):
        planes = np.stack([*[odd] * count, *[short_axis()] * (5 - count)])[None]
        flags = short_axis_anatomy_flags(LabelMap(planes, ACDC, Geometry.of_spacing((8.0, 2.0, 2.0))), 0, range(5))
        assert len(flags) == (count > 2)
    (flag,) = flags
    assert flag.text.startswith("4 of 5 slices are no heart's: slice 0: the myocardium has holes of 20 mm2 beside the")
    assert flag.text.endswith(" and 1 more")


@pytest.mark.data
def test_references_keep_to_the_fitted_limits(data_root: Path) -> None:
    camus = Camus(data_root / "camus", CamusConfig(("4CH",))).cases()[:30]
    acdc = Acdc(data_root / "acdc").cases()[:6]
    for cases, axis in ((camus, Axis.LONG), (acdc, Axis.SHORT)):
        failed = []
        for case in cases:
            assert case.read_labels is not None
            labels = case.read_labels()
            for depth in range(labels.array.shape[1]):
                measured = Measured.of(Plane.of(labels, 0, depth, is_upright=axis is Axis.LONG), axis)
                failed.append(bool(PRESETS["references"].failures(measured, axis)))
        assert np.mean(failed) <= 0.05
