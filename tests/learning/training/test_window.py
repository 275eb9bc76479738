import dataclasses

import numpy as np
import pytest
import torch

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.learning.augmentation import Augmentation, Draw, Elastic, apply, identity, sample
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.learning.training.window import Windows, draw_windows, surroundings
from cardiotrace.preprocessing import Preprocessing
from tests.learning.training.tiny import packed, recipe

STRONG = Augmentation(
    rotation_degrees=Draw(1.0, -180, 180),
    scale=Draw(1.0, 0.7, 1.4),
    shift=Draw(1.0, -0.1, 0.1),
    elastic=Elastic(1.0, 0.05, 4),
)
PLANES, SHAPE = (60, 90), (16, 24)


def ramp(count):
    """Images whose values are their own row and column, so that every pixel says where it comes from."""
    rows, columns = torch.meshgrid(torch.arange(60) / 90, torch.arange(90) / 90, indexing="ij")
    return torch.stack([rows, columns]).expand(count, 2, *PLANES).contiguous()


def test_an_unchanged_window_is_that_part_of_the_plane():
    windows = Windows(torch.tensor([[3, 50], [44, 0]]), SHAPE)
    larger, parameters = surroundings(windows, PLANES, identity(2))
    images, labels = ramp(2), torch.randint(0, 3, (2, *PLANES), generator=torch.Generator().manual_seed(0))
    cut = [
        (index, slice(top, top + larger.shape[0]), slice(left, left + larger.shape[1]))
        for index, (top, left) in enumerate(larger.first.tolist())
    ]
    parts = torch.stack([images[index, :, rows, columns] for index, rows, columns in cut])
    seen, moved = apply(parts, torch.stack([labels[part] for part in cut]), parameters, SHAPE)
    for index, (top, left) in enumerate(windows.first.tolist()):
        rows, columns = slice(top, top + 16), slice(left, left + 24)
        torch.testing.assert_close(seen[index], images[index, :, rows, columns], atol=1e-4, rtol=0)
        assert torch.equal(moved[index], labels[index, rows, columns])


def test_an_augmented_window_shows_its_true_surroundings():
    """Cut from its surroundings it is what the whole plane gives, up to the edges of the plane."""
    generator = torch.Generator().manual_seed(1)
    windows = draw_windows(12, PLANES, SHAPE, generator)
    parameters = sample(STRONG, 12, SHAPE, generator, mirror_axes=("height", "width"))
    images, labels = ramp(12), (ramp(12)[:, 0] * 90).long() % 5
    larger, seen = surroundings(windows, PLANES, parameters)
    assert larger.shape == (38, 41)  # of planes of 60 x 90, for windows of 16 x 24
    parts = [
        images[index, :, top : top + larger.shape[0], left : left + larger.shape[1]]
        for index, (top, left) in enumerate(larger.first.tolist())
    ]
    # The reference looks into the whole plane: the same map, from whole-plane coordinates.
    scale = torch.tensor([24 / 90, 16 / 60]).reshape(1, 2, 1)
    shift = torch.stack(
        [(2 * windows.first[:, 1] + 24) / 90 - 1, (2 * windows.first[:, 0] + 16) / 60 - 1], dim=1
    ).unsqueeze(2)
    to_plane = parameters.to_source * scale + torch.cat([torch.zeros(12, 2, 2), shift], 2)
    expected, _ = apply(images, labels, dataclasses.replace(parameters, to_source=to_plane), SHAPE)
    found, _ = apply(torch.stack(parts), labels[:, : larger.shape[0], : larger.shape[1]], seen, SHAPE)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def order(**changes):
    return TrainingOrder(5, 4, STRONG, ("width",), crop=(16, 8), steps=2, **changes)


def dataset_of():
    return DeviceDataset(packed(3), np.arange(3), Preprocessing([]), torch.device("cpu"))


def test_an_epoch_has_as_many_windows_as_asked_and_resumes():
    batches = list(order().batches(dataset_of(), 1))
    assert [tuple(batch.images.shape) for batch in batches] == [(4, 1, 16, 8)] * 2
    again = list(order().batches(dataset_of(), 1))
    assert all(torch.equal(one.images, two.images) for one, two in zip(batches, again, strict=True))
    assert not torch.equal(batches[0].images, next(order().batches(dataset_of(), 2)).images)


def test_processes_share_windows():
    whole = next(order().batches(dataset_of(), 0))
    for rank in range(2):
        share = next(order(rank=rank, world=2).batches(dataset_of(), 0))
        torch.testing.assert_close(share.images, whole.images[rank::2])
        assert torch.equal(share.labels, whole.labels[rank::2])


def test_a_window_larger_than_the_plane_is_refused():
    with pytest.raises(InputError, match="crop of 64x8 does not fit into prepared images of 60x90"):
        draw_windows(1, PLANES, (64, 8), torch.Generator())


def test_a_window_that_the_network_cannot_halve_is_refused():
    with pytest.raises(ConfigError, match=r"training\.crop: images of 18x16"):
        recipe(training={"crop": [18, 16]})
