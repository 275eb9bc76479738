"""Smooth fields and inverted gamma."""

import math
from dataclasses import replace

import pytest
import torch

from cardiotrace.learning.augmentation import Augmentation, BiasField, Draw, change_intensities, identity
from tests.learning.augmentation.drawing import batch, changed


def test_equal_coefficients_are_one_factor_and_join_brightness():
    images = 0.5 * batch(2)[0]
    field = replace(identity(2), bias_field=torch.full((2, 5, 5), 0.3), brightness=torch.tensor([1.0, 0.5]))
    factors = torch.tensor([math.exp(0.3), 0.5 * math.exp(0.3)])[:, None, None, None]
    torch.testing.assert_close(change_intensities(images, field), images * factors)


def test_a_field_is_smooth_within_its_amplitude_and_the_same_for_all_channels():
    images, labels = torch.full((8, 2, 64, 64), 0.5), torch.zeros(8, 64, 64, dtype=torch.int64)
    lit, _ = changed(Augmentation(bias_field=BiasField(Draw(1.0, 0.4, 0.4), 2)), images, labels)
    logarithm = (lit / 0.5).log()
    assert logarithm.abs().max() <= 0.4 + 1e-5
    assert logarithm.std(dim=(2, 3)).min() > 0.02
    assert logarithm.diff(dim=2).abs().max() < 0.05
    assert torch.equal(lit[:, 0], lit[:, 1])


def test_contrast_is_about_the_mean_behind_the_field():
    images = 0.4 * batch(1)[0]
    both = replace(identity(1), bias_field=torch.full((1, 4, 4), 0.2), contrast=torch.tensor([0.5]))
    lit = images * math.exp(0.2)
    torch.testing.assert_close(change_intensities(images, both), lit.mean() + 0.5 * (lit - lit.mean()))


def test_inverted_gamma_raises_the_distance_from_white():
    images = torch.tensor([0.0, 0.36, 1.0]).view(1, 1, 1, 3)
    result = change_intensities(images, replace(identity(1), inverted_gamma=torch.tensor([2.0])))
    torch.testing.assert_close(result.flatten(), torch.tensor([0.0, 1 - 0.64**2, 1.0]))


@pytest.mark.parametrize("which", ["gamma", "inverted_gamma"])
def test_gamma_can_keep_mean_and_standard_deviation(which):
    images = 0.3 + 0.3 * batch(2)[0]
    kept = replace(identity(2), **{which: torch.tensor([0.7, 1.4])}, gamma_keeps_statistics=True)
    result = change_intensities(images, kept)
    torch.testing.assert_close(result.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)), atol=1e-5, rtol=0)
    torch.testing.assert_close(result.std(dim=(1, 2, 3)), images.std(dim=(1, 2, 3)), atol=1e-5, rtol=0)
    assert (result - images).abs().max() > 0.005
