"""Groups in equal shares."""

import dataclasses
import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.learning.training import loop
from cardiotrace.learning.training.balance import Balance
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.train import check_planned, plan_run
from tests.learning.training.test_device_dataset import CPU, PREPROCESSING
from tests.learning.training.tiny import packed, recipe, task_and_state
from tests.workflows.test_train import config, place

__all__ = ["place"]


@given(
    sizes=st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 500), min_size=1),
    total=st.integers(1, 2000),
    shares=st.sampled_from(["equal", "square-root"]),
)
def test_counts_are_whole_and_less_than_one_off_their_share(sizes, total, shares):
    counts = Balance("vendor", shares).counts(sizes, total)
    assert sum(counts.values()) == total
    weights = {name: 1 if shares == "equal" else math.sqrt(size) for name, size in sizes.items()}
    for name, count in counts.items():
        assert abs(count - total * weights[name] / sum(weights.values())) < 1


def unequal(planes=20, small=4):
    """Samples of which only few are of the south."""
    data = packed(planes)
    vendors = ["south" if index < small else "north" for index in range(planes)]
    samples = [
        dataclasses.replace(sample, groups={**sample.groups, "vendor": vendor})
        for sample, vendor in zip(data.samples, vendors, strict=True)
    ]
    return DeviceDataset(dataclasses.replace(data, samples=tuple(samples)), np.arange(planes), PREPROCESSING, CPU)


def drawn(dataset, epoch=0, *, shares="equal", steps=None, rank=0, world=1):
    order = TrainingOrder(5, 4, recipe().augmentation, (), rank, world, steps, balance=Balance("vendor", shares))
    return [sample for batch in order.batches(dataset, epoch) for sample in batch.samples]


def test_an_epoch_draws_equal_shares_and_no_more_samples_than_before():
    seen = drawn(unequal())
    assert Counter(sample.groups["vendor"] for sample in seen) == {"south": 10, "north": 10}
    # 10 draws of 4: each twice, two of them a third time; 10 of 16: none twice.
    assert sorted(Counter(sample.case for sample in seen if sample.groups["vendor"] == "south").values()) == [
        2,
        2,
        3,
        3,
    ]
    assert set(Counter(sample.case for sample in seen if sample.groups["vendor"] == "north").values()) == {1}


def test_square_root_shares_and_given_steps():
    seen = drawn(unequal(), shares="square-root", steps=6)
    assert Counter(sample.groups["vendor"] for sample in seen) == {"south": 8, "north": 16}  # 24 as 2 to 4


def test_the_draw_follows_from_seed_and_epoch_alone():
    dataset = unequal()
    again = [[sample.case for sample in drawn(dataset, epoch)] for epoch in (3, 3, 4)]
    assert again[0] == again[1] != again[2]
    north = {
        sample.case for epoch in range(6) for sample in drawn(dataset, epoch) if sample.groups["vendor"] == "north"
    }
    assert len(north) == 16, "over the epochs everybody has a turn"
    halves = [[sample.case for sample in drawn(dataset, rank=rank, world=2)] for rank in (0, 1)]
    assert Counter(halves[0] + halves[1]) == Counter(sample.case for sample in drawn(dataset))


def test_a_balanced_run_that_was_interrupted_goes_on_to_the_bit():
    def states(epochs_at_once):
        task, state = task_and_state(recipe(training={"epochs": 4}), planes=6)
        task = dataclasses.replace(task, order=dataclasses.replace(task.order, balance=Balance("vendor")))
        for epochs in epochs_at_once:
            part = dataclasses.replace(task, settings=dataclasses.replace(task.settings, epochs=epochs))
            part = dataclasses.replace(part, settings=task.settings) if epochs == 4 else part
            loop.run_epochs(part, state, on_step=lambda *_: None, on_epoch=lambda *_: None)
        return state.objective.network.state_dict()

    whole, broken = states((4,)), states((2, 4))
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


def test_a_key_that_images_lack_is_refused_before_anything_is_packed(place):
    opener = DataOpener(place / "camus", place / "cache")
    planned = plan_run(config(place, **{"data.balance": "vendor"}), opener)
    with pytest.raises(InputError, match=r"is of no group 'vendor' to be balanced by .*\n?.*choose from: .*sex"):
        check_planned(planned, opener.dataset(planned.recipe.data.dataset))
    assert not (place / "cache").exists()
