"""Sectors in training: the same map as numpy's, labels along with images, other recipes untouched."""

import numpy as np
import pytest
import torch

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.geometry.sector import Sector, SectorChange, change_planes
from cardiotrace.learning.augmentation import Augmentation, Draw, apply, sample
from cardiotrace.learning.augmentation.sector import SectorAugmentation, find_sectors
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingNeeds, TrainingOrder
from cardiotrace.preprocessing import Preprocessing
from tests.geometry.test_sector import drawn
from tests.learning.training.tiny import packed, recipe

ALL = SectorAugmentation(turn_degrees=Draw(0.8, -10, 10), opening=Draw(0.8, 0.8, 1.25), depth=Draw(0.8, 0.85, 1.2))


def always(change):
    values = {"turn_degrees": change.turn_degrees, "opening": change.opening, "depth": change.depth}
    return SectorAugmentation(**{name: Draw(1.0, value, value) for name, value in values.items()})


def sectors(count=1):
    return torch.tensor([[0.1, -0.9, 1.2]]).repeat(count, 1)


@pytest.mark.parametrize(
    "change",
    [SectorChange(turn_degrees=9), SectorChange(opening=1.2), SectorChange(depth=0.8), SectorChange(-6, 0.9, 1.1)],
)
def test_the_map_is_that_of_numpy(change):
    image = torch.rand(1, 1, 40, 60, generator=torch.Generator().manual_seed(0))
    labels = (image[:, 0] > 0.5).long()
    parameters = sample(Augmentation(sector=always(change)), 1, (40, 60), torch.Generator(), sectors=sectors())
    found, _ = apply(image, labels, parameters)
    sector = Sector((-0.9 + 1) / 2 * 40, (0.1 + 1) / 2 * 60, 1.2)
    expected = change_planes(image[0].double().numpy(), sector, change, outside=0.0)
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-4)


def test_labels_move_with_their_image():
    plane, *_ = drawn(shape=(96, 96), apex=(2.0, 48.0), half=0.6, depth=85, speckle=False)
    images = torch.from_numpy(plane).float()[None, None].repeat(8, 1, 1, 1) / 255
    labels = (images[:, 0] > 0.2).long()
    where = find_sectors(images.numpy(), "found")
    parameters = sample(Augmentation(sector=ALL), 8, (96, 96), torch.Generator().manual_seed(0), sectors=where)
    moved, followed = apply(images, labels, parameters)
    assert (((moved[:, 0] > 0.2).long() != followed).float().mean()) < 0.01
    assert len({float(one.sum()) for one in followed}) > 4


def test_it_is_drawn_after_all_else():
    plain = Augmentation(rotation_degrees=Draw(0.5, -9, 9), elastic=from_plain(Augmentation, {}).elastic)
    with_sector = Augmentation(rotation_degrees=Draw(0.5, -9, 9), sector=ALL)
    one = sample(plain, 5, (32, 32), torch.Generator().manual_seed(3))
    other = sample(with_sector, 5, (32, 32), torch.Generator().manual_seed(3), sectors=sectors(5))
    assert torch.equal(one.to_source, other.to_source)
    assert one.noise_seed == other.noise_seed
    assert one.sector.shape == (5, 0)
    assert other.sector.shape == (5, 6)


def test_both_phases_and_all_processes_get_the_same_change():
    source = DeviceDataset(packed(6), np.arange(6), Preprocessing([]), torch.device("cpu"), TrainingNeeds(apex="top"))
    whole = next(TrainingOrder(1, 6, Augmentation(sector=ALL), ()).batches(source, 0))
    shares = [next(TrainingOrder(1, 6, Augmentation(sector=ALL), (), rank, 2).batches(source, 0)) for rank in (0, 1)]
    for rank, share in enumerate(shares):
        assert torch.equal(share.labels, whole.labels[rank::2])


def test_a_change_needs_to_know_where():
    with pytest.raises(ValueError, match="where each of them lies"):
        sample(Augmentation(sector=ALL), 2, (32, 32), torch.Generator())


def test_recipes_without_it_are_as_before():
    assert "sector" not in to_plain(recipe().augmentation)
    changed = recipe(augmentation={"sector": {"turn_degrees": {"probability": 0.5, "low": -5, "high": 5}}})
    assert changed.digest() != recipe().digest()
    assert changed.augmentation.sector.variants().changes == (SectorChange(), SectorChange(-2.5), SectorChange(2.5))
    assert recipe(augmentation={"sector": {}}).augmentation.sector.variants() is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"augmentation": {"sector": {"opening": {"probability": 1, "low": 0, "high": 1}}}}, "opening must be above 0"),
        ({"augmentation": {"sector": {"apex": "left"}}}, "augmentation.sector.apex"),
        ({"augmentation": {"sector": {}}, "training": {"crop": [16, 16]}}, "leave out training.crop"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        recipe(**changes)
