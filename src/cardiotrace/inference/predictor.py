"""From a cine to labels on the cine's own grid."""

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from cardiotrace.core.cine import Cine
from cardiotrace.core.errors import InputError
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure, View
from cardiotrace.geometry.field_of_view import find_field_of_view, without_rim
from cardiotrace.inference.engine import Engine, make_engine
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.variant import IDENTITY, Variant, sectors_of, variants
from cardiotrace.preparation import Placement

Progress = Callable[[int, int], None]
"""Called with the number of planes done and of all planes."""

BATCH_SIZE = 1
"""On two cores a U-Net of 256 x 256 needs 39 ms a plane and 170 MB one by one, 39 ms and 780 MB eight by eight."""


@dataclass(frozen=True)
class Segmentation:
    """What a model says of a cine, and how far it may be trusted."""

    labels: LabelMap
    """On the cine's own grid, in the model's label scheme, after post-processing."""
    confidence: Float[np.ndarray, "time"]
    """Mean probability of the winning class over what the network calls foreground, for each frame; NaN where it
    sees nothing."""
    removed: Mapping[Structure, NDArray[np.int64]]
    """(time,) pixels of each structure that post-processing took away."""
    added: Mapping[Structure, NDArray[np.int64]]
    """(time,) pixels that post-processing added to each structure."""
    warnings: tuple[str, ...]
    """What speaks against trusting the labels, in words."""
    model: str
    """Name of the model."""
    duration_s: float
    probability: Float[np.ndarray, "time depth height width"] | None = None
    """Of the only structure, on the cine's own grid, before threshold and post-processing; None unless asked for."""


@dataclass(frozen=True)
class PlaneProbabilities:
    """The network's answer for one plane, on the network's own grid."""

    time: int
    depth: int
    classes: Float[np.ndarray, "classes height width"]
    placement: Placement
    """Brings the classes back to the cine's grid."""

    def confidence_sum(self, threshold: float | None = None) -> tuple[float, int]:
        """Sum of the deciding probability over the foreground, and the number of foreground pixels.

        Args:
            threshold: of a single structure; None where the most probable class wins.
        """
        # Class by class: reductions over a first axis as short as this one are several times slower.
        deciding = functools.reduce(np.maximum, self.classes[1:])
        foreground = deciding > (self.classes[0] if threshold is None else np.float32(threshold))
        return float(deciding[foreground].sum()), int(np.count_nonzero(foreground))


class Predictor:
    """Segments cines with one model.

    Args:
        model: a verified model.
        engine: what runs the network; ONNX Runtime on all processors where None.

    Raises:
        ModelFileError: the engine cannot build the network.
    """

    def __init__(self, model: Model, *, engine: Engine | None = None) -> None:
        self.model = model
        self.spec = model.spec
        self._engine = engine or make_engine(model)

    def segment(
        self,
        cine: Cine,
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
            on_progress: told after each batch how many planes are done.

        Returns:
            Labels on the cine's own grid, with confidence and warnings.

        Raises:
            InputError: a colour picture for a model of grey images or the reverse; no pixel size where it is needed.
            ModelFileError: the network fails.
        """
        start = time.perf_counter()
        frames, depth, height, width = cine.grid_shape
        array = np.zeros((frames, depth, height, width), np.uint8)
        certain, foreground = np.zeros(frames), np.zeros(frames)
        probability = np.zeros(array.shape, np.float32) if keep_probability else None
        planes = self.probabilities(cine, test_time_augmentation=test_time_augmentation, batch_size=batch_size)
        for done, plane in enumerate(planes, start=1):
            array[plane.time, plane.depth] = self._decide(plane, probability)
            sums = plane.confidence_sum(self.spec.threshold)
            certain[plane.time] += sums[0]
            foreground[plane.time] += sums[1]
            if on_progress is not None:
                on_progress(done, frames * depth)
        labels = LabelMap(array, self.spec.label_scheme, cine.spacing_mm, cine.origin)
        processed = self.spec.postprocessing.apply(labels)
        confidence = np.divide(certain, foreground, out=np.full(frames, np.nan), where=foreground > 0)
        return Segmentation(
            labels=processed.labels,
            confidence=confidence,
            removed=processed.removed,
            added=processed.added,
            warnings=tuple(self._warnings(cine, confidence)),
            model=self.spec.name,
            duration_s=time.perf_counter() - start,
            probability=probability,
        )

    def _decide(self, plane: PlaneProbabilities, probability: NDArray[np.float32] | None) -> NDArray[np.uint8]:
        """Label values of a plane on its own grid; the probability, where it is kept, is filled in."""
        values: NDArray[np.uint8]
        if probability is None and self.spec.threshold is None:
            values = self.spec.class_values[plane.placement.restore_labels(plane.classes)]
            return values
        if self.spec.classes != 2:
            raise InputError(f"model {self.spec.name} has several structures: there is not one probability to keep")
        restored = plane.placement.restore(plane.classes)[1]
        if probability is not None:
            probability[plane.time, plane.depth] = restored
        is_structure = restored > np.float32(self.spec.threshold or 0.5)
        values = self.spec.class_values[is_structure.astype(np.uint8)]
        return values

    def probabilities(
        self, cine: Cine, *, test_time_augmentation: bool = False, batch_size: int = BATCH_SIZE
    ) -> Iterator[PlaneProbabilities]:
        """Class probabilities of each plane, frame by frame and slice by slice, as soon as they are there.

        Raises:
            InputError: see `segment`.
            ModelFileError: the network fails.
        """
        self._check_channels(cine)
        if batch_size < 1:
            raise InputError(f"batch size must be at least 1, got {batch_size}")
        placement = self.spec.preparation.place(cine.grid_shape[2:], cine.spacing_mm and cine.spacing_mm[1:])
        ways = variants(self.spec.mirror_axes, self.spec.sector) if test_time_augmentation else (IDENTITY,)
        positions = itertools.product(range(cine.grid_shape[0]), range(cine.grid_shape[1]))
        while chunk := list(itertools.islice(positions, batch_size)):
            batch = np.stack([self.spec.preparation.apply(cine.frames[position], placement) for position in chunk])
            for (frame, depth), classes in zip(chunk, self._mean_probabilities(batch, ways), strict=True):
                if self.spec.within_field_of_view:
                    seen = self.spec.preparation.move_mask(find_field_of_view(cine.frames[frame, depth]), placement)
                    # A pixel on the border is half dark: the network may take it for a vessel.
                    classes[:, ~without_rim(seen)] = _background(self.spec.classes)
                yield PlaneProbabilities(frame, depth, classes, placement)

    def _mean_probabilities(
        self, batch: Float[np.ndarray, "batch channels height width"], ways: tuple[Variant, ...]
    ) -> Float[np.ndarray, "batch classes height width"]:
        known = self.spec.sector
        sectors = () if known is None or len(ways) == 1 else sectors_of(batch, known)
        total: Any = 0.0
        votes: Any = 0.0
        for way in ways:
            vote = way.seen((batch.shape[2], batch.shape[3]), sectors)
            total = total + way.undo(softmax(self._engine.run(way.apply(batch, sectors))), sectors) * np.float32(vote)
            votes = votes + vote
        mean: Float[np.ndarray, "batch classes height width"] = total / np.float32(votes)
        return mean

    def _check_channels(self, cine: Cine) -> None:
        given = 3 if cine.is_colour else 1
        if self.spec.preparation.channels(given) != self.spec.channels:
            kinds = {1: "grey", 3: "colour"}
            raise InputError(
                f"the image is in {kinds[given]}, model {self.spec.name} was trained on images"
                f" in {kinds.get(self.spec.channels, self.spec.channels)}",
                where=None if cine.origin is None else cine.origin.path,
                remedy="use a model trained on such images, see `cardiotrace models list`.",
            )

    def _warnings(self, cine: Cine, confidence: NDArray[np.float64]) -> Iterator[str]:
        if cine.view is not View.UNKNOWN and self.spec.views and cine.view not in self.spec.views:
            yield f"model {self.spec.name} was not trained on view {cine.view} (but on {', '.join(self.spec.views)})"
        empty = np.flatnonzero(np.isnan(confidence))
        if len(empty):
            yield f"model {self.spec.name} sees nothing in {len(empty)} of {len(confidence)} frames"
        lowest = self.spec.lowest_confidence
        unsure = np.flatnonzero(confidence < lowest) if lowest is not None else empty[:0]
        if len(unsure):
            yield (
                f"model {self.spec.name} is less sure of {len(unsure)} of {len(confidence)} frames (down to"
                f" {np.nanmin(confidence):.2f}) than of any image it was validated on ({lowest:.2f})"
            )


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
