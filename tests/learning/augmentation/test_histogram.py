"""Histograms of other images, and windows."""

from dataclasses import replace

import pytest
import torch

from cardiotrace.learning.augmentation import change_intensities, identity
from cardiotrace.learning.augmentation.histogram import match, quantiles
from tests.learning.augmentation.drawing import batch


def test_a_matched_image_has_the_quantiles_of_the_other():
    images, others = 0.05 + 0.6 * batch(3)[0] ** 2, 0.2 + 0.5 * batch(3)[0].flip(0)
    shares = torch.linspace(0, 1, 21).expand(3, -1)
    matched = match(images, others, torch.ones(3))
    torch.testing.assert_close(quantiles(matched, shares), quantiles(others, shares), atol=0.01, rtol=0)
    # A monotone map: what was brighter stays brighter.
    order = images[0].flatten().argsort()
    assert (matched[0].flatten()[order].diff() >= -1e-6).all()


def test_half_matched_is_half_way_and_its_own_histogram_changes_nothing():
    images = batch(2)[0]
    whole = match(images, images.flip(0) ** 3, torch.ones(2))
    half = match(images, images.flip(0) ** 3, torch.full((2,), 0.5))
    torch.testing.assert_close(half, (images + whole) / 2, atol=1e-6, rtol=0)
    torch.testing.assert_close(match(images, images, torch.ones(2)), images, atol=1e-5, rtol=0)


def test_black_stays_black_and_is_no_part_of_the_histogram():
    images = batch(2)[0].clamp(min=0.01)
    images[:, :, :30] = 0
    shares = torch.tensor([[0.0, 0.5]]).repeat(2, 1)
    assert quantiles(images, shares)[:, 0, 0].min() > 0
    assert quantiles(images, shares)[0, 0, 1].item() == pytest.approx(
        images[0][images[0] > 0].median().item(), abs=0.01
    )
    matched = match(images, batch(2)[0] + 0.5, torch.ones(2))
    assert not matched[:, :, :30].any()
    black = torch.zeros(1, 1, 8, 8)
    assert torch.equal(match(black, black + 0.5, torch.ones(1)), black)


def test_nothing_is_taken_of_a_slice_that_fills_up_a_volume():
    images = 0.1 + 0.8 * batch(2)[0]
    images[1] = 0
    asked = replace(identity(2), partner=torch.tensor([[0, 1], [1, 0]]))
    matched = change_intensities(images, replace(asked, histogram_matching=torch.ones(2)))
    assert torch.equal(matched, images)
    exchanged = change_intensities(images, replace(asked, amplitude_exchange=torch.tensor([[1.0, 0.2]] * 2)))
    torch.testing.assert_close(exchanged, images, atol=1e-5, rtol=0)


def test_quantiles_of_large_images_come_from_pixels_spread_evenly():
    ramp = torch.linspace(0.001, 1, 300).view(1, 1, 300, 1).expand(1, 1, 300, 256)
    found = quantiles(ramp, torch.tensor([[0.1, 0.5, 0.9]]))[0, 0]
    torch.testing.assert_close(found, torch.tensor([0.1, 0.5, 0.9]), atol=0.02, rtol=0)


def test_matching_takes_the_partner_as_its_scanner_made_it():
    images = batch(2)[0]
    record = replace(
        identity(2),
        histogram_matching=torch.tensor([1.0, 0.0]),
        inverted_gamma=torch.tensor([1.0, 3.0]),
        partner=torch.tensor([[0, 1], [1, 0]]),
    )
    torch.testing.assert_close(change_intensities(images, record)[0], match(images[:1], images[1:], torch.ones(1))[0])


def test_windows_are_narrower_or_wider_at_each_end():
    ramp = torch.linspace(0.01, 1, 100).view(1, 1, 10, 10).repeat(3, 1, 1, 1)
    ends = torch.tensor([[10.0, 0.0], [0.0, 20.0], [-0.25, -0.75]])
    narrow, bright, wide = change_intensities(ramp, replace(identity(3), window=ends))
    # A tenth of the pixels is black and the others spread over the range; a fifth is white.
    assert int((narrow <= 1e-6).sum()) == 10
    assert narrow.max().item() == 1
    assert int((bright >= 1 - 1e-6).sum()) == 20
    torch.testing.assert_close(wide, (ramp[0] + 0.25) / 2)


def test_an_image_of_one_grey_value_stays_within_its_range():
    flat = torch.full((1, 1, 8, 8), 0.4)
    shown = change_intensities(flat, replace(identity(1), window=torch.tensor([[2.0, 2.0]])))
    assert 0 <= shown.min() <= shown.max() <= 1
