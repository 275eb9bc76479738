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

import numpy as np

from cardiotrace.clinical.adaptation import ImageAdaptation
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.flag import Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.core.progress import OnProgress
from cardiotrace.core.terms import Structure
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.segmentation import Segmentation
from cardiotrace.inference.test_time import Subject, entropy
from cardiotrace.metrics import dice
from cardiotrace.workflows.services.tracing import Models, Tracing

LOG = logging.getLogger(__name__)
SAMPLES = 8
"""Of an image that a model is adapted to, spread evenly over it: more are no more certain, and take memory."""
_UNLIKE = "unlike-training"
"""Rule of the warning that is about the image, and not about what is said of it."""


@dataclass(frozen=True)
class Adapter:
    """One way to adapt models to images; `workflows.adapters` makes them by name."""

    name: str
    adapt: Callable[[Subject], Predictor]
    """The model, adapted; raises `ModelFileError` where it cannot be in this way."""


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
        LOG.debug("%s: %s", image.name, done[image.name].why_not or f"adapted by {adapter.name}")
    return replace(tracing, segmentations=segmentations, adaptations=done)


def _adapted_image(
    image: ExamImage, before: Segmentation, models: Models, adapter: Adapter, again: Callable[..., Segmentation]
) -> tuple[Segmentation, ImageAdaptation]:
    """Labels of one image after adapting, or those before where the guard speaks."""
    predictor = models.predictor(image.image.view, image.image.modality)
    batch = predictor.inputs(image.image, most=SAMPLES)
    kept = ImageAdaptation(adapter.name, before.model, before.labels, {}, {}, (math.nan, math.nan))
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
        moved = ", ".join(f"{structure} {value:.3f}" for structure, value in done.dice.items() if not math.isnan(value))
        text = f"{name}: the model was adapted to the image by {done.method}; Dice between before and after: {moved}"
        yield flag("adapted", text, about=name)
        for structure, value in done.dice.items():
            if RULES["adaptation-moved"].breaks(value) and not math.isnan(value):
                text = (
                    f"{name}: adapting moved the outline of {structure} far: Dice {value:.2f} between before and after"
                )
                yield flag("adaptation-moved", text, about=name)


def _onward(progress: OnProgress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)
