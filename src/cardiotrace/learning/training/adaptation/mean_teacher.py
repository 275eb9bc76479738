"""Mean teacher with a guard: the network's own average teaches it on the targets, where it is sure."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cardiotrace.datasets.packed import IGNORED
from cardiotrace.learning.models.network import Network, TrainingOutputs
from cardiotrace.learning.training.adaptation.method import MethodConfig
from cardiotrace.learning.training.adaptation.parts import AdaptationParts, target_rows
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.objective import TOTAL, Losses, Progress, Snapshot
from cardiotrace.learning.training.supervision import SupervisedObjective
from cardiotrace.learning.training.weights import follow, laid_out_like, require_same


@dataclass(frozen=True)
class MeanTeacherConfig(MethodConfig):
    """How slowly the teacher follows, when it is believed, how its pupil sees the same image."""

    decay: float = 0.99
    """Of the teacher's average, a step."""
    weight: float = 1.0
    """Of what it teaches on the targets, once it counts in full."""
    ramp: float = 0.3
    """Share of the training after which it does; it begins with nothing."""
    lowest_confidence: float = 0.8
    """Pixels of which the teacher is less sure teach nothing."""
    smallest_share: float = 0.25
    """Guard: a batch teaches nothing where the teacher finds less than this share of what is labelled on the source, in
    pixels an image: a teacher that loses the heart would teach that there is none."""
    noise: float = 0.1
    """SD of what is added to the pupil's image of unit variance; the teacher sees it clean."""

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1 or not 0 < self.lowest_confidence < 1 or not 0 <= self.smallest_share < 1:
            raise ValueError("decay, lowest_confidence and smallest_share are shares below 1")
        if self.weight <= 0 or not 0 <= self.ramp <= 1 or self.noise < 0:
            raise ValueError("weight must be above 0, ramp a share of the training, noise not negative")

    def weight_at(self, share: float) -> float:
        """Of what the teacher teaches, at a share of the training.

        Example:
            >>> [MeanTeacherConfig().weight_at(share) for share in (0.0, 0.15, 0.3, 1.0)]
            [0.0, 0.5, 1.0, 1.0]
        """
        return self.weight * (min(1.0, share / self.ramp) if self.ramp else 1.0)


class MeanTeacherObjective(SupervisedObjective):
    """Labels teach a pupil on the source, its running average teaches it on the targets; the average is the model.

    The log tells what share of the targets' pixels taught ("accepted"), 0 where the guard spoke.

    Args:
        config: how.
        parts: network, samples, domains.

    Source:
        Tarvainen and Valpola 2017, NeurIPS, arXiv:1703.01780, with the classes the teacher is sure of (Sohn et al.
        2020, arXiv:2001.07685) in place of its probabilities, and a guard against a teacher that finds nothing.
    """

    def __init__(self, config: MeanTeacherConfig, parts: AdaptationParts) -> None:
        super().__init__(parts.fabric, parts.learner, parts.loss, parts.class_names)
        parts.told_apart()
        self.config, self.adaptation = config, parts.adaptation
        self.teacher = deepcopy(self.learner.network).requires_grad_(False)
        self._accepted = torch.zeros(())

    @property
    def network(self) -> Network:
        """See `Objective`: the teacher."""
        return self.teacher

    @property
    def networks(self) -> Sequence[nn.Module]:
        """See `Objective`."""
        return (self.learner.network, self.teacher)

    def outputs_of(self, batch: TrainingBatch, progress: Progress) -> TrainingOutputs:
        """What the pupil says; of the targets it sees a noisier image than its teacher."""
        noise = self.config.noise * torch.randn(batch.images.shape, device="cpu").to(batch.images.device)
        rows = target_rows(self.adaptation, batch).reshape(-1, *[1] * (batch.images.ndim - 1))
        return super().outputs_of(replace(batch, images=batch.images + noise * rows), progress)

    def further_losses(
        self, batch: TrainingBatch, outputs: TrainingOutputs, progress: Progress
    ) -> Mapping[str, Tensor]:
        """Cross-entropy against the classes of which the teacher is sure, on the targets."""
        rows = target_rows(self.adaptation, batch)
        probabilities = self._taught(batch.images[rows])
        confidence, classes = probabilities.max(dim=1)
        sure = (confidence >= self.config.lowest_confidence) & self._finds_enough(classes, batch.labels[~rows])
        self._accepted = sure.float().mean()
        losses = nn.functional.cross_entropy(outputs.logits[0][rows].float(), classes, reduction="none")
        return {"teacher": self.config.weight_at(progress.share) * (losses * sure).sum() / sure.numel()}

    def step(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """See `Objective`; then the teacher follows."""
        losses = super().step(batch, progress)
        follow(
            self.teacher.state_dict(), self.learner.network.state_dict(), decay=self.config.decay, step=progress.step
        )
        return {**losses, TOTAL: losses[TOTAL], "accepted": self._accepted}

    @torch.no_grad()
    def _taught(self, images: Tensor) -> Tensor:
        self.teacher.eval()
        with self.fabric.autocast():
            logits = self.teacher(images)
        probabilities: Tensor = logits.float().softmax(dim=1)
        return probabilities

    def _finds_enough(self, found: Tensor, labels: Tensor) -> Tensor:
        """Whether the teacher finds as much in an image of the targets as the guard asks, beside what is labelled."""
        is_labelled = (labels > 0) & (labels != IGNORED)
        labelled = is_labelled.flatten(1).sum(dim=1).float().mean()
        return (found > 0).flatten(1).sum(dim=1).float().mean() >= self.config.smallest_share * labelled

    def state(self) -> Snapshot:
        """See `Objective`."""
        teacher = Snapshot(dict(self.teacher.state_dict()), {})
        return Snapshot.of_parts({"pupil": super().state(), "teacher": teacher})

    def restore(self, state: Snapshot) -> None:
        """See `Objective`."""
        super().restore(state.part("pupil"))
        weights = state.part("teacher").tensors
        require_same(self.teacher, weights)
        own = self.teacher.state_dict()
        self.teacher.load_state_dict({name: laid_out_like(value, own[name]) for name, value in weights.items()})
