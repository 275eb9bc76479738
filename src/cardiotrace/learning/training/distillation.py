"""Distillation: a small student learns from larger teachers as well as from labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.label import LabelScheme
from cardiotrace.datasets.packed import Axes
from cardiotrace.inference.engine import Engine, make_engine, run_single
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.inference.zoo import load_model
from cardiotrace.learning.losses import Loss
from cardiotrace.learning.models.network import Network
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.learner import Learner
from cardiotrace.learning.training.supervision import SupervisedObjective
from cardiotrace.preprocessing import NeighboursOf, Preprocessing


@dataclass(frozen=True)
class Distillation:
    """Who teaches, and how much a teacher counts."""

    teachers: tuple[str, ...] = ()
    """Names or paths of models with the student's classes and preprocessing; their probabilities are averaged. Without
    any the labels teach alone."""
    share: float = 0.5
    """Of the loss that the teachers make; the labels make the rest."""
    temperature: float = 2.0
    """What logits are divided by before the softmax, of teacher and student: above 1 doubts count more."""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ConfigError(f"distillation.share must lie in [0, 1], got {self.share}")
        if self.temperature <= 0:
            raise ConfigError(f"distillation.temperature must be positive, got {self.temperature}")


@dataclass(frozen=True)
class StudentRequirements:
    """What a student must share with who teaches it.

    Args:
        scheme: label scheme of the data.
        preprocessing: of the student's images.
        channels: of the student's input, those of its neighbours among them.
        neighbours: planes that it sees on each side of a plane.
        neighbours_of: what those are.
        axes: 2 where it sees planes, 3 where it sees volumes.
    """

    scheme: LabelScheme
    preprocessing: Preprocessing
    channels: int
    neighbours: int = 0
    neighbours_of: NeighboursOf = "slices"
    axes: Axes = 2


def load_teachers(names: Sequence[str], student: StudentRequirements) -> tuple[Model, ...]:
    """The models of these names or paths, each sure to answer the student's own images with the student's own classes.

    Raises:
        InputError: there is no such model, or it labels nothing, or has other classes, another preprocessing, other
            channels, other neighbouring slices, or samples of other axes.
    """
    models = tuple(load_model(name) for name in names)
    for model in models:
        model.spec.require_labels()
        _check(model.spec, student)
    return models


def _check(spec: ModelSpec, student: StudentRequirements) -> None:
    theirs, ours = ([str(name) for name in scheme.structures] for scheme in (spec.label_scheme, student.scheme))
    if theirs != ours:
        what, remedy = (
            f"knows {', '.join(theirs)}, the data have {', '.join(ours)}",
            "choose a teacher of the same labels.",
        )
    elif spec.dimensions != student.axes:
        seen = {2: "planes", 3: "volumes"}
        what = f"sees {seen[spec.dimensions]}, the student {seen[student.axes]}"
        remedy = "choose a teacher that sees what the student does."
    elif (spec.neighbours, spec.neighbours_of) != (student.neighbours, student.neighbours_of):
        beside = f"sees {spec.neighbours} {spec.neighbours_of} on each side of a plane"
        what = f"{beside}, the student {student.neighbours} {student.neighbours_of}"
        remedy = "set the recipe's neighbours to the teacher's."
    elif spec.channels != student.channels:
        what, remedy = f"sees {spec.channels} channels, the student {student.channels}", "give both the same images."
    elif to_plain(spec.preprocessing) != to_plain(student.preprocessing):
        what = f"sees images prepared by {_shown(spec.preprocessing)}, the student by {_shown(student.preprocessing)}"
        remedy = "copy the teacher's preprocessing into the recipe."
    else:
        return
    raise InputError(f"teacher {spec.name!r} {what}", remedy=remedy)


def _shown(preprocessing: Preprocessing) -> str:
    steps = []
    for choice in preprocessing.choices:
        options = ", ".join(f"{key} {value}" for key, value in choice.options.items())
        steps.append(f"{choice.name} ({options})" if options else choice.name)
    return " + ".join(steps) or "nothing"


def teacher_identities(models: Sequence[Model]) -> list[str]:
    """Name and checksum of each teacher."""
    return [f"{model.spec.name}, sha256 {model.sha256}" for model in models]


@dataclass(frozen=True)
class Teacher:
    """Models that answer the same prepared images with the same classes as the student."""

    engines: Sequence[Engine]
    settings: Distillation = Distillation()

    @classmethod
    def of(cls, models: Sequence[Model], settings: Distillation) -> "Teacher":
        """The teacher that several models make together."""
        return cls([make_engine(model.graph(), where=model.path) for model in models], settings)

    def soft_targets(self, images: Tensor) -> Tensor:
        """Mean over the models of softmax(logits / temperature), (batch, classes, height, width)."""
        values = images.detach().float().cpu().contiguous().numpy()
        members = [torch.from_numpy(run_single(engine, values)) / self.settings.temperature for engine in self.engines]
        # Probabilities are averaged, not logits: one teacher with large numbers would outvote all others.
        return torch.stack([logits.softmax(dim=1) for logits in members]).mean(dim=0).to(images.device)

    def distillation_loss(self, images: Tensor, loss: Loss) -> Loss:
        """(1 - share) loss + share temperature^2 KL(soft targets || the student's), both at the temperature.

        For a coarser output the soft targets are averaged over its pixels.

        Source:
            Hinton et al. 2015, arXiv:1503.02531.
        """
        soft_targets, share = self.soft_targets(images), self.settings.share

        def taught(logits: Tensor, labels: Tensor) -> Tensor:
            targets = nn.functional.interpolate(soft_targets, logits.shape[2:], mode="area")
            gap = divergence(targets, logits, temperature=self.settings.temperature)
            return (1 - share) * loss(logits, labels) + share * gap

        return taught


class DistillationObjective(SupervisedObjective):
    """Supervised training of a student that teachers tell their probabilities.

    Args:
        fabric: launched.
        learner: of the student.
        loss: of one output against the labels.
        teacher: the models that teach, together.
        class_names: see `SupervisedObjective`.
    """

    def __init__(
        self,
        fabric: Fabric,
        learner: Learner[Network],
        loss: Loss,
        teacher: Teacher,
        class_names: Sequence[str] = (),
    ) -> None:
        super().__init__(fabric, learner, loss, class_names)
        self.teacher = teacher

    def loss_of(self, batch: TrainingBatch) -> Loss:
        """The loss against labels and teachers; they answer these images once, whatever the number of outputs."""
        # Of labels alone: teachers tell of all structures, also where the labels do not.
        return self.teacher.distillation_loss(batch.images, super().loss_of(batch))


def divergence(soft_targets: Tensor, logits: Tensor, *, temperature: float = 1.0) -> Tensor:
    """temperature^2 times the mean over pixels of KL(targets || softmax(logits / temperature)), 0 where they agree.

    Args:
        soft_targets: probabilities, (batch, classes, *space).
        logits: of the student, the same shape.
        temperature: that the soft targets were made with.

    Example:
        >>> logits = torch.tensor([2.0, 0.0]).reshape(1, 2, 1, 1)
        >>> abs(round(float(divergence(logits.softmax(1), logits)), 4))
        0.0
        >>> round(float(divergence(torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1), logits * 0)), 4)
        0.6931
    """
    student = (logits.float() / temperature).log_softmax(dim=1)
    # A teacher that is sure says 0 of the other classes: 0 log 0 is 0 with `xlogy`, and NaN without.
    gap = torch.xlogy(soft_targets, soft_targets) - soft_targets * student
    # Gradients through a softened softmax shrink with temperature^2: without the factor a share would mean less the
    # softer the targets are.
    return temperature**2 * gap.sum(dim=1).mean()
