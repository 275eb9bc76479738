import dataclasses

import numpy as np
import pytest
import torch

from cardiotrace.core.errors import WorkError
from cardiotrace.learning.training import loop
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.learning.training.fabric import SingleDevice
from cardiotrace.learning.training.state import NOT_VALIDATED
from tests.learning.training.tiny import packed, recipe, task_and_state
from tests.learning.training.tiny import state as fresh_state


def unheard(*_):
    pass


def run(task, state):
    rows = []
    loop.run_epochs(task, state, on_step=unheard, on_epoch=lambda row, is_best: rows.append((row, is_best)))
    return rows


def test_learns_four_images_by_heart():
    changes = {"epochs": 20, "batch_size": 2, "ema_decay": 0.5}
    task, state = task_and_state(recipe(training=changes, schedule="one-cycle"))
    rows = run(task, state)
    assert rows[-1][0]["score"] > 0.9
    assert rows[-1][0]["loss"] < 0.35 * rows[0][0]["loss"]
    assert min(rows[-1][0]["dice"].values()) > 0.85


def test_rows_tell_what_happened():
    task, state = task_and_state(recipe(training={"epochs": 2}, schedule="poly"))
    steps = []
    rows = []
    loop.run_epochs(
        task, state, on_step=lambda *step: steps.append(step), on_epoch=lambda row, is_best: rows.append(row)
    )
    assert [(done, total) for done, total, _ in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert [row["step"] for row in rows] == [2, 4]
    assert rows[0]["loss"] == pytest.approx((steps[0][2] + steps[1][2]) / 2)
    assert rows[0]["learning_rate"] == pytest.approx(1e-2 * (2 / 3) ** 0.9)
    assert rows[0]["score"] == pytest.approx(sum(rows[0]["dice"].values()) / 3)


def test_stops_when_patience_runs_out(monkeypatch):
    scores = iter([0.2, 0.5, 0.4, 0.5, 0.3, 0.9])
    monkeypatch.setattr(loop, "validate", lambda task, state: {"LV": next(scores)})
    task, state = task_and_state(recipe(training={"epochs": 6, "patience": 3}))
    rows = run(task, state)
    assert [is_best for _, is_best in rows] == [True, True, False, False, False]
    assert (state.best_epoch, state.best_score) == (2, 0.5)


def test_loss_that_is_no_number_names_epoch_and_batch():
    task, state = task_and_state(recipe())
    losses = iter([1.0, 1.0, 1.0, float("nan")])
    state.objective.loss = lambda logits, labels: (logits * 0).sum() + next(losses)
    kept = []
    with pytest.raises(WorkError, match="the loss became nan in epoch 2, batch 2"):
        loop.run_epochs(task, state, on_step=unheard, on_epoch=lambda row, is_best: kept.append(row["epoch"]))
    assert kept == [1]


def test_weights_spoilt_by_the_last_step_are_not_kept():
    task, state = task_and_state(recipe(training={"batch_size": 4}))

    def loss(logits, labels):
        logits.register_hook(lambda gradient: torch.full_like(gradient, float("nan")))
        return logits.mean()

    kept = []
    state.objective.loss = loss
    with pytest.raises(WorkError, match="a weight became infinite or no number at the end of epoch 1"):
        loop.run_epochs(task, state, on_step=unheard, on_epoch=lambda row, is_best: kept.append(row))
    assert kept == []


def test_average_is_validated_and_the_own_weights_come_back():
    task, state = task_and_state(recipe(training={"ema_decay": 0.9}))
    for batch in task.order.batches(task.training, 0):
        loop.step(task, state, batch)
    own = {key: value.clone() for key, value in state.objective.network.state_dict().items()}
    assert not torch.equal(own["head.weight"], state.average["head.weight"])

    def look():
        with loop.averaged_weights(state):
            assert not state.objective.network.training
            assert torch.equal(state.objective.network.state_dict()["head.weight"], state.average["head.weight"])
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        look()
    assert all(torch.equal(own[key], value) for key, value in state.objective.network.state_dict().items())


def test_average_follows_the_decay_once_it_is_old():
    task, state = task_and_state(recipe(training={"ema_decay": 0.5}))
    batches = list(task.order.batches(task.training, 0))
    state.step = 1000
    seen = []
    for _ in range(3):
        loop.step(task, state, batches[0])
        seen.append(state.objective.network.state_dict()["head.bias"].clone())
    expected = 0.5 * (0.5 * (seen[0] + seen[1]) + seen[2])
    assert torch.allclose(state.average["head.bias"], expected, atol=1e-6)


def test_gradient_is_clipped_to_its_largest_norm():
    changes = {
        "optimiser": {"name": "sgd", "learning_rate": 1.0, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
    }
    task, state = task_and_state(recipe(training={"gradient_clip": 0.01}, **changes))
    before = [parameter.detach().clone() for parameter in state.objective.network.parameters()]
    loop.step(task, state, next(task.order.batches(task.training, 0)))
    moved = [after.detach() - old for after, old in zip(state.objective.network.parameters(), before, strict=True)]
    assert torch.stack([change.norm() for change in moved]).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_dice_of_validation_by_hand():
    predicted = torch.tensor([[[1, 1, 0, 0]], [[0, 0, 0, 0]], [[2, 0, 0, 0]]])
    reference = torch.tensor([[[1, 0, 0, 0]], [[0, 0, 0, 0]], [[1, 0, 0, 0]]])
    sums = loop._dice_sums(predicted, reference, 2)
    # class 1: 2/3 in the first plane, absent in the second, missed in the third; class 2: only a false alarm
    assert sums.tolist() == [[pytest.approx(2 / 3), 0.0], [2.0, 1.0]]


def test_validation_does_not_depend_on_the_batch_size():
    task, state = task_and_state(recipe(), planes=5)
    one = loop.validate(task, state)
    settings = dataclasses.replace(task.settings, batch_size=5)
    assert loop.validate(dataclasses.replace(task, settings=settings), state) == pytest.approx(one, abs=1e-9)


def test_pixels_that_are_ignored_do_not_score():
    reference = torch.tensor([[[1, 1, 0, 255]]])
    predicted = torch.tensor([[[1, 0, 0, 1]]])
    assert loop._dice_sums(predicted, reference, 1)[0, 0] == pytest.approx(2 / 3)


def test_a_step_asks_the_device_for_nothing(monkeypatch):
    """On the meta device, which has no values to give: whatever made a GPU wait would fail."""
    draw = {"probability": 0.7, "low": 0.5, "high": 0.9}
    names = ("scale", "blur_sigma", "low_resolution", "brightness", "contrast", "gamma")
    elastic = {"elastic": {"probability": 0.5, "amplitude": 0.02, "grid": 6}}
    some = recipe(
        training={"ema_decay": 0.9, "gradient_clip": 1.0},
        augmentation={"rotation_degrees": {**draw, "low": -9}, **elastic, **dict.fromkeys(names, draw)},
    )
    generator = torch.Generator
    monkeypatch.setattr(torch, "Generator", lambda device=None: generator())  # of noise, of which there is none here
    fabric = SingleDevice(torch.device("meta"), "32-true")
    dataset = DeviceDataset(packed(4), np.arange(4), some.preprocessing, fabric.device)
    order = TrainingOrder(3, 2, some.augmentation, ("width",))
    task = loop.TrainingTask(fabric, some.training, order, dataset, dataset, ("LV", "MYO", "LA"))
    state = fresh_state(some, fabric)
    for epoch in range(4):  # 8 steps: each change happens in one of them
        for batch in order.batches(dataset, epoch):
            losses = loop.step(task, state, batch)
            assert {value.device.type for value in (batch.images, batch.labels, *losses.values())} == {"meta"}
    assert state.step == 8


def test_the_last_epoch_is_kept_where_the_recipe_says_so(monkeypatch):
    task, state = task_and_state(recipe(training={"epochs": 3, "keep": "last"}))
    scores = iter([0.2, 0.9, 0.4])
    monkeypatch.setattr(loop, "validate", lambda *_: {"LV": next(scores)})
    rows = []
    loop.run_epochs(task, state, on_step=unheard, on_epoch=lambda row, is_kept: rows.append((row["score"], is_kept)))
    assert rows == [(0.2, True), (0.9, True), (0.4, True)]
    assert (state.best_epoch, state.best_score) == (3, 0.4)


def test_without_validation_no_epoch_has_a_score(monkeypatch):
    task, state = task_and_state(recipe(training={"epochs": 2, "keep": "last"}))
    nobody = DeviceDataset(packed(), np.arange(0), recipe().preprocessing, task.fabric.device)
    monkeypatch.setattr(state.objective, "observe", lambda score: pytest.fail("told a score"))
    rows = []
    task = dataclasses.replace(task, validation=nobody)
    loop.run_epochs(task, state, on_step=unheard, on_epoch=lambda row, is_kept: rows.append((row, is_kept)))
    assert [is_kept for _, is_kept in rows] == [True, True]
    assert not {"score", "dice"} & set(rows[0][0])
    assert (state.best_epoch, state.best_score) == (2, NOT_VALIDATED)
