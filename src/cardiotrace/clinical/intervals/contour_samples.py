"""Outlines that the network holds for possible, drawn for end-diastole and end-systole together.

A network's probability falls from 1 to 0 over a border that is sharp where the image is clear and wide where it is not.
The outline is moved to and fro by as much: as a whole, and by a smooth change along each wall. What end-diastole and
end-systole have in common (a wall that is seen badly all the time) moves both alike and hardly alters the ejection
fraction; so both are drawn jointly, with a correlation that was fitted on errors of networks.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.clinical.volume import DISK_COUNT
from cardiotrace.geometry.soft_mask import SoftMask

SAMPLES = 200
_REACH_MM = 15.0
"""How far to both sides of the outline a border is looked at; in pixels where their size is not known."""
_STEPS = 31
_ALONG = 0.25
"""Length over which displacements are alike, as a share of the long axis."""
_WHOLE = 0.5
"""Share of the variance of a displacement that all of the outline has in common: the level of the contour."""


@dataclass(frozen=True)
class ContourSpread:
    """How far volumes and ejection fraction vary over sampled outlines: standard deviations.

    In the unit of a border's width, which is no standard deviation of a true outline: what it is worth is found out by
    calibration.
    """

    ejection: float
    """Of the ejection fraction, points."""
    diastole: float
    """Of the logarithm of the end-diastolic volume."""
    systole: float
    """Of the logarithm of the end-systolic volume."""


def border_widths(trace: LongAxisTrace, soft: SoftMask) -> Float[np.ndarray, "places"] | None:
    """How wide the border of the ventricle is at the ends of its disks, at the apex and at the base.

    The width of a logistic edge p(t) = 1 / (1 + exp(t / w)) is w = integral of p (1 - p) dt, whatever its place.

    Args:
        trace: the ventricle in one frame.
        soft: its probability there.

    Returns:
        Widths in the unit of the trace: left ends from base to apex, right ends, apex, base. None without disks.
    """
    if trace.disks is None or trace.axis is None or not trace.axis.length > 0:
        return None
    left, right = trace.disks.ends[:, 0], trace.disks.ends[:, 1]
    across = (right - left) / np.maximum(np.linalg.norm(right - left, axis=1, keepdims=True), 1e-9)
    up = (trace.axis.apex - trace.axis.base) / trace.axis.length
    points = np.concatenate([left, right, [trace.axis.apex, trace.axis.base]])
    outwards = np.concatenate([-across, across, [up, -up]])
    steps = np.linspace(-_REACH_MM, _REACH_MM, _STEPS)
    lines = points[:, None] + steps[:, None] * outwards[:, None]
    found = soft.at(lines / np.asarray(trace.scale.pixel))
    # Inwards no farther than the middle of the ventricle: beyond it lies the other wall.
    deepest = np.concatenate([trace.disks.diameters, trace.disks.diameters, [trace.axis.length] * 2]) / 2
    counted = steps >= -deepest[:, None]
    return np.asarray((found * (1 - found) * counted).sum(axis=1) * (steps[1] - steps[0]))


def contour_spread(
    diastole: LongAxisTrace,
    systole: LongAxisTrace,
    soft: tuple[SoftMask | None, SoftMask | None],
    *,
    correlation: float,
) -> ContourSpread | None:
    """How far volumes and ejection fraction vary over outlines sampled for both phases together.

    Args:
        diastole: the ventricle at end-diastole.
        systole: at end-systole.
        soft: its probability at end-diastole and at end-systole.
        correlation: of the displacements at the two, from -1 to 1.

    Returns:
        The spread, the same for the same input; None where outlines or probabilities are missing.
    """
    widths = [
        None if mask is None else border_widths(trace, mask)
        for trace, mask in zip((diastole, systole), soft, strict=True)
    ]
    if widths[0] is None or widths[1] is None:
        return None
    first, other = _draws()
    both = correlation * first + np.sqrt(max(0.0, 1 - correlation**2)) * other
    volumes = [
        sampled_volumes(trace, moves * width)
        for trace, moves, width in zip((diastole, systole), (first, both), widths, strict=True)
    ]
    ejections = 100 * (1 - volumes[1] / volumes[0])
    spreads = (float(np.std(ejections)), *(float(np.std(np.log(found))) for found in volumes))
    return ContourSpread(*spreads) if all(np.isfinite(spreads)) else None


def sampled_volumes(trace: LongAxisTrace, moves: Float[np.ndarray, "samples places"]) -> Float[np.ndarray, "samples"]:
    """Volume by disks of outlines that are moved outwards, in cubes of the unit of the trace.

    Args:
        trace: with its disks.
        moves: outwards at the places of `border_widths`, in the unit of the trace.
    """
    assert trace.disks is not None
    count = len(trace.disks.diameters)
    diameters = trace.disks.diameters + moves[:, :count] + moves[:, count : 2 * count]
    lengths = trace.disks.length + moves[:, -2] + moves[:, -1]
    # An outline has something inside, however far it is moved.
    areas = (np.maximum(diameters, 0.05 * trace.disks.diameters.max()) ** 2).sum(axis=1)
    return np.asarray(np.pi / 4 * areas * np.maximum(lengths, 0.05 * trace.disks.length) / count)


@cache
def _draws() -> tuple[Float[np.ndarray, "samples places"], Float[np.ndarray, "samples places"]]:
    """Two independent sets of displacements in units of the width, the same in every run."""
    generator = np.random.default_rng(20)
    heights = (np.arange(DISK_COUNT) + 0.5) / DISK_COUNT
    # Along one line from the left hinge over the apex to the right one, on which neighbours move alike.
    along = np.concatenate([heights, 2 - heights, [1.0]])
    kernel = np.exp(-0.5 * (np.subtract.outer(along, along) / _ALONG) ** 2)
    values, vectors = np.linalg.eigh(kernel)
    root = vectors * np.sqrt(np.maximum(values, 0))

    def drawn() -> Float[np.ndarray, "samples places"]:
        smooth = generator.standard_normal((SAMPLES, len(along))) @ root.T
        base = generator.standard_normal((SAMPLES, 1))
        whole = generator.standard_normal((SAMPLES, 1))
        moves = np.sqrt(_WHOLE) * whole + np.sqrt(1 - _WHOLE) * np.concatenate([smooth, base], axis=1)
        # Their mean is taken out: the spread is about the outline itself.
        return np.asarray((moves - moves.mean(axis=0)) / moves.std(axis=0))

    return drawn(), drawn()
