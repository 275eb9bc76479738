"""Linear resampling, one axis at a time, as a product with a small matrix.

A separable linear map is two matrix products, which BLAS does faster than any per-pixel loop; the
matrices say exactly what was done, and the inverse map is one division away. Planes and volumes differ in the number
of maps alone.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8


@dataclass(frozen=True)
class AxisMap:
    """Where each target pixel of one axis lies in the source, in pixel units with centres at + 0.5.

    source_centre = (target_index + 0.5) * scale + offset.

    Args:
        source_size: pixels along the source axis.
        target_size: pixels along the target axis.
        scale: source pixels per target pixel, > 0.
        offset: source coordinate of the target's first edge.

    Example:
        >>> AxisMap.resize(4, 2)
        AxisMap(source_size=4, target_size=2, scale=2.0, offset=0.0)
    """

    source_size: int
    target_size: int
    scale: float = 1.0
    offset: float = 0.0

    @classmethod
    def resize(cls, source_size: int, target_size: int) -> "AxisMap":
        """Stretch the whole source over the whole target."""
        return cls(source_size, target_size, source_size / target_size)

    @classmethod
    def centred(cls, source_size: int, target_size: int, scale: float = 1.0) -> "AxisMap":
        """Keep the middle in the middle; what is missing is padded, what is too much is cropped."""
        return cls(source_size, target_size, scale, (source_size - target_size * scale) / 2)

    def then(self, following: "AxisMap") -> "AxisMap":
        """This map and a following one as a single map, so that pixels are interpolated only once.

        Example:
            >>> AxisMap.resize(8, 4).then(AxisMap.centred(4, 2))
            AxisMap(source_size=8, target_size=2, scale=2.0, offset=2.0)
        """
        scale = self.scale * following.scale
        return AxisMap(self.source_size, following.target_size, scale, self.offset + following.offset * self.scale)

    def inverse(self) -> "AxisMap":
        """The map back from target to source."""
        return AxisMap(self.target_size, self.source_size, 1.0 / self.scale, -self.offset / self.scale)

    @property
    def is_identity(self) -> bool:
        """Whether every target pixel is a source pixel, in order."""
        return self == AxisMap(self.source_size, self.source_size)

    def reach(self, part: slice) -> slice:
        """The targets that see any of some consecutive source pixels.

        Example:
            >>> AxisMap.resize(4, 8).reach(slice(1, 2))  # each target sees the two sources that are nearest to it
            slice(1, 5, None)
        """
        seeing = np.flatnonzero(self.weights()[:, part].any(axis=1))
        return slice(int(seeing[0]), int(seeing[-1]) + 1) if len(seeing) else slice(0, 0)

    def weights(self) -> Float[np.ndarray, "target source"]:
        """Interpolation matrix: triangle kernel, widened when shrinking so that nothing aliases.

        Rows sum to 1 where the target's centre lies on the source, to 0 where it lies outside.
        """
        return _weights(self)


@lru_cache(maxsize=64)
def _weights(axis: AxisMap) -> Float[np.ndarray, "target source"]:
    centres = (np.arange(axis.target_size) + 0.5) * axis.scale + axis.offset
    distance = np.abs(np.arange(axis.source_size) + 0.5 - centres[:, None]) / max(1.0, axis.scale)
    kernel = np.maximum(0.0, 1.0 - distance)
    inside = (centres > 0) & (centres < axis.source_size)
    total = kernel.sum(axis=1)
    kernel *= (inside / np.where(total > 0, total, 1.0))[:, None]
    weights = kernel.astype(np.float32)
    weights.setflags(write=False)  # shared by everyone who asks for this map
    return weights


Maps = tuple[AxisMap, ...]
"""One map per axis of a plane (height, width) or volume (depth, height, width)."""


def resample(
    values: Float[np.ndarray, "*batch_and_axes"], maps: Maps, part: tuple[slice, ...] | None = None
) -> Float[np.ndarray, "*batch_and_target_axes"]:
    """Resample linearly along the last axes, as many as there are maps.

    Args:
        values: float32; planes (..., height, width), volumes (..., depth, height, width).
        maps: one for each of those axes.
        part: what is wanted of the target, along each of them; None for all of it.

    Returns:
        float32 values on the target grid, or the part of it; 0 outside the source.

    Example:
        >>> resample(np.array([[0.0, 2.0]], np.float32), (AxisMap.resize(1, 1), AxisMap.resize(2, 1)))
        array([[1.]], dtype=float32)
    """
    wanted = part or (slice(None),) * len(maps)
    # Axes that shrink come first: the others then have less to do. Those that grow are taken from the last on, so
    # that the product with the most rows, the last one, runs over whole planes.
    shrinking = [index for index, axis in enumerate(maps) if axis.target_size <= axis.source_size]
    growing = [index for index in reversed(range(len(maps))) if index not in shrinking]
    for index in (*shrinking, *growing):
        values = _along(values, maps[index], len(maps) - index, wanted[index])
    return values


def _along(
    values: Float[np.ndarray, "*batch_and_axes"], axis: AxisMap, from_end: int, part: slice
) -> Float[np.ndarray, "*batch_and_target_axes"]:
    """Resample along the axis that stands `from_end` from the end, the last one being 1."""
    if axis.is_identity:
        index: Any = (..., part, *(slice(None),) * (from_end - 1))
        part_of: Float[np.ndarray, "*batch_and_target_axes"] = values[index].copy()
        return part_of
    weights = axis.weights()[part]
    if from_end == 1:
        moved: Float[np.ndarray, "*batch_and_target_axes"] = values @ weights.T
        return moved
    # All that follows the axis is one row to the product: of a plane its width, of a volume its whole slice.
    before, after = values.shape[:-from_end], values.shape[values.ndim - from_end + 1 :]
    rows = values.reshape(*before, values.shape[-from_end], -1)
    result: Float[np.ndarray, "*batch_and_target_axes"] = (weights @ rows).reshape(*before, len(weights), *after)
    return result


def resample_labels(
    labels: UInt8[np.ndarray, "*axes"], maps: Maps, *, class_count: int
) -> UInt8[np.ndarray, "*target_axes"]:
    """Resample a label plane or volume: each class linearly, then the strongest; contours stay smooth.

    Args:
        labels: class indices 0 .. class_count - 1; 0 is background and wins ties.
        maps: one for each axis.
        class_count: number of classes, background included.
    """
    indices = np.arange(1, class_count, dtype=np.uint8).reshape(-1, *(1,) * labels.ndim)
    return strongest(resample((labels == indices).astype(np.float32), maps))


def strongest(
    foreground: Float[np.ndarray, "classes *axes"],
) -> UInt8[np.ndarray, "*axes"]:
    """Index (from 1) of the largest foreground share, 0 where the background's share is at least as large.

    Args:
        foreground: shares of classes 1, 2, ...; the background has what is left to 1.
    """
    most, background = foreground[0], 1.0 - foreground[0]
    winner = np.ones(most.shape, np.uint8)
    # Class by class: reductions over a first axis as short as this one are several times slower.
    for index, share in enumerate(foreground[1:], start=2):
        winner[share > most] = index
        most = np.maximum(most, share)
        background = background - share
    winner[most <= background] = 0
    return winner
