"""Samples of three axes: from the cache through windows and losses to validation, without a special case."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError
from cardiotrace.datasets.packed import IGNORED, PackedDataset
from cardiotrace.learning.augmentation import Augmentation, Draw, Elastic
from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.models.network import Network, TrainingOutputs
from cardiotrace.learning.training import loop
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingNeeds, TrainingOrder
from cardiotrace.learning.training.learner import Learner
from cardiotrace.learning.training.optimiser import Constant
from cardiotrace.learning.training.state import State
from cardiotrace.learning.training.supervision import SupervisedObjective, supervised_loss
from cardiotrace.learning.training.window import draw_windows
from cardiotrace.preprocessing import Preprocessing
from tests.learning.training.tiny import packed, recipe, task_and_state

CPU = torch.device("cpu")
DEPTH = 3


def volumes(count=4, slices=None):
    """Each of the tiny discs as a stack of three slices: itself, shifted by a pixel, and turned upside down.

    Args:
        count: how many.
        slices: how many of its slices each stack has; what is missing is filled up as packing does.
    """
    planes = packed(count)
    ways = (lambda a: a, lambda a: np.roll(a, 1, axis=-1), lambda a: a[..., ::-1, :])
    images = np.stack([way(planes.images) for way in ways], axis=2)
    labels = np.stack([way(planes.labels) for way in ways], axis=1)
    samples = []
    for index, own in enumerate(slices or [None] * count):
        if own is not None:
            images[index, :, own:], labels[index, own:] = 0, IGNORED
        samples.append(dataclasses.replace(planes.samples[index], slices=own))
    return PackedDataset(planes.folder, images, labels, tuple(samples))


def dataset(count=4, steps=("z-score",), slices=None, **needs):
    preprocessing = Preprocessing([Choice(step) for step in steps])
    return DeviceDataset(volumes(count, slices), np.arange(count), preprocessing, CPU, TrainingNeeds(**needs))


def order(augmentation=None, mirror_axes=(), **changes):
    return TrainingOrder(5, 2, augmentation or Augmentation(), mirror_axes, **changes)


def number_of(sample):
    return int(sample.case.removeprefix("case"))


def test_batches_hold_the_volumes_as_they_are():
    source = dataset(steps=())
    batches = list(order().batches(source, 0))
    assert [batch.images.shape for batch in batches] == [(2, 1, DEPTH, 32, 32)] * 2
    shown = [number_of(sample) for batch in batches for sample in batch.samples]
    assert sorted(shown) == [0, 1, 2, 3]
    for index, image in zip(shown, torch.cat([batch.images for batch in batches]), strict=True):
        stored = source.images[index].float() / 255
        assert torch.equal(image, stored) or torch.equal(image, stored.flip(1))


def test_half_of_the_stacks_are_seen_the_other_way_round_labels_and_all():
    source = dataset(steps=(), slices=[3, 2, 3, 2])
    ways = set()
    for epoch in range(6):
        for batch in order().batches(source, epoch):
            for image, label, sample in zip(batch.images, batch.labels, batch.samples, strict=True):
                index, own = number_of(sample), sample.slices
                stored, labelled = source.images[index].float() / 255, source.labels[index].long()
                is_turned = not torch.equal(image, stored)
                if is_turned:  # the slices that fill it up stay behind the stack's own
                    stored = torch.cat([stored[:, :own].flip(1), stored[:, own:]], dim=1)
                    labelled = torch.cat([labelled[:own].flip(0), labelled[own:]])
                assert torch.equal(image, stored)
                assert torch.equal(label, labelled)
                ways.add((index, is_turned))
    assert len(ways) == 8  # each stack both ways


def test_a_stack_is_normalised_as_a_whole_as_in_use():
    source = dataset(slices=[3, 2, 3, 2])
    for batch in order().batches(source, 0):
        for image, sample in zip(batch.images, batch.samples, strict=True):
            index, own = number_of(sample), sample.slices
            volume = source.images[index, 0, :own].numpy()
            in_use = source.preprocessing.apply(volume, source.preprocessing.transform_for(volume.shape, None))
            ways = (image[:, :own], image[:, :own].flip(1))
            assert any(np.allclose(way, in_use, rtol=1e-7, atol=1e-4) for way in ways)
            # What fills it up is neither seen by the steps nor made anything of by them.
            assert (image[:, own:] == 0).all()


TURNED = Augmentation(
    rotation_degrees=Draw(1.0, 20, 60),
    shift=Draw(1.0, 0.1, 0.2),
    elastic=Elastic(1.0, 0.05),
    brightness=Draw(1.0, 0.6, 0.8),
    gamma=Draw(1.0, 1.2, 1.5),
)


@pytest.mark.parametrize("crop", [None, (2, 16, 24)])
def test_slices_of_a_volume_are_changed_alike(crop):
    """Where all slices show the same, all still do; and another volume is changed otherwise."""
    planes = packed(4)
    stacked = PackedDataset(
        planes.folder,
        planes.images[:, :, None].repeat(DEPTH, 2),
        planes.labels[:, None].repeat(DEPTH, 1),
        planes.samples,
    )
    source = DeviceDataset(stacked, np.arange(4), Preprocessing([]), CPU)
    batch = next(order(TURNED, ("width",), crop=crop).batches(source, 0))
    assert batch.images.shape == (2, 1, *(crop or (DEPTH, 32, 32)))
    for image, label in zip(batch.images, batch.labels, strict=True):
        torch.testing.assert_close(image, image[:, :1].expand_as(image))
        assert torch.equal(label, label[:1].expand_as(label))
    twice = packed(1)
    same = PackedDataset(
        twice.folder, twice.images[[0, 0], :, None], twice.labels[[0, 0], None], (twice.samples[0],) * 2
    )
    one, other = next(order(TURNED).batches(DeviceDataset(same, np.arange(2), Preprocessing([]), CPU), 0)).images
    assert (one - other).abs().max() > 0.1


def test_a_volume_of_one_slice_is_augmented_as_its_plane():
    planes = packed(4)
    flat = PackedDataset(planes.folder, planes.images[:, :, None], planes.labels[:, None], planes.samples)
    sources = [DeviceDataset(data, np.arange(4), Preprocessing([]), CPU) for data in (planes, flat)]
    plane, volume = (next(order(TURNED, ("width",)).batches(source, 0)) for source in sources)
    assert torch.equal(volume.images.squeeze(2), plane.images)
    assert torch.equal(volume.labels.squeeze(1), plane.labels)


def test_slices_that_nobody_has_seen_do_not_count_after_any_change():
    source = dataset(slices=[2, 2, 2, 2])
    for crop in (None, (DEPTH, 16, 16)):
        batch = next(order(TURNED, crop=crop).batches(source, 0))
        assert (batch.labels[:, 2] == IGNORED).all()
        assert (batch.images[:, :, 2] == 0).all()
        assert IGNORED not in batch.labels[:, :2]


def test_volumes_are_filled_up_to_what_a_network_can_halve():
    source = dataset(depth=4)
    assert source.shape == (4, 32, 32)
    assert source.own_slices == (DEPTH,) * 4
    assert (source.labels[:, DEPTH:] == IGNORED).all()
    # A window that is deeper than the stacks shows all of them.
    batch = next(order(crop=(4, 16, 16)).batches(source, 0))
    assert (batch.labels[:, DEPTH:] == IGNORED).all()
    assert IGNORED not in batch.labels[:, :DEPTH]


def test_windows_show_as_many_slices_of_a_stack_as_it_has():
    source = dataset(slices=[1, 2, 3, 3])
    seen = order(crop=(2, 8, 8), steps=40)
    for batch in seen.batches(source, 0):
        for label, sample in zip(batch.labels, batch.samples, strict=True):
            shown = int((label != IGNORED).any(-1).any(-1).sum())
            assert shown == min(2, sample.slices or DEPTH)


def test_windows_are_boxes_of_the_volume():
    source = dataset(steps=())
    batch = next(order(crop=(2, 8, 16), steps=1).batches(source, 0))
    assert batch.images.shape == (2, 1, 2, 8, 16)
    for image, label, sample in zip(batch.images, batch.labels, batch.samples, strict=True):
        index = number_of(sample)
        whole = source.images[index].float() / 255
        boxes = whole.unfold(1, 2, 1).unfold(2, 8, 1).unfold(3, 16, 1)
        found = []
        for one, its_label in ((image, label), (image.flip(1), label.flip(0))):  # or the other way round
            places = ((boxes[0] - one[0]).abs() < 1e-5).flatten(3).all(-1).nonzero().tolist()
            found += [(place, its_label) for place in places]
        assert len(found) == 1
        ((z, y, x), seen), classes = found[0], source.labels[index]
        assert torch.equal(seen, classes[z : z + 2, y : y + 8, x : x + 16].long())


def rare(count, shape):
    """One voxel of a structure in each sample, in a corner where few windows would find it."""
    planes = packed(count)
    images = np.zeros((count, 1, *shape), np.uint8)
    labels = np.zeros((count, *shape), np.uint8)
    labels[(slice(None), *(side - 1 for side in shape))] = 2
    return PackedDataset(planes.folder, images, labels, planes.samples)


@pytest.mark.parametrize(("shape", "crop"), [((64, 64), (8, 8)), ((6, 48, 48), (2, 8, 8))])
def test_the_last_samples_of_a_batch_show_a_structure(shape, crop):
    source = DeviceDataset(rare(4, shape), np.arange(4), Preprocessing([]), CPU)
    some = TrainingOrder(5, 4, Augmentation(), (), steps=25, crop=crop, foreground=0.5)
    found = torch.stack([(batch.labels == 2).flatten(1).any(1) for batch in some.batches(source, 0)])
    assert found[:, 2:].all()
    # Of windows that may lie anywhere hardly one in a thousand does.
    assert found[:, :2].float().mean() < 0.1


def test_a_structure_is_drawn_as_often_as_a_large_one():
    """By structure first: else small ones would never be seen."""
    planes = packed(1)
    labels = np.ones((1, 32, 32), np.uint8)
    labels[0, 4, 4] = 3
    source = DeviceDataset(dataclasses.replace(planes, labels=labels), np.arange(1), Preprocessing([]), CPU)
    generator = torch.Generator().manual_seed(0)
    drawn = [source.foreground_pixel(0, generator).tolist() for _ in range(200)]
    assert 70 < sum(place == [4, 4] for place in drawn) < 130


def test_where_there_is_no_structure_a_window_may_lie_anywhere():
    planes = packed(2)
    empty = dataclasses.replace(planes, labels=np.full_like(planes.labels, IGNORED))
    source = DeviceDataset(empty, np.arange(2), Preprocessing([]), CPU)
    plain, forced = (
        next(TrainingOrder(5, 2, Augmentation(), (), crop=(8, 8), foreground=share).batches(source, 0))
        for share in (0.0, 1.0)
    )
    assert torch.equal(plain.images, forced.images)


@pytest.mark.parametrize("shape", [(4, 8, 8), (2, 33, 8), (8, 8)])
def test_boxes_that_do_not_fit_are_refused(shape):
    with pytest.raises(InputError, match="does not fit into prepared images of 3x32x32"):
        draw_windows(1, (DEPTH, 32, 32), shape, torch.Generator())


@pytest.mark.parametrize("name", LOSSES.names)
def test_the_loss_of_a_flat_volume_is_that_of_its_plane(name):
    """One slice above nothing is the plane itself; slices side by side in one plane hold the same pixels."""
    loss = LOSSES.make(Choice(name))
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 16, 16, generator=generator)
    labels = torch.randint(0, 3, (2, 16, 16), generator=generator)
    labels[:, :2] = IGNORED
    plane, flat = loss(logits, labels), loss(logits.unsqueeze(2), labels.unsqueeze(1))
    assert flat.item() == pytest.approx(plane.item(), rel=1e-6)


@pytest.mark.parametrize("name", ["dice", "cross-entropy", "dice+cross-entropy"])
def test_overlap_counts_voxels_wherever_they_lie(name):
    loss = LOSSES.make(Choice(name))
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 3, 4, 8, 8, generator=generator)
    labels = torch.randint(0, 3, (1, 4, 8, 8), generator=generator)
    side_by_side = loss(logits.flatten(2, 3), labels.flatten(1, 2))
    assert loss(logits, labels).item() == pytest.approx(side_by_side.item(), rel=1e-6)


def test_the_centre_line_of_a_rod_runs_along_the_depth():
    """Dice of centre lines sees a broken rod in 3D, where each slice alone looks right."""
    labels = torch.zeros(1, 9, 9, 9, dtype=torch.long)
    labels[:, :, 3:6, 3:6] = 1
    sure = 20.0 * torch.nn.functional.one_hot(labels, 2).permute(0, 4, 1, 2, 3).float()
    loss = LOSSES.make(Choice("dice+cross-entropy+cldice", {"dice_weight": 0.0, "cross_entropy_weight": 0.0}))
    assert loss(sure, labels).item() == pytest.approx(0, abs=1e-3)
    broken = sure.clone()
    broken[:, :, 4:6] = torch.tensor([20.0, 0.0]).reshape(1, 2, 1, 1, 1)
    # All of the predicted line is right, 7 of 9 slices of the true one are found; the term weighs one half.
    found = 7 / 9
    assert loss(broken, labels).item() == pytest.approx(0.5 * (1 - 2 * found / (1 + found)), abs=1e-5)


def test_coarser_outputs_meet_the_labels_of_the_nearest_voxels():
    labels = torch.arange(8).reshape(1, 2, 2, 2)
    coarse = torch.zeros(1, 1, 1, 1, 1)
    right = lambda logits, classes: (logits[:, 0] == classes).float().mean()  # noqa: E731
    assert supervised_loss(TrainingOutputs((coarse,), (1.0,)), labels, right).item() == 1


def test_dice_of_validation_counts_whole_volumes():
    reference = torch.zeros(2, 2, 1, 2, dtype=torch.long)
    predicted = reference.clone()
    reference[0, :, 0, 0] = 1  # one voxel in each slice of the first volume
    predicted[0, 0, 0, 0] = 1  # of which the first is found
    reference[1, 1, 0, 1] = IGNORED
    predicted[1, 1, 0, 1] = 1
    assert loop._dice_sums(predicted, reference, 1).tolist() == [[pytest.approx(2 / 3)], [1.0]]


class Voxels(Network):
    """Two convolutions of three axes."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv3d(1, 8, 3, padding=1), nn.Conv3d(8, 4, 3, padding=1)

    def forward(self, images):
        return self.second(self.first(images).relu())


def test_the_loop_trains_and_validates_a_network_of_three_axes():
    some = recipe(training={"epochs": 6})
    task, _ = task_and_state(some)
    source = dataset(slices=[3, 2, 3, 3])
    task = dataclasses.replace(task, order=order(TURNED, ("width",)), training=source, validation=source)
    torch.manual_seed(0)
    network = Voxels()
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    learner = Learner(task.fabric, network, optimiser, Constant())
    state = State(SupervisedObjective(task.fabric, learner, LOSSES.make(some.loss)))
    rows = []
    loop.run_epochs(task, state, on_step=lambda *_: None, on_epoch=lambda row, _: rows.append(row))
    assert rows[-1]["loss"] < 0.7 * rows[0]["loss"]
    assert rows[-1]["score"] > rows[0]["score"]
