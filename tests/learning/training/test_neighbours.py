"""Slices are gathered with their neighbours, of the same case and frame alone, and change together."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.datasets.packed import PackedDataset, PackedSample
from cardiotrace.learning.augmentation import Augmentation, Draw
from cardiotrace.learning.predict import predict_planes
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingNeeds, TrainingOrder
from cardiotrace.learning.training.window import Windows
from cardiotrace.preprocessing import Preprocessing
from tests.learning.training.tiny import RECIPE, SIDE, recipe

CPU = torch.device("cpu")
NOTHING = Preprocessing([])
# Stack (case, phase, time) and depth of each sample, as no packing would order them.
PLACES = [
    (("a", "ED", 0), 1),
    (("a", "ED", 0), 0),
    (("a", "ED", 0), 2),
    (("a", "ES", 0), 0),
    (("a", "ES", 0), 1),
    (("b", "ED", 0), 0),
    (("b", "ED", 1), 0),
    (("b", "ED", 1), 1),
]
AROUND = [[1, 0, 2], [1, 1, 0], [0, 2, 2], [3, 3, 4], [3, 4, 4], [5, 5, 5], [6, 6, 7], [6, 7, 7]]


def stacks(side: int = 4, channels: int = 1) -> PackedDataset:
    """Planes of one value each: ten times the number of the sample; labels are the number."""
    samples = tuple(
        PackedSample(case, {"patient": case}, phase, "SAX", time, depth, 0.0, 255.0)
        for (case, phase, time), depth in PLACES
    )
    numbers = np.arange(len(samples), dtype=np.uint8)
    images = np.tile(10 * numbers[:, None, None, None], (1, channels, side, side))
    return PackedDataset(Path("packed"), images, np.tile(numbers[:, None, None], (1, side, side)), samples)


def films() -> PackedDataset:
    """The same planes with frames in place of slices."""
    data = stacks()
    turned = [dataclasses.replace(sample, time=sample.depth, depth=sample.time) for sample in data.samples]
    return dataclasses.replace(data, samples=tuple(turned))


def feed(data: PackedDataset, indices: list[int], neighbours: int = 1) -> DeviceDataset:
    return DeviceDataset(data, np.array(indices), NOTHING, CPU, TrainingNeeds(neighbours=neighbours))


def numbers_of(images: torch.Tensor) -> list[list[int]]:
    """Which sample each channel is."""
    return (images.amax(dim=(2, 3)) * 25.5).round().int().tolist()


def test_neighbours_are_slices_of_the_same_case_and_frame() -> None:
    assert stacks().indices_around(np.arange(8), 1).tolist() == AROUND
    images, labels = feed(stacks(), list(range(8))).unit(torch.arange(8))
    assert numbers_of(images) == AROUND
    assert labels[:, 0, 0].tolist() == list(range(8))


def test_neighbours_are_frames_of_the_same_case_and_slice() -> None:
    assert films().indices_around(np.arange(8), 1, "frames").tolist() == AROUND
    assert films().indices_around(np.arange(8), 1).tolist() != AROUND
    stored = films().unit_images(np.array([0, 4]), neighbours=1, along="frames")
    assert numbers_of(torch.from_numpy(stored)) == [[1, 0, 2], [3, 4, 4]]


def test_a_film_is_never_shown_backwards() -> None:
    needs = TrainingNeeds(neighbours=1, neighbours_of="frames")
    source = DeviceDataset(films(), np.arange(8), NOTHING, CPU, needs)
    for epoch in range(10):
        (batch,) = order(Augmentation()).batches(source, epoch)
        assert numbers_of(batch.images) == [AROUND[own] for own in batch.labels[:, 0, 0].tolist()]


def test_films_are_needed_where_frames_are_to_be_seen() -> None:
    data = films()
    stills = dataclasses.replace(
        data, samples=tuple(dataclasses.replace(each, case=f"{each.case}{each.time}", time=0) for each in data.samples)
    )
    with pytest.raises(InputError, match="no case has more than one frame"):
        stills.indices_around(np.array([0]), 1, "frames")
    lacking = [*data.samples[:2], dataclasses.replace(data.samples[2], time=5), *data.samples[3:]]
    with pytest.raises(InputError, match="case 'a' lacks frames between others"):
        dataclasses.replace(data, samples=tuple(lacking)).indices_around(np.array([5]), 1, "frames")
    with pytest.raises(ConfigError, match="neighbours_of has no effect without neighbours"):
        recipe(neighbours_of="frames")
    assert recipe(neighbours=1, neighbours_of="frames").digest() != recipe(neighbours=1).digest()


def test_two_on_each_side() -> None:
    assert stacks().indices_around(np.array([1, 6]), 2).tolist() == [[1, 1, 1, 0, 2], [6, 6, 6, 7, 7]]


def test_neighbours_need_not_be_of_the_part() -> None:
    one = feed(stacks(), [4, 0])
    assert (len(one), len(one.units)) == (2, 2)
    images, labels = one.unit(torch.tensor([1, 0]))
    assert numbers_of(images) == [[1, 0, 2], [3, 4, 4]]
    assert labels[:, 0, 0].tolist() == [0, 4]
    stored = stacks().unit_images(np.array([0, 4]), neighbours=1)
    assert np.array_equal(stored, images.numpy())


def test_windows_are_cut_out_of_all_slices_alike() -> None:
    rows, columns = np.mgrid[:4, :4].astype(np.uint8)
    data = dataclasses.replace(stacks(), images=stacks().images + (4 * rows + columns)[None, None])
    source = feed(data, [2, 0])
    windows = Windows(torch.tensor([[1, 2], [0, 0]]), (2, 2))
    images, labels = source.unit_windows(torch.tensor([1, 0]), windows)
    whole, _ = source.unit(torch.tensor([1, 0]))
    assert torch.equal(images[0], whole[0, :, 1:3, 2:4])
    assert torch.equal(images[1], whole[1, :, 0:2, 0:2])
    assert labels[:, 0, 0].tolist() == [0, 2]


def test_without_neighbours_all_is_as_before() -> None:
    alone = feed(stacks(), [2, 0], neighbours=0)
    assert alone.slices is None
    assert numbers_of(alone.unit(torch.arange(2))[0]) == [[2], [0]]


def test_every_slice_is_normalised_by_itself() -> None:
    rng = np.random.default_rng(0)
    data = dataclasses.replace(stacks(8), images=rng.integers(0, 256, (8, 1, 8, 8), np.uint8))
    scored = Preprocessing([Choice("z-score")])
    source = DeviceDataset(data, np.arange(8), scored, CPU, TrainingNeeds(neighbours=1))
    normalised = source.normalise(source.unit(torch.tensor([0]))[0])
    alone = scored.normalise(torch.from_numpy(data.unit_images(np.array(AROUND[0]))))
    assert torch.allclose(normalised[0], alone[:, 0], atol=1e-6)


def order(augmentation: Augmentation, **changes: object) -> TrainingOrder:
    return dataclasses.replace(TrainingOrder(1, 8, augmentation, ()), **changes)


def test_half_of_the_stacks_are_shown_the_other_way_round_and_no_other_way() -> None:
    source = feed(stacks(), list(range(8)))
    turned, shown = 0, 0
    for epoch in range(20):
        (batch,) = order(Augmentation()).batches(source, epoch)
        for seen, own in zip(numbers_of(batch.images), batch.labels[:, 0, 0].tolist(), strict=True):
            assert seen in (AROUND[own], AROUND[own][::-1])
            turned += seen != AROUND[own]
            shown += AROUND[own] != AROUND[own][::-1]
    assert 0.35 < turned / shown < 0.65


def test_processes_turn_the_same_stacks_and_a_step_is_repeated_to_the_bit() -> None:
    source, changing = feed(stacks(), list(range(8))), Augmentation(gamma=Draw(0.9, 0.6, 1.5))
    (whole,) = order(changing).batches(source, 3)
    (again,) = order(changing).batches(source, 3)
    assert torch.equal(whole.images, again.images)
    for rank in range(2):
        (share,) = order(changing, rank=rank, world=2).batches(source, 3)
        assert torch.equal(share.images, whole.images[rank::2])


def test_slices_move_and_change_together() -> None:
    # The same picture in every slice: whatever moves or brightens one of them must do so to all.
    picture = np.random.default_rng(1).integers(0, 256, (1, 1, 16, 16), np.uint8)
    data = dataclasses.replace(stacks(16), images=np.tile(picture, (8, 1, 1, 1)))
    strong = Augmentation(
        rotation_degrees=Draw(1.0, -40, 40),
        blur_sigma=Draw(0.5, 0.5, 1.0),
        contrast=Draw(1.0, 0.6, 1.4),
        gamma=Draw(1.0, 0.6, 1.5),
        low_resolution=Draw(0.5, 0.4, 0.8),
    )
    for batch in (
        next(order(strong).batches(feed(data, list(range(8))), 0)),
        next(order(strong, crop=(8, 8)).batches(feed(data, list(range(8))), 0)),
    ):
        assert batch.images.std() > 0.05
        torch.testing.assert_close(batch.images[:, 0], batch.images[:, 1], atol=1e-6, rtol=0)
        torch.testing.assert_close(batch.images[:, 2], batch.images[:, 1], atol=1e-6, rtol=0)


def test_pairs_of_phases_keep_their_own_neighbours() -> None:
    needs = TrainingNeeds("phases", neighbours=1)
    source = DeviceDataset(stacks(), np.arange(5), NOTHING, CPU, needs)
    assert source.units.tolist() == [[0, 4], [1, 3], [2, 2]]
    turned = set()
    for epoch in range(8):
        (batch,) = order(Augmentation(), batch_size=6).batches(source, epoch)
        own = batch.labels[:, 0, 0].tolist()
        seen = dict(zip(own, numbers_of(batch.images), strict=True))
        is_turned = {number: seen[number] == AROUND[number][::-1] for number in own}
        assert all(seen[number] == AROUND[number] or is_turned[number] for number in own)
        # Both phases of a slice in the same direction.
        assert is_turned[1] == is_turned[3]
        assert is_turned[0] == is_turned[4]
        turned.add(is_turned[0])
    assert turned == {True, False}


def test_slices_are_never_recoloured() -> None:
    coloured = Augmentation(hue_degrees=Draw(1.0, 90, 90))
    with pytest.raises(InputError, match="no colours to change"):
        next(order(coloured).batches(feed(stacks(), [0, 1]), 0))
    assert next(order(coloured).batches(feed(stacks(), [0, 1], neighbours=0), 0)).images.shape[1] == 1
    for change in ("hue_degrees", "channel_contrast", "channel_brightness"):
        drawn = {change: {"probability": 0.5, "low": 0.9, "high": 1.1}}
        with pytest.raises(ConfigError, match="changes colours"):
            recipe(neighbours=1, augmentation=drawn)


@pytest.mark.parametrize("steps", [1, 2])
def test_a_stack_with_a_gap_is_refused(steps: int) -> None:
    data = stacks()
    moved = dataclasses.replace(data.samples[2], depth=2 + steps)
    gap = dataclasses.replace(data, samples=(*data.samples[:2], moved, *data.samples[3:]))
    with pytest.raises(InputError, match="case 'a' lacks slices"):
        gap.indices_around(np.array([5]), 1)
    twice = dataclasses.replace(data, samples=(data.samples[1], *data.samples[1:]))
    with pytest.raises(InputError, match="there twice"):
        twice.indices_around(np.array([5]), 1)


def test_colours_and_volumes_have_no_neighbours() -> None:
    with pytest.raises(InputError, match="3 channels"):
        feed(stacks(channels=3), [0])
    data = stacks()
    volumes = dataclasses.replace(data, images=data.images[:, :, None], labels=data.labels[:, None])
    with pytest.raises(InputError, match="volumes hold their slices themselves"):
        feed(volumes, [0])


def test_a_network_is_asked_with_slices_that_are_not_among_those_asked_for() -> None:
    class Differs(torch.nn.Module):
        """Class 1 where the slice after is brighter than the one before."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.stack([0.01 + 0 * images[:, 0], images[:, 2] - images[:, 0]], dim=1)

    predicted = predict_planes(Differs(), stacks(), np.array([5, 0, 1]), NOTHING, neighbours=1)
    assert predicted[:, 0, 0].tolist() == [0, 1, 0]  # AROUND: 5 alone; 1 to 2; 1 to 0


def test_the_digest_is_that_of_before_where_there_are_none() -> None:
    # Of the recipe as the first programs had it, word for word: a run that was begun under it goes on.
    assert recipe().digest() == recipe(neighbours=0).digest()
    assert recipe(neighbours=1).digest() != recipe().digest()
    assert recipe().digest() == FORMER_DIGEST


FORMER_DIGEST = "dfe05f05278eb069d7b8bdaf7b405184e744b10d2f998224aa18912704b2d05b"


@pytest.mark.parametrize("neighbours", [-1, 9])
def test_numbers_of_neighbours_that_cannot_be(neighbours: int) -> None:
    with pytest.raises(ConfigError, match=f"neighbours must be 0 to 8, got {neighbours}"):
        recipe(neighbours=neighbours)


def test_co_learning_of_phases_has_no_neighbours() -> None:
    pairs = {**RECIPE["training"], "group": "phases"}
    sides = [{"name": "resize", "height": 2 * SIDE, "width": 2 * SIDE}]
    assert recipe(architecture="clas", training=pairs, preprocessing=sides).neighbours == 0
    with pytest.raises(ConfigError, match="set neighbours = 0"):
        recipe(architecture="clas", training=pairs, preprocessing=sides, neighbours=1)
