"""What a network sees at once of a cine, a plane or a volume; its answer, and the labels that follow from it."""

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from cardiotrace.core.errors import InputError
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.soft_mask import SoftMask
from cardiotrace.inference.evidence import Evidence, Rows
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.io import as_grey
from cardiotrace.metrics.reliability import tempered
from cardiotrace.preprocessing import ResamplingTransform

Position = tuple[int, ...]
"""Where a sample lies in a cine: (time, depth) of a plane, (time,) of a volume; `frames[position]` is the sample."""


@dataclass(frozen=True)
class SampleWalk:
    """The samples of a cine, frame by frame and slice by slice."""

    wanted: tuple[Position, ...]
    """Those that show an image."""
    count: int
    """Of all samples."""

    @property
    def blank_count(self) -> int:
        """Number of samples that show no image."""
        return self.count - len(self.wanted)

    @classmethod
    def over(cls, blank: Bool[np.ndarray, "time depth"], dimensions: int) -> "SampleWalk":
        """The planes or volumes of a cine; a volume is left out if all of its planes are blank.

        Example:
            >>> blank = np.array([[False, True], [True, True]])
            >>> SampleWalk.over(blank, 2).wanted, SampleWalk.over(blank, 3)
            (((0, 0),), SampleWalk(wanted=((0,),), count=2))
        """
        shown = ~blank if dimensions == 2 else ~blank.all(axis=1)
        return cls(tuple(tuple(map(int, position)) for position in np.argwhere(shown)), shown.size)


@dataclass(frozen=True)
class SampleProbabilities:
    """The network's answer for one sample, on the network's own grid."""

    position: Position
    classes: Float[np.ndarray, "classes *target_axes"]
    transform: ResamplingTransform
    """Brings the classes back to the cine's grid."""
    rows: Rows | None = None
    """What the deepest layer says of it, see `Evidence.rows`; None where the network hands out no features."""

    def confidence_sum(self, threshold: float | None = None) -> tuple[float, int]:
        """Sum of the deciding probability over the foreground, and the number of foreground pixels.

        Args:
            threshold: of a single structure; None where the most probable class wins.
        """
        # Class by class: reductions over a first axis as short as this one are several times slower.
        deciding = functools.reduce(np.maximum, self.classes[1:])
        foreground = deciding > (self.classes[0] if threshold is None else np.float32(threshold))
        return float(deciding[foreground].sum()), int(np.count_nonzero(foreground))

    def certainty_sum(self, channel: int) -> tuple[float, int]:
        """Sum of the probability of one class where it is the most probable, and the number of such pixels."""
        others = functools.reduce(np.maximum, [*self.classes[:channel], *self.classes[channel + 1 :]])
        own = self.classes[channel]
        wins = own > others
        return float(own[wins].sum()), int(np.count_nonzero(wins))


@dataclass(frozen=True)
class LabelledSample:
    """The labels of one sample on the cine's own grid."""

    position: Position
    values: UInt8[np.ndarray, "*axes"]
    """Of the model's label scheme, before post-processing."""
    probabilities: Float[np.ndarray, "structures *axes"] | None
    """Of each structure, in the scheme's order; what is left to 1 is background. None unless asked for."""
    confidence_sum: tuple[float, int]
    """See `SampleProbabilities.confidence_sum`."""
    certainty_sum: tuple[float, int]
    """Of the left ventricle, see `SampleProbabilities.certainty_sum`; (0, 0) where the model does not know it."""
    evidence: Evidence
    """What quality and unlikeness are told from."""
    soft: SoftMask | None = None
    """Probability of the left ventricle; None of volumes, and where the model does not know it."""


def label_sample(
    spec: ModelSpec, sample: SampleProbabilities, *, keep_probabilities: bool = False, keep_sums: bool = False
) -> LabelledSample:
    """Labels of a sample on the cine's own grid: the most probable class, or what passes the model's threshold."""
    threshold, channel = spec.calibration.threshold, spec.channel_of(Structure.LV)
    # Labels alone need the likely part of the grid only; all of it is brought back where something else is asked for.
    native = sample.transform.invert(sample.classes) if keep_probabilities or threshold is not None else None
    if threshold is None:
        classes = sample.transform.invert_labels(sample.classes)
    else:
        classes = np.asarray(native)[1] > np.float32(threshold)
    return LabelledSample(
        sample.position,
        spec.class_values[classes.astype(np.uint8)],
        _told(spec, native) if keep_probabilities and native is not None else None,
        sample.confidence_sum(threshold),
        (0.0, 0) if channel is None else sample.certainty_sum(channel),
        Evidence.of(sample.classes, sample.rows, with_sums=keep_sums),
        _soft_mask(sample, channel),
    )


def _told(spec: ModelSpec, native: Float[np.ndarray, "classes *axes"]) -> Float[np.ndarray, "structures *axes"]:
    """Probabilities of the structures as they are handed out: at the temperature that fits them best."""
    temperature = spec.calibration.temperature
    # Behind the decision on labels: at another temperature pixels between those of the network's grid may change hands.
    told = native if temperature == 1 else tempered(native, temperature).astype(np.float32)
    return np.asarray(told[1:])


def _soft_mask(sample: SampleProbabilities, channel: int | None) -> SoftMask | None:
    """Probability of one class of a plane, kept small."""
    if channel is None or len(sample.transform.axes) != 2:
        return None
    return SoftMask.of(sample.classes[channel], sample.transform.axes)


def softmax(
    logits: Float[np.ndarray, "batch classes *axes"],
) -> Float[np.ndarray, "batch classes *axes"]:
    """Class probabilities p_i = exp(z_i) / sum_j exp(z_j), safe for large logits.

    Example:
        >>> softmax(np.zeros((1, 2, 1, 1), np.float32)).ravel().tolist()
        [0.5, 0.5]
    """
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    shifted /= shifted.sum(axis=1, keepdims=True)
    probabilities: Float[np.ndarray, "batch classes *axes"] = shifted
    return probabilities


def in_channels_of(spec: ModelSpec, image: Image) -> Image:
    """An image as a model sees it: a coloured one as grey values, where the model was trained on those.

    Raises:
        InputError: a grey image for a model of colour images.
    """
    channels, given = spec.preprocessing.channels, 3 if image.is_colour else 1
    wanted = spec.plane_channels
    if image.is_colour and channels(3) != wanted and channels(1) == wanted:
        return as_grey(image)
    if channels(given) != wanted:
        kinds = {1: "grey", 3: "colour"}
        raise InputError(
            f"the image is in {kinds[given]}, model {spec.name} was trained on images in {kinds.get(wanted, wanted)}",
            where=None if image.source is None else image.source.path,
            remedy="use a model trained on such images, see `cardiotrace models list`.",
        )
    return image
