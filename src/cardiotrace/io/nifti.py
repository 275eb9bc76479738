"""NIfTI-1 and -2: `.nii` and `.nii.gz`.

The header is taken as it stands, without the silent repairs of other readers (nibabel turns a zero or negative pixel
size into a plausible one); the pixels come from one bounded decompression.
"""

import gzip
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Geometry, distance_across
from cardiotrace.core.image import FileSource, Image
from cardiotrace.core.label import LabelMap
from cardiotrace.io import deflate, nifti_header
from cardiotrace.io.alpha import without_alpha
from cardiotrace.io.atomic import write_bytes
from cardiotrace.io.content import Beginning
from cardiotrace.io.nifti_header import Fields
from cardiotrace.io.stored import (
    GridShape,
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

SUFFIXES = (".nii.gz", ".nii")

_MAX_PIXEL_OFFSET = 64 * 1024**2  # extensions between header and pixels are small; this bounds what is unpacked
_GEOMETRY = (
    *("pixdim", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units", "toffset", "dim_info"),
)
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_MS_PER_UNIT = {8: 1000.0, 16: 1.0, 24: 0.001}


@dataclass(frozen=True)
class NiftiHeader:
    """What is kept of a header to read the pixels and to write labels beside them."""

    version: int
    is_gzip: bool
    pixel_offset: int
    geometry: Mapping[str, Any]
    """The fields that say where the voxels lie, by the names of the standard."""


def begins(head: bytes) -> bool:
    """Whether a file, decompressed, begins as NIfTI does: the length of the header, and the magic word in it."""
    is_first = _states_size(head, 348) and head[344:347] in (b"n+1", b"ni1")
    return is_first or (_states_size(head, 540) and head[4:7] in (b"n+2", b"ni2"))


def read_header(path: Path, suffix: str, start: Beginning) -> StoredImage:
    """Shape, spacing and geometry of a NIfTI file, without its pixels.

    Raises:
        InputError: not a NIfTI file, or one that claims the impossible.
    """
    is_compressed = start.is_gzip
    with reading(path, "a NIfTI"):
        header, version = _decode(_first_bytes(path, suffix, start), path)
        count = max(int(header["dim"][0]), 0)
        shape = tuple(int(length) for length in header["dim"][1 : count + 1])
        units = int(header["xyzt_units"])
        mm = _MM_PER_UNIT.get(units & 7, 1.0)
        dtype = nifti_header.pixel_type(header)
        is_rgb = dtype.names is not None
        if not is_rgb and dtype.kind not in "biuf":
            raise InputError(f"pixels of type {dtype} are not grey values", where=path, remedy="export real numbers.")
        place, offset = _place(header, shape, mm), _pixel_offset(header, path)
        image = StoredImage(
            path=path,
            format="nifti",
            suffix=suffix,
            shape=shape,
            dtype=np.dtype(np.uint8) if is_rgb else dtype,
            spacing_mm=place.sizes_mm,
            affine=place.affine,
            is_oriented=place.is_oriented,
            doubts=place.doubts,
            times_ms=_times_ms(shape, float(header["pixdim"][4]), units & 0x38),
            channel_count=len(dtype.names or ()) if is_rgb else 1,
            scaling=_scaling(header),
            header=NiftiHeader(version, is_compressed, offset, {name: header[name].tolist() for name in _GEOMETRY}),
        )
        check_shape(image)
        held = path.stat().st_size - (0 if is_compressed else offset)
        check_size_on_disk(image, held, compressed=is_compressed)
    return image


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """Pixels ([[t,] z,] y, x[, 3]) of a NIfTI file, rescaled where its header asks for it.

    Raises:
        InputError: the file is cut short or damaged, or its image lies in the transparency.
    """
    header = header_of(image, NiftiHeader)
    offset, count = header.pixel_offset, image.byte_count // image.dtype.itemsize
    with reading(image.path, "a NIfTI"):
        if header.is_gzip:
            content = deflate.inflated(image.path, offset + image.byte_count)
            stored = np.frombuffer(content, image.dtype, count, offset)
        else:
            stored = np.fromfile(image.path, image.dtype, count, offset=offset)
    if image.channel_count > 1:  # RGB or RGBA
        pixels = stored.reshape(*image.shape[::-1], image.channel_count)
        return Pixels(pixels if image.channel_count == 3 else without_alpha(pixels, image.path, as_labels=as_labels))
    pixels = stored.reshape(image.shape[::-1])
    return Pixels(_rescaled(pixels, *image.scaling) if image.is_rescaled else pixels)


def _rescaled(pixels: NDArray[Any], slope: float, intercept: float) -> NDArray[np.float32]:
    """Pixels * slope + intercept, computed in double precision, plane by plane, as doubles would fill the memory."""
    result = np.empty(pixels.shape, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for index in np.ndindex(pixels.shape[:-2]):
            result[index] = pixels[index].astype(np.float64) * slope + intercept
    return result


def write_labels(labels: LabelMap, path: Path, suffix: str) -> None:
    """Write labels as uint8 NIfTI: with the geometry of the NIfTI image they lie on, or with spacing alone.

    Only the geometry is taken over from the image; descriptions and extensions, which can name the patient,
    are not.

    Raises:
        InputError: the labels do not lie on the image's grid.
        WorkError: the file cannot be written.
    """
    source = labels.source
    if source is not None and isinstance(source.header, NiftiHeader):
        header = _image_header(labels.array.shape, source)
    else:
        interval_ms = None if source is None else source.frame_interval_ms
        header = _own_header(labels.array.shape, labels.geometry, interval_ms)
    _write(header, labels.array, path, suffix)


def write_image(cine: Image, path: Path, suffix: str) -> None:
    """Write an image as NIfTI, with its own type of pixel: 2 to 4 axes, as few as it needs.

    An image that lies as its NIfTI file does keeps that file's axes and geometry; others get spacing alone.

    Raises:
        InputError: a type of pixel that NIfTI cannot hold.
        WorkError: the file cannot be written.
    """
    source, interval_ms = cine.source, _mean_interval_ms(cine)
    if source is not None and _lies_as_stored(cine, source):
        header = _image_header(cine.grid_shape, source)
        if len(source.shape) == 4 and interval_ms is not None:
            nifti_header.set_interval(header, interval_ms)
    else:
        header = _own_header(cine.grid_shape, cine.geometry, interval_ms)
    if cine.is_colour and cine.frames.dtype != np.uint8:
        raise InputError(f"colour of type {cine.frames.dtype} cannot be written", where=path, remedy="use 8 bit.")
    nifti_header.set_type(header, nifti_header.RGB if cine.is_colour else cine.frames.dtype)
    _write(header, cine.frames.astype(cine.frames.dtype.newbyteorder("<"), copy=False), path, suffix)


def _mean_interval_ms(cine: Image) -> float | None:
    times = cine.times_ms
    return None if times is None or len(times) < 2 else float(np.diff(times).mean())


def _write(header: Fields, pixels: NDArray[Any], path: Path, suffix: str) -> None:
    content = header.tobytes() + bytes(4) + pixels.tobytes()
    # No time stamp: the same pixels give the same bytes.
    write_bytes(path, gzip.compress(content, 6, mtime=0) if _is_gzip(suffix) else content)


def _is_gzip(suffix: str) -> bool:
    return suffix.lower().endswith(".gz")


def _first_bytes(path: Path, suffix: str, start: Beginning) -> bytes:
    if start.is_gzip and not start.head:
        raise InputError(
            "is not gzip data that can be unpacked", where=path, remedy="it is damaged: copy or download it again."
        )
    if not start.is_gzip and _is_gzip(suffix) and not begins(start.head):
        raise InputError(
            "is not gzip-compressed, though its name says so",
            where=path,
            remedy="it may be a web page or text saved under this name: look into it, or download it again.",
        )
    return start.head[:540]


def _decode(block: bytes, path: Path) -> tuple[Fields, int]:
    """The header as stored, and the version of the standard it follows."""
    version = next((version for version, size in nifti_header.SIZES.items() if _states_size(block, size)), None)
    if version is None:
        raise InputError(
            "is not a NIfTI file: it does not begin with a NIfTI header",
            where=path,
            remedy="check the suffix, or export the image again.",
        )
    header = nifti_header.decode(block, version)
    if not bytes(header["magic"]).startswith(b"n+"):
        raise InputError(
            "keeps its pixels in another file (a .hdr/.img pair)",
            where=path,
            remedy="convert the pair to one .nii.gz file.",
        )
    return header, version


def _states_size(block: bytes, size: int) -> bool:
    return len(block) >= size and block[:4] in (size.to_bytes(4, "little"), size.to_bytes(4, "big"))


def _pixel_offset(header: Fields, path: Path) -> int:
    offset = int(header["vox_offset"])
    if offset > _MAX_PIXEL_OFFSET:
        raise InputError(
            f"the header claims that pixels begin at byte {offset}", where=path, remedy="export the image again."
        )
    return max(offset, int(header["sizeof_hdr"]))  # some writers put 0 for "right behind the header"


@dataclass(frozen=True)
class _NiftiPlace:
    """What a header says of the size and place of its voxels."""

    sizes_mm: tuple[float, ...]
    """(x, y[, z]), mm."""
    affine: NDArray[np.float64] | None
    is_oriented: bool
    doubts: tuple[str, ...]


_SAME_SIZE = 0.005
"""Relative difference up to which two sizes are one: headers round them."""


def _place(header: Fields, shape: tuple[int, ...], mm: float) -> _NiftiPlace:
    """Size and place of the voxels from the three things that a header holds: pixdim, sform, qform.

    The sizes stand twice, in pixdim and in the lengths of the sform's columns, and programs lose the one or the other:
    ACDC's files have an sform of unit columns, others a pixdim of 1 mm. One that says a mere 1 mm, or nothing, where
    the other says a size is no evidence. Any other disagreement is told, and the sform is followed, as viewers do.
    """
    count = min(len(shape), 3)
    stated = [_as_written(value) * mm for value in header["pixdim"][1 : count + 1]]
    affine = _affine(header, mm)
    if affine is None:
        return _NiftiPlace(tuple(stated), None, False, ())
    lengths = [_rounded(length) for length in np.linalg.norm(affine[:3, :3], axis=0)[:count]]
    if count == 3:
        stated[2] = _along(stated[2], lengths[2], affine)
    found = [
        _size(*pair, mm, is_plane=axis == 2 and shape[2] == 1)
        for axis, pair in enumerate(zip(stated, lengths, strict=True))
    ]
    sizes = tuple(size for size, _ in found)
    is_default = is_axis_aligned(affine[:3, :3]) and not affine[:3, 3].any()
    contradicts = any(is_doubtful for _, is_doubtful in found)
    doubt = (
        f"its header contradicts itself about the size of a voxel: pixdim {_listed(stated)} mm, sform"
        f" {_listed(lengths)} mm; the sform was followed"
    )
    # Sizes that cannot be are refused, with words of their own.
    return _NiftiPlace(sizes, affine, not is_default, (doubt,) * (contradicts and min(sizes) > 0))


def _along(pixdim: float, length: float, affine: NDArray[np.float64]) -> float:
    """The step from slice to slice that pixdim means: slices shifted aside have a distance, and a longer step."""
    distance = _rounded(distance_across(affine[:3, 2], affine[:3, 0], affine[:3, 1]))
    is_distance = distance < length and abs(pixdim - distance) < abs(pixdim - length)
    return pixdim * length / distance if is_distance and math.isclose(pixdim, distance, rel_tol=_SAME_SIZE) else pixdim


def _size(pixdim: float, length: float, mm: float, *, is_plane: bool) -> tuple[float, bool]:
    """The size of a voxel along one axis, and whether the header contradicts itself about it."""
    agree = math.isclose(pixdim, length, rel_tol=_SAME_SIZE)
    # The thickness of a single plane is of no account; its column is filled with anything.
    if agree or is_plane or _says_nothing(length, mm):
        return pixdim, False
    if _says_nothing(pixdim, mm):
        return length, False
    # A size that cannot be is kept, so that it is refused and not passed over.
    return (length if pixdim > 0 else pixdim), True


def _affine(header: Fields, mm: float) -> NDArray[np.float64] | None:
    """From (x, y, z, 1) to RAS+ mm by the sform, else by the qform; None where the header has neither."""
    has_sform, has_qform = int(header["sform_code"]) > 0, int(header["qform_code"]) > 0
    if not has_sform and not has_qform:
        return None
    try:
        affine = nifti_header.sform(header) if has_sform else nifti_header.qform(header)
    except ValueError:  # a qform of impossible numbers says nothing of directions
        return None
    affine[:3] *= mm
    if not np.isfinite(affine).all() or not spans_space(affine[:3, :3]):
        return None
    return affine


def _says_nothing(size: float, mm: float) -> bool:
    return not math.isfinite(size) or size == 0 or math.isclose(size, mm, rel_tol=1e-6)


def _rounded(length: float) -> float:
    """Single precision holds seven digits; what comes after them is noise."""
    return float(f"{length:.7g}")


def _listed(sizes: Sequence[float]) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes)


def _as_written(value: np.floating[Any]) -> float:
    """0.308 was stored in single precision as 0.30799999833: give back the number that was meant."""
    return float(str(value))


def _times_ms(shape: tuple[int, ...], interval: float, unit: int) -> NDArray[np.float64] | None:
    factor = _MS_PER_UNIT.get(unit)
    if len(shape) != 4 or factor is None or not (math.isfinite(interval) and interval > 0):
        return None
    return np.arange(shape[3], dtype=np.float64) * (_as_written(np.float32(interval)) * factor)


def _scaling(header: Fields) -> tuple[float, float]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not math.isfinite(slope):  # the standard's way of saying "none"
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def _lies_as_stored(cine: Image, source: FileSource) -> bool:
    """Whether an image has the pixels' size and number that its file states: it may have been changed since."""
    if cine.spacing_mm is None or not isinstance(source.header, NiftiHeader):
        return False
    try:
        stored_shape(cine.grid_shape, source)
    except InputError:
        return False
    geometry, axes = source.header.geometry, source.axes
    mm = _MM_PER_UNIT.get(int(geometry["xyzt_units"]) & 7, 1.0)
    count = 3 if "z" in axes and cine.grid_shape[1] > 1 else 2
    stored = [value * mm for value in geometry["pixdim"][1 : count + 1]]
    return bool(np.allclose(stored, cine.spacing_mm[::-1][:count], rtol=1e-5, atol=0.0))


def _image_header(grid: GridShape, source: FileSource) -> Fields:
    own = header_of(source, NiftiHeader)
    header = nifti_header.empty(own.version, stored_shape(grid, source), np.dtype(np.uint8))
    for name, value in own.geometry.items():
        header[name] = value
    return header


def _own_header(grid: GridShape, geometry: Geometry, interval_ms: float | None) -> Fields:
    """A header for what lies on no NIfTI image: place and directions as its geometry has them."""
    shape = own_shape(grid)
    header = nifti_header.empty(1 if max(shape) < 2**15 else 2, shape, np.dtype(np.uint8))
    nifti_header.set_place(header, geometry.affine[:, [2, 1, 0, 3]])
    spacing = geometry.spacing_mm
    depth, height, width = (1.0, 1.0, 1.0) if spacing is None else spacing
    header["pixdim"][1:4] = width, height, 1.0 if math.isnan(depth) else depth
    if spacing is not None:
        header["xyzt_units"] = nifti_header.MM
    if interval_ms is not None and len(shape) == 4:
        nifti_header.set_interval(header, interval_ms)
    return header
