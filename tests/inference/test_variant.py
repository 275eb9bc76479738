"""Variants are undone exactly, away from the border."""

import numpy as np
import pytest

from cardiotrace.inference.variant import IDENTITY, Variant, variants

BATCH = np.random.default_rng(3).random((2, 1, 12, 15)).astype(np.float32)


@pytest.mark.parametrize("axes", [(), ("width",), ("height",), ("height", "width")])
def test_undo_brings_every_inner_pixel_home(axes: tuple[str, ...]) -> None:
    for variant in variants(axes):
        without_gamma = Variant(variant.mirror, variant.shift)
        home = without_gamma.undo(without_gamma.apply(BATCH))
        np.testing.assert_array_equal(home[:, :, 3:-3, 3:-3], BATCH[:, :, 3:-3, 3:-3])


def test_all_mirror_images_of_the_allowed_axes() -> None:
    mirrored = [variant.apply(BATCH)[0, 0, 0, 0] for variant in variants(("height", "width"))]
    corners = BATCH[0, 0, [0, -1, 0, -1], [0, 0, -1, -1]]
    assert sorted(mirrored) == sorted(corners)
    assert [variant.mirror for variant in variants(("width",))] == [(), ("width",)]


def test_never_mirrors_where_it_is_not_allowed() -> None:
    assert IDENTITY in variants(())
    assert all(variant.mirror == () for variant in variants(()))


def test_gamma_keeps_the_extremes_and_brightens_between() -> None:
    values = np.array([-1.0, 0.0, 1.0], np.float32).reshape(1, 1, 1, 3)
    np.testing.assert_allclose(Variant(gamma=0.5).apply(values).ravel(), [-1.0, 2 * np.sqrt(0.5) - 1, 1.0], rtol=1e-6)


def test_gamma_of_an_even_image_is_finite() -> None:
    assert Variant(gamma=0.5).apply(np.full((1, 1, 2, 2), 4.0, np.float32)).tolist() == [[[[4.0, 4.0], [4.0, 4.0]]]]
