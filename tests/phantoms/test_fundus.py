import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from cardiotrace.core.errors import InputError
from cardiotrace.phantoms.fundus import CAMERAS, FundusPhantom, fundus_image, sample_fundus
from cardiotrace.phantoms.fundus.retina import LESIONS, PATHOLOGIES


@pytest.fixture(scope="module")
def made():
    return fundus_image(FundusPhantom(camera="drive", seed=3))


def test_masks_lie_inside_of_the_field_and_agree(made):
    inside = made.field_of_view
    assert made.image.shape == (584, 565, 3)
    assert made.image.dtype == np.uint8
    assert inside.mean() == pytest.approx(np.pi * 268**2 / (584 * 565), rel=0.01)
    for mask in (made.vessels, made.arteries, made.veins, made.disc, made.lesions):
        assert not mask[~inside].any()
    assert (made.vessels == (made.arteries | made.veins)).all()
    assert made.veins.sum() > made.arteries.sum()


def test_outside_of_the_field_is_dark(made):
    assert made.image[~ndimage.binary_dilation(made.field_of_view, iterations=2)].mean() < 2


def test_vessels_are_darker_than_what_is_around_them(made):
    green = made.image[..., 1].astype(float)
    wide = made.veins & (ndimage.distance_transform_edt(made.veins) > 2)
    near = ndimage.binary_dilation(made.vessels, iterations=6) & ~ndimage.binary_dilation(made.vessels, iterations=2)
    assert green[wide].mean() < 0.85 * green[near & made.field_of_view].mean()


def test_disc_is_bright_and_where_the_truth_says(made):
    rows, columns = np.nonzero(made.disc)
    assert (rows.mean(), columns.mean()) == pytest.approx(made.truth.disc_centre, abs=1)
    assert np.pi * np.prod(made.truth.disc_half_axes) == pytest.approx(made.disc.sum(), rel=0.02)
    green = made.image[..., 1].astype(float)
    assert green[made.disc].mean() > 1.4 * green[made.field_of_view].mean()


def test_macula_lies_temporal_of_the_disc_and_is_dark():
    for eye, side in (("left", 1), ("right", -1)):
        made = fundus_image(FundusPhantom(camera="drive", eye=eye, seed=5))
        row, column = (round(value) for value in made.truth.macula_centre)
        assert np.sign(column - made.truth.disc_centre[1]) == side
        assert np.hypot(row - made.truth.disc_centre[0], column - made.truth.disc_centre[1]) == pytest.approx(
            np.hypot(4.5, 0.45) * made.truth.px_per_mm, abs=1.5
        )
        red = made.image[..., 0].astype(float)
        assert red[row - 8 : row + 9, column - 8 : column + 9].mean() < 0.85 * red[made.field_of_view].mean()
        assert not made.vessels[row - 5 : row + 6, column - 5 : column + 6].any()


def test_lesions_are_no_vessels():
    healthy, ill = (
        fundus_image(FundusPhantom(camera="drive", pathology=pathology, seed=8)) for pathology in ("normal", "diabetic")
    )
    assert (healthy.vessels == ill.vessels).all()
    assert not healthy.lesions.any()
    kinds = [LESIONS[name] for name in PATHOLOGIES["diabetic"]]
    # As many pieces as lesions were drawn, less those that touch; none larger than the largest of its kind.
    assert sum(kind.count[0] for kind in kinds) < ndimage.label(ill.lesions)[1] < sum(kind.count[1] for kind in kinds)
    largest = max(np.pi * kind.radius_mm[1] ** 2 * kind.elongation for kind in kinds) * ill.truth.px_per_mm**2
    assert ill.lesions.sum() == pytest.approx(0.0123 * ill.field_of_view.sum(), rel=0.05)
    assert np.bincount(ndimage.label(ill.lesions)[0].ravel())[1:].max() < 1.3 * largest
    changed = np.abs(healthy.image.astype(int) - ill.image).sum(-1)
    assert changed[ill.lesions].mean() > 8 * changed[~ndimage.binary_dilation(ill.lesions, iterations=6)].mean()


def test_same_seed_gives_the_same_bytes():
    first, again, other = (fundus_image(FundusPhantom(camera="drive", seed=seed)) for seed in (3, 3, 4))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.vessels.tobytes() == again.vessels.tobytes()
    assert (first.vessels != other.vessels).mean() > 0.05


def test_vessels_stand_out_less_in_poor_photographs():
    def contrast(quality):
        made = fundus_image(FundusPhantom(camera="drive", quality=quality, seed=2))
        green = made.image[..., 1].astype(float)
        near = ndimage.binary_dilation(made.vessels, iterations=6) & ~ndimage.binary_dilation(
            made.vessels, iterations=3
        )
        outside = made.field_of_view & ~ndimage.binary_dilation(made.disc, iterations=10)
        return 1 - green[made.vessels & outside].mean() / green[near & outside].mean()

    good, medium, poor = (contrast(quality) for quality in ("good", "medium", "poor"))
    assert poor < 0.7 * good
    assert poor < medium < good


@pytest.mark.slow
def test_statistics_are_those_of_chase():
    """Bands hold the means of CHASE_DB1: vessels 11.2 % of the field; red 165, green 58, blue 10 around them."""
    made = [fundus_image(sample_fundus(seed, pathology="normal")) for seed in range(4)]
    assert made[0].image.shape == (960, 999, 3)
    assert 9.5 < np.mean([each.vessel_share_percent for each in made]) < 13
    colours = np.mean([each.image[each.field_of_view & ~each.vessels].mean(0) for each in made], axis=0)
    assert colours == pytest.approx([165, 58, 10], rel=0.15)


@pytest.mark.parametrize(
    ("name", "value"), [("vein_radius_mm", 1.0), ("tortuosity", -1), ("camera", "phone"), ("pathology", "flu")]
)
def test_impossible_eyes_are_refused_by_name(name, value):
    with pytest.raises(InputError, match=name):
        FundusPhantom(**{name: value})


def test_sampled_eyes_are_various():
    eyes = [sample_fundus(seed) for seed in range(200)]
    assert {eye.eye for eye in eyes} == {"left", "right"}
    assert {eye.quality for eye in eyes} == {"good", "medium", "poor"}
    assert 0.15 < np.mean([eye.pathology != "normal" for eye in eyes]) < 0.35
    assert len({dataclasses.replace(eye, seed=0) for eye in eyes}) == 200
    assert all(eye.camera in CAMERAS for eye in eyes)
