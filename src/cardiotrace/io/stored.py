"""What every format says of a file before its pixels are read, and the bounds that are checked then."""

import contextlib
import logging
import math
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import CardioTraceError, InputError, WorkError
from cardiotrace.core.geometry import Known
from cardiotrace.core.image import NO_ACQUISITION, Acquisition, FileSource
from cardiotrace.core.terms import Modality, View
from cardiotrace.io import deflate

MAX_PIXEL_BYTES = 2 * 1024**3
"""Largest image that is read, by its pixels as they come to lie in memory: 2 GiB, about 14 hours of 112 x 112 echo."""

_OBJECT = re.compile(r" ?<.*>")
_LONGEST_REASON = 200
"""Characters of what a library says of a damaged file."""

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
    times: Known = Known.FILE
    """How the instants are known, where they are."""
    channel_count: int = 1
    third_is_time: bool = False
    """The format itself says that a third axis is time, as videos do."""
    name: str = ""
    """Of one image among several that lie in one file or set of files; empty where it is the only one."""
    acquisition: Acquisition = NO_ACQUISITION
    """What the file says of the recording."""
    view: View = View.UNKNOWN
    """The anatomical plane, where the file itself states it."""
    modality: Modality = Modality.UNKNOWN
    """How the image was made, where the file itself states it."""
    pixel_file: Path | None = None
    """Where the pixels lie, if the format may keep them apart from the header."""
    frame_interval_ms: float | None = None
    header: object = None
    """What the format needs to read the pixels and to write labels onto the same grid, of a type of its own."""
    notes: tuple[str, ...] = ()
    """In words, what was assumed or left out in reading the file."""
    is_lossy: bool = False
    """The pixels were compressed with loss: no exact label values."""
    scaling: tuple[float, float] = (1.0, 0.0)
    """Slope and intercept that the header asks for."""

    @property
    def stem(self) -> str:
        """The file's name without its suffix."""
        return self.path.name.removesuffix(self.suffix)

    @property
    def is_rescaled(self) -> bool:
        """Whether the header asks for a slope or an intercept: single precision comes out."""
        return self.scaling != (1.0, 0.0)

    @property
    def byte_count(self) -> int:
        """Bytes of the uncompressed pixels, as stored."""
        return math.prod(self.shape) * self.channel_count * self.dtype.itemsize

    @property
    def decoded_byte_count(self) -> int:
        """Bytes of the pixels as they come to lie in memory, at least those that are stored."""
        itemsize = max(self.dtype.itemsize, 4) if self.is_rescaled else self.dtype.itemsize
        return math.prod(self.shape) * self.channel_count * itemsize


@dataclass(frozen=True)
class Pixels:
    """The pixels of a file, and what only decoding shows."""

    values: NDArray[Any]
    """([[t,] z,] y, x[, 3]), as stored."""
    strong_colour: float = 0.0
    """Largest share of strongly coloured pixels in a frame, where the reader has dropped the colour."""


Header = TypeVar("Header")


def header_of(image: StoredImage | FileSource, kind: type[Header]) -> Header:
    """The header as the format itself keeps it, of the type that it keeps.

    Raises:
        TypeError: another format read the file.
    """
    if not isinstance(image.header, kind):
        raise TypeError(f"{image.path} has no {kind.__name__}: {image.format} read it")
    return image.header


class Reader(Protocol):
    """Reads the pixels of a file whose header was read."""

    def __call__(self, image: StoredImage, *, as_labels: bool = False) -> Pixels:
        """The pixels.

        Args:
            image: the header.
            as_labels: label values are wanted: the indices of a palette, not its colours.
        """


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
    if image.decoded_byte_count > MAX_PIXEL_BYTES:
        raise InputError(
            f"the header claims {_gibibytes(image.decoded_byte_count)} of pixels (shape {_shown(image.shape)})",
            where=image.path,
            remedy=f"at most {MAX_PIXEL_BYTES / 2**30:.0f} GiB is read: crop or split it, or mend the header.",
        )


def _gibibytes(byte_count: int) -> str:
    return f"{byte_count / 2**30:.1f} GiB" if byte_count < 2**60 else "more than a thousand million GiB"


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) if length < 10**12 else "..." for length in shape)


def check_size_on_disk(
    image: StoredImage, available: int, *, compressed: bool, file: Path | None = None, needed: int | None = None
) -> None:
    """Refuse a header that claims more pixels than `available` bytes on disk can hold.

    Args:
        image: the header.
        available: bytes of pixels on disk.
        compressed: whether they are compressed by deflate.
        file: where the pixels lie, for the message.
        needed: bytes that the pixels need, where a byte does not hold a pixel.

    Raises:
        InputError: the file is cut short, or its header wrong.
    """
    capacity = available * deflate.MAX_RATIO if compressed else available
    needed = image.byte_count if needed is None else needed
    if needed > capacity:
        raise InputError(
            f"the header claims {needed} bytes of pixels (shape {image.shape}), "
            f"the file holds {'at most ' if compressed else ''}{max(0, capacity)}",
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
        except (RecursionError, OverflowError):
            raise InputError(
                f"is not {kind} file that can be read (its header holds impossible numbers)",
                where=path,
                remedy="the file is damaged: export it again.",
            ) from None
        except Exception as error:
            raise InputError(
                f"is not {kind} file that can be read ({_reason(error)})",
                where=path,
                remedy="the file is damaged or has the wrong suffix: open it in a viewer, or export it again.",
            ) from error


def _reason(error: Exception) -> str:
    """The last line of what a library says of a file, without the Python objects that it names."""
    last = str(error).strip().splitlines()[-1:] or [type(error).__name__]
    return _OBJECT.sub("", last[0])[:_LONGEST_REASON]


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


@contextlib.contextmanager
def silent_library() -> Iterator[None]:
    """Keep what a C library writes to the standard error stream off the terminal; it quotes the file.

    Other threads are silent for as long, so it is for single calls.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is no such stream
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def spans_space(directions: NDArray[np.float64]) -> bool:
    """Whether three directions are none of them zero, nor all in one plane."""
    lengths = np.linalg.norm(directions, axis=0)
    return bool(lengths.all()) and bool(abs(np.linalg.det(directions / lengths)) > _LEAST_SPANNED)


_LEAST_SPANNED = 1e-3


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
    axes, image = source.axes, source.shape
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
