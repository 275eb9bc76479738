"""Loop, log, checkpoint and resume serve an objective that they know nothing of: two networks against each other."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from cardiotrace.core.errors import InputError
from cardiotrace.datasets.packed import IGNORED
from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.models.network import TrainingOutputs
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.learner import Learner, descend
from cardiotrace.learning.training.objective import TOTAL, Progress, Snapshot
from cardiotrace.learning.training.optimiser import Constant, Plateau, PlateauConfig
from cardiotrace.learning.training.run import Hardware, RunCallbacks, check_run, train
from cardiotrace.learning.training.supervision import SupervisedObjective, supervised_loss
from cardiotrace.learning.training.training_log import TrainingLog
from tests.learning.training.tiny import recipe, student, task_and_state, training_data


class Reversed(torch.autograd.Function):
    """The same on the way there, the opposite gradient on the way back."""

    @staticmethod
    def forward(ctx, values):
        return values.view_as(values)

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


class AdversarialObjective:
    """A segmenter that is to hide from a discriminator which vendor an image is of; each has its own optimiser."""

    def __init__(self, context):
        self.fabric = context.fabric
        self.segmenter = context.learner(context.network)
        torch.manual_seed(context.recipe.seed)
        judge = nn.Sequential(nn.Conv2d(4, 4, 3, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2))
        judge = nn.Sequential(judge, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        descent = torch.optim.SGD(judge.parameters(), 0.05, momentum=0.9)
        self.discriminator = Learner(self.fabric, judge, descent, Plateau(PlateauConfig(patience=0)))
        self.vendors = sorted({sample.groups["vendor"] for sample in context.samples})
        self.loss = LOSSES.make(context.recipe.loss)
        self.unlabelled = 0

    @property
    def network(self):
        return self.segmenter.network

    @property
    def networks(self):
        return self.segmenter.network, self.discriminator.network

    @property
    def learning_rate(self):
        return self.segmenter.learning_rate

    def step(self, batch, progress):
        self.unlabelled += int((~batch.is_labelled).sum())
        outputs = TrainingOutputs.of(self.segmenter.model(batch.images))
        domains = torch.tensor([self.vendors.index(vendor) for vendor in batch.groups("vendor")])
        guesses = self.discriminator.model(Reversed.apply(outputs.logits[0].softmax(1)))
        segmentation = supervised_loss(outputs, batch.labels, self.loss)
        domain = nn.functional.cross_entropy(guesses, domains)
        # In phases: the discriminator counts from the second epoch on.
        total = segmentation + (domain if progress.epoch else 0 * domain)
        descend(self.fabric, total, progress, [self.segmenter, self.discriminator])
        return {TOTAL: total.detach(), "segmentation": segmentation.detach(), "domain": domain.detach()}

    def observe(self, score):
        self.segmenter.schedule.observe(score)
        self.discriminator.schedule.observe(score)

    def state(self):
        parts = {"segmenter": self.segmenter.state(), "discriminator": self.discriminator.state()}
        own = Snapshot({}, {"unlabelled": self.unlabelled})
        return Snapshot.of_parts({**parts, "own": own})

    def restore(self, state):
        self.segmenter.restore(state.part("segmenter"))
        self.discriminator.restore(state.part("discriminator"))
        self.unlabelled = state.part("own").numbers["unlabelled"]


@pytest.fixture
def data():
    """Samples of two vendors, of which those of one have no labels."""
    some = training_data(6, 4)
    samples = tuple(
        dataclasses.replace(sample, is_labelled=sample.groups["vendor"] == "north" or index >= 6)
        for index, sample in enumerate(some.packed.samples)
    )
    labels = some.packed.labels.copy()
    labels[[not sample.is_labelled for sample in samples]] = IGNORED
    packed = dataclasses.replace(some.packed, labels=labels, samples=samples)
    return dataclasses.replace(some, packed=packed, with_unlabelled=True)


RECIPE = {
    "training": {"epochs": 3, "ema_decay": 0.9},
    "schedule": {"name": "plateau", "patience": 0},
    "augmentation": {"rotation_degrees": {"probability": 0.9, "low": -20, "high": 20}},
}


def run(path, data, *, resume=False, stop_after=None, objective=AdversarialObjective):
    path.mkdir(exist_ok=True)
    some, folder = recipe(**RECIPE), RunFolder(path)

    def on_epoch(rows, is_best):
        if len(rows) == stop_after:
            raise KeyboardInterrupt

    checked = check_run(some, folder, data.split, student(some), resume=resume)
    told = RunCallbacks(on_epoch=on_epoch)
    result = train(checked, data, callbacks=told, hardware=Hardware("cpu"), objective=objective)
    return folder, result


def rows_of(folder):
    times = ("seconds", "images_per_second")
    return [{key: row[key] for key in row if key not in times} for row in TrainingLog(folder.journal).rows()]


@pytest.mark.parametrize("stop_after", [1, 2])
def test_two_networks_go_on_bit_for_bit(data, tmp_path, stop_after):
    whole, result = run(tmp_path / "whole", data)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", data, stop_after=stop_after)
    broken, again = run(tmp_path / "broken", data, resume=True)
    assert again == result
    assert broken.checkpoint.read_bytes() == whole.checkpoint.read_bytes()
    assert broken.best.read_bytes() == whole.best.read_bytes()
    assert rows_of(broken) == rows_of(whole)


def test_log_checkpoint_and_weights_hold_what_each_is_for(data, tmp_path):
    folder, result = run(tmp_path / "run", data)
    rows = rows_of(folder)
    assert [sorted(row["losses"]) for row in rows] == [["domain", "segmentation"]] * 3
    assert rows[0]["loss"] == pytest.approx(rows[0]["losses"]["segmentation"])
    for row in rows[1:]:
        assert row["loss"] == pytest.approx(sum(row["losses"].values()))
    assert result.best_score == max(row["score"] for row in rows)
    # Kept is the segmenter alone, under the names by which an exported model or another run finds them.
    assert not any("judge" in name or name.startswith("0.") for name in load_file(folder.best))
    with safe_open(folder.checkpoint, framework="pt") as file:
        names = set(file.keys())
    assert "objective.discriminator.optimiser.0.momentum_buffer" in names
    assert "objective.discriminator.model.0.1.running_mean" in names
    assert "objective.segmenter.optimiser.0.exp_avg" in names
    assert "average.head.weight" in names


def test_samples_without_labels_are_seen_where_asked_for_and_only_in_training(data, tmp_path):
    seen = []

    def make(context):
        objective = AdversarialObjective(context)
        seen.append((objective, context.samples))
        return objective

    run(tmp_path / "with", data, objective=make)
    objective, samples = seen.pop()
    assert objective.unlabelled == 3 * 3  # three of six, in each of three epochs
    assert len(samples) == 6
    run(tmp_path / "without", dataclasses.replace(data, with_unlabelled=False), objective=make)
    objective, samples = seen.pop()
    assert objective.unlabelled == 0
    assert {sample.groups["vendor"] for sample in samples} == {"north"}


def test_a_checkpoint_of_another_objective_is_refused(data, tmp_path):
    run(tmp_path / "run", data)
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(InputError, match=r"another architecture|is not a whole checkpoint") as caught:
        run(folder.path, data, resume=True, objective=supervised)
    assert caught.value.where == str(folder.checkpoint)


def supervised(context):
    return SupervisedObjective(context.fabric, context.learner(context.network), LOSSES.make(context.recipe.loss))


def learner_of(optimiser, network, **options):
    task, _ = task_and_state(recipe())
    return task.fabric, Learner(task.fabric, network, optimiser, Plateau(PlateauConfig()), **options)


def test_groups_of_parameters_keep_the_ratio_of_their_rates():
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        network[1].weight.fill_(1.0)
    groups = [{"params": network[0].parameters(), "lr": 0.1}, {"params": network[1].parameters(), "lr": 0.001}]
    fabric, learner = learner_of(torch.optim.SGD(groups, lr=1.0), network)
    learner.schedule.current = 0.5
    descend(fabric, learner.model(torch.ones(1, 1)).sum(), Progress(0, 10), [learner])
    # The gradient is 1 for both; rates are 0.1 and 0.001, each times 0.5.
    assert network[0].weight.item() == pytest.approx(1 - 0.05)
    assert network[1].weight.item() == pytest.approx(1 - 0.0005)
    assert learner.learning_rate == pytest.approx(0.05)
    again = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    groups = [{"params": again[0].parameters(), "lr": 0.1}, {"params": again[1].parameters(), "lr": 0.001}]
    _, resumed = learner_of(torch.optim.SGD(groups, lr=1.0), again)
    resumed.restore(learner.state())
    assert resumed.base_rates == [0.1, 0.001]  # not those of the last step, or a resumed run would go twice as slowly
    assert again[1].weight.item() == network[1].weight.item()


def test_each_learner_clips_its_own_gradient():
    one, other = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    fabric, clipped = learner_of(torch.optim.SGD(one.parameters(), lr=1.0), one, gradient_clip=0.01)
    free = Learner(fabric, other, torch.optim.SGD(other.parameters(), lr=1.0), Constant())
    before = one.weight.item(), other.weight.item()
    loss = clipped.model(torch.full((1, 1), 3.0)).sum() + free.model(torch.full((1, 1), 3.0)).sum()
    descend(fabric, loss, Progress(0, 1), [clipped, free])
    assert before[0] - one.weight.item() == pytest.approx(0.01, rel=1e-3)
    assert before[1] - other.weight.item() == pytest.approx(3.0, rel=1e-6)


def test_a_snapshot_of_parts_keeps_names_that_begin_alike_apart():
    one, other = Snapshot({"x": torch.zeros(1)}, {"n": 1}), Snapshot({"x": torch.ones(2)}, {"n": 2})
    both = Snapshot.of_parts({"net": one, "net2": other})
    assert both.part("net").tensors["x"].shape == (1,)
    assert both.part("net2").numbers == {"n": 2}
    assert set(both.part("net").tensors) == {"x"}
    with pytest.raises(KeyError):
        both.part("net3")


def test_progress_runs_from_nothing_to_all():
    assert [Progress(step, 3).share for step in range(3)] == [0.0, 0.5, 1.0]
    assert Progress(0, 1).share == 0.0
    assert np.isclose(Progress(7, 15).share, 0.5)
