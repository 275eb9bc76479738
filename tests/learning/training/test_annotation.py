"""Samples whose reference does not tell of every structure."""

import dataclasses

import numpy as np
import pytest
import torch

from cardiotrace.core.errors import InputError
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.learning.training import loop
from cardiotrace.learning.training.annotation import known_classes
from cardiotrace.learning.training.build import ObjectiveContext, build_model, make_objective
from cardiotrace.learning.training.device import make_fabric
from cardiotrace.learning.training.device_dataset import DeviceDataset
from cardiotrace.learning.training.loop import run_epochs, validate
from cardiotrace.learning.training.recipe import recipe_from_plain
from cardiotrace.learning.training.state import State
from tests.learning.training.tiny import RECIPE, packed, recipe, task_and_state

NAMES = ("LV", "MYO", "LA")
HOLDS = ("LV", "MYO")


def without_atrium(data: PackedDataset, every: int) -> PackedDataset:
    """The same images, of which only every so manieth is labelled with LA too."""
    labels = data.labels.copy()
    samples = list(data.samples)
    for index in range(len(samples)):
        if index % every:
            labels[index][labels[index] == 3] = 0
            samples[index] = dataclasses.replace(samples[index], structures=HOLDS)
    return dataclasses.replace(data, labels=labels, samples=tuple(samples))


def trained_dice(data: PackedDataset, epochs: int = 12) -> dict[str, float]:
    """Dice on complete images after a training on these."""
    chosen = recipe(loss="cross-entropy", training={"epochs": epochs, "batch_size": 4})
    fabric = make_fabric(chosen.training, accelerator="cpu")
    training = DeviceDataset(data, np.arange(len(data)), chosen.preprocessing, fabric.device)
    task, _ = task_and_state(chosen)
    task = dataclasses.replace(task, fabric=fabric, training=training)
    context = ObjectiveContext(
        fabric, chosen, build_model(chosen, channels=1, classes=4), training.samples, class_names=NAMES
    )
    state = State(make_objective(context))
    run_epochs(task, state, on_step=lambda *_: None, on_epoch=lambda *_: None)
    return validate(task, state)


def test_a_structure_that_most_samples_lack_is_not_lost():
    mixed = without_atrium(packed(12, seed=1), every=4)
    assert sum(not sample.is_complete for sample in mixed.samples) == 9
    found = trained_dice(mixed)
    assert min(found.values()) > 0.85
    # The same labels, taken for the whole truth, teach that there is no atrium.
    taught_absence = tuple(dataclasses.replace(sample, structures=()) for sample in mixed.samples)
    assert trained_dice(dataclasses.replace(mixed, samples=taught_absence))["LA"] < 0.5


def test_complete_samples_cost_nothing_and_learn_as_before():
    data = packed(4)
    assert known_classes(data.samples, NAMES, torch.device("cpu")) is None
    one, other = (
        dataclasses.replace(data, samples=samples)
        for samples in (data.samples, tuple(dataclasses.replace(sample, structures=NAMES) for sample in data.samples))
    )
    assert trained_dice(one, epochs=1) == pytest.approx(trained_dice(other, epochs=1), abs=1e-4)


def test_validation_counts_what_is_annotated(monkeypatch):
    task, state = task_and_state(recipe())
    wanted = packed(4).labels
    monkeypatch.setattr(state.objective.network, "forward", lambda images: one_hot(wanted))
    assert validate(task, state) == {"LV": 1.0, "MYO": 1.0, "LA": 1.0}
    partly, nowhere = without_atrium(packed(4), every=2), without_atrium(packed(4), every=1000)
    for data, expected in (
        (partly, {"LV": 1.0, "MYO": 1.0, "LA": 1.0}),  # the two samples that lack it would make 0.5 of it
        (dataclasses.replace(nowhere, samples=nowhere.samples[1:] + nowhere.samples[1:2]), {"LV": 1.0, "MYO": 1.0}),
    ):
        validation = DeviceDataset(data, np.arange(4), recipe().preprocessing, task.fabric.device)
        assert validate(dataclasses.replace(task, validation=validation), state) == expected


def one_hot(labels):
    """Logits that say the labels of the first two planes, then of the last two: a batch is of two."""
    both = torch.nn.functional.one_hot(torch.from_numpy(labels).long(), 4).permute(0, 3, 1, 2).float()
    one_hot.calls = getattr(one_hot, "calls", -1) + 1
    first = 2 * (one_hot.calls % 2)
    return both[first : first + 2]


def test_networks_with_losses_of_their_own_are_refused():
    chosen = recipe_from_plain({**RECIPE, "architecture": "clas", "training": {"group": "phases"}})
    data = without_atrium(packed(4), every=2)
    fabric = make_fabric(chosen.training, accelerator="cpu")
    context = ObjectiveContext(fabric, chosen, build_model(chosen, channels=1, classes=4), data.samples)
    with pytest.raises(InputError, match="'clas' learns from whole label maps, and the reference of case1 tells of LV"):
        make_objective(context)


def test_the_sums_leave_out_what_a_sample_does_not_tell_of():
    predicted = torch.tensor([[[1, 2], [0, 3]], [[1, 2], [0, 3]]])
    reference = torch.tensor([[[1, 2], [0, 3]], [[1, 2], [0, 0]]])
    known = torch.tensor([[True] * 4, [True, True, True, False]])
    assert loop._dice_sums(predicted, reference, 3, known).tolist() == [[2, 2, 1], [2, 2, 1]]
    assert loop._dice_sums(predicted, reference, 3).tolist() == [[2, 2, 1], [2, 2, 2]]
