import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from cardiotrace.core.contract import CHECKPOINT
from cardiotrace.core.errors import InputError
from cardiotrace.learning.training import loop, state
from cardiotrace.learning.training.weights import load_weights, save_weights
from tests.learning.training.tiny import recipe, task_and_state
from tests.learning.training.tiny import state as fresh_state

CHANGES = {
    "adam": {},
    "sgd and plateau": {
        "optimiser": {"name": "sgd", "learning_rate": 1e-3},
        "schedule": {"name": "plateau", "patience": 1},
        "architecture": {"name": "unet", "levels": 2, "width": 4, "norm": "batch"},
    },
    "average": {"training": {"ema_decay": 0.9, "channels_last": False}},
}


def train(task, trained, epochs):
    for _ in range(epochs):
        for batch in task.order.batches(task.training, trained.epoch):
            loop.step(task, trained, batch)
        trained.epoch += 1
        trained.objective.observe(0.3)


def tensors(some):
    weights = {key: value.clone() for key, value in some.objective.network.state_dict().items()}
    return weights | {f"average.{key}": value.clone() for key, value in some.average.items()}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_goes_on_bit_for_bit_from_a_checkpoint(changes, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    task, straight = task_and_state(recipe(**changes))
    train(task, straight, 2)
    straight.best_score, straight.best_epoch = 0.75, 2
    state.save(straight, path, recipe="digest")
    train(task, straight, 2)

    task, resumed = task_and_state(recipe(**changes))
    with torch.no_grad():
        for weight in resumed.objective.network.parameters():
            weight.zero_()
    state.load(resumed, path, recipe="digest")
    assert (resumed.epoch, resumed.step, resumed.best_score, resumed.best_epoch) == (2, 4, 0.75, 2)
    train(task, resumed, 2)

    expected, found = tensors(straight), tensors(resumed)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert straight.objective.learner.schedule.state() == resumed.objective.learner.schedule.state()


def test_moments_keep_the_layout_of_their_weights(tmp_path):
    task, trained = task_and_state(recipe())
    train(task, trained, 1)
    state.save(trained, tmp_path / "checkpoint.safetensors", recipe="")
    _, resumed = task_and_state(recipe())
    state.load(resumed, tmp_path / "checkpoint.safetensors", recipe="")
    for weight in resumed.objective.learner.optimiser.param_groups[0]["params"]:
        assert resumed.objective.learner.optimiser.state[weight]["exp_avg"].stride() == weight.stride()


def test_weights_are_the_average_where_there_is_one():
    some = fresh_state(recipe())
    assert some.weights().keys() == some.objective.network.state_dict().keys()
    some.average = {"head.bias": torch.ones(4)}
    assert some.weights() is some.average


def test_weights_alone_come_back(tmp_path):
    one, other = fresh_state(recipe()), fresh_state(recipe(seed=9))
    save_weights(one.weights(), tmp_path / "best.safetensors")
    load_weights(other.objective.network, tmp_path / "best.safetensors")
    for mine, theirs in zip(one.objective.network.parameters(), other.objective.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def as_version_1(path):
    """The file as it was written when a run had one network: its tensors and numbers beside all else."""
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["state"])
        tensors = {key.removeprefix("objective."): file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    del about["version"]
    about |= about.pop("objective")
    save_file(tensors, path, {"state": json.dumps(about)})


def test_a_checkpoint_of_the_first_version_is_gone_on_with(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    some = recipe(training={"ema_decay": 0.9}, schedule={"name": "plateau", "patience": 0})
    task, straight = task_and_state(some)
    train(task, straight, 2)
    state.save(straight, path, recipe="digest")
    as_version_1(path)
    _, resumed = task_and_state(some)
    state.load(resumed, path, recipe="digest")
    train(task, straight, 1)
    train(task, resumed, 1)
    expected, found = tensors(straight), tensors(resumed)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_a_checkpoint_of_a_newer_version_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(state, "CHECKPOINT", dataclasses.replace(CHECKPOINT, version=3))
        state.save(fresh_state(recipe()), path, recipe="")
    with pytest.raises(InputError, match="newer CardioTrace: file format 3, this program reads up to 2"):
        state.load(fresh_state(recipe()), path, recipe="")


def test_the_best_epoch_is_told_without_the_weights(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    some = fresh_state(recipe())
    assert (some.best_epoch, some.best_score) == (0, -1.0)
    some.best_epoch, some.best_score = 7, 0.875
    state.save(some, path, recipe="")
    assert state.read_best(path) == state.BestEpoch(7, 0.875)
    save_weights(some.weights(), path)
    with pytest.raises(InputError, match="is not a checkpoint"):
        state.read_best(path)


def test_checkpoint_of_another_recipe_is_refused(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    state.save(fresh_state(recipe()), path, recipe="one")
    with pytest.raises(InputError, match="another recipe"):
        state.load(fresh_state(recipe()), path, recipe="other")


def test_checkpoint_of_another_architecture_is_refused(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    state.save(fresh_state(recipe()), path, recipe="")
    wider = fresh_state(recipe(architecture={"width": 4}))
    with pytest.raises(InputError, match="another architecture"):
        state.load(wider, path, recipe="")
    save_weights(fresh_state(recipe()).weights(), path)
    with pytest.raises(InputError, match="weights of another architecture"):
        load_weights(wider.objective.network, path)


@pytest.mark.parametrize("keep", [0, 7, 400, -1])
def test_damaged_checkpoint_is_refused(keep, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    state.save(fresh_state(recipe()), path, recipe="")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="is not a checkpoint"):
        state.load(fresh_state(recipe()), path, recipe="")


@pytest.mark.parametrize(
    "changed",
    [{"epoch": "1"}, {"epoch": -1}, {"step": None}, {"best_score": None}, {"best_epoch": 0.5}]
    + [{"objective": value} for value in (3, {}, {"schedule": {}, "optimiser_numbers": [1]})],
    ids=str,
)
def test_a_checkpoint_of_another_form_is_refused(changed, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    state.save(fresh_state(recipe()), path, recipe="")
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["state"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    save_file(tensors, path, {"state": json.dumps({**about, **changed})})
    with pytest.raises(InputError, match="is not a whole checkpoint"):
        state.load(fresh_state(recipe()), path, recipe="")


def test_a_checkpoint_whose_average_lacks_weights_is_refused(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    averaging = fresh_state(recipe())
    averaging.average = {key: value.clone() for key, value in averaging.objective.network.state_dict().items()}
    averaging.average.pop("head.bias")
    state.save(averaging, path, recipe="")
    with pytest.raises(InputError, match=r"1 missing, such as head\.bias"):
        state.load(fresh_state(recipe()), path, recipe="")


def test_weights_are_no_checkpoint(tmp_path):
    path = tmp_path / "best.safetensors"
    save_weights({"head.bias": torch.from_numpy(np.ones(4, np.float32))}, path)
    with pytest.raises(InputError, match="is not a checkpoint"):
        state.load(fresh_state(recipe()), path, recipe="")
