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
    images = torch.tensor([0.1, 0.2, 0.7, 0.9, 0.5, 0.5, 0.5, 0.0]).view(1, 1, 2, 4)
    labels = torch.tensor([0, 0, 0, 255, 1, 2, 3, 0]).view(1, 2, 4)
    painted = change_intensities(images, record(1.0), labels)
    expected = torch.tensor([0.1, 0.1, 0.8, 0.8, 0.2, 0.4, 0.6, 0.1]).view(1, 1, 2, 4)
    torch.testing.assert_close(painted, expected)
    torch.testing.assert_close(change_intensities(images, record(0.25), labels), images * 0.75 + expected * 0.25)


def test_the_texture_has_the_standard_deviation_drawn_for_it():
    images, labels = torch.full((1, 1, 100, 100), 0.5), torch.full((1, 100, 100), 2)
    painted = change_intensities(images, record(1.0, sd=0.05), labels)
    assert painted.mean().item() == pytest.approx(0.4, abs=0.003)
    assert painted.std().item() == pytest.approx(0.05, rel=0.05)


def test_labels_are_asked_for():
    with pytest.raises(ValueError, match="give them too"):
        change_intensities(batch(1)[0], record(1.0))
