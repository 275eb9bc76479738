import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.geometry.resample import AxisMap
from cardiotrace.preparation import STEPS
from cardiotrace.preparation.step import CropOrPad, Resample, Resize


def axes(rows, columns):
    return AxisMap.resize(rows, rows), AxisMap.resize(columns, columns)


def test_resample_brings_pixels_to_their_size():
    rows, columns = Resample(height_mm=1.5, width_mm=1.0).place(*axes(30, 20), (1.0, 2.0))
    assert (rows.target_size, columns.target_size) == (20, 40)
    assert (rows.scale, columns.scale) == (1.5, 0.5)
    assert (rows.offset, columns.offset) == (0.0, 0.0)


def test_resample_keeps_the_middle_where_sizes_do_not_divide():
    rows, _ = Resample(height_mm=4.0, width_mm=1.0).place(*axes(10, 5), (1.0, 1.0))
    assert rows.target_size == 2
    assert rows.offset == 1.0


def test_resample_never_leaves_nothing():
    rows, columns = Resample(height_mm=50.0, width_mm=50.0).place(*axes(10, 10), (1.0, 1.0))
    assert (rows.target_size, columns.target_size) == (1, 1)


def test_resample_needs_the_size_of_pixels():
    with pytest.raises(InputError, match="pixel size is unknown"):
        Resample().place(*axes(10, 10), None)


def test_crop_or_pad_moves_by_whole_pixels():
    rows, columns = CropOrPad(height=4, width=14).place(*axes(10, 10), None)
    assert (rows.scale, rows.offset, rows.target_size) == (1.0, 3.0, 4)
    assert (columns.scale, columns.offset, columns.target_size) == (1.0, -2.0, 14)


def test_resize_stretches():
    rows, columns = Resize(height=5, width=20).place(*axes(10, 10), (3.0, 0.1))
    assert (rows.scale, columns.scale) == (2.0, 0.5)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resize", {"height": 0}, "size must be positive"),
        ("resample", {"height_mm": -1.0}, "pixel size must be positive"),
        ("crop-or-pad", {"width": 0}, "size must be positive"),
        ("z-score", {"epsilon": -1.0}, "epsilon must be positive"),
        ("min-max", {"low": 1.0, "high": 1.0}, "low must be below high"),
    ],
)
def test_impossible_steps_are_refused(name, options, message):
    with pytest.raises(ConfigError, match=message):
        STEPS.make(Choice(name, options), path="preparation[0]")
