"""The square around a heart in which its shape is looked at: as wide as its area asks for, about its middle."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from cardiotrace.geometry.component import largest_component
from cardiotrace.geometry.resample import AxisMap
from cardiotrace.preprocessing import ResamplingTransform

FRAME_WIDTH = 2.4
"""Side of the frame over the root of the labelled area: no reference of CAMUS or ACDC reaches beyond."""


@dataclass(frozen=True)
class ShapeFrame:
    """Where the frame lies in a plane."""

    shape: tuple[int, int]
    """Rows and columns of the plane."""
    centre: tuple[float, float]
    """Its middle, in pixels from the first edges."""
    sides: tuple[float, float]
    """Its rows and columns, pixels of the plane."""

    @classmethod
    def of(cls, labels: UInt8[np.ndarray, "height width"], pixel_mm: tuple[float, float]) -> "ShapeFrame | None":
        """The frame of the largest piece that is labelled; None where nothing is.

        Args:
            labels: background is 0.
            pixel_mm: size of a pixel (row, column); only their ratio matters.

        Example:
            >>> labels = np.zeros((40, 40), np.uint8)
            >>> labels[10:20, 10:30] = 1
            >>> ShapeFrame.of(labels, (2.0, 1.0))
            ShapeFrame(shape=(40, 40), centre=(15.0, 20.0), sides=(24.0, 48.0))
        """
        if not labels.any():
            return None
        heart = largest_component(labels > 0, "full")
        rows, columns = np.nonzero(heart)
        side_mm = FRAME_WIDTH * (len(rows) * pixel_mm[0] * pixel_mm[1]) ** 0.5
        centre = (float(rows.mean()) + 0.5, float(columns.mean()) + 0.5)
        return cls((labels.shape[0], labels.shape[1]), centre, (side_mm / pixel_mm[0], side_mm / pixel_mm[1]))

    def grid(self, side: int) -> ResamplingTransform:
        """From the plane to so many rows and columns within the frame, and back."""
        first, second = (
            AxisMap(size, side, length / side, middle - length / 2)
            for size, middle, length in zip(self.shape, self.centre, self.sides, strict=True)
        )
        return ResamplingTransform((first, second))

    def inside(self) -> Bool[np.ndarray, "height width"]:
        """Pixels of the plane that lie in the frame."""
        rows, columns = (
            np.abs(np.arange(size) + 0.5 - middle) < length / 2
            for size, middle, length in zip(self.shape, self.centre, self.sides, strict=True)
        )
        return np.asarray(rows[:, None] & columns[None, :])

    def maps(
        self, labels: UInt8[np.ndarray, "height width"], classes: int, side: int
    ) -> Float[np.ndarray, "classes side side"]:
        """Share of each class, background first, in every pixel of the frame's grid.

        Args:
            labels: class of every pixel of the plane.
            classes: background included.
            side: rows and columns of the grid.
        """
        wanted = np.arange(1, classes, dtype=np.uint8)[:, None, None]
        shares = self.grid(side).apply((labels == wanted).astype(np.float32))
        return np.concatenate([1 - shares.sum(axis=0, keepdims=True), shares])
