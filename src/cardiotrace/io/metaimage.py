"""MetaImage: `.mhd` with its pixels in a file beside it, and `.mha` with both in one.

The header is a list of `key = value` lines and the pixels are one block of numbers, read here without ITK:
its reader repairs bad spacings, writes to the terminal when a file is cut short, and takes 0.2 s to import.
"""

import dataclasses
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.image import Grid, Image
from cardiotrace.core.label import LabelMap
from cardiotrace.io import deflate
from cardiotrace.io.atomic import write_bytes
from cardiotrace.io.content import Beginning, beginning
from cardiotrace.io.pixel_file import find_pixel_file, named_file
from cardiotrace.io.stored import (
    Pixels,
    StoredImage,
    check_shape,
    check_size_on_disk,
    header_of,
    is_axis_aligned,
    own_shape,
    reading,
    spans_space,
    stored_shape,
)

SUFFIXES = (".mhd", ".mha")

_MAX_HEADER_BYTES = 64 * 1024
_DTYPES = {
    "MET_UCHAR": "u1",
    "MET_CHAR": "i1",
    "MET_USHORT": "u2",
    "MET_SHORT": "i2",
    "MET_UINT": "u4",
    "MET_INT": "i4",
    # A long has 4 bytes here, as ITK reads it, whatever it has on the machine.
    "MET_ULONG": "u4",
    "MET_LONG": "i4",
    "MET_ULONG_LONG": "u8",
    "MET_LONG_LONG": "i8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_GEOMETRY = (
    *("TransformMatrix", "Rotation", "Orientation", "Offset", "Position", "Origin"),
    *("CenterOfRotation", "AnatomicalOrientation", "ElementSpacing", "ElementSize"),
)


@dataclasses.dataclass(frozen=True)
class MetaImageHeader:
    """What is kept of a header to read the pixels and to write labels beside them."""

    geometry: Mapping[str, str]
    """The lines that say where the voxels lie."""
    pixel_offset: int
    is_compressed: bool


def begins(head: bytes) -> bool:
    """Whether a file begins with lines of a MetaImage header."""
    return bool(re.match(rb"\s*\w+\s*=", head) and re.search(rb"(^|\n)\s*(NDims|DimSize|ElementType)\s*=", head))


def read_header(path: Path, suffix: str, start: Beginning) -> StoredImage:
    """Shape, spacing and geometry of a MetaImage file, without its pixels.

    Raises:
        InputError: not a MetaImage file, one that claims the impossible, or whose pixel file is missing.
    """
    if start.is_gzip and begins(start.head):
        raise InputError("is a compressed MetaImage header", where=path, remedy="unpack it first: `gunzip`.")
    with reading(path, "a MetaImage"):
        fields, header_bytes = _fields(path)
        shape = tuple(int(length) for length in fields["DimSize"].split())
        if len(shape) != int(fields["NDims"]):
            raise InputError(
                f"states {fields['NDims']} axes and {len(shape)} lengths", where=path, remedy="mend its DimSize line."
            )
        spacing = _spacing(fields, len(shape), path)
        affine, is_oriented = _place(fields, spacing, len(shape))
        image = StoredImage(
            path=path,
            format="metaimage",
            suffix=suffix,
            shape=shape,
            dtype=_dtype(fields, path),
            spacing_mm=spacing,
            channel_count=_channel_count(fields, path),
            affine=affine,
            is_oriented=is_oriented,
        )
        check_shape(image)
        file, header = _where_pixels_are(image, fields, header_bytes)
        held = file.stat().st_size - header.pixel_offset
        check_size_on_disk(image, held, compressed=header.is_compressed, file=file)
        notes = _renamed_note(file, fields["ElementDataFile"], path)
    return dataclasses.replace(image, pixel_file=file, header=header, notes=notes)


def pixel_files(path: Path) -> tuple[Path, ...]:
    """The file beside a header that holds its pixels; none where they stand in the header's own file.

    Raises:
        InputError: not a MetaImage file, or its pixel file is missing.
    """
    file = read_header(path, path.suffix, beginning(path)).pixel_file
    return () if file is None or file == path else (file,)


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """Pixels ([[t,] z,] y, x[, 3]) of a MetaImage file.

    Raises:
        InputError: the pixels are damaged.
    """
    header, file = header_of(image, MetaImageHeader), image.pixel_file or image.path
    count = image.byte_count // image.dtype.itemsize
    with reading(image.path, "a MetaImage"):
        if header.is_compressed:
            pixels = np.frombuffer(deflate.inflated(file, image.byte_count, offset=header.pixel_offset), image.dtype)
        else:
            pixels = np.fromfile(file, image.dtype, count, offset=header.pixel_offset)
        return Pixels(pixels.reshape(image.shape[::-1] + ((3,) if image.channel_count == 3 else ())))


def write_labels(labels: LabelMap, path: Path, suffix: str) -> None:
    """Write labels as uint8 MetaImage, with the geometry of the MetaImage they lie on, or with spacing alone.

    `.mhd` puts the pixels into a `.raw` file beside the header, which is written first: a header never
    stands without its pixels.

    Raises:
        InputError: the labels do not lie on the image's grid.
        WorkError: a file cannot be written.
    """
    source = labels.source
    if source is not None and isinstance(source.header, MetaImageHeader):
        shape, geometry = stored_shape(labels.array.shape, source), source.header.geometry
    else:
        shape, geometry = _own_geometry(labels.grid)
    _write(labels.array, shape, geometry, path, suffix)


def write_image(cine: Image, path: Path) -> None:
    """Write grey bytes as MetaImage, with the image's spacing alone.

    Raises:
        InputError: other pixels than grey bytes.
        WorkError: a file cannot be written.
    """
    if cine.is_colour or cine.frames.dtype != np.uint8:
        raise InputError("only grey values of 8 bit are written as MetaImage", where=path)
    _write(cine.frames, *_own_geometry(cine.grid), path, path.suffix)


def _write(
    pixels: NDArray[np.uint8], shape: tuple[int, ...], geometry: Mapping[str, str], path: Path, suffix: str
) -> None:
    is_pair = suffix.lower() == ".mhd"
    pixel_file = pixel_file_beside(path, suffix)
    fields = {
        "ObjectType": "Image",
        "NDims": str(len(shape)),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        **geometry,
        "DimSize": " ".join(str(length) for length in shape),
        "ElementType": "MET_UCHAR",
        "ElementDataFile": pixel_file.name if is_pair else "LOCAL",
    }
    header = "".join(f"{key} = {value}\n" for key, value in fields.items()).encode("latin-1")
    if is_pair:
        write_bytes(pixel_file, pixels.tobytes())
    write_bytes(path, header if is_pair else header + pixels.tobytes())


def pixel_file_beside(path: Path, suffix: str) -> Path:
    """The `.raw` file that a written `.mhd` keeps its pixels in."""
    return path.with_name(path.name[: -len(suffix)] + ".raw")


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The `key = value` lines up to ElementDataFile, which is the last, and where the bytes after it begin."""
    with path.open("rb") as file:
        head = file.read(_MAX_HEADER_BYTES)
    fields: dict[str, str] = {}
    end = 0
    for line in head.splitlines(keepends=True):
        # Latin-1 knows every byte: a comment in any old code page must not stop the reading.
        key, separator, value = line.decode("latin-1").partition("=")
        if not separator:
            break
        end += len(line)
        fields[key.strip()] = value.strip()
        # By definition the last line: behind it may lie pixels that look like one.
        if key.strip() == "ElementDataFile":
            break
    missing = [key for key in ("NDims", "DimSize", "ElementType", "ElementDataFile") if key not in fields]
    if missing:
        raise InputError(
            f"is not a MetaImage header: it has no {missing[0]} line",
            where=path,
            remedy="check the suffix, or export the image again.",
        )
    return fields, end


def _is_true(fields: Mapping[str, str], *keys: str) -> bool:
    return any(fields.get(key, "").lower() in ("true", "1") for key in keys)


def _dtype(fields: Mapping[str, str], path: Path) -> np.dtype[Any]:
    kind = fields["ElementType"]
    if kind not in _DTYPES:
        known = ", ".join(_DTYPES)
        raise InputError(f"pixels of type {kind} cannot be read", where=path, remedy=f"known types: {known}.")
    is_big_endian = _is_true(fields, "BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    return np.dtype((">" if is_big_endian else "<") + _DTYPES[kind])


def _channel_count(fields: Mapping[str, str], path: Path) -> int:
    count = int(fields.get("ElementNumberOfChannels", "1"))
    if count not in (1, 3):
        raise InputError(f"has {count} channels", where=path, remedy="store it with 1 (grey) or 3 (colour).")
    return count


def _where_pixels_are(image: StoredImage, fields: Mapping[str, str], header_bytes: int) -> tuple[Path, MetaImageHeader]:
    """The file of the pixels, and how they lie in it."""
    if "BinaryData" in fields and not _is_true(fields, "BinaryData"):
        raise InputError("keeps its pixels as text", where=image.path, remedy="save it with BinaryData = True.")
    name, is_compressed = fields["ElementDataFile"], _is_true(fields, "CompressedData")
    if name.upper() == "LOCAL":
        file, offset = image.path, header_bytes
    else:
        offset = int(fields.get("HeaderSize", "0"))
        # The size finds a pixel file that was renamed; of compressed pixels only the header may know it.
        stated = int(fields.get("CompressedDataSize", "0")) if is_compressed else image.byte_count
        file = find_pixel_file(image.path, name, byte_count=stated + max(0, offset) if stated else None)
    if offset < 0:  # the pixels are what stands at the end, whatever comes before
        offset = max(0, file.stat().st_size - image.byte_count)
    geometry = {key: fields[key] for key in _GEOMETRY if key in fields}
    return file, MetaImageHeader(geometry, offset, is_compressed)


def _renamed_note(file: Path, name: str, path: Path) -> tuple[str, ...]:
    if file == path or file.name == named_file(name):
        return ()
    return (f"its header names {named_file(name)} as the file of its pixels, which is not there; {file.name} was read",)


def _spacing(fields: Mapping[str, str], axes: int, path: Path) -> tuple[float, ...] | None:
    """(x, y[, z]), mm, of the header."""
    text = fields.get("ElementSpacing", fields.get("ElementSize"))
    if text is None:
        return None
    values = tuple(float(value) for value in text.split()[:3])
    if len(values) < min(axes, 3) and axes <= 4:
        raise InputError(
            f"its header states {len(values)} pixel sizes ({text.strip()[:40]}) for {axes} axes",
            where=path,
            remedy="mend its ElementSpacing line: one size in mm for each axis.",
        )
    return values


def _place(
    fields: Mapping[str, str], spacing: tuple[float, ...] | None, axes: int
) -> tuple[NDArray[np.float64] | None, bool]:
    """Directions and place in the patient, and whether somebody set them; None where the header does not say.

    The header's coordinates are LPS+, ours RAS+: x and y change their signs.
    """
    text = _first_of(fields, "TransformMatrix", "Rotation", "Orientation")
    if text is None or spacing is None or axes > 4:  # five axes are refused for their number
        return None, False
    count = min(axes, 3)
    matrix = [float(value) for value in text.split()]
    if len(matrix) != axes * axes:
        raise ValueError(f"TransformMatrix has {len(matrix)} numbers for {axes} axes")
    directions = np.eye(3)
    # A row of the header is the direction of an axis.
    directions[:count, :count] = np.array(matrix).reshape(axes, axes)[:count, :count].T
    offset = _offset(fields, count, axes)
    if not _is_possible(directions, offset):
        return None, False
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = directions, offset
    affine[:2] *= -1
    return affine, bool(offset.any() or not is_axis_aligned(directions))


def _first_of(fields: Mapping[str, str], *keys: str) -> str | None:
    """The first of several lines that mean the same."""
    return next((fields[key] for key in keys if key in fields), None)


def _offset(fields: Mapping[str, str], count: int, axes: int) -> NDArray[np.float64]:
    """Where the first voxel lies; the origin where the header does not say."""
    numbers = [float(value) for value in (_first_of(fields, "Offset", "Position", "Origin") or "").split()[:count]]
    if numbers and len(numbers) < count:
        raise ValueError(f"Offset has {len(numbers)} numbers for {axes} axes")
    return np.array([*numbers, 0.0, 0.0, 0.0][:3])


def _is_possible(directions: NDArray[np.float64], offset: NDArray[np.float64]) -> bool:
    """Whether they are finite and span space; else they say nothing of where the image lies."""
    with np.errstate(over="ignore", invalid="ignore"):
        is_finite = bool(np.isfinite(np.linalg.norm(directions, axis=0)).all() and np.isfinite(offset).all())
    return is_finite and spans_space(directions)


def _own_geometry(grid: Grid) -> tuple[tuple[int, ...], dict[str, str]]:
    shape = own_shape(grid.shape)
    depth, height, width = grid.geometry.spacing_mm or (1.0, 1.0, 1.0)
    # The format has no word for a distance that is not known; 1 is what writers fall back on, and readers doubt.
    spacing = (width, height, 1.0 if math.isnan(depth) else depth, 1.0)[: len(shape)]
    return shape, {
        "TransformMatrix": " ".join(str(int(value)) for value in np.eye(len(shape)).ravel()),
        "Offset": " ".join("0" for _ in shape),
        "ElementSpacing": " ".join(f"{value:.17g}" for value in spacing),
    }
