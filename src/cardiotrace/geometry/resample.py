"""Linear resampling, one axis at a time, as a product with a small matrix.

A separable linear map is two matrix products, which BLAS does faster than any per-pixel loop; the
matrices say exactly what was done, and the inverse placement is one division away.
"""

from dataclasses import dataclass
from functools import lru_cache

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


WHOLE = (slice(None), slice(None))
"""A plane's part that is all of it."""


def resample(
    planes: Float[np.ndarray, "*batch height width"],
    rows: AxisMap,
    columns: AxisMap,
    part: tuple[slice, slice] = WHOLE,
) -> Float[np.ndarray, "*batch target_height target_width"]:
    """Resample planes linearly along both axes.

    Args:
        planes: float32 values.
        rows: map of the height axis.
        columns: map of the width axis.
        part: rows and columns of the target that are wanted.

    Returns:
        float32 planes on the target grid, or the part of it; 0 outside the source.

    Example:
        >>> resample(np.array([[0.0, 2.0]], np.float32), AxisMap.resize(1, 1), AxisMap.resize(2, 1))
        array([[1.]], dtype=float32)
    """
    if rows.target_size <= rows.source_size:
        return _along_columns(_along_rows(planes, rows, part[0]), columns, part[1])
    return _along_rows(_along_columns(planes, columns, part[1]), rows, part[0])


def _along_rows(
    planes: Float[np.ndarray, "*batch height width"], rows: AxisMap, part: slice
) -> Float[np.ndarray, "*batch new_height width"]:
    if rows.is_identity:
        return planes[..., part, :].copy()
    moved: Float[np.ndarray, "*batch new_height width"] = rows.weights()[part] @ planes
    return moved


def _along_columns(
    planes: Float[np.ndarray, "*batch height width"], columns: AxisMap, part: slice
) -> Float[np.ndarray, "*batch height new_width"]:
    if columns.is_identity:
        return planes[..., part].copy()
    moved: Float[np.ndarray, "*batch height new_width"] = planes @ columns.weights()[part].T
    return moved


def resample_labels(
    labels: UInt8[np.ndarray, "height width"], rows: AxisMap, columns: AxisMap, *, class_count: int
) -> UInt8[np.ndarray, "target_height target_width"]:
    """Resample a label plane: each class linearly, then the strongest; contours stay smooth.

    Args:
        labels: class indices 0 .. class_count - 1; 0 is background and wins ties.
        rows: map of the height axis.
        columns: map of the width axis.
        class_count: number of classes, background included.
    """
    classes = (labels == np.arange(1, class_count, dtype=np.uint8)[:, None, None]).astype(np.float32)
    return strongest(resample(classes, rows, columns))


def strongest(
    foreground: Float[np.ndarray, "classes height width"],
) -> UInt8[np.ndarray, "height width"]:
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
