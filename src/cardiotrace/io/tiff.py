"""TIFF: pages are a third axis, or a third and a fourth where the file says so; upright, as viewers show them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.io import deflate
from cardiotrace.io.alpha import without_alpha
from cardiotrace.io.directory import Directory, below, directories
from cardiotrace.io.page_order import PageOrder, page_order
from cardiotrace.io.still import decoded, mode_facts, opened
from cardiotrace.io.stored import Pixels, StoredImage, check_shape, check_size_on_disk, header_of, silent_library

SUFFIXES = (".tif", ".tiff")

_DEFLATE = (8, 32946)
_LOSSY = (6, 7, 33003, 33005, 34712, 34892, 50001)
_LARGEST_RATIO = {1: 1, **dict.fromkeys(_DEFLATE, deflate.MAX_RATIO), 5: 2800, 32773: 64}
"""How many bytes can come out of one; 5 is LZW, whose codes of 12 bits stand for 4096 bytes at most, 32773 PackBits."""
_MOST_SPARE_BYTES = 64 * 1024**2
"""By how much a strip or tile may be larger than its image."""


@dataclass(frozen=True)
class TiffHeader:
    """What is kept of a TIFF to decode it."""

    indices: tuple[int, ...]
    """Of the pages that are images of their own."""
    order: PageOrder


@dataclass(frozen=True)
class _TiffFacts:
    """What a TIFF holds, before any pixel is read."""

    indices: tuple[int, ...]
    """Of the pages that are images of their own."""
    order: PageOrder
    size: tuple[int, int]
    """Of an upright page."""
    dtype: np.dtype[Any]
    channel_count: int
    compression: int
    bits_per_pixel: int


def begins(head: bytes) -> bool:
    """Whether a file begins as TIFF or BigTIFF does."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_header(path: Path, suffix: str) -> StoredImage:
    """Size and type of a TIFF, its pages being frames.

    Raises:
        InputError: pages that differ, several series, or anything else that is not one image.
    """
    chain = directories(path)
    indices, notes = _images(path, chain)
    facts = _facts(path, indices)
    image = StoredImage(
        path, "image", suffix, facts.size + facts.order.shape, facts.dtype,
        channel_count=facts.channel_count, third_is_time=facts.order.third_is_time,
        header=TiffHeader(facts.indices, facts.order), notes=notes,
        is_lossy=facts.compression in _LOSSY,
    )  # fmt: skip
    check_shape(image)
    _check_size(image, facts)
    return image


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """Pixels ([[page,] page,] row, column[, 3]), upright.

    Raises:
        InputError: a page is damaged, changes its size, or hides its image in the transparency.
    """
    order = header_of(image, TiffHeader).order
    channels = () if image.channel_count == 1 or (as_labels and _is_palette(image)) else (3,)
    result = np.empty((order.count, *image.shape[1::-1], *channels), image.dtype.newbyteorder("="))
    for index, page in enumerate(_pages(image, as_labels=as_labels)):
        if page.shape != result.shape[1:]:
            raise InputError(
                f"its page {index + 1} holds {page.shape} pixels, the first {result.shape[1:]}", where=image.path
            )
        result[index] = page
    return Pixels(order.arranged(result))


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """An image as it is meant to be seen.

    Args:
        pixels: (row, column[, 3]) as stored.
        orientation: what TIFF's tag 274 and EXIF say, 1 to 8.

    Example:
        >>> upright(np.array([[1, 2]]), 6).tolist()
        [[1], [2]]
    """
    # Eight orientations are a transpose and two mirrors; the transpose must come first, as it exchanges the mirrors.
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels[::-1] if orientation in (3, 4, 7, 8) else pixels


def _images(path: Path, chain: Sequence[Directory]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Indices of the pages that are images of their own, and a word on the others."""
    if not chain:
        raise InputError("holds no image", where=path, remedy="export it again.")
    # Where every page calls itself a copy or a mask, the first is the image.
    indices = tuple(index for index, page in enumerate(chain) if not page.is_beside) or (0,)
    deeper = sum(not page.is_beside for index in indices for page in below(path, chain[index]))
    if deeper:
        raise InputError(
            f"holds {len(indices)} images and {deeper} more below them (SubIFDs)",
            where=path,
            remedy="save the images that belong together as the pages of a TIFF of their own.",
        )
    left_out = len(chain) - len(indices)
    return indices, (f"{left_out} smaller copies or masks in the file were left out",) if left_out else ()


def _check_size(image: StoredImage, facts: _TiffFacts) -> None:
    """Refuse pages that the file is too short for, where the compression has a bound."""
    ratio = _LARGEST_RATIO.get(facts.compression)
    needed = facts.order.count * facts.size[0] * facts.size[1] * facts.bits_per_pixel // 8
    if ratio is not None:
        check_size_on_disk(image, image.path.stat().st_size * ratio, compressed=False, needed=needed)


def _facts(path: Path, indices: tuple[int, ...]) -> _TiffFacts:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        pages = [tiff.pages[index] for index in indices]
        first = pages[0]
        for page in pages:
            if _kind(page) != _kind(first):
                raise InputError(
                    f"its pages differ: {_described(first)} and {_described(page)}",
                    where=path,
                    remedy="save the pages of one video as a TIFF of their own.",
                )
            _check_segments(page, path)
        order = page_order(pages, path)
        if order.is_block and len(pages) == 1:
            _check_block(first, order, path)
        dtype, channels = _type(first, path)
    size = (int(first.imagewidth), int(first.imagelength))
    return _TiffFacts(
        indices, order, size[::-1] if _orientation(first) >= 5 else size, dtype, channels,
        int(first.compression), int(first.bitspersample) * int(first.samplesperpixel),
    )  # fmt: skip


def _kind(page: Any) -> tuple[Any, ...]:
    # Of the orientation only what exchanges the sides: pages that are mirrored unlike still make one video.
    return page.shape, page.dtype, page.photometric, _orientation(page) >= 5


def _described(page: Any) -> str:
    return f"{' x '.join(map(str, page.shape))[:40]} {page.dtype}"


def _orientation(page: Any) -> int:
    tag = page.tags.get(274)
    return int(tag.value) if tag is not None and tag.value in range(1, 9) else 1


def _type(page: Any, path: Path) -> tuple[np.dtype[Any], int]:
    if not _read_by_tifffile(page):
        with opened(path, "tiff") as image:
            return mode_facts(image.mode)
    if page.ndim != 2 and not (page.ndim == 3 and page.samplesperpixel in (2, 3, 4)):
        raise InputError(
            f"pages of shape {' x '.join(map(str, page.shape))} are no images",
            where=path,
            remedy="save one image, grey or in colour, as each page.",
        )
    return np.dtype(page.dtype), 3 if page.samplesperpixel >= 3 else 1


def _read_by_tifffile(page: Any) -> bool:
    """Whether tifffile alone can read a page; Pillow knows palettes and more compressions, but not 16-bit colour."""
    return page.photometric in (0, 1, 2) and page.compression in (1, *_DEFLATE) and page.bitspersample >= 8


def _is_palette(image: StoredImage) -> bool:
    with opened(image.path, "tiff") as raster:
        return bool(raster.mode == "P")


def _check_segments(page: Any, path: Path) -> None:
    """Refuse strips and tiles that unpack to more than their part of the image: libraries would make all of it."""
    expected = _segment_bytes(page)
    if expected > math.prod(page.shape) * page.bitspersample // 8 + _MOST_SPARE_BYTES:
        raise InputError("has tiles far larger than its image", where=path, remedy="it is damaged: export it again.")
    if page.compression not in _DEFLATE:
        return
    with path.open("rb") as file:
        for offset, byte_count in zip(page.dataoffsets, page.databytecounts, strict=True):
            file.seek(offset)
            if deflate.is_longer(file.read(byte_count), expected):
                raise InputError(
                    f"a strip of it unpacks to more than the {expected} bytes that its header claims",
                    where=path,
                    remedy="the file is damaged: export it again.",
                )


def _segment_bytes(page: Any) -> int:
    """Bytes of one strip or tile, unpacked."""
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    if page.is_tiled:
        count = page.tilewidth * page.tilelength * page.tiledepth
    else:
        count = page.imagewidth * min(page.rowsperstrip, page.imagelength) * page.imagedepth
    return (int(count) * samples * int(page.bitspersample) + 7) // 8 + 8


def _check_block(page: Any, order: PageOrder, path: Path) -> None:
    """Whether all images stand in one block behind the only page, as ImageJ writes large stacks."""
    held = path.stat().st_size - int(page.dataoffsets[0])
    needed = order.count * math.prod(page.shape) * np.dtype(page.dtype).itemsize
    if page.compression != 1 or page.samplesperpixel != 1 or page.is_tiled or held < needed:
        raise InputError(
            f"speaks of {order.count} images and holds one page",
            where=path,
            remedy="it is cut short or was written by halves: export it again, one page for each image.",
        )


def _pages(image: StoredImage, *, as_labels: bool) -> Iterator[NDArray[Any]]:
    import tifffile

    header = header_of(image, TiffHeader)
    indices, order = header.indices, header.order
    with tifffile.TiffFile(image.path) as tiff:
        first: Any = tiff.pages[indices[0]]
        if order.is_block:
            yield from _block(first, order, image.path)
        elif _read_by_tifffile(first):
            for index in indices:
                yield _page(tiff.pages[index], image.path, as_labels=as_labels)
        else:
            with opened(image.path, "tiff") as raster:
                for index in indices:
                    raster.seek(index)
                    with silent_library():
                        raster.load()
                    yield decoded(raster, image.path, as_labels=as_labels)


def _block(page: Any, order: PageOrder, path: Path) -> Iterator[NDArray[Any]]:
    dtype = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
    step = math.prod(page.shape) * dtype.itemsize
    for index in range(order.count):
        offset = int(page.dataoffsets[0]) + index * step
        pixels = np.fromfile(path, dtype, math.prod(page.shape), offset=offset).reshape(page.shape)
        yield upright(_black_is_zero(pixels, page), _orientation(page))


def _page(page: Any, path: Path, *, as_labels: bool) -> NDArray[Any]:
    pixels = _black_is_zero(page.asarray(), page)
    if page.samplesperpixel > 1 and page.planarconfig == 2:
        pixels = np.moveaxis(pixels, 0, -1)
    if page.samplesperpixel == 2 and 1 not in page.extrasamples and 2 not in page.extrasamples:
        raise InputError("holds two values for each pixel", where=path, remedy="save each of them as its own file.")
    if page.samplesperpixel in (2, 4):
        pixels = without_alpha(pixels, path, as_labels=as_labels)
    return upright(pixels, _orientation(page))


def _black_is_zero(pixels: NDArray[Any], page: Any) -> NDArray[Any]:
    # Photometric 0 stores white as 0, as on a negative: viewers turn it round, and so must whoever measures grey
    # values.
    if page.photometric != 0:
        return pixels
    return np.iinfo(pixels.dtype).max - pixels if pixels.dtype.kind in "iu" else -pixels
