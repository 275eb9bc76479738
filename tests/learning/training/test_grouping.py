import dataclasses

import numpy as np
import pytest
import torch

from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.learning.augmentation import Augmentation, Draw, Elastic
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingNeeds, TrainingOrder
from cardiotrace.learning.training.grouping import units_of
from cardiotrace.learning.training.recipe import recipe_from_plain
from cardiotrace.preprocessing import Preprocessing
from tests.learning.training.tiny import RECIPE, packed, recipe

CPU = torch.device("cpu")
MOVING = Augmentation(
    rotation_degrees=Draw(0.9, -30, 30), elastic=Elastic(probability=0.9, amplitude=0.05), gamma=Draw(1.0, 0.5, 2.0)
)


def phases(patients=5):
    """Each patient's label map twice, as ES and as ED, with a number in the grey values that tells the plane."""
    data = packed(patients)
    planes = [
        dataclasses.replace(plane, phase=phase, case=f"{plane.case}_{phase}")
        for plane in data.samples
        for phase in ("ES", "ED")
    ]
    labels = np.repeat(data.labels, 2, axis=0)
    return PackedDataset(data.folder, np.repeat(data.images, 2, axis=0), labels, tuple(planes))


def dataset_of(patients=5, data=None):
    data = data or phases(patients)
    return DeviceDataset(data, np.arange(len(data)), Preprocessing([]), CPU, TrainingNeeds("phases"))


def order(batch_size=4, augmentation=MOVING, **changes):
    return TrainingOrder(7, batch_size, augmentation, ("width",), **changes)


def test_ed_stands_before_es_and_slices_stay_apart():
    planes = phases(2).samples
    slices = [dataclasses.replace(plane, depth=1) for plane in planes[:2]]
    assert units_of([*planes, *slices], "phases").tolist() == [[1, 0], [3, 2], [5, 4]]


def test_unnamed_frames_are_paired_in_order_of_time():
    plane = packed(1).samples[0]
    frames = [dataclasses.replace(plane, phase="other", time=time) for time in (3, 0, 2)]
    assert units_of(frames, "phases").tolist() == [[1, 2], [0, 0]]


def test_both_phases_move_alike_and_grey_values_do_not():
    batches = list(order().batches(dataset_of(), 0))
    assert [len(batch.images) for batch in batches] == [4, 4]
    for batch in batches:
        assert torch.equal(batch.labels[0::2], batch.labels[1::2])
        assert not torch.allclose(batch.images[0::2], batch.images[1::2], atol=1e-3)
    still = order(augmentation=Augmentation()).batches(dataset_of(), 0)
    assert not torch.equal(batches[0].labels, next(still).labels)


def test_windows_of_a_pair_are_the_same():
    batch = next(order(crop=(16, 16), steps=2).batches(dataset_of(), 0))
    assert batch.images.shape == (4, 1, 16, 16)
    assert torch.equal(batch.labels[0::2], batch.labels[1::2])


@pytest.mark.parametrize(("batch_size", "world"), [(4, 2), (6, 2), (2, 2)])
def test_processes_share_whole_pairs(batch_size, world):
    whole = next(order(batch_size).batches(dataset_of(), 1))
    shares = [next(order(batch_size, rank=rank, world=world).batches(dataset_of(), 1)) for rank in range(world)]
    for rank, share in enumerate(shares):
        expected = whole.labels.unflatten(0, (-1, 2))[rank::world].flatten(0, 1)
        assert torch.equal(share.labels, expected if len(expected) else whole.labels[:2])
    means = [share.weight * share.labels.double().mean() for share in shares]
    assert sum(means) / world == pytest.approx(whole.labels.double().mean())


def test_a_step_does_not_depend_on_the_steps_before_it():
    one, again = (list(order().batches(dataset_of(), 3)) for _ in range(2))
    assert torch.equal(one[1].images, again[1].images)
    assert not torch.equal(one[1].images, next(order().batches(dataset_of(), 4)).images)


def test_the_key_is_part_of_the_digest_only_where_it_is_set():
    assert "group" not in to_plain(recipe())["training"]
    assert recipe(training={"group": "phases"}).digest() != recipe().digest()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"group": "phases", "batch_size": 3}}, "batch_size must be even"),
        ({"training": {"group": "patients"}}, "training.group"),
        ({"architecture": "clas"}, "learns from planes that belong together"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        recipe_from_plain({**RECIPE, **changes})
