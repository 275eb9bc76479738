"""Training against styles: what a step learns from, what it leaves alone, and that an interrupted run goes on."""

import pytest
import torch

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.loop import step
from cardiotrace.learning.training.run import Hardware, RunCallbacks, check_run, train
from cardiotrace.learning.training.styling import StyledObjective, _statistics_kept
from tests.learning.training.tiny import recipe, student, task_and_state, training_data

STYLED = {"maxstyle": {"steps": 1}, "mixstyle": {"probability": 1.0}}


def test_a_step_learns_from_images_as_they_are_and_in_their_worst_style():
    task, state = task_and_state(recipe(augmentation={"maxstyle": {"steps": 2}}))
    assert isinstance(state.objective, StyledObjective)
    seen = []
    state.objective.network.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    batch = next(iter(task.order.batches(task.training, 0)))
    weights = [one.clone() for one in state.objective.network.parameters()]
    loss = step(task, state, batch)["loss"]
    assert seen == [2, 2, 4]
    assert torch.isfinite(loss)
    assert any(not torch.equal(*pair) for pair in zip(weights, state.objective.network.parameters(), strict=True))


def test_what_is_tried_leaves_running_statistics_alone():
    norm = torch.nn.BatchNorm2d(3)
    before = {key: value.clone() for key, value in norm.state_dict().items()}
    with _statistics_kept(norm):
        norm(torch.rand(2, 3, 4, 4))
        assert not torch.equal(norm.running_mean, before["running_mean"])
    assert all(torch.equal(value, before[key]) for key, value in norm.state_dict().items())


def run(path, *, resume=False, stop_after=None):
    path.mkdir(exist_ok=True)
    some, folder, data = recipe(augmentation=STYLED), RunFolder(path), training_data(4, 2)

    def on_epoch(rows, is_best):
        if len(rows) == stop_after:
            raise KeyboardInterrupt

    checked = check_run(some, folder, data.split, student(some), resume=resume)
    return folder, train(checked, data, callbacks=RunCallbacks(on_epoch=on_epoch), hardware=Hardware("cpu"))


def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path):
    whole, result = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", stop_after=1)
    broken, again = run(tmp_path / "broken", resume=True)
    assert again == result
    assert broken.checkpoint.read_bytes() == whole.checkpoint.read_bytes()


def test_teachers_and_styles_do_not_go_together():
    with pytest.raises(ConfigError, match="leave out distillation"):
        recipe(augmentation={"maxstyle": {}}, distillation={"teachers": ["camus-4ch-unet1"]})
