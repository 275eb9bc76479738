"""A packed cache as one small file that travels to another machine, and back to the very same bytes there.

Images are stored as differences from their neighbours, as PNG does before it compresses, then packed with bzip2: of
such differences it was measured to make files as small as LZMA does, in a tenth of the time.
"""

import bz2
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Shaped, UInt8, UInt16

from cardiotrace.core.config import to_plain
from cardiotrace.core.contract import PACKED
from cardiotrace.core.errors import InputError
from cardiotrace.datasets.packed import PackedDataset, PackedSample, open_packed, write_packed
from cardiotrace.io.atomic import as_work_error, write_bytes
from cardiotrace.io.folder import staged_folder

Bits = Literal[8, 16]
"""Of the largest stored image value; bytes are always kept as they are."""
SUFFIX = ".cache"
CLIPPED = 0.001
"""Share of a sample's pixels that lie beyond either end of the 8-bit range and are cut."""

_PREDICTORS: Mapping[str, tuple[int, ...]] = {"none": (), "left": (-1,), "up": (-2,), "both": (-1, -2)}
"""Axes along which differences are taken, one after the other."""
_TRIED = 24
"""Samples by which a predictor is chosen."""
_LARGEST_RATIO = 50_000
"""A packed array is refused that would be more than so many times as large as its file."""


@dataclass(frozen=True)
class _Layout:
    """How one array is stored."""

    shape: tuple[int, ...]
    dtype: str
    predictor: str


def write_compressed(cache: PackedDataset, path: Path) -> None:
    """Write a packed cache as one file; `read_compressed` gives back the same bytes.

    Args:
        cache: the packed cache.
        path: the file to be, see `SUFFIX`.

    Raises:
        WorkError: it cannot be written.
    """
    stored, layouts = io.BytesIO(), {}
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        for stem, array in (("images", cache.images), ("labels", cache.labels)):
            predictor = _best_predictor(array)
            layouts[stem] = to_plain(_Layout(array.shape, str(array.dtype), predictor))
            archive.writestr(stem, _packed_bytes(np.asarray(array), predictor))
        archive.writestr("layout.json", json.dumps(PACKED.stamp(layouts)))
        archive.writestr("index.json", (cache.folder / "index.json").read_bytes())
    write_bytes(path, stored.getvalue())


def read_compressed(path: Path, folder: Path) -> PackedDataset:
    """Unpack a file of `write_compressed` to a packed cache; a cache that is there already is opened as it is.

    Args:
        path: the file.
        folder: the cache's folder to be.

    Raises:
        InputError: the file is damaged, or is none of these; the checksums of the cache are compared.
        WorkError: the folder cannot be written.
    """
    if not folder.is_dir():
        try:
            with zipfile.ZipFile(path) as archive, staged_folder(folder) as staged, as_work_error(folder):
                layouts = PACKED.read(json.loads(archive.read("layout.json")), where=path)
                for stem in ("images", "labels"):
                    np.save(staged / f"{stem}.npy", _unpacked(archive.read(stem), _Layout(**layouts[stem]), path))
                (staged / "index.json").write_bytes(archive.read("index.json"))
        except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"is no compressed cache: {error}", where=path, remedy="pack it again.") from None
    return open_packed(folder)


def in_bytes(cache: PackedDataset, folder: Path) -> PackedDataset:
    """The cache with 8 bits a pixel: each sample stretched between its quantiles, the few beyond cut.

    A cache of bytes is left as it is.

    Args:
        cache: the packed cache.
        folder: of the new one.

    Raises:
        WorkError: it cannot be written.
    """
    if cache.images.dtype == np.uint8:
        return cache
    if not folder.is_dir():
        stretched = [_stretched(np.asarray(image)) for image in cache.images]
        samples = [_between(sample, low, high) for sample, (_, low, high) in zip(cache.samples, stretched, strict=True)]
        write_packed(folder, np.stack([image for image, _, _ in stretched]), np.asarray(cache.labels), samples)
    return open_packed(folder)


def _stretched(image: UInt16[np.ndarray, "channels *space"]) -> tuple[UInt8[np.ndarray, "channels *space"], int, int]:
    """Bytes, and which values of 16 bits became 0 and 255."""
    # Values of the image itself, so that a flat one keeps its value.
    low, high = (int(value) for value in np.quantile(image, (CLIPPED, 1 - CLIPPED), method="nearest"))
    inside = (np.clip(image, low, high).astype(np.float64) - low) / max(high - low, 1)
    return np.rint(inside * 255).astype(np.uint8), low, high


def _between(sample: PackedSample, low: int, high: int) -> PackedSample:
    """The sample whose stored range is a part of what it was."""
    step = (sample.high - sample.low) / 65535
    return replace(sample, low=sample.low + low * step, high=sample.low + high * step)


def _best_predictor(array: Shaped[np.ndarray, "samples *axes"]) -> str:
    """The differences that compress best, tried on samples from all over the array."""
    places = np.linspace(0, len(array) - 1, min(len(array), _TRIED)).astype(int)
    some = np.asarray(array[places])
    return min(_PREDICTORS, key=lambda name: len(_packed_bytes(some, name)))


def _packed_bytes(array: Shaped[np.ndarray, "samples *axes"], predictor: str) -> bytes:
    differences = array
    for axis in _PREDICTORS[predictor]:
        differences = _difference(differences, axis)
    # High and low bytes apart: the high ones of differences are nearly all alike.
    planes = [differences] if array.dtype == np.uint8 else [differences >> 8, differences & 255]
    content = b"".join(plane.astype(np.uint8).tobytes() for plane in planes)
    return bz2.compress(content)


def _unpacked(content: bytes, layout: _Layout, path: Path) -> Shaped[np.ndarray, "samples *axes"]:
    dtype = np.dtype({"uint8": np.uint8, "uint16": np.uint16}[layout.dtype])
    count = int(np.prod(layout.shape, dtype=np.int64))
    # Before memory is taken: a small file must not ask for all there is.
    if count < 0 or count * dtype.itemsize > _LARGEST_RATIO * max(len(content), 1) + 2**20:
        raise InputError("its size is not that of its content", where=path, remedy="pack it again.")
    raw = bz2.BZ2Decompressor().decompress(content, max_length=count * dtype.itemsize + 1)
    planes = np.frombuffer(raw, np.uint8).reshape(dtype.itemsize, *layout.shape).astype(dtype)
    array: np.ndarray[Any, Any] = planes[0] if dtype == np.uint8 else (planes[0] << 8) | planes[1]
    for axis in reversed(_PREDICTORS[layout.predictor]):
        array = _sum(array, axis)
    return array


def _difference(array: Shaped[np.ndarray, "*axes"], axis: int) -> Shaped[np.ndarray, "*axes"]:
    """From the neighbour before, modulo the range of the type; the first stays as it is."""
    return np.diff(array, axis=axis, prepend=np.zeros((), array.dtype))


def _sum(array: Shaped[np.ndarray, "*axes"], axis: int) -> Shaped[np.ndarray, "*axes"]:
    """What `_difference` was taken of."""
    return np.cumsum(array, axis=axis, dtype=array.dtype)
