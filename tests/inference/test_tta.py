"""Variants are undone exactly, away from the border."""

import numpy as np
import pytest

from cardiotrace.geometry.sector import Sector, SectorChange
from cardiotrace.inference.tta import IDENTITY, SectorTransforms, TtaTransform, tta_transforms

BATCH = np.random.default_rng(3).random((2, 1, 12, 15)).astype(np.float32)


@pytest.mark.parametrize("axes", [(), ("width",), ("height",), ("height", "width")])
def test_undo_brings_every_inner_pixel_home(axes: tuple[str, ...]) -> None:
    for transform in tta_transforms(axes):
        without_gamma = TtaTransform(transform.mirror, transform.shift)
        home = without_gamma.invert(without_gamma.apply(BATCH))
        np.testing.assert_array_equal(home[:, :, 3:-3, 3:-3], BATCH[:, :, 3:-3, 3:-3])


def test_all_mirror_images_of_the_allowed_axes() -> None:
    mirrored = [transform.apply(BATCH)[0, 0, 0, 0] for transform in tta_transforms(("height", "width"))]
    corners = BATCH[0, 0, [0, -1, 0, -1], [0, 0, -1, -1]]
    assert sorted(mirrored) == sorted(corners)
    assert [transform.mirror for transform in tta_transforms(("width",))] == [(), ("width",)]


def test_never_mirrors_where_it_is_not_allowed() -> None:
    assert IDENTITY in tta_transforms(())
    assert all(transform.mirror == () for transform in tta_transforms(()))


def test_gamma_keeps_the_extremes_and_brightens_between() -> None:
    values = np.array([-1.0, 0.0, 1.0], np.float32).reshape(1, 1, 1, 3)
    np.testing.assert_allclose(
        TtaTransform(gamma=0.5).apply(values).ravel(), [-1.0, 2 * np.sqrt(0.5) - 1, 1.0], rtol=1e-6
    )


def test_gamma_of_an_even_image_is_finite() -> None:
    assert TtaTransform(gamma=0.5).apply(np.full((1, 1, 2, 2), 4.0, np.float32)).tolist() == [
        [[[4.0, 4.0], [4.0, 4.0]]]
    ]


SECTORS = SectorTransforms((SectorChange(), SectorChange(turn_degrees=6), SectorChange(depth=1.2)))


def test_changed_sectors_take_the_place_of_other_versions() -> None:
    transforms = tta_transforms(("width",), SECTORS)
    assert transforms == (
        IDENTITY,
        TtaTransform(sector=SectorChange(turn_degrees=6)),
        TtaTransform(sector=SectorChange(depth=1.2)),
    )


def _is_kept(change: SectorChange, sector: Sector) -> np.ndarray:
    """Which pixels of 80 x 90 still lie in the image when turned about the apex and moved away from it."""
    rows, columns = np.mgrid[:80, :90] + 0.5
    place = (columns - sector.column) * sector.aspect + 1j * (rows - sector.row)
    # Rows run down, so a turn that looks counter-clockwise is a negative angle.
    moved = place * change.depth * np.exp(-1j * np.radians(change.turn_degrees))
    column, row = moved.real / sector.aspect + sector.column, moved.imag + sector.row
    return (row >= 0) & (row <= 80) & (column >= 0) & (column <= 90)


def test_a_changed_sector_is_laid_back() -> None:
    rows, columns = np.mgrid[:80, :90] / 12
    smooth = (np.sin(rows) + np.cos(columns)).astype(np.float32)[None, None].repeat(2, axis=0)
    where = (Sector(2.0, 45.0), Sector(-3.0, 40.0, 1.1))
    for transform in tta_transforms((), SECTORS)[1:]:
        home = transform.invert(transform.apply(smooth, where), where)
        seen = transform.visible((80, 90), where)[:, 0] > 0
        expected = np.stack([_is_kept(transform.sector, sector) for sector in where])
        assert np.count_nonzero(seen != expected) <= 3  # what comes to lie on the very edge, by how a processor rounds
        inner = seen[:, 20:60, 25:65]
        np.testing.assert_allclose(home[:, 0, 20:60, 25:65][inner], smooth[:, 0, 20:60, 25:65][inner], atol=0.03)


def test_what_a_change_moves_out_of_the_image_is_not_seen() -> None:
    seen = TtaTransform(sector=SectorChange(depth=2.0)).visible((40, 40), [Sector(0.0, 20.0)])
    assert seen.shape == (1, 1, 40, 40)
    assert seen[0, 0, :20, 15:25].all()
    assert not seen[0, 0, 20:].any()
