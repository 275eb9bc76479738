"""From a cine to labels on the cine's own grid."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure, View, view_name
from cardiotrace.geometry.blank import blank_planes, blank_words
from cardiotrace.geometry.field_of_view import find_field_of_view, without_rim
from cardiotrace.inference.engine import Engine, make_engine
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.plane import LabelledPlane, PlaneProbabilities, labelled
from cardiotrace.inference.spec import fits_modality
from cardiotrace.inference.tta import IDENTITY, TtaTransform, sectors_of, tta_transforms
from cardiotrace.io import as_grey
from cardiotrace.parallel import batched, in_threads, usable_processors
from cardiotrace.preprocessing import ResamplingTransform

Progress = Callable[[int, int], None]
"""Called with the number of planes done and of all planes."""

BATCH_SIZE = 1
"""On two cores a U-Net of 256 x 256 needs 39 ms a plane and 170 MB one by one, 39 ms and 780 MB eight by eight."""
MANY_PLANES = 8
"""From as many on, planes are worked on side by side; fewer are done sooner one after the other by all processors."""
MOST_JOBS = 8
"""Planes at a time, each of which needs memory of its own."""


@dataclass(frozen=True)
class Segmentation:
    """What a model says of a cine, and how far it may be trusted."""

    labels: LabelMap
    """On the cine's own grid, in the model's label scheme, after post-processing."""
    confidence: Float[np.ndarray, "time"]
    """Mean probability of the winning class over what the network calls foreground, for each frame; NaN where it
    sees nothing."""
    doubt: Float[np.ndarray, "time"]
    """How unsure the model is of the left ventricle in each frame, one less its mean probability there, as a share of
    how unsure it was of the least certain image that it was validated on; NaN where it sees none or does not know."""
    removed: Mapping[Structure, NDArray[np.int64]]
    """(time,) pixels of each structure that post-processing took away."""
    added: Mapping[Structure, NDArray[np.int64]]
    """(time,) pixels that post-processing added to each structure."""
    warnings: tuple[Flag, ...]
    """What speaks against trusting the labels."""
    model: str
    """Name of the model."""
    duration_s: float
    probability: Float[np.ndarray, "time depth height width"] | None = None
    """Of the only structure, on the cine's own grid, before threshold and post-processing; None unless asked for."""


class Predictor:
    """Segments cines with one model.

    Args:
        model: a verified model.
        engine: what runs the network, plane by plane; ONNX Runtime on all processors where None.

    Raises:
        ModelFileError: the engine cannot build the network.
    """

    def __init__(self, model: Model, *, engine: Engine | None = None) -> None:
        self.model = model
        self.spec = model.spec
        self._engine = engine or make_engine(model)
        self._jobs = min(usable_processors(), MOST_JOBS) if engine is None else 1

    @functools.cached_property
    def _narrow_engine(self) -> Engine:
        """For one of several planes at a time: networks share processors less well than planes do."""
        return make_engine(self.model, threads=1)

    def segment(
        self,
        cine: Image,
        *,
        test_time_augmentation: bool = False,
        batch_size: int = BATCH_SIZE,
        keep_probability: bool = False,
        on_progress: Progress | None = None,
    ) -> Segmentation:
        """Label every plane of a cine.

        Args:
            cine: what to segment.
            test_time_augmentation: average over slightly changed versions of each plane, see
                `inference.variant`; four times the work or more.
            batch_size: planes that pass through the network at once; more need more memory and are no faster on a CPU.
            keep_probability: hand out the probability as well, for models of a single structure.
            on_progress: told after each plane how many are done.

        Returns:
            Labels on the cine's own grid, with confidence and warnings.

        Raises:
            InputError: a grey image for a model of colour images; no pixel size where it is needed.
            ModelFileError: the network fails.
        """
        start = time.perf_counter()
        known, cine = len(cine.doubts), self._in_its_channels(cine)
        frames, depth, height, width = cine.grid_shape
        blank = blank_planes(cine.frames)
        array = np.zeros((frames, depth, height, width), np.uint8)
        sure, ventricle = _Mean.of(frames), _Mean.of(frames)
        probability = np.zeros(array.shape, np.float32) if keep_probability else None
        tta = tta_transforms(self.spec.mirror_axes, self.spec.sector) if test_time_augmentation else (IDENTITY,)
        planes = self._planes(cine, tta, ~blank, keep_probability=keep_probability, batch_size=batch_size)
        for done, plane in enumerate(planes, start=1 + int(np.count_nonzero(blank))):
            array[plane.time, plane.depth] = plane.values
            if probability is not None:
                probability[plane.time, plane.depth] = plane.probability
            sure.add(plane.time, plane.confidence_sum)
            ventricle.add(plane.time, plane.certainty_sum)
            if on_progress is not None:
                on_progress(done, frames * depth)
        processed = self.spec.postprocessing.apply(LabelMap(array, self.spec.label_scheme, cine.geometry, cine.source))
        return Segmentation(
            labels=processed.labels,
            confidence=sure.value,
            doubt=self._doubt(ventricle.value, test_time_augmentation=test_time_augmentation),
            removed=processed.removed,
            added=processed.added,
            warnings=(
                *_blank_warnings(blank),
                *self._warnings(cine, sure.value[~blank.all(axis=1)]),
                *(Flag(Grade.LOOK_TWICE, doubt, "doubt") for doubt in cine.doubts[known:]),
            ),
            model=self.spec.name,
            duration_s=time.perf_counter() - start,
            probability=probability,
        )

    def _planes(
        self,
        cine: Image,
        tta: tuple[TtaTransform, ...],
        shown: NDArray[np.bool_],
        *,
        keep_probability: bool,
        batch_size: int,
    ) -> Iterator[LabelledPlane]:
        """Each plane to be shown, frame by frame and slice by slice; several at a time where there are many."""
        if batch_size < 1:
            raise InputError(f"batch size must be at least 1, got {batch_size}")
        wanted = [(int(frame), int(depth)) for frame, depth in np.argwhere(shown)]
        chunks = batched(wanted, batch_size)
        jobs = self._jobs if len(wanted) >= MANY_PLANES * batch_size else 1
        placement = self.spec.preprocessing.place(cine.grid_shape[2:], cine.spacing_mm and cine.spacing_mm[1:])
        task = _ImageTask(cine, placement, tta, self._engine if jobs == 1 else self._narrow_engine)

        def done(chunk: list[tuple[int, int]]) -> list[LabelledPlane]:
            return [
                labelled(self.spec, plane, keep_probability=keep_probability) for plane in self._answers(task, chunk)
            ]

        for results in in_threads(done, chunks, jobs=jobs):
            yield from results

    def _answers(self, task: "_ImageTask", chunk: list[tuple[int, int]]) -> Iterator[PlaneProbabilities]:
        cine, placement = task.cine, task.placement
        batch = np.stack([self.spec.preprocessing.apply(cine.frames[position], placement) for position in chunk])
        for (frame, depth), classes in zip(chunk, self._mean_probabilities(batch, task), strict=True):
            if self.spec.within_field_of_view:
                seen = self.spec.preprocessing.move_mask(find_field_of_view(cine.frames[frame, depth]), placement)
                # A pixel on the border is half dark: the network may take it for a vessel.
                classes[:, ~without_rim(seen)] = _background(self.spec.classes)
            yield PlaneProbabilities(frame, depth, classes, placement)

    def _mean_probabilities(
        self, batch: Float[np.ndarray, "batch channels height width"], task: "_ImageTask"
    ) -> Float[np.ndarray, "batch classes height width"]:
        known = self.spec.sector
        sectors = () if known is None or len(task.tta) == 1 else sectors_of(batch, known)
        total: Any = 0.0
        votes: Any = 0.0
        for transform in task.tta:
            vote = transform.visible((batch.shape[2], batch.shape[3]), sectors)
            total = total + transform.invert(
                softmax(task.engine.run(transform.apply(batch, sectors))), sectors
            ) * np.float32(vote)
            votes = votes + vote
        mean: Float[np.ndarray, "batch classes height width"] = total / np.float32(votes)
        return mean

    def _doubt(
        self, certainty: Float[np.ndarray, "time"], *, test_time_augmentation: bool
    ) -> Float[np.ndarray, "time"]:
        lowest = self.spec.lowest_confidence
        # A mean over changed images is less sure everywhere: it is no measure for what one answer is.
        if lowest is None or not lowest < 1 or test_time_augmentation:
            return np.full(len(certainty), np.nan)
        return np.asarray((1 - certainty) / (1 - lowest))

    def _in_its_channels(self, cine: Image) -> Image:
        """The cine as the model sees it: a coloured one as grey values, where the model was trained on those."""
        channels, given = self.spec.preprocessing.channels, 3 if cine.is_colour else 1
        if cine.is_colour and channels(3) != self.spec.channels and channels(1) == self.spec.channels:
            return as_grey(cine)
        if channels(given) != self.spec.channels:
            kinds = {1: "grey", 3: "colour"}
            raise InputError(
                f"the image is in {kinds[given]}, model {self.spec.name} was trained on images"
                f" in {kinds.get(self.spec.channels, self.spec.channels)}",
                where=None if cine.source is None else cine.source.path,
                remedy="use a model trained on such images, see `cardiotrace models list`.",
            )
        return cine

    def _warnings(self, cine: Image, confidence: NDArray[np.float64]) -> Iterator[Flag]:
        is_other_view = cine.view is not View.UNKNOWN and self.spec.views and cine.view not in self.spec.views
        if is_other_view or not fits_modality(self.spec, cine.modality):
            trained = ", ".join(view_name(view, self.spec.modality) for view in self.spec.views)
            text = f"model {self.spec.name} was not trained on view {cine.view_name} (but on {trained})"
            yield Flag(Grade.LOOK_TWICE, text, "other-view")
        empty = np.flatnonzero(np.isnan(confidence))
        if len(empty):
            text = f"model {self.spec.name} sees nothing in {len(empty)} of {len(confidence)} frames"
            yield Flag(Grade.LOOK_TWICE, text, "nothing-seen")
        lowest = self.spec.lowest_confidence
        unsure = np.flatnonzero(confidence < lowest) if lowest is not None else empty[:0]
        if len(unsure):
            text = (
                f"model {self.spec.name} is less sure of {len(unsure)} of {len(confidence)} frames (down to"
                f" {np.nanmin(confidence):.2f}) than of any image it was validated on ({lowest:.2f})"
            )
            yield Flag(Grade.LOOK_TWICE, text, "confidence")


@dataclass(frozen=True)
class _Mean:
    """A mean for each frame, gathered plane by plane."""

    total: Float[np.ndarray, "time"]
    count: Float[np.ndarray, "time"]

    @classmethod
    def of(cls, frames: int) -> "_Mean":
        return cls(np.zeros(frames), np.zeros(frames))

    def add(self, frame: int, part: tuple[float, int]) -> None:
        self.total[frame] += part[0]
        self.count[frame] += part[1]

    @property
    def value(self) -> Float[np.ndarray, "time"]:
        """NaN in frames that nothing was added to."""
        out = np.full(len(self.total), np.nan)
        return np.asarray(np.divide(self.total, self.count, out=out, where=self.count > 0))


@dataclass(frozen=True)
class _ImageTask:
    """What all planes of a cine have in common."""

    cine: Image
    placement: ResamplingTransform
    tta: tuple[TtaTransform, ...]
    """To look at each plane."""
    engine: Engine


def _blank_warnings(blank: NDArray[np.bool_]) -> Iterator[Flag]:
    """The same words as those of the measures, which name the image."""
    if blank.all():
        yield Flag(Grade.LOOK_TWICE, blank_words(blank), "all-blank")
    elif blank.any():
        yield Flag(Grade.NOTE, blank_words(blank), "blank")


def _background(classes: int) -> Float[np.ndarray, "classes 1"]:
    return np.eye(classes, 1, dtype=np.float32)


def softmax(
    logits: Float[np.ndarray, "batch classes height width"],
) -> Float[np.ndarray, "batch classes height width"]:
    """Class probabilities p_i = exp(z_i) / sum_j exp(z_j), safe for large logits.

    Example:
        >>> softmax(np.zeros((1, 2, 1, 1), np.float32)).ravel().tolist()
        [0.5, 0.5]
    """
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    shifted /= shifted.sum(axis=1, keepdims=True)
    probabilities: Float[np.ndarray, "batch classes height width"] = shifted
    return probabilities
