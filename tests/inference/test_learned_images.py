"""What training images were like, in a model file."""

import dataclasses

import numpy as np
import pytest

from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.label import CAMUS
from cardiotrace.inference.learned_images import QUANTILES, LearnedImages, learned_images
from cardiotrace.inference.spec import spec_from_plain, spec_to_plain
from tests.fake.models import layered_network, make_spec

RNG = np.random.default_rng(9)
BATCHES = [RNG.normal(mean, 1 + mean, size=(count, 1, 6, 8)).astype(np.float32) for mean, count in ((0, 2), (1, 4))]


@pytest.fixture(scope="module")
def found() -> LearnedImages:
    return learned_images(layered_network(0.3), BATCHES)


def test_moments_are_those_of_all_images_together(found):
    everything = np.concatenate(BATCHES)
    mean, variance = found.by_convolution["layer"]
    # Kept in half precision.
    np.testing.assert_allclose(mean, [everything.mean() + 1, 2 - everything.mean()], rtol=2e-3)
    np.testing.assert_allclose(variance, everything.var(), rtol=4e-3)
    assert found.samples == 6


def test_tones_are_the_mean_over_samples(found):
    each = [np.quantile(sample, QUANTILES) for batch in BATCHES for sample in batch]
    np.testing.assert_allclose(found.tones, np.mean(each, axis=0), atol=1e-4)


def test_it_travels_in_the_description_and_older_files_have_none(found):
    spec = make_spec(CAMUS, learned=found)
    assert spec_from_plain(spec_to_plain(spec)).calibration.learned == found
    plain = spec_to_plain(make_spec(CAMUS))
    assert "learned" not in plain["calibration"]
    assert spec_from_plain(plain).calibration.learned is None


def test_members_are_told_apart_in_a_joint_graph(found):
    both = LearnedImages.together([found, found], ["a/", "b/"])
    assert list(both.by_convolution) == ["a/layer", "b/layer"]
    np.testing.assert_array_equal(both.by_convolution["b/layer"][0], found.by_convolution["layer"][0])


def test_damage_is_told_in_one_line(found):
    with pytest.raises(ModelFileError, match="damaged"):
        dataclasses.replace(found, tones=(1.0,))
    with pytest.raises(ModelFileError, match="damaged"):
        _ = dataclasses.replace(found, channels=(5,)).by_convolution
