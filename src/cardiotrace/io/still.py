"""PNG, JPEG, BMP and GIF, and whatever else Pillow decodes; several images in one file are frames."""

import contextlib
import io
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.io import deflate
from cardiotrace.io.alpha import without_alpha
from cardiotrace.io.stored import Pixels, StoredImage, check_shape, check_size_on_disk, header_of

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")

_ORIENTATION = 0x0112
_PNG_SAMPLES = {2: 3, 4: 2, 6: 4}
"""Values for each pixel of a PNG, by the type of colour in its header; one for all others."""
_LARGEST_RATIO = {"png": deflate.MAX_RATIO, "gif": 2800, "bmp": 130}
"""How many bytes can come out of one: of deflate, of codes of 12 bits (4096 bytes at most), of run lengths."""
_DEEP_COLOUR = "its 16-bit colours were read as 8 bit"
# Pillow's mode -> (dtype, channels) of what is read; transparency is dropped, a palette resolved.
_MODES = {
    "1": ("u1", 1),
    "L": ("u1", 1),
    "LA": ("u1", 1),
    "La": ("u1", 1),
    "I;16": ("u2", 1),
    "I;16L": ("u2", 1),
    "I;16B": ("u2", 1),
    "I": ("i4", 1),
    "F": ("f4", 1),
}


def kind_of(head: bytes) -> str | None:
    """Which of these formats a file begins as: "png", "jpeg", "bmp" or "gif"; None for others."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    is_bitmap = head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124)
    return "bmp" if is_bitmap else None


class _Clamped(io.BufferedReader):
    """A file that takes no memory for more bytes than it holds: lengths in damaged files can be anything."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return super().read()
        return super().read(min(size, max(0, os.fstat(self.fileno()).st_size - self.tell())))


@dataclass(frozen=True)
class StillHeader:
    """What is kept of an image to decode it."""

    kind: str
    """As `kind_of` names it."""
    is_deep: bool
    """Colour of 16 bit, of which 8 are read."""


@contextlib.contextmanager
def opened(path: Path, kind: str) -> Iterator[Any]:
    """An image opened by the decoder of its own format alone; its pixels are not read yet."""
    from PIL import Image

    with _Clamped(io.FileIO(path)) as file, Image.open(file, formats=[kind.upper()]) as image:
        yield image


def mode_facts(mode: str) -> tuple[np.dtype[Any], int]:
    """Type and number of channels of what an image of Pillow's mode is read as."""
    kind, channels = _MODES.get(mode, ("u1", 3))
    return np.dtype(kind), channels


def read_header(path: Path, suffix: str, kind: str, head: bytes) -> StoredImage:
    """Size and type of an image, or of an animation.

    Raises:
        InputError: one of absurd size.
    """
    with opened(path, kind) as raster:
        shape: tuple[int, ...] = raster.size
        count = int(getattr(raster, "n_frames", 1)) if kind in ("png", "gif") else 1
        if raster.getexif().get(_ORIENTATION, 1) >= 5:  # stored lying down, shown upright
            shape = shape[::-1]
        dtype, channels = mode_facts(raster.mode)
    if count > 1:
        shape, channels = (*shape, count), 3 if kind == "gif" else channels
    is_deep = _is_deep(kind, head)
    image = StoredImage(
        path, "image", suffix, shape, dtype, channel_count=channels, third_is_time=True, is_lossy=kind == "jpeg",
        header=StillHeader(kind, is_deep), notes=(_DEEP_COLOUR,) if is_deep else (),
    )  # fmt: skip
    check_shape(image)
    if kind in _LARGEST_RATIO and (count == 1 or kind == "png"):  # frames of a GIF may hold what changes alone
        needed = math.prod(shape) * _bits_per_pixel(kind, head) // 8
        check_size_on_disk(image, path.stat().st_size * _LARGEST_RATIO[kind], compressed=False, needed=needed)
    return image


def _is_deep(kind: str, head: bytes) -> bool:
    """Whether it is a PNG of 16 bit that is no plain grey: the byte of the depth, and that of the type of colour."""
    return kind == "png" and head[24:25] == b"\x10" and head[25:26] in (b"\x02", b"\x04", b"\x06")


def _bits_per_pixel(kind: str, head: bytes) -> int:
    """As they are compressed."""
    if kind == "png":
        return head[24] * _PNG_SAMPLES.get(head[25], 1)
    return 8 if kind == "gif" else int.from_bytes(head[28:30], "little")


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """Pixels ([frame,] row, column[, 3]), upright as viewers show them.

    Raises:
        InputError: the raster lies in its transparency, or holds no exact labels where they are wanted.
    """
    from PIL import ImageOps

    header = header_of(image, StillHeader)
    if as_labels and (header.is_deep or len(image.shape) > 2):
        what = "16-bit colour" if header.is_deep else "an animation"
        raise InputError(f"is {what}, not a label map", where=image.path, remedy="store labels as grey .png or .tif.")
    with opened(image.path, header.kind) as raster:
        if len(image.shape) == 2:
            raster.load()
            return Pixels(decoded(ImageOps.exif_transpose(raster), image.path, as_labels=as_labels))
        width, height, count = image.shape
        channels = (3,) if image.channel_count == 3 else ()
        frames = np.empty((count, height, width, *channels), image.dtype)
        for index in range(count):
            raster.seek(index)
            frames[index] = np.asarray(raster.convert("RGB")) if channels else decoded(raster, image.path)
    return Pixels(frames)


def decoded(image: Any, path: Path, *, as_labels: bool = False) -> NDArray[Any]:
    """Pixels of an opened image; black and white are 0 and 255, the transparency is dropped.

    Args:
        image: as Pillow opened it.
        path: its file, for messages.
        as_labels: the indices of a palette are wanted, not its colours.

    Raises:
        InputError: what matters lies in the transparency.
    """
    mode = image.mode
    if mode == "P" and as_labels:
        return _indices(image, path)
    if mode == "1":
        return np.array(image.convert("L"))
    if mode == "P" and "transparency" in image.info:
        image, mode = image.convert("RGBA"), "RGBA"
    elif mode in ("PA", "RGBa", "La"):
        mode = {"PA": "RGBA", "RGBa": "RGBA", "La": "LA"}[mode]
        image = image.convert(mode)
    if mode in ("RGBA", "LA"):
        return without_alpha(np.array(image), path, as_labels=as_labels)
    return np.array(image if mode in _MODES or mode == "RGB" else image.convert("RGB"))


def _indices(image: Any, path: Path) -> NDArray[np.uint8]:
    """Indices of a palette, unless colours that are the same differ in transparency alone."""
    indices = np.array(image)
    if "transparency" in image.info:
        rgba = np.array(image.convert("RGBA"))
        used = np.unique(indices, return_index=True)[1]
        colours = rgba.reshape(-1, 4)[used]
        if len(np.unique(colours[:, :3], axis=0)) < len(np.unique(colours, axis=0)):
            without_alpha(rgba, path, as_labels=True)
    return indices
