"""Models adapted to each image before they label it, where somebody asks; with a guard that takes it back.

Every image stands for itself: the model is adapted to it, labels it, and is forgotten. What the model as it is says of
the image stays the measure: the guard holds the adapted labels against it, and where they went too far, those of the
model as it is are used, which a flag tells.
"""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cardiotrace.clinical.adaptation import ImageAdaptation
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.core.catalog import Catalog, Choice, Entry
from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.flag import Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.core.progress import OnProgress
from cardiotrace.core.terms import Structure
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.segmentation import Segmentation
from cardiotrace.inference.test_time import (
    StatisticsConfig,
    StylesConfig,
    Subject,
    TonesConfig,
    entropy,
    moment_affine,
    renormalised,
    styled,
    toned,
)
from cardiotrace.metrics import dice
from cardiotrace.workflows.services.tracing import Models, Tracing

if TYPE_CHECKING:
    from cardiotrace.learning.test_time import Loss

LOG = logging.getLogger(__name__)
SAMPLES = 8
"""Of an image that a model is adapted to, spread evenly over it: more are no more certain, and take memory."""
_UNLIKE = "unlike-training"
"""Rule of the warning that is about the image, and not about what is said of it."""


@dataclass(frozen=True)
class DescentConfig:
    """Some steps of Adam on gain and offset of every channel behind a convolution; needs torch."""

    steps: int = 3
    """Few, for a network that goes on long enough says the same of all pixels."""
    learning_rate: float = 1e-3
    """Of Adam."""
    share: float = 0.0
    """How far the image's own statistics are believed before the first step, see `statistics`; 0: not at all."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.learning_rate <= 0:
            raise ValueError("steps and learning_rate must be above 0")
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be from 0 to 1, got {self.share}")


def surer(config: DescentConfig, subject: Subject) -> Predictor:
    """A network that was made less undecided about this image.

    Raises:
        UsageError: torch is not installed.
        ModelFileError: nothing can be adapted; or statistics of the training images are wanted and not known.
        WorkError: the entropy is no number.
    """
    require_torch("entropy")
    from cardiotrace.learning.test_time import entropy_loss  # loads torch

    return _descended(config, subject, entropy_loss)


def righter(config: DescentConfig, subject: Subject) -> Predictor:
    """A network whose labels of this image the judge in the model file finds less wrong.

    Raises:
        UsageError: torch is not installed.
        ModelFileError: the file holds no judge; else as `surer`.
        WorkError: what the judge says is no number.
    """
    require_torch("reward")
    from cardiotrace.learning.test_time import judged_loss  # loads torch

    return _descended(config, subject, judged_loss(subject.judge))


def _descended(config: DescentConfig, subject: Subject, loss: "Loss") -> Predictor:
    from cardiotrace.learning.test_time import descended

    first = moment_affine(config.share, subject) if config.share else None
    steps, rate = config.steps, config.learning_rate
    network = descended(subject.graph, subject.batch, loss, steps=steps, learning_rate=rate, first=first)
    return subject.predictor.with_network(network)


def require_torch(method: str) -> None:
    """Refuse what needs torch where there is none.

    Raises:
        UsageError: torch is not installed.
    """
    try:
        import torch  # noqa: F401
    except ImportError:
        raise UsageError(
            f"--adapt {method} needs torch, which is not installed",
            remedy='pip install "cardiotrace[train]", or take --adapt styles.',
        ) from None


ADAPTERS: Catalog[Predictor] = Catalog(
    "way to adapt a model to an image",
    [
        Entry("styles", StylesConfig, styled, "Average over the image in other tones and another sharpness."),
        Entry(
            "tones",
            TonesConfig,
            toned,
            "Bring the tones of the image half way to those of the training images.",
            "after Nyul and Udupa 1999, Magn Reson Med 42:1072",
        ),
        Entry(
            "statistics",
            StatisticsConfig,
            renormalised,
            "Bring mean and variance of every channel of the network half way to those of the training images.",
            "Li et al. 2018, Pattern Recognition 80:109; Schneider et al. 2020, NeurIPS",
        ),
        Entry(
            "entropy",
            DescentConfig,
            surer,
            "Move gain and offset of every channel until the network is surer of the image; needs [train].",
            "Wang et al. 2021, ICLR (Tent)",
        ),
        Entry(
            "reward",
            DescentConfig,
            righter,
            "The same, until the network that judges its labels finds fewer of them wrong; needs [train].",
            "after Judge et al. 2024, MICCAI, arXiv:2406.17902",
        ),
    ],
)
"""Called with a `Subject`; each gives another predictor of the same model."""


@dataclass(frozen=True)
class Adapter:
    """One way to adapt models to images.

    Args:
        choice: of `ADAPTERS`.
    """

    choice: Choice

    @classmethod
    def named(cls, name: str) -> "Adapter":
        """By its name alone, checked now, so that a wrong one ends the work before it begins.

        Raises:
            UsageError: there is no such way.
            UsageError: it needs torch, which is not installed.
        """
        if name not in ADAPTERS:
            raise UsageError(
                f"there is no way {name!r} to adapt a model", remedy=f"choose: {', '.join(ADAPTERS.names)}."
            )
        if ADAPTERS[name].config is DescentConfig:
            require_torch(name)
        return cls(Choice(name))

    def adapt(self, subject: Subject) -> Predictor:
        """The model, adapted.

        Raises:
            ModelFileError: it cannot be adapted in this way.
        """
        return ADAPTERS.make(self.choice, subject)


def adapted(tracing: Tracing, models: Models, adapter: Adapter, on_progress: OnProgress | None = None) -> Tracing:
    """A tracing by models that were adapted to its images; what that changed is told with it.

    Args:
        tracing: by the models as they are.
        models: those that traced.
        adapter: how.
        on_progress: told how many planes are done, of all that are adapted to.

    Raises:
        ModelFileError: a model cannot be adapted in this way.
    """
    segmentations = dict(tracing.segmentations)
    done: dict[str, ImageAdaptation] = {}
    images = [image for image in tracing.exam.images if image.name in segmentations]
    planes = [math.prod(image.image.grid_shape[:2]) for image in images]
    for index, image in enumerate(images):
        told = on_progress and partial(_onward, on_progress, sum(planes[:index]), sum(planes))
        before = segmentations[image.name]
        again = partial(Predictor.segment, test_time_augmentation=tracing.with_variants, on_progress=told)
        after, done[image.name] = _adapted_image(image, before, models, adapter, again)
        segmentations[image.name] = after
        LOG.debug("%s: %s", image.name, done[image.name].why_not or f"adapted by {adapter.choice.name}")
    return replace(tracing, segmentations=segmentations, adaptations=done)


def _adapted_image(
    image: ExamImage, before: Segmentation, models: Models, adapter: Adapter, again: Callable[..., Segmentation]
) -> tuple[Segmentation, ImageAdaptation]:
    """Labels of one image after adapting, or those before where the guard speaks."""
    predictor = models.predictor(image.image.view, image.image.modality)
    batch = predictor.inputs(image.image, most=SAMPLES)
    kept = ImageAdaptation(adapter.choice.name, before.model, before.labels, {}, {}, (math.nan, math.nan))
    if not len(batch):
        return before, replace(kept, why_not="it shows no image", rule="not-adapted")
    model = models.model(image.image.view, image.image.modality)
    other = adapter.adapt(Subject(predictor, model, batch))
    after = again(other, image.image)
    sure = tuple(entropy(each.probabilities(batch)) for each in (predictor, other))
    found = replace(
        kept,
        dice=_by_structure(dice, before.labels, after.labels),
        area=_by_structure(_share_of_area, before.labels, after.labels),
        entropy=(sure[0], sure[1]),
    )
    found = _guarded(found)
    return (_uncalibrated(after, before) if found.is_adapted else before), found


def _guarded(found: ImageAdaptation) -> ImageAdaptation:
    """What was found, taken back where a limit is passed."""
    for structure, share in found.area.items():
        if RULES["adaptation-area"].breaks(share) and not math.isnan(share):
            why = f"the area of {structure} would be {100 * share:.0f} % of what it is"
            return replace(found, why_not=why, rule="adaptation-area")
    before, after = found.entropy
    if before > 0 and RULES["adaptation-entropy"].breaks(after / before):
        why = f"the model would be {after / before:.1f} times as undecided as it is"
        return replace(found, why_not=why, rule="adaptation-entropy")
    return found


def _uncalibrated(after: Segmentation, before: Segmentation) -> Segmentation:
    """The adapted labels, without what was fitted to the answers of the model as it is.

    How unlike the image is to known ones is told by that model, and stays.
    """
    return replace(
        after,
        doubt=np.full_like(before.doubt, np.nan),
        expected_dice={},
        unlikeness=before.unlikeness,
        evidence=before.evidence,
        warnings=tuple(dict.fromkeys([*after.warnings, *(each for each in before.warnings if each.rule == _UNLIKE)])),
    )


def _by_structure(measure: Callable[..., float], before: LabelMap, after: LabelMap) -> Mapping[Structure, float]:
    return {structure: measure(after.mask(structure), before.mask(structure)) for structure in before.scheme.structures}


def _share_of_area(after: np.ndarray, before: np.ndarray) -> float:
    pixels = int(np.count_nonzero(before))
    return np.count_nonzero(after) / pixels if pixels else math.nan


def adaptation_flags(adaptations: Mapping[str, ImageAdaptation]) -> Iterator[Flag]:
    """What was adapted and how far labels moved, and what was taken back, for each image.

    Args:
        adaptations: by name of the image.
    """
    for name, done in adaptations.items():
        if not done.is_adapted:
            text = f"{name}: not adapted by {done.method}: {done.why_not}"
            yield flag(done.rule, text, about=name)
            continue
        moved = ", ".join(f"{structure} {value:.3f}" for structure, value in done.dice.items() if value == value)
        text = f"{name}: the model was adapted to the image by {done.method}; Dice between before and after: {moved}"
        yield flag("adapted", text, about=name)
        for structure, value in done.dice.items():
            if RULES["adaptation-moved"].breaks(value) and value == value:
                text = (
                    f"{name}: adapting moved the outline of {structure} far: Dice {value:.2f} between before and after"
                )
                yield flag("adaptation-moved", text, about=name)


def _onward(progress: OnProgress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)
