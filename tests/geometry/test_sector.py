"""Sectors are found where they were drawn, and changes of them do what their names say."""

import numpy as np
import pytest

from cardiotrace.geometry.sector import Sector, SectorChange, change_planes, find_sector


def drawn(shape=(240, 300), apex=(10.0, 150.0), half=0.65, depth=210.0, aspect=1.0, speckle=True):
    """A speckled sector: apex (row, column), half its angle in radians, its depth in rows."""
    height, width = shape
    down, right = np.mgrid[:height, :width] + 0.5 - np.array(apex).reshape(2, 1, 1)
    right = right * aspect
    angle, radius = np.arctan2(right, down), np.hypot(right, down)
    inside = (np.abs(angle) < half) & (radius < depth) & (radius > 6)
    grey = np.random.default_rng(0).gamma(2.0, 30.0, shape) if speckle else np.full(shape, 100.0)
    return np.where(inside, np.clip(grey, 0, 255), 0).astype(np.uint8), angle, radius


@pytest.mark.parametrize("aspect", [0.7, 1.0, 1.4])
@pytest.mark.parametrize(("row", "column"), [(4.0, 150.0), (20.0, 140.0)])
def test_apex_and_aspect_are_found(row, column, aspect):
    plane, *_ = drawn(apex=(row, column), aspect=aspect, half=0.5, depth=200)
    found = find_sector(plane)
    assert found.row == pytest.approx(row, abs=1.5)
    assert found.column == pytest.approx(column, abs=0.8)
    assert found.aspect == pytest.approx(aspect, rel=0.05)


def test_scale_and_offset_of_grey_values_do_not_matter():
    plane, *_ = drawn()
    assert find_sector(plane * -0.5 - 3) != find_sector(plane)
    moved = find_sector(plane.astype(np.float32) * 0.013 - 1.7)
    assert moved == find_sector(plane)


def test_a_curved_probe_has_its_apex_above_the_image():
    plane, *_ = drawn(apex=(-40.0, 150.0), half=0.5, depth=270)
    assert find_sector(plane).row == pytest.approx(-40, abs=3)


def test_a_sector_that_the_image_cuts_counts_as_square():
    plane, *_ = drawn(depth=400, half=0.5)
    found = find_sector(plane)
    assert found.aspect == 1.0
    assert found.row == pytest.approx(10, abs=1.5)


@pytest.mark.parametrize(
    "plane", [np.zeros((64, 80)), np.ones((64, 80)), np.eye(64, 80)], ids=["black", "even", "line"]
)
def test_what_is_no_sector_has_its_apex_at_the_top(plane):
    assert find_sector(plane) == Sector(0.0, 40.0, 1.0)


def test_the_top_is_taken_without_looking():
    assert find_sector(drawn(apex=(20.0, 130.0))[0], apex="top") == Sector(0.0, 150.0)


@pytest.mark.parametrize(
    "change",
    [SectorChange(turn_degrees=8), SectorChange(opening=0.8), SectorChange(depth=0.9), SectorChange(5, 0.9, 0.9)],
)
@pytest.mark.parametrize("aspect", [0.8, 1.0])
def test_a_changed_sector_is_the_sector_of_the_changed_angles(change, aspect):
    apex = (10.0, 150.0)
    plane, *_ = drawn(apex=apex, half=0.5, depth=180, aspect=aspect, speckle=False)
    changed = change_planes(plane[None].astype(float), Sector(*apex, aspect), change, outside=0.0)[0]
    _, angle, radius = drawn(apex=apex, aspect=aspect)
    turn = np.deg2rad(change.turn_degrees)
    inside = (np.abs(angle - turn) < 0.5 * change.opening) & (radius < 180 * change.depth) & (radius > 6 * change.depth)
    assert np.mean((changed > 50) != inside) < 0.003
    # Down turns to the right: counter-clockwise as displayed.
    columns = np.nonzero(changed > 50)[1]
    assert np.sign(round(columns.mean() - 149.5)) == np.sign(change.turn_degrees)


def test_the_inverse_brings_every_pixel_home():
    smooth = np.add.outer(np.sin(np.arange(120) / 9), np.cos(np.arange(140) / 11))[None]
    sector, change = Sector(3.0, 70.0, 1.1), SectorChange(7.0, 0.9, 1.1)
    home = change_planes(change_planes(smooth, sector, change), sector, change.inverse)
    # Within what stayed in the image.
    np.testing.assert_allclose(home[0, 20:90, 50:90], smooth[0, 20:90, 50:90], atol=0.02)
