import dataclasses

import numpy as np
import pytest
import torch

from cardiotrace.core.catalog import Choice
from cardiotrace.datasets.packed import IGNORED, PackedDataset
from cardiotrace.learning.augmentation import Augmentation, Draw, Elastic
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.preprocessing import Preprocessing
from tests.learning.training.tiny import packed

CPU = torch.device("cpu")
PREPROCESSING = Preprocessing([Choice("z-score")])
STRONG = Augmentation(
    rotation_degrees=Draw(0.9, -30, 30), gamma=Draw(0.5, 0.6, 1.5), elastic=Elastic(probability=0.5, amplitude=0.05)
)
NOISY = dataclasses.replace(STRONG, noise_sd=Draw(0.9, 0.05, 0.1))


def dataset_of(planes=7):
    return DeviceDataset(packed(planes), np.arange(planes), PREPROCESSING, CPU)


def order(augmentation=STRONG, *, batch_size=3, seed=5, rank=0, world=1, mirror_axes=("width",)):
    return TrainingOrder(seed, batch_size, augmentation, mirror_axes, rank, world)


def test_same_seed_and_epoch_give_the_same_bytes():
    one, again = (list(order(NOISY).batches(dataset_of(), 2)) for _ in range(2))
    assert len(one) == 2
    for mine, theirs in zip(one, again, strict=True):
        assert torch.equal(mine.images, theirs.images)
        assert torch.equal(mine.labels, theirs.labels)


def test_a_step_does_not_depend_on_the_steps_before_it():
    alone = list(order(NOISY).batches(dataset_of(), 1))[1]
    batches = order(NOISY).batches(dataset_of(), 1)
    next(batches)
    torch.rand(1000)
    assert torch.equal(next(batches).images, alone.images)


def test_seed_and_epoch_change_the_images():
    first = next(order().batches(dataset_of(), 0)).images
    assert not torch.equal(first, next(order().batches(dataset_of(), 1)).images)
    assert not torch.equal(first, next(order(seed=6).batches(dataset_of(), 0)).images)


def test_an_epoch_shows_every_plane_at_most_once_and_drops_the_rest():
    source = dataset_of(7)
    shown = torch.cat([batch.labels for batch in order(Augmentation(), mirror_axes=()).batches(source, 0)])
    matches = [(source.labels == plane).flatten(1).all(1).nonzero().item() for plane in shown]
    assert len(matches) == 6
    assert len(set(matches)) == 6


def test_fewer_planes_than_a_batch_make_one_step():
    batches = list(order(batch_size=10).batches(dataset_of(4), 0))
    assert [len(batch.images) for batch in batches] == [4]


@pytest.mark.parametrize(("batch_size", "world"), [(6, 2), (5, 2), (4, 3)])
def test_processes_share_the_very_batch_of_one_process(batch_size, world):
    whole = next(order(batch_size=batch_size).batches(dataset_of(), 0))
    shares = [
        next(order(batch_size=batch_size, rank=rank, world=world).batches(dataset_of(), 0)) for rank in range(world)
    ]
    for rank, share in enumerate(shares):
        assert torch.allclose(share.images, whole.images[rank::world], atol=1e-5)
        assert torch.equal(share.labels, whole.labels[rank::world])
    assert sum(len(share.images) for share in shares) == batch_size
    # The mean over processes of weighted means is the mean of the batch.
    means = [share.weight * share.labels.double().mean() for share in shares]
    assert sum(means) / world == pytest.approx(whole.labels.double().mean())


def test_process_without_a_plane_works_at_no_weight():
    shares = [next(order(batch_size=2, rank=rank, world=3).batches(dataset_of(2), 0)) for rank in range(3)]
    assert [share.weight for share in shares] == [1.5, 1.5, 0.0]
    assert len(shares[2].images) == 1


def test_processes_draw_unlike_noise():
    noise = Augmentation(noise_sd=Draw(1.0, 0.1, 0.1))
    same = packed(2)
    twins = dataclasses.replace(same, images=np.repeat(same.images[:1], 2, 0), labels=np.repeat(same.labels[:1], 2, 0))
    source = DeviceDataset(twins, np.arange(2), PREPROCESSING, CPU)
    one, other = (next(order(noise, batch_size=2, rank=rank, world=2).batches(source, 0)) for rank in range(2))
    assert not torch.allclose(one.images, other.images, atol=1e-2)


def test_images_arrive_as_the_preparation_makes_them():
    data = packed(3)
    source = DeviceDataset(data, np.array([2, 0]), PREPROCESSING, CPU)
    images, labels = source.unit(torch.tensor([0, 1]))
    assert torch.equal(images, torch.from_numpy(data.images[[2, 0]].astype(np.float32) / np.float32(255)))
    assert torch.equal(labels, torch.from_numpy(data.labels[[2, 0]].astype(np.int64)))
    normal = source.normalise(images)
    assert normal.mean().item() == pytest.approx(0, abs=1e-5)
    assert normal[0].std(unbiased=False).item() == pytest.approx(1, abs=1e-3)


def test_sixteen_bits_arrive_in_unit_range():
    data = packed(2)
    deep = PackedDataset(data.folder, data.images.astype(np.uint16) * 257, data.labels, data.samples)
    shallow_images, _ = DeviceDataset(data, np.arange(2), PREPROCESSING, CPU).unit(torch.arange(2))
    deep_images, _ = DeviceDataset(deep, np.arange(2), PREPROCESSING, CPU).unit(torch.arange(2))
    assert torch.allclose(shallow_images, deep_images, atol=1e-7)


def test_given_steps_go_on_for_pass_after_pass():
    source = dataset_of(7)
    made = dataclasses.replace(order(Augmentation(), batch_size=4, mirror_axes=()), steps=7)
    batches = list(made.batches(source, 0))
    assert [len(batch.images) for batch in batches] == [4] * 7
    shown = torch.cat([batch.labels for batch in batches])
    counts = [(shown == plane).flatten(1).all(1).sum().item() for plane in source.labels.long()]
    assert counts == [4] * 7


def test_where_nobody_has_labelled_there_is_no_background_beyond_the_image_either():
    some = packed(4)
    labels = some.labels.copy()
    labels[[1, 2]] = IGNORED
    samples = tuple(dataclasses.replace(one, is_labelled=index not in (1, 2)) for index, one in enumerate(some.samples))
    half = dataclasses.replace(some, labels=labels, samples=samples)
    turned = Augmentation(rotation_degrees=Draw(1.0, 45.0, 45.0), scale=Draw(1.0, 0.7, 0.7))
    source = DeviceDataset(half, np.arange(4), PREPROCESSING, CPU)
    for crop in (None, (32, 24)):
        way = dataclasses.replace(order(turned, batch_size=4, mirror_axes=()), crop=crop)
        (batch,) = way.batches(source, 0)
        for plane, sample in zip(batch.labels, batch.samples, strict=True):
            if sample.is_labelled:
                assert int(plane[0, 0]) == 0  # beyond the image, which is turned and shrunk
                assert not (plane == IGNORED).any()
            else:
                assert (plane == IGNORED).all()
