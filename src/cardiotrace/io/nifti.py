"""NIfTI-1 and -2: `.nii` and `.nii.gz`.

The header is decoded by nibabel without its silent repairs (it turns a zero or negative pixel size into a
plausible one); the pixels come from one bounded decompression, which takes half the time of nibabel's.
"""

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.cine import Cine, Origin, Spacing
from cardiotrace.core.errors import InputError
from cardiotrace.core.label import LabelMap
from cardiotrace.io import deflate
from cardiotrace.io.atomic import write_bytes
from cardiotrace.io.stored import (
    GridShape,
    StoredImage,
    check_shape,
    check_size_on_disk,
    own_shape,
    reading,
    stored_shape,
)

SUFFIXES = (".nii.gz", ".nii")

_MAX_PIXEL_OFFSET = 64 * 1024**2  # extensions between header and pixels are small; this bounds what is unpacked
_VERSIONS = {348: 1, 540: 2}  # by the length of the header, which is the first thing in it
_GEOMETRY = (
    *("pixdim", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units", "toffset", "dim_info"),
)
_RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_MS_PER_UNIT = {8: 1000.0, 16: 1.0, 24: 0.001}


def read_header(path: Path, suffix: str) -> StoredImage:
    """Shape, spacing and geometry of a NIfTI file, without its pixels.

    Raises:
        InputError: not a NIfTI file, or one that claims the impossible.
    """
    is_compressed = _is_gzip(suffix)
    with reading(path, "NIfTI"):
        header, version = _decode(_first_bytes(path, 540, is_compressed=is_compressed), path)
        count = int(header["dim"][0])
        shape = tuple(int(length) for length in header["dim"][1 : count + 1])
        units = int(header["xyzt_units"])
        mm = _MM_PER_UNIT.get(units & 7, 1.0)
        dtype = header.get_data_dtype()
        is_rgb = dtype.names is not None
        if not is_rgb and dtype.kind not in "biuf":
            raise InputError(f"pixels of type {dtype} are not grey values", where=path, remedy="export real numbers.")
        image = StoredImage(
            path=path,
            format="nifti",
            suffix=suffix,
            shape=shape,
            dtype=np.dtype(np.uint8) if is_rgb else dtype,
            spacing_mm=tuple(_as_written(value) * mm for value in header["pixdim"][1 : min(count, 3) + 1]),
            times_ms=_times_ms(shape, float(header["pixdim"][4]), units & 0x38),
            channel_count=len(dtype.names) if is_rgb else 1,
            details={
                "version": version,
                "geometry": {name: header[name].tolist() for name in _GEOMETRY},
                "pixel_offset": _pixel_offset(header, path),
                "scaling": _scaling(header),
            },
        )
        check_shape(image)
        held = path.stat().st_size - (0 if is_compressed else image.details["pixel_offset"])
        check_size_on_disk(image, held, compressed=is_compressed)
    return image


def read_pixels(image: StoredImage) -> NDArray[Any]:
    """Pixels ([[t,] z,] y, x[, 3]) of a NIfTI file, rescaled where its header asks for it.

    Raises:
        InputError: the file is cut short or damaged.
    """
    offset, count = image.details["pixel_offset"], image.byte_count // image.dtype.itemsize
    with reading(image.path, "NIfTI"):
        if _is_gzip(image.suffix):
            content = deflate.inflated(image.path, offset + image.byte_count)
            stored = np.frombuffer(content, image.dtype, count, offset)
        else:
            stored = np.fromfile(image.path, image.dtype, count, offset=offset)
    if image.channel_count == 1:
        pixels = stored.reshape(image.shape[::-1])
    else:  # RGB, or RGBA: transparency says nothing about tissue
        pixels = stored.reshape(*image.shape[::-1], image.channel_count)[..., :3]
    slope, intercept = image.details["scaling"]
    return pixels if (slope, intercept) == (1.0, 0.0) else pixels * slope + intercept


def write_labels(labels: LabelMap, path: Path, suffix: str) -> None:
    """Write labels as uint8 NIfTI: with the geometry of the NIfTI image they lie on, or with spacing alone.

    Only the geometry is taken over from the image; descriptions and extensions, which can name the patient,
    are not.

    Raises:
        InputError: the labels do not lie on the image's grid.
        WorkError: the file cannot be written.
    """
    origin = labels.origin
    if origin is not None and origin.format == "nifti":
        header = _image_header(labels.array.shape, origin)
    else:
        interval_ms = None if origin is None else origin.details.get("frame_interval_ms")
        header = _own_header(labels.array.shape, labels.spacing_mm, interval_ms)
    _write(header, labels.array, path, suffix)


def write_image(cine: Cine, path: Path, suffix: str) -> None:
    """Write an image as NIfTI, with its own type of pixel: 2 to 4 axes, as few as it needs.

    An image that lies as its NIfTI file does keeps that file's axes and geometry; others get spacing alone.

    Raises:
        InputError: a type of pixel that NIfTI cannot hold.
        WorkError: the file cannot be written.
    """
    origin, grid = cine.origin, cine.grid_shape
    interval_ms = None
    if cine.times_ms is not None and len(cine.times_ms) > 1:
        interval_ms = float(np.diff(cine.times_ms).mean())
    if origin is not None and origin.format == "nifti" and _lies_as_stored(cine, origin):
        header = _image_header(grid, origin)
        if len(origin.details["shape"]) == 4 and interval_ms is not None:
            _set_interval(header, interval_ms)
    else:
        header = _own_header(grid, cine.spacing_mm, interval_ms)
    if cine.is_colour and cine.frames.dtype != np.uint8:
        raise InputError(f"colour of type {cine.frames.dtype} cannot be written", where=path, remedy="use 8 bit.")
    header.set_data_dtype(_RGB if cine.is_colour else cine.frames.dtype)
    _write(header, cine.frames.astype(cine.frames.dtype.newbyteorder("<"), copy=False), path, suffix)


def _write(header: Any, pixels: NDArray[Any], path: Path, suffix: str) -> None:
    header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    header["vox_offset"] = int(header["sizeof_hdr"]) + 4
    content = header.binaryblock + bytes(4) + pixels.tobytes()
    # No time stamp: the same pixels give the same bytes.
    write_bytes(path, gzip.compress(content, 6, mtime=0) if _is_gzip(suffix) else content)


def _is_gzip(suffix: str) -> bool:
    return suffix.lower().endswith(".gz")


def _first_bytes(path: Path, count: int, *, is_compressed: bool) -> bytes:
    with path.open("rb") as file:
        head = file.read(64 * 1024 if is_compressed else count)
    if not is_compressed:
        return head
    if not head.startswith(b"\x1f\x8b"):
        raise InputError(
            "is not gzip-compressed, though its name says so",
            where=path,
            remedy="it may be a web page or text saved under this name: look into it, or download it again.",
        )
    return deflate.head(head, count)


def _decode(block: bytes, path: Path) -> tuple[Any, int]:
    """The header as stored, and the version of the standard it follows."""
    import nibabel

    version = next((version for size, version in _VERSIONS.items() if _states_size(block, size)), None)
    if version is None:
        raise InputError(
            "is not a NIfTI file: it does not begin with a NIfTI header",
            where=path,
            remedy="check the suffix, or export the image again.",
        )
    kind, size = (nibabel.Nifti1Header, 348) if version == 1 else (nibabel.Nifti2Header, 540)
    header = kind(block[:size], check=False)
    if not bytes(header["magic"]).startswith(b"n+"):
        raise InputError(
            "keeps its pixels in another file (a .hdr/.img pair)",
            where=path,
            remedy="convert the pair to one .nii.gz file.",
        )
    return header, version


def _states_size(block: bytes, size: int) -> bool:
    return len(block) >= size and block[:4] in (size.to_bytes(4, "little"), size.to_bytes(4, "big"))


def _pixel_offset(header: Any, path: Path) -> int:
    offset = int(header["vox_offset"])
    if offset > _MAX_PIXEL_OFFSET:
        raise InputError(
            f"the header claims that pixels begin at byte {offset}", where=path, remedy="export the image again."
        )
    return max(offset, int(header["sizeof_hdr"]))  # some writers put 0 for "right behind the header"


def _as_written(value: np.floating[Any]) -> float:
    """0.308 was stored in single precision as 0.30799999833: give back the number that was meant."""
    return float(str(value))


def _times_ms(shape: tuple[int, ...], interval: float, unit: int) -> NDArray[np.float64] | None:
    factor = _MS_PER_UNIT.get(unit)
    if len(shape) != 4 or factor is None or not (math.isfinite(interval) and interval > 0):
        return None
    return np.arange(shape[3], dtype=np.float64) * (_as_written(np.float32(interval)) * factor)


def _scaling(header: Any) -> tuple[float, float]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not math.isfinite(slope):  # the standard's way of saying "none"
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def _lies_as_stored(cine: Cine, origin: Origin) -> bool:
    """Whether an image has the pixels' size and number that its file states: it may have been changed since."""
    if cine.spacing_mm is None:
        return False
    try:
        stored_shape(cine.grid_shape, origin)
    except InputError:
        return False
    geometry, axes = origin.details["geometry"], origin.details["axes"]
    mm = _MM_PER_UNIT.get(int(geometry["xyzt_units"]) & 7, 1.0)
    count = 3 if "z" in axes and cine.grid_shape[1] > 1 else 2
    stored = [value * mm for value in geometry["pixdim"][1 : count + 1]]
    return bool(np.allclose(stored, cine.spacing_mm[::-1][:count], rtol=1e-5, atol=0.0))


def _image_header(grid: GridShape, origin: Origin) -> Any:
    header = _empty_header(origin.details["version"], stored_shape(grid, origin))
    for name, value in origin.details["geometry"].items():
        header[name] = value
    return header


def _own_header(grid: GridShape, spacing_mm: Spacing | None, interval_ms: float | None) -> Any:
    """A header for what lies on no NIfTI image: rows run down, columns to the patient's left."""
    shape = own_shape(grid)
    header = _empty_header(1 if max(shape) < 2**15 else 2, shape)
    spacing = spacing_mm or (1.0, 1.0, 1.0)
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
    header.set_qform(affine, 1)
    header.set_sform(affine, 1)
    header["pixdim"][1:4] = spacing[::-1]
    if spacing_mm is not None:
        header.set_xyzt_units("mm")
    if interval_ms is not None and len(shape) == 4:
        _set_interval(header, interval_ms)
    return header


def _set_interval(header: Any, interval_ms: float) -> None:
    header["pixdim"][4] = interval_ms
    header.set_xyzt_units(header.get_xyzt_units()[0], "msec")


def _empty_header(version: int, shape: tuple[int, ...]) -> Any:
    import nibabel

    header = nibabel.Nifti1Header() if version == 1 else nibabel.Nifti2Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape(shape)
    return header
