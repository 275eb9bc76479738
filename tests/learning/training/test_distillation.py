import dataclasses

import numpy as np
import pytest
import torch

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.training.distillation import Distillation, Teacher, divergence
from cardiotrace.learning.training.loop import step
from tests.learning.training.tiny import recipe, task_and_state


class Sure:
    """A model that always sees the same class."""

    def __init__(self, index, classes=4, logit=8.0):
        self.index, self.classes, self.logit = index, classes, logit

    def run(self, images):
        logits = np.zeros((len(images), self.classes, *images.shape[-2:]), np.float32)
        logits[:, self.index] = self.logit
        return logits


def test_beliefs_are_the_mean_of_softened_probabilities():
    teacher = Teacher([Sure(0, 2, 2.0), Sure(1, 2, 4.0)], Distillation(temperature=2.0))
    beliefs = teacher.beliefs(torch.zeros(3, 1, 4, 5))
    one, two = 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-2))
    assert beliefs.shape == (3, 2, 4, 5)
    torch.testing.assert_close(beliefs[0, :, 0, 0], torch.tensor([(one + 1 - two) / 2, (1 - one + two) / 2]).float())


def test_divergence_agrees_with_torch():
    generator = torch.Generator().manual_seed(0)
    beliefs = torch.randn(2, 3, 4, 4, generator=generator).softmax(1)
    logits = torch.randn(2, 3, 4, 4, generator=generator)
    expected = torch.nn.functional.kl_div((logits / 3).log_softmax(1), beliefs, reduction="sum") / (2 * 4 * 4)
    assert divergence(beliefs, logits, temperature=3.0).item() == pytest.approx(9 * expected.item(), rel=1e-5)


def test_share_weighs_labels_and_teacher():
    images, labels = torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4, dtype=torch.long)
    logits = torch.zeros(1, 4, 2, 2)  # coarser than the teacher
    ten = lambda logits, labels: torch.tensor(10.0)  # noqa: E731
    only_labels = Teacher([Sure(1)], Distillation(share=0.0)).lesson(images, ten)
    assert only_labels(logits, labels).item() == 10
    half = Teacher([Sure(1, logit=100.0)], Distillation(share=0.5, temperature=1.0)).lesson(images, ten)
    assert half(logits, labels).item() == pytest.approx(5 + 0.5 * np.log(4), rel=1e-5)


def test_a_pupil_learns_what_the_teacher_believes():
    task, state = task_and_state(recipe())
    task = dataclasses.replace(task, teach=Teacher([Sure(2)], Distillation(share=1.0)).lesson)
    state.model.train()
    for epoch in range(20):
        for batch in task.order.batches(task.training, epoch):
            step(task, state, batch, 1e-2)
    images, _ = task.training.unit(torch.arange(2))
    seen = state.bare_model.eval()(task.training.normalise(images)).argmax(1)
    assert (seen == 2).float().mean() > 0.95


@pytest.mark.parametrize(("values", "message"), [({"share": 1.5}, "share"), ({"temperature": 0.0}, "temperature")])
def test_bad_settings_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        Distillation(**values)
