"""Samples of three axes: from the cache through windows and losses to validation, without a special case."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError
from cardiotrace.datasets.packed import IGNORED, PackedDataset
from cardiotrace.learning.augmentation import Augmentation, Draw
from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.models.network import Network, TrainingOutputs
from cardiotrace.learning.training import loop
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.learning.training.learner import Learner
from cardiotrace.learning.training.optimiser import Constant
from cardiotrace.learning.training.state import State
from cardiotrace.learning.training.supervision import SupervisedObjective, supervised_loss
from cardiotrace.learning.training.window import draw_windows
from cardiotrace.preprocessing import Preprocessing
from tests.learning.training.tiny import packed, recipe, task_and_state

CPU = torch.device("cpu")
DEPTH = 3


def volumes(count=4):
    """Each of the tiny discs as a stack of three slices: itself, shifted by a pixel, and turned upside down."""
    planes = packed(count)
    ways = (lambda a: a, lambda a: np.roll(a, 1, axis=-1), lambda a: a[..., ::-1, :])
    images = np.stack([way(planes.images) for way in ways], axis=2)
    labels = np.stack([way(planes.labels) for way in ways], axis=1)
    return PackedDataset(planes.folder, images, labels, planes.samples)


def dataset(count=4, steps=("z-score",)):
    preprocessing = Preprocessing([Choice(step) for step in steps])
    return DeviceDataset(volumes(count), np.arange(count), preprocessing, CPU)


def order(augmentation=None, **changes):
    return TrainingOrder(5, 2, augmentation or Augmentation(), ("width",), **changes)


def test_batches_hold_the_volumes_as_they_are():
    source = dataset(steps=())
    batches = list(order().batches(source, 0))
    assert [batch.images.shape for batch in batches] == [(2, 1, DEPTH, 32, 32)] * 2
    shown = [int(sample.case.removeprefix("case")) for batch in batches for sample in batch.samples]
    assert sorted(shown) == [0, 1, 2, 3]
    for index, image in zip(shown, torch.cat([batch.images for batch in batches]), strict=True):
        assert torch.equal(image, source.images[index].float() / 255)


def test_each_slice_is_normalised_by_itself_as_in_use():
    batch = next(order().batches(dataset(), 0))
    flat = batch.images.flatten(3)
    torch.testing.assert_close(flat.mean(-1), torch.zeros(2, 1, DEPTH), atol=1e-5, rtol=0)
    torch.testing.assert_close(flat.std(-1, unbiased=False), torch.ones(2, 1, DEPTH), atol=1e-3, rtol=0)


def test_windows_are_boxes_of_the_volume():
    source = dataset(steps=())
    batch = next(order(crop=(2, 8, 16), steps=1).batches(source, 0))
    assert batch.images.shape == (2, 1, 2, 8, 16)
    for image, label, sample in zip(batch.images, batch.labels, batch.samples, strict=True):
        index = int(sample.case.removeprefix("case"))
        whole = source.images[index].float() / 255
        boxes = whole.unfold(1, 2, 1).unfold(2, 8, 1).unfold(3, 16, 1)
        places = (boxes[0] == image[0]).flatten(3).all(-1).nonzero().tolist()
        assert len(places) == 1
        (z, y, x), classes = places[0], source.labels[index]
        assert torch.equal(label, classes[z : z + 2, y : y + 8, x : x + 16].long())


@pytest.mark.parametrize("shape", [(4, 8, 8), (2, 33, 8), (8, 8)])
def test_boxes_that_do_not_fit_are_refused(shape):
    with pytest.raises(InputError, match="does not fit into prepared images of 3x32x32"):
        draw_windows(1, (DEPTH, 32, 32), shape, torch.Generator())


def test_changes_that_would_be_left_out_in_silence_are_refused():
    turned = Augmentation(rotation_degrees=Draw(0.5, -10, 10))
    with pytest.raises(InputError, match="only planes can be augmented"):
        next(order(turned).batches(dataset(), 0))


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
    source = dataset()
    task = dataclasses.replace(task, order=order(), training=source, validation=source)
    torch.manual_seed(0)
    network = Voxels()
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    learner = Learner(task.fabric, network, optimiser, Constant())
    state = State(SupervisedObjective(task.fabric, learner, LOSSES.make(some.loss)))
    rows = []
    loop.run_epochs(task, state, on_step=lambda *_: None, on_epoch=lambda row, _: rows.append(row))
    assert rows[-1]["loss"] < 0.7 * rows[0]["loss"]
    assert rows[-1]["score"] > rows[0]["score"]
