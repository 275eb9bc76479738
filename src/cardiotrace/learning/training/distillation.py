"""Learn from other models as well as from labels: what several large ones believe, one small one learns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.inference.engine import Engine
from cardiotrace.learning.losses import Loss


@dataclass(frozen=True)
class Distillation:
    """How much a teacher counts."""

    share: float = 0.5
    """Of the loss that the teacher makes; the labels make the rest."""
    temperature: float = 2.0
    """What logits are divided by before the softmax, of teacher and pupil: above 1 doubts count more."""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ConfigError(f"share must lie in [0, 1], got {self.share}")
        if self.temperature <= 0:
            raise ConfigError(f"temperature must be positive, got {self.temperature}")


@dataclass(frozen=True)
class Teacher:
    """Models that answer the same prepared images with the same classes as the pupil."""

    engines: Sequence[Engine]
    settings: Distillation = Distillation()

    def beliefs(self, images: Tensor) -> Tensor:
        """Mean over the models of softmax(logits / temperature), (batch, classes, height, width)."""
        values = images.detach().float().cpu().contiguous().numpy()
        members = [torch.from_numpy(engine.run(values)) / self.settings.temperature for engine in self.engines]
        return torch.stack([logits.softmax(dim=1) for logits in members]).mean(dim=0).to(images.device)

    def lesson(self, images: Tensor, loss: Loss) -> Loss:
        """The loss for this batch: (1 - share) loss + share temperature^2 KL(beliefs || pupil's at the temperature).

        For a coarser output the beliefs are averaged over its pixels.

        Source:
            Hinton et al. 2015, arXiv:1503.02531.
        """
        beliefs, share = self.beliefs(images), self.settings.share

        def taught(logits: Tensor, labels: Tensor) -> Tensor:
            believed = nn.functional.adaptive_avg_pool2d(beliefs, (logits.shape[-2], logits.shape[-1]))
            gap = divergence(believed, logits, temperature=self.settings.temperature)
            return (1 - share) * loss(logits, labels) + share * gap

        return taught


Teach = Callable[[Tensor, Loss], Loss]
"""teach(images, loss) -> the loss for the batch of these images; `Teacher.lesson` is one."""


def divergence(beliefs: Tensor, logits: Tensor, *, temperature: float = 1.0) -> Tensor:
    """temperature^2 times the mean over pixels of KL(beliefs || softmax(logits / temperature)), 0 where they agree.

    Args:
        beliefs: probabilities, (batch, classes, height, width).
        logits: of the pupil, the same shape.
        temperature: that the beliefs were made with.

    Example:
        >>> logits = torch.tensor([2.0, 0.0]).reshape(1, 2, 1, 1)
        >>> abs(round(float(divergence(logits.softmax(1), logits)), 4))
        0.0
        >>> round(float(divergence(torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1), logits * 0)), 4)
        0.6931
    """
    pupil = (logits.float() / temperature).log_softmax(dim=1)
    gap = torch.xlogy(beliefs, beliefs) - beliefs * pupil
    return temperature**2 * gap.sum(dim=1).mean()
