"""Every way to adapt: what it learns from, that it goes on to the bit, and what each does that could be wrong."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.learning.training.adaptation.adabn import AdaBnObjective
from cardiotrace.learning.training.adaptation.catalog import ADAPTATIONS
from cardiotrace.learning.training.adaptation.coral import coral_distance
from cardiotrace.learning.training.adaptation.dann import DannConfig
from cardiotrace.learning.training.adaptation.domains import without_target_labels
from cardiotrace.learning.training.adaptation.fda import with_low_frequencies_of
from cardiotrace.learning.training.adaptation.head import DomainHead, domain_loss, reversed_gradient
from cardiotrace.learning.training.adaptation.mean_teacher import MeanTeacherConfig
from cardiotrace.learning.training.build import ObjectiveContext, build_model, make_objective
from cardiotrace.learning.training.device import make_fabric
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.learning.training.environment import read_environment
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.objective import TOTAL, Progress
from cardiotrace.learning.training.run import Hardware, RunCallbacks, check_run, train
from cardiotrace.learning.training.training_log import TrainingLog
from tests.learning.training.tiny import SIDE, packed, recipe, student, training_data

METHODS = [name for name in ADAPTATIONS.names if not getattr(ADAPTATIONS[name].config, "turns", False)]
TABLE = {"targets": ["north"], "domain": "vendor", "unlabelled_share": 1.0}
DESCENT = {"name": "sgd", "learning_rate": 1.0, "momentum": 0.0, "nesterov": False}
BATCH_NORM = {"name": "unet", "levels": 2, "width": 8, "norm": "batch"}


def adapting(method, **changes):
    """The tiny recipe that adapts from vendor south to vendor north."""
    table = {**TABLE, "method": method}
    return recipe(**{"architecture": BATCH_NORM, "adaptation": table, **changes})


def objective_and_batch(method, **changes):
    """An objective before its first step, and a batch of two labelled samples and two of the targets."""
    some = adapting(method, **changes)
    data = without_target_labels(packed(8), some.adaptation)
    fabric = make_fabric(some.training, accelerator="cpu")
    dataset = DeviceDataset(data, np.arange(8), some.preprocessing, fabric.device)
    order = TrainingOrder(some.seed, 2, some.augmentation, (), unlabelled=some.unlabelled_per_batch)
    network = build_model(some, channels=1, classes=4)
    context = ObjectiveContext(fabric, some, network, dataset.samples, sample_shape=(1, SIDE, SIDE))
    objective = make_objective(context)
    for each in objective.networks:
        each.train()
    torch.manual_seed(0)
    return objective, next(iter(order.batches(dataset, 0)))


def run(path, some, *, resume=False, stop_after=None):
    path.mkdir(exist_ok=True)
    data, folder = training_data(6, 4), RunFolder(path)

    def on_epoch(rows, is_kept):
        if len(rows) == stop_after:
            raise KeyboardInterrupt

    checked = check_run(some, folder, data.split, student(some), resume=resume)
    train(checked, data, callbacks=RunCallbacks(on_epoch=on_epoch), hardware=Hardware("cpu"))
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_run_ends_as_a_whole_one(method, tmp_path):
    some = adapting(method, training={"epochs": 2, "keep": "last"})
    whole = run(tmp_path / "whole", some)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", some, stop_after=1)
    broken = run(tmp_path / "broken", some, resume=True)
    assert broken.checkpoint.read_bytes() == whole.checkpoint.read_bytes()
    assert broken.best.read_bytes() == whole.best.read_bytes()
    told = read_environment(whole.environment)["adaptation"]
    assert told["method"] == method
    assert told["source"] == ["south"]
    assert told["targets"] == [{"name": "north", "patients": 3, "images": 3, "labelled": 0}]


@pytest.mark.parametrize("method", METHODS)
def test_labels_of_the_targets_change_nothing(method, tmp_path):
    """The strictest test of a leak: other labels, the very same model."""
    some, folders = adapting(method, training={"epochs": 1, "keep": "last"}), []
    for number, value in enumerate((None, 2)):
        data = training_data(6, 4)
        if value is not None:
            labels = data.packed.labels.copy()
            labels[[sample.groups["vendor"] == "north" for sample in data.packed.samples]] = value
            data = dataclasses.replace(data, packed=dataclasses.replace(data.packed, labels=labels))
        folder = RunFolder(tmp_path / str(number))
        folder.path.mkdir()
        train(check_run(some, folder, data.split, student(some), resume=False), data, hardware=Hardware("cpu"))
        folders.append(folder)
    assert folders[0].best.read_bytes() == folders[1].best.read_bytes()
    scores = [[row["score"] for row in TrainingLog(folder.journal).rows()] for folder in folders]
    assert scores[0] == scores[1]


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_labelled_first_and_an_epoch_passes_over_the_labelled(method):
    _, batch = objective_and_batch(method)
    sees = ADAPTATIONS[method].config.sees_targets
    assert batch.groups("vendor")[2:] == (("north", "north") if sees else ())
    if sees:
        assert batch.groups("vendor")[:2] == ("south", "south")
        assert batch.is_labelled.tolist() == [True, True, False, False]


def test_without_an_adaptation_recipes_are_what_they_were():
    plain = recipe()
    assert plain.adaptation is None
    assert plain.unlabelled_per_batch == 0
    assert plain.digest() == "dfe05f05278eb069d7b8bdaf7b405184e744b10d2f998224aa18912704b2d05b"


def test_the_head_learns_and_the_network_learns_the_opposite():
    """One step with a factor of 1 from p = 1: gradients against those of the two losses alone."""
    objective, batch = objective_and_batch("dann", optimiser=DESCENT)
    network, head = objective.learner.network, objective.head.network
    kernel = network.encoder[0][0].weight
    before = kernel.detach().clone(), head.classifier[0].weight.detach().clone()
    with objective.tap.listening() as heard:
        logits = network(batch.images)
    segmentation = objective.loss(logits, batch.labels)
    domain = domain_loss(head(**heard), torch.tensor([1, 1, 0, 0]))
    of_labels, of_domain = (torch.autograd.grad(loss, kernel, retain_graph=True)[0] for loss in (segmentation, domain))
    of_head = torch.autograd.grad(domain, head.classifier[0].weight)[0]
    objective.step(batch, Progress(step=99, steps=100))
    factor = objective.config.factor(Progress(99, 100))
    assert factor == pytest.approx(1, abs=1e-4)
    assert torch.allclose(before[0] - kernel, of_labels - factor * of_domain, atol=1e-6)
    assert not torch.allclose(before[0] - kernel, of_labels, atol=1e-6)  # and not for want of a gradient
    assert torch.allclose(before[1] - head.classifier[0].weight, of_head, atol=1e-6)


def test_norms_may_be_left_out_of_the_reversal():
    stepped = []
    for reverses in (True, False):
        method = {"name": "dann", "reverses_norms": reverses}
        objective, batch = objective_and_batch(method, optimiser=DESCENT)
        objective.step(batch, Progress(99, 100))
        stepped.append(objective.learner.network.state_dict())
    plain, batch = objective_and_batch("dann", optimiser=DESCENT)
    plain.step(batch, Progress(0, 100))  # a factor of 0: labels alone
    alone = plain.learner.network.state_dict()
    norms = [name for name, module in plain.learner.network.named_modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(torch.allclose(stepped[1][f"{name}.weight"], alone[f"{name}.weight"], atol=1e-6) for name in norms)
    assert not all(torch.allclose(stepped[0][f"{name}.weight"], alone[f"{name}.weight"], atol=1e-6) for name in norms)
    kernel = "encoder.0.0.weight"
    assert torch.allclose(stepped[1][kernel], stepped[0][kernel], atol=1e-6)
    assert not torch.allclose(stepped[1][kernel], alone[kernel], atol=1e-6)


def test_three_phases_move_one_part_after_the_other():
    method = {"name": "dann", "schedule": "phases", "alone": 1, "warm_up": 1, "rise": 0.5, "levels": "both"}
    objective, batch = objective_and_batch(method)

    def moved(epoch):
        before = [{key: value.clone() for key, value in each.state_dict().items()} for each in objective.networks]
        losses = objective.step(batch, Progress(epoch, 3, epoch))
        return losses, [
            any(not torch.equal(now, old[key]) for key, now in each.state_dict().items())
            for each, old in zip(objective.networks, before, strict=True)
        ]

    labels, parts = moved(0)
    assert (sorted(labels), parts) == ([TOTAL], [True, False])
    head, parts = moved(1)
    assert (sorted(head), parts) == (["domain", TOTAL], [False, True])  # not even what norms have counted
    both, parts = moved(2)
    assert (sorted(both), parts) == (["domain", TOTAL, "segmentation"], [True, True])


def test_a_phase_that_never_comes_is_refused():
    with pytest.raises(ConfigError, match="the phases before take 300 epochs, and there are 3"):
        objective_and_batch({"name": "dann", "schedule": "phases"})


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("none", "adabn")])
def test_one_domain_is_none_to_adapt_to(method):
    some = adapting(method)
    fabric = make_fabric(some.training, accelerator="cpu")
    south = [sample for sample in packed(8).samples if sample.groups["vendor"] == "south"]
    network = build_model(some, channels=1, classes=4)
    context = ObjectiveContext(fabric, some, network, tuple(south), sample_shape=(1, SIDE, SIDE))
    with pytest.raises(InputError, match="all images that are learned from are of vendor south"):
        make_objective(context)


def test_adabn_counts_the_targets_alone_and_learns_nothing():
    objective, batch = objective_and_batch("adabn")
    assert isinstance(objective, AdaBnObjective)
    network = objective.network
    weights = {key: value.clone() for key, value in network.named_parameters()}
    first = network.encoder[0]
    first[1].running_mean.fill_(7.0)
    halves = [dataclasses.replace(batch, images=batch.images + shift) for shift in (0, 1)]
    for step, half in enumerate(halves):
        objective.step(half, Progress(step, 2))
    with torch.no_grad():
        expected = torch.cat([first[0](half.images[2:]) for half in halves]).mean(dim=(0, 2, 3))
    assert torch.allclose(first[1].running_mean, expected, atol=1e-5)
    assert first[1].momentum == 0.1
    assert all(torch.equal(value, weights[key]) for key, value in network.named_parameters())


def test_adabn_needs_batch_norm():
    with pytest.raises(ConfigError, match="no batch norm"):
        objective_and_batch("adabn", architecture={**BATCH_NORM, "norm": "instance"})


def test_coral_is_zero_for_equal_moments_alone():
    torch.manual_seed(0)
    features = torch.randn(4, 3, 8, 8)
    assert coral_distance(features, features.flip(-1)) == pytest.approx(0, abs=1e-9)
    assert coral_distance(features, 2 * features) > 0.1
    shifted = coral_distance(features, features + torch.tensor([0.0, 0.0, 3.0]).reshape(1, 3, 1, 1))
    assert shifted == pytest.approx(3.0, rel=1e-3)  # 9 over three channels


def test_fourier_keeps_phase_and_high_frequencies():
    torch.manual_seed(0)
    image, target = torch.randn(1, 1, 32, 32), 3 * torch.randn(1, 1, 32, 32) + 5
    changed = with_low_frequencies_of(target, image, 0.1)
    spectra = [torch.fft.fft2(each)[0, 0] for each in (image, target, changed)]
    low = torch.fft.fftfreq(32).abs() <= 0.1
    inside = low[:, None] & low
    assert torch.allclose(spectra[2][~inside], spectra[0][~inside], atol=1e-3)
    assert torch.allclose(spectra[2][inside].abs(), spectra[1][inside].abs(), rtol=1e-3, atol=1e-2)
    assert with_low_frequencies_of(image, image, 0.3) == pytest.approx(image, abs=1e-5)


def test_a_teacher_that_finds_nothing_teaches_nothing():
    sure = {"name": "mean-teacher", "lowest_confidence": 0.01, "decay": 0.0}
    objective, batch = objective_and_batch(sure)
    assert objective.step(batch, Progress(99, 100))["accepted"] > 0
    with torch.no_grad():
        objective.teacher.head.bias[:] = torch.tensor([99.0, 0, 0, 0])  # all is background, and it is sure of it
    losses = objective.step(batch, Progress(99, 100))
    assert losses["accepted"] == 0
    assert losses["teacher"] == 0


def test_the_teacher_is_what_is_kept_and_follows_slowly():
    objective, batch = objective_and_batch({"name": "mean-teacher", "decay": 0.99})
    before = objective.teacher.head.weight.clone()
    objective.step(batch, Progress(1000, 10_000))
    pupil = objective.learner.network.head.weight
    assert torch.allclose(objective.network.head.weight, torch.lerp(before, pupil, 0.01), atol=1e-7)
    assert MeanTeacherConfig(ramp=0).weight_at(0.0) == 1


def test_style_changes_the_labelled_half_alone_and_only_while_it_learns():
    objective, batch = objective_and_batch({"name": "style", "probability": 1.0, "levels": [0]})
    heard = []
    objective.learner.network.encoder[0].register_forward_hook(lambda module, seen, said: heard.append(said))
    objective.outputs_of(batch, Progress(0, 1))
    objective.learner.network(batch.images)
    (styled, plain) = heard
    assert torch.equal(styled[2:], plain[2:])
    assert not torch.allclose(styled[:2], plain[:2], atol=1e-3)


def test_what_contradicts_itself_is_refused():
    with pytest.raises(ConfigError, match="target_labels is the upper bound, and dann adapts without them"):
        recipe(architecture=BATCH_NORM, adaptation={**TABLE, "method": "dann", "target_labels": True})
    with pytest.raises(ConfigError, match=r"leave out data\.pseudo_labels"):
        adapting("dann", data={"dataset": "camus", "pseudo_labels": {"teacher": "x"}})
    with pytest.raises(ConfigError, match="learns from whole label maps"):
        adapting("dann", architecture="acnn", training={"group": None})


def test_reversal_scales_once():
    weight = torch.tensor([2.0], requires_grad=True)
    reversed_gradient(weight * 3, 0.25).sum().backward()
    assert weight.grad.item() == pytest.approx(-0.75)
    config = DannConfig(strength=0.5)
    assert config.factor(Progress(99, 100)) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("space", [(7, 5), (3, 7, 5)])
def test_a_head_reads_two_levels_of_odd_sides(space):
    large = tuple(4 * side for side in space)
    head = DomainHead({"bottleneck": (12, *space), "decoder": (4, *large)}, 3)
    assert head(torch.randn(2, 12, *space), torch.randn(2, 4, *large)).shape == (2, 3)
