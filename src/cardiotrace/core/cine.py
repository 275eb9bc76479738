"""Images over time, and the file they came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import View

Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class Origin:
    """Where an image came from: all that is needed to write a label map onto the same grid.

    Only `cardiotrace.io` looks inside `details`.
    """

    path: Path
    format: str
    """Name of the format that read it: "nifti", "metaimage", "picture", "video"."""
    suffix: str
    """File name suffix as it stood on disk, such as ".nii.gz"."""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """File name without its suffix."""
        return self.path.name.removesuffix(self.suffix)


@dataclass(frozen=True)
class Cine:
    """A still or moving image: `frames` (time, depth, height, width) and how large its pixels are.

    Rows run down the picture: the apex of an apical view is at the top. Colour pictures have a
    trailing channel axis of three. Stills have one frame, planar images a depth of one.

    Args:
        frames: uint8, uint16, int16 or float32 grey values, finite.
        spacing_mm: (depth, height, width), mm; None where the file does not say (photographs).
        times_ms: one instant per frame, ms from the first; None where unknown.
        view: how the heart is looked at.
        origin: the file, for writing results back onto its grid.

    Raises:
        InputError: wrong number of axes, an empty axis, bad spacing, or as many times as frames fail to match.
    """

    frames: NDArray[Any]
    spacing_mm: Spacing | None
    times_ms: NDArray[np.float64] | None = None
    view: View = View.UNKNOWN
    origin: Origin | None = None

    def __post_init__(self) -> None:
        where = None if self.origin is None else self.origin.path
        if self.frames.ndim not in (4, 5) or (self.frames.ndim == 5 and self.frames.shape[4] != 3):
            raise InputError(
                f"an image needs axes (time, depth, height, width[, 3]), got shape {self.frames.shape}",
                where=where,
            )
        if 0 in self.frames.shape:
            raise InputError(f"the image is empty: shape {self.frames.shape}", where=where)
        if self.spacing_mm is not None:
            check_spacing(self.spacing_mm, where=where)
        if self.times_ms is not None and len(self.times_ms) != len(self.frames):
            raise InputError(f"{len(self.times_ms)} times for {len(self.frames)} frames", where=where)

    @property
    def grid_shape(self) -> tuple[int, int, int, int]:
        """(time, depth, height, width), without the channel axis."""
        time, depth, height, width = self.frames.shape[:4]
        return time, depth, height, width

    @property
    def is_colour(self) -> bool:
        """Whether there is a trailing channel axis."""
        return self.frames.ndim == 5


def check_spacing(spacing_mm: tuple[float, ...], *, where: str | Path | None = None) -> None:
    """Refuse pixel sizes that cannot be: zero, negative, infinite or not a number.

    Raises:
        InputError: naming the spacing.
    """
    if not all(np.isfinite(value) and value > 0 for value in spacing_mm):
        raise InputError(
            f"pixel spacing must be positive millimetres, got {tuple(float(v) for v in spacing_mm)}",
            where=where,
            remedy="correct the header, or give the true size with --spacing-mm HEIGHT WIDTH.",
        )
