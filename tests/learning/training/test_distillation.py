import dataclasses
import json

import numpy as np
import pytest
import torch

from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ConfigError, InputError, UsageError
from cardiotrace.core.label import CAMUS, MNMS
from cardiotrace.core.licence import Terms
from cardiotrace.inference.model_file import seal
from cardiotrace.learning.training.distillation import Distillation, DistillationObjective, Teacher, divergence
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.loop import step
from cardiotrace.learning.training.recipe import read_recipe
from cardiotrace.learning.training.run import Hardware, check_run, train
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.preprocessing import Preprocessing
from tests.fake.models import make_spec, threshold_network
from tests.learning.training.tiny import recipe, student, task_and_state, training_data


class Sure:
    """A model that always sees the same class."""

    def __init__(self, index, classes=4, logit=8.0):
        self.index, self.classes, self.logit = index, classes, logit

    inputs, outputs = ("images",), ("logits",)

    def run(self, inputs):
        images = inputs["images"]
        logits = np.zeros((len(images), self.classes, *images.shape[-2:]), np.float32)
        logits[:, self.index] = self.logit
        return {"logits": logits}


def test_soft_targets_are_the_mean_of_softened_probabilities():
    teacher = Teacher([Sure(0, 2, 2.0), Sure(1, 2, 4.0)], Distillation(temperature=2.0))
    soft_targets = teacher.soft_targets(torch.zeros(3, 1, 4, 5))
    one, two = 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-2))
    assert soft_targets.shape == (3, 2, 4, 5)
    torch.testing.assert_close(
        soft_targets[0, :, 0, 0], torch.tensor([(one + 1 - two) / 2, (1 - one + two) / 2]).float()
    )


def test_divergence_agrees_with_torch():
    generator = torch.Generator().manual_seed(0)
    soft_targets = torch.randn(2, 3, 4, 4, generator=generator).softmax(1)
    logits = torch.randn(2, 3, 4, 4, generator=generator)
    expected = torch.nn.functional.kl_div((logits / 3).log_softmax(1), soft_targets, reduction="sum") / (2 * 4 * 4)
    assert divergence(soft_targets, logits, temperature=3.0).item() == pytest.approx(9 * expected.item(), rel=1e-5)


def test_share_weighs_labels_and_teacher():
    images, labels = torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4, dtype=torch.long)
    logits = torch.zeros(1, 4, 2, 2)  # coarser than the teacher
    ten = lambda logits, labels: torch.tensor(10.0)  # noqa: E731
    only_labels = Teacher([Sure(1)], Distillation(share=0.0)).distillation_loss(images, ten)
    assert only_labels(logits, labels).item() == 10
    half = Teacher([Sure(1, logit=100.0)], Distillation(share=0.5, temperature=1.0)).distillation_loss(images, ten)
    assert half(logits, labels).item() == pytest.approx(5 + 0.5 * np.log(4), rel=1e-5)


def test_a_student_learns_what_the_teacher_tells():
    task, state = task_and_state(recipe())
    own = state.objective
    teacher = Teacher([Sure(2)], Distillation(share=1.0))
    state.objective = DistillationObjective(task.fabric, own.learner, own.loss, teacher)
    state.objective.network.train()
    for epoch in range(20):
        for batch in task.order.batches(task.training, epoch):
            step(task, state, batch)
    images, _ = task.training.unit(torch.arange(2))
    seen = state.objective.network.eval()(task.training.normalise(images)).argmax(1)
    assert (seen == 2).float().mean() > 0.95


@pytest.mark.parametrize(("values", "message"), [({"share": 1.5}, "share"), ({"temperature": 0.0}, "temperature")])
def test_bad_settings_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        Distillation(**values)


THREE = threshold_network(0.2, 0.5, 0.8)


def teacher_file(folder, name="master", network=THREE, scheme=CAMUS, **changes):
    path = folder / f"{name}.onnx"
    values = {"preprocessing": recipe().preprocessing, "licence": "CC BY 4.0", "citation": f"{name} 2001.", **changes}
    path.write_bytes(seal(network, make_spec(scheme, name=name, **values)))
    return str(path)


def train_with(folder, teachers, *, resume=False, **settings):
    taught = recipe(distillation={"teachers": teachers, **settings}, training={"epochs": 1})
    data = dataclasses.replace(training_data(), terms=Terms("CC0", "Data 1999."))
    run = check_run(taught, folder, data.split, student(taught), resume=resume)
    train(run, data, hardware=Hardware("cpu"))


def test_a_recipe_names_teachers_and_their_terms_are_kept(tmp_path):
    folder = RunFolder(tmp_path)
    both = [teacher_file(tmp_path), teacher_file(tmp_path, "other", licence="CC0")]
    train_with(folder, both)
    made = json.loads(folder.environment.read_text())
    assert made["terms"] == {"licence": "CC0; CC BY 4.0", "citation": "Data 1999. master 2001. other 2001."}
    assert [one.split(", ")[0] for one in made["taught_by"]] == ["master", "other"]
    assert read_recipe(folder.recipe).distillation.temperature == 2.0
    teacher_file(tmp_path, network=threshold_network(0.1, 0.5, 0.8))
    with pytest.raises(UsageError, match="other models of these names"):
        train_with(folder, both, resume=True)


def test_the_share_of_the_teacher_shapes_the_weights(tmp_path):
    losses = []
    for number, (teachers, share) in enumerate(
        (([teacher_file(tmp_path)], 0.9), ([teacher_file(tmp_path)], 0.0), ([], 0.9))
    ):
        folder = RunFolder(tmp_path / str(number))
        folder.path.mkdir()
        train_with(folder, teachers, share=share)
        losses.append(TrainingLog(folder.journal).rows()[0]["loss"])
    assert abs(losses[0] - losses[1]) > 0.01
    assert losses[1] == pytest.approx(losses[2])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scheme": MNMS, "network": THREE}, "knows LV, MYO, RV, the data have LV, MYO, LA"),
        ({"preprocessing": Preprocessing([])}, r"prepared by nothing, the student by resize \(height 32.*z-score"),
        ({"channels": 3}, "sees 3 channels, the student 1"),
        ({"dimensions": 3}, "sees volumes, the student planes"),
    ],
)
def test_teachers_of_another_kind_are_refused(changes, message, tmp_path):
    with pytest.raises(InputError, match=message):
        train_with(RunFolder(tmp_path / "run"), [teacher_file(tmp_path, **changes)])
    assert not (tmp_path / "run").exists()


def test_a_teacher_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="no model 'nobody'"):
        train_with(RunFolder(tmp_path / "run"), ["nobody"])


def test_a_recipe_without_teachers_is_as_before():
    assert "distillation" not in to_plain(recipe())
    taught = recipe(distillation={"teachers": ["a"]})
    assert taught.digest() != recipe().digest()
    assert taught.digest() != recipe(distillation={"teachers": ["b"]}).digest()
