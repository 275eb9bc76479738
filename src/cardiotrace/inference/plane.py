"""The network's answer for one plane, and the labels that follow from it."""

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Structure
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.preprocessing import ResamplingTransform


@dataclass(frozen=True)
class PlaneProbabilities:
    """The network's answer for one plane, on the network's own grid."""

    time: int
    depth: int
    classes: Float[np.ndarray, "classes height width"]
    placement: ResamplingTransform
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

    def certainty_sum(self, channel: int) -> tuple[float, int]:
        """Sum of the probability of one class where it is the most probable, and the number of such pixels."""
        others = functools.reduce(np.maximum, [*self.classes[:channel], *self.classes[channel + 1 :]])
        own = self.classes[channel]
        wins = own > others
        return float(own[wins].sum()), int(np.count_nonzero(wins))


@dataclass(frozen=True)
class LabelledPlane:
    """The labels of one plane on the image's own grid."""

    time: int
    depth: int
    values: UInt8[np.ndarray, "height width"]
    """Of the model's label scheme, before post-processing."""
    probability: Float[np.ndarray, "height width"] | None
    """Of the only structure; None unless asked for."""
    confidence_sum: tuple[float, int]
    """See `PlaneProbabilities.confidence_sum`."""
    certainty_sum: tuple[float, int]
    """Of the left ventricle, see `PlaneProbabilities.certainty_sum`; (0, 0) where the model does not know it."""


def labelled(spec: ModelSpec, plane: PlaneProbabilities, *, keep_probability: bool = False) -> LabelledPlane:
    """Labels of a plane on the image's own grid: the most probable class, or what passes the model's threshold.

    Raises:
        InputError: a probability is to be kept, or there is a threshold, where the model has several structures.
    """
    sums = plane.confidence_sum(spec.threshold)
    channel = spec.channel_of(Structure.LV)
    certain = (0.0, 0) if channel is None else plane.certainty_sum(channel)
    if not keep_probability and spec.threshold is None:
        classes = plane.placement.restore_labels(plane.classes)
        return LabelledPlane(plane.time, plane.depth, spec.class_values[classes], None, sums, certain)
    if spec.classes != 2:
        raise InputError(f"model {spec.name} has several structures: there is not one probability to keep")
    restored = plane.placement.restore(plane.classes)[1]
    classes = (restored > np.float32(spec.threshold or 0.5)).astype(np.uint8)
    kept = restored if keep_probability else None
    return LabelledPlane(plane.time, plane.depth, spec.class_values[classes], kept, sums, certain)
