"""Random grey values of classes."""

from dataclasses import replace

import pytest
import torch

from cardiotrace.learning.augmentation import change_intensities, identity
from cardiotrace.learning.augmentation.acquisition import CLASSES
from tests.learning.augmentation.drawing import batch


def record(mix: float, sd: float = 0.0, parts: int = 2):
    levels = torch.zeros(1, CLASSES + parts, 2)
    levels[0, :4, 0] = torch.tensor([0.99, 0.2, 0.4, 0.6])
    levels[0, CLASSES:, 0] = torch.tensor([0.1, 0.8])[:parts]
    levels[..., 1] = sd
    return replace(identity(1), random_contrast=torch.tensor([mix]), part_levels=levels)


def test_every_class_and_every_part_of_the_background_has_its_grey_value():
    images, labels = torch.full((1, 1, 32, 32), 0.3), torch.zeros(1, 32, 32, dtype=torch.int64)
    images[..., 16:] = 0.7
    for value, rows in ((1, slice(4, 8)), (2, slice(8, 12)), (3, slice(12, 16)), (255, slice(28, 32))):
        labels[:, rows] = value
    expected = torch.where(images < 0.5, 0.1, 0.8)
    for value, grey in ((1, 0.2), (2, 0.4), (3, 0.6)):
        expected[:, 0][labels == value] = grey
    painted = change_intensities(images, record(1.0), labels)
    inside = torch.ones(32, dtype=torch.bool)
    inside[13:19] = False  # where blocks of both halves meet
    torch.testing.assert_close(painted[..., inside], expected[..., inside])
    half = change_intensities(images, record(0.25), labels)
    torch.testing.assert_close(half, images * 0.75 + painted * 0.25)


def test_the_texture_has_the_standard_deviation_drawn_for_it():
    images, labels = torch.full((1, 1, 100, 100), 0.5), torch.full((1, 100, 100), 2)
    painted = change_intensities(images, record(1.0, sd=0.05), labels)
    assert painted.mean().item() == pytest.approx(0.4, abs=0.003)
    assert painted.std().item() == pytest.approx(0.05, rel=0.05)


def test_labels_are_asked_for():
    with pytest.raises(ValueError, match="give them too"):
        change_intensities(batch(1)[0], record(1.0))
