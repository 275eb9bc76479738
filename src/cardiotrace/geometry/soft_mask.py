"""How sure a border is: the probability of one structure in one plane, kept small."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.geometry.box import bounding_box
from cardiotrace.geometry.resample import AxisMap

_LEAST = 0.01
"""Probability below which a pixel is left out: what lies outside the box counts as 0."""


@dataclass(frozen=True, eq=False)
class SoftMask:
    """The probability of a structure where it is likely at all, on a grid of its own over the image.

    A box of bytes, some 15 kB for a ventricle on a grid of 256 x 256: those of every frame of a film can be kept.

    Example:
        >>> left = np.repeat(np.array([[1.0, 1.0, 0.5, 0.0]], np.float32), 4, axis=0)
        >>> soft = SoftMask.of(left, (AxisMap.resize(8, 4), AxisMap.resize(8, 4)))
        >>> soft.at(np.array([[3.5, 0.5], [3.5, 4.5], [3.5, 7.5]])).round(2).tolist()
        [1.0, 0.5, 0.0]
    """

    values: UInt8[np.ndarray, "height width"]
    """In 255ths."""
    first: tuple[int, int]
    """Place of the first of them on the whole grid."""
    axes: tuple[AxisMap, ...]
    """Where the whole grid lies in the image: rows, columns."""

    @classmethod
    def of(cls, probability: Float[np.ndarray, "height width"], axes: tuple[AxisMap, ...]) -> Self:
        """The part of a map of probabilities that is worth keeping.

        Args:
            probability: from 0 to 1, on the whole grid.
            axes: where that grid lies in the image: rows, columns.
        """
        box = bounding_box(probability > _LEAST)
        values = np.rint(probability[box] * np.float32(255)).astype(np.uint8)
        return cls(values, (box[0].start, box[1].start), axes)

    def at(self, points: Float[np.ndarray, "*points 2"]) -> Float[np.ndarray, "*points"]:
        """The probability at points of the image, linear between pixels.

        Args:
            points: (row, column) in pixels of the image from the centre of its first one.
        """
        if not self.values.size:
            return np.zeros(points.shape[:-1])
        places = [
            (points[..., axis] + 0.5 - one.offset) / one.scale - 0.5 - self.first[axis]
            for axis, one in enumerate(self.axes)
        ]
        padded = np.pad(self.values, 1).astype(np.float32) / np.float32(255)  # what is left out is 0
        rows, columns = (np.clip(place + 1, 0, size - 1.001) for place, size in zip(places, padded.shape, strict=True))
        row, column = rows.astype(int), columns.astype(int)
        down, right = rows - row, columns - column
        above = padded[row, column] * (1 - right) + padded[row, column + 1] * right
        below = padded[row + 1, column] * (1 - right) + padded[row + 1, column + 1] * right
        return np.asarray(above * (1 - down) + below * down)
