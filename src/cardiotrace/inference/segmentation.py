"""What a model says of a cine, gathered sample by sample, and what speaks against it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy.typing import NDArray

from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure, View
from cardiotrace.geometry.blank import blank_words
from cardiotrace.geometry.soft_mask import SoftMask
from cardiotrace.inference.evidence import Evidence
from cardiotrace.inference.sample import LabelledSample
from cardiotrace.inference.spec import ModelSpec, fits_modality, view_names
from cardiotrace.postprocessing import Processed


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
    probabilities: Mapping[Structure, Float[np.ndarray, "time depth height width"]] | None = None
    """Of each structure, on the cine's own grid, before threshold and post-processing: what is left to 1 is background,
    and where a plane is blank all of them are 0. None unless asked for."""
    expected_dice: Mapping[Structure, Float[np.ndarray, "time"]] = field(default_factory=dict)
    """Dice that a reader's outline of a structure is expected to have with the model's, for each frame; NaN where the
    model sees none. Empty where the model file tells nothing of it, or changed images were averaged."""
    unlikeness: Float[np.ndarray, "time"] | None = None
    """How unlike each frame is to the images that the model was tried on: 1 is the limit, beyond which there is a
    warning; NaN where the model file tells nothing of it. None: nobody has asked."""
    evidence: tuple[Evidence | None, ...] = field(default=(), repr=False)
    """For each frame, what quality and unlikeness are told from, as far as the model file tells of them or it was asked
    for; None where it shows no image."""
    soft: tuple[SoftMask | None, ...] = ()
    """Probability of the left ventricle in each frame of a planar cine, before post-processing; empty of stacks."""


@dataclass(frozen=True)
class FrameMean:
    """A mean for each frame, gathered sample by sample."""

    total: Float[np.ndarray, "time"]
    count: Float[np.ndarray, "time"]

    @classmethod
    def of(cls, frames: int) -> "FrameMean":
        """A mean of nothing yet."""
        return cls(np.zeros(frames), np.zeros(frames))

    def add(self, frame: int, part: tuple[float, int]) -> None:
        """Count in the sum and the number of some values of a frame."""
        self.total[frame] += part[0]
        self.count[frame] += part[1]

    @property
    def value(self) -> Float[np.ndarray, "time"]:
        """NaN in frames that nothing was added to."""
        out = np.full(len(self.total), np.nan)
        return np.asarray(np.divide(self.total, self.count, out=out, where=self.count > 0))


@dataclass(frozen=True)
class GatheredSamples:
    """The samples of a cine so far."""

    values: UInt8[np.ndarray, "time depth height width"]
    """Label values."""
    confidence: FrameMean
    certainty: FrameMean
    """Of the left ventricle."""
    probabilities: Mapping[Structure, Float[np.ndarray, "time depth height width"]] | None
    evidence: tuple[list[Evidence], ...]
    """Of the samples of each frame."""
    soft: list[SoftMask | None]
    """Of each frame of a planar cine; empty of stacks."""

    @classmethod
    def of(cls, spec: ModelSpec, shape: tuple[int, int, int, int], *, keep_probabilities: bool) -> "GatheredSamples":
        """None yet, of a cine of a shape; memory for probabilities is taken only if they are kept."""
        structures = spec.label_scheme.structures if keep_probabilities else ()
        probabilities = {structure: np.zeros(shape, np.float32) for structure in structures}
        kept = probabilities if keep_probabilities else None
        evidence: tuple[list[Evidence], ...] = tuple([] for _ in range(shape[0]))
        soft: list[SoftMask | None] = [None] * shape[0] if shape[1] == 1 else []
        confidence, certainty = FrameMean.of(shape[0]), FrameMean.of(shape[0])
        return cls(np.zeros(shape, np.uint8), confidence, certainty, kept, evidence, soft)

    def add(self, sample: LabelledSample) -> None:
        """Lay a sample into its place."""
        self.values[sample.position] = sample.values
        self.confidence.add(sample.position[0], sample.confidence_sum)
        self.certainty.add(sample.position[0], sample.certainty_sum)
        self.evidence[sample.position[0]].append(sample.evidence)
        if self.soft:
            self.soft[sample.position[0]] = sample.soft
        if self.probabilities is not None and sample.probabilities is not None:
            for kept, found in zip(self.probabilities.values(), sample.probabilities, strict=True):
                kept[sample.position] = found

    @property
    def frame_evidence(self) -> tuple[Evidence | None, ...]:
        """That of all samples of each frame."""
        return tuple(Evidence.together(parts) if parts else None for parts in self.evidence)


def blank_warnings(blank: Bool[np.ndarray, "time depth"]) -> Iterator[Flag]:
    """What to say of planes without an image, in the words of the measures, which name the image."""
    if blank.all():
        yield Flag(Grade.LOOK_TWICE, blank_words(blank), "all-blank")
    elif blank.any():
        yield Flag(Grade.NOTE, blank_words(blank), "blank")


def steadied_warnings(processed: Processed) -> Iterator[Flag]:
    """Which frames post-processing decided anew since they jumped."""
    frames = processed.decided_anew
    if frames:
        named = ", ".join(map(str, frames[:8])) + (f" and {len(frames) - 8} more" if len(frames) > 8 else "")
        what = "frame" if len(frames) == 1 else "frames"
        text = f"{what} {named} jumped: decided anew together with the frames before and after"
        yield Flag(Grade.NOTE, text, "steadied")


def trust_warnings(spec: ModelSpec, cine: Image, confidence: Float[np.ndarray, "time"]) -> Iterator[Flag]:
    """What speaks against trusting a model on a cine.

    Args:
        spec: of the model.
        cine: what it labelled.
        confidence: of each frame that shows an image.
    """
    if cine.view is not View.UNKNOWN and not spec.views:
        # A localiser is such a model: it looks for the heart, and its outlines are as coarse as that allows.
        text = f"model {spec.name} says of no view that it was trained on it, nor of {cine.view_name}"
        yield Flag(Grade.LOOK_TWICE, text, "other-view")
    elif _is_unfamiliar(spec, cine):
        text = f"model {spec.name} was not trained on view {cine.view_name} (but on {view_names(spec)})"
        yield Flag(Grade.LOOK_TWICE, text, "other-view")
    empty = int(np.isnan(confidence).sum())
    if empty:
        text = f"model {spec.name} sees nothing in {empty} of {len(confidence)} frames"
        yield Flag(Grade.LOOK_TWICE, text, "nothing-seen")
    lowest = spec.calibration.lowest_confidence
    unsure = 0 if lowest is None else int((confidence < lowest).sum())
    if unsure:
        text = (
            f"model {spec.name} is less sure of {unsure} of {len(confidence)} frames (down to"
            f" {np.nanmin(confidence):.2f}) than of any image it was validated on ({lowest:.2f})"
        )
        yield Flag(Grade.LOOK_TWICE, text, "confidence")


def quality_warnings(spec: ModelSpec, expected: Mapping[Structure, Float[np.ndarray, "time"]]) -> Iterator[Flag]:
    """Of which structures a reader is expected to draw another outline, where that is so in many frames.

    Args:
        spec: of the model.
        expected: see `Segmentation.expected_dice`.
    """
    for structure, dice in expected.items():
        lowest = spec.calibration.quality[structure].lowest
        low, seen = int((dice < lowest).sum()), int(np.isfinite(dice).sum())
        if low > MANY * seen:
            text = (
                f"{structure}: the expected agreement with a reader (Dice) is low in {low} of {seen} frames (down to"
                f" {np.nanmin(dice):.2f}; model {spec.name} seldom falls below {lowest:.2f})"
            )
            yield Flag(Grade.LOOK_TWICE, text, "expected-dice", str(structure))


def unlike_warnings(spec: ModelSpec, unlikeness: Float[np.ndarray, "time"]) -> Iterator[Flag]:
    """What is unlike the images that a model was tried on, where that is so in many frames.

    Args:
        spec: of the model.
        unlikeness: see `Segmentation.unlikeness`.
    """
    beyond, seen = int((unlikeness > 1).sum()), int(np.isfinite(unlikeness).sum())
    if beyond > MANY * seen:
        text = (
            f"{beyond} of {seen} frames are unlike all that model {spec.name} was tried on (up to"
            f" {np.nanmax(unlikeness):.1f} times the limit): it may be another view or another way of imaging, turned,"
            " mirrored, cut, noisy, blurred, compressed, or too bright"
        )
        yield Flag(Grade.LOOK_TWICE, text, "unlike-training")


MANY = 0.1
"""Share of frames from which on a film is doubted: of many frames some are always odd."""


def _is_unfamiliar(spec: ModelSpec, cine: Image) -> bool:
    """Whether a cine is of a view or modality that the model was not trained on; what is not known is neither."""
    is_other_view = cine.view is not View.UNKNOWN and cine.view not in spec.views
    return is_other_view or not fits_modality(spec, cine.modality)
