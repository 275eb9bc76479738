"""What every format says of a file before its pixels are read, and the bounds that are checked then."""

import contextlib
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import CardioTraceError, InputError, WorkError
from cardiotrace.core.image import FileSource
from cardiotrace.io import deflate

MAX_PIXEL_BYTES = 2 * 1024**3
"""Largest uncompressed image that is read: 2 GiB, about 14 hours of 112 x 112 echo."""

ThirdAxis = Literal["auto", "depth", "time"]
GridShape = tuple[int, ...]
"""(time, depth, height, width)."""


@dataclass(frozen=True)
class StoredImage:
    """The header of an image file, with axes as the file counts them: x fastest, then y, z, t."""

    path: Path
    format: str
    suffix: str
    shape: tuple[int, ...]
    """(x, y), (x, y, n) or (x, y, z, t)."""
    dtype: np.dtype[Any]
    """As stored, before any rescaling."""
    spacing_mm: tuple[float, ...] | None = None
    """(x, y[, z]), mm, unchecked: zero and negative values stand as they are in the file."""
    affine: NDArray[np.float64] | None = None
    """4 x 4, from (x, y, z, 1) to `core.geometry.COORDINATES`, mm; its columns are as long as `spacing_mm`. None where
    the file says nothing of directions."""
    is_oriented: bool = False
    """Whether somebody set the affine: an axis-aligned one from the point of origin is what writers fall back on."""
    doubts: tuple[str, ...] = ()
    """In words, where the header contradicts itself."""
    times_ms: NDArray[np.float64] | None = None
    channel_count: int = 1
    third_is_time: bool = False
    """The format itself says that a third axis is time, as films do."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What the format needs to read the pixels and to write labels onto the same grid."""

    @property
    def byte_count(self) -> int:
        """Bytes of the uncompressed pixels."""
        return math.prod(self.shape) * self.channel_count * self.dtype.itemsize


Reader = Callable[[StoredImage], NDArray[Any]]
"""Reads the pixels: ([[t,] z,] y, x[, channel]), as stored."""


def check_shape(image: StoredImage) -> None:
    """Refuse a header before anything is allocated for it: wrong number of axes, empty, or absurdly large.

    Raises:
        InputError: naming the shape.
    """
    if not 2 <= len(image.shape) <= 4:
        spare = [number for number, length in enumerate(image.shape, start=1) if length == 1 and number > 2]
        remedy = "split it into one file per channel or component."
        raise InputError(
            f"an image needs 2 to 4 axes (x, y[, z[, t]]), this one has {len(image.shape)}: {image.shape}",
            where=image.path,
            remedy=f"drop its axis {spare[-1]}, which has length 1." if len(image.shape) > 4 and spare else remedy,
        )
    if min(image.shape) < 1:
        raise InputError(
            f"the header claims an image without pixels: shape {image.shape}",
            where=image.path,
            remedy="export the image again.",
        )
    if image.byte_count > MAX_PIXEL_BYTES:
        raise InputError(
            f"the header claims {image.byte_count / 2**30:.1f} GiB of pixels (shape {image.shape})",
            where=image.path,
            remedy=f"at most {MAX_PIXEL_BYTES / 2**30:.0f} GiB is read: crop or split it, or mend the header.",
        )


def check_size_on_disk(image: StoredImage, available: int, *, compressed: bool, file: Path | None = None) -> None:
    """Refuse a header that claims more pixels than `available` bytes on disk can hold.

    Raises:
        InputError: the file is cut short, or its header wrong.
    """
    capacity = available * deflate.MAX_RATIO if compressed else available
    if image.byte_count > capacity:
        raise InputError(
            f"the header claims {image.byte_count} bytes of pixels (shape {image.shape}), "
            f"the file holds {'at most ' if compressed else ''}{capacity}",
            where=file or image.path,
            remedy="the file is cut short or its header is wrong: copy or export it again.",
        )


@contextlib.contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a library raises, warns or logs about a damaged file into one clear error.

    Raises:
        InputError: anything went wrong inside.
        WorkError: there is too little memory.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except CardioTraceError:
            raise
        except MemoryError:
            raise WorkError("too little memory to read it", where=path, remedy="close other programs.") from None
        except PermissionError:
            raise InputError("may not be read", where=path, remedy="change its permissions.") from None
        except Exception as error:
            reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
            raise InputError(
                f"is not a {kind} file that can be read ({reason[0]})",
                where=path,
                remedy="the file is damaged or has the wrong suffix: open it in a viewer, or export it again.",
            ) from error


@contextlib.contextmanager
def quiet(logger_name: str) -> Iterator[None]:
    """Keep a library's log off the terminal while it looks at a file that may be damaged."""
    logger = logging.getLogger(logger_name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def is_axis_aligned(matrix: NDArray[np.float64]) -> bool:
    """Whether each axis runs along x, y and z in this order, either way.

    Example:
        >>> is_axis_aligned(np.diag([-1.0, 1.0, 2.0])), is_axis_aligned(np.eye(3)[[1, 0, 2]])
        (True, False)
    """
    off_diagonal = matrix - np.diag(np.diag(matrix))
    return bool(np.abs(off_diagonal).max() <= 1e-6 * np.abs(matrix).max())


def own_shape(grid: GridShape) -> tuple[int, ...]:
    """Shape (x, y[, z[, t]]) for what lies on no file's grid (time, depth, height, width): as few axes as it needs."""
    shape = tuple(reversed(grid))
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def stored_shape(grid: GridShape, source: FileSource) -> tuple[int, ...]:
    """Shape of a grid (time, depth, height, width) with the axes of its image file; only frames may be more or fewer.

    Raises:
        InputError: it is another grid than the file's.
    """
    time, depth, height, width = grid
    axes: str = source.details["axes"]
    image: tuple[int, ...] = tuple(source.details["shape"])
    lengths = {"x": width, "y": height, "z": depth, "t": time}
    shape = tuple(lengths[axis] for axis in axes)
    differs = any(mine != theirs for axis, mine, theirs in zip(axes, shape, image, strict=True) if axis != "t")
    if differs or math.prod(shape) != math.prod(grid):
        raise InputError(
            f"pixels of shape {grid} do not lie on the image's grid, {image} along {', '.join(axes)}",
            where=source.path,
            remedy="bring them back onto the image's own grid before writing them.",
        )
    return shape
