"""The header of a NIfTI file as the standard lays it out: fields by name, and the two maps to the patient in it.

Nothing is repaired: an impossible number stays what it is, and whoever reads it decides.

Source:
    Cox et al. 2004, Hum Brain Mapp 22:e402 (NIfTI-1); nifti.nimh.nih.gov, nifti1.h and nifti2.h.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

Fields = NDArray[np.void]
"""One header, an array without axes: `header["pixdim"][1]`."""
Affine = Float[np.ndarray, "4 4"]
"""From (x, y, z, 1) in voxels to the patient."""

SIZES: Mapping[int, int] = {1: 348, 2: 540}
"""Length of the header of each version, bytes; it stands in its first four."""
RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
_RGBA = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")])
_CODES = {"u1": 2, "i1": 256, "u2": 512, "i2": 4, "u4": 768, "i4": 8, "u8": 1280, "i8": 1024}
_CODES |= {"f4": 16, "f8": 64, "c8": 32, "c16": 1792}
_TYPES: Mapping[int, np.dtype[Any]] = {code: np.dtype(name) for name, code in _CODES.items()} | {128: RGB, 2304: _RGBA}
"""Types of pixels by their code."""
MM, MILLISECONDS, _SPACE = 2, 16, 7
"""Codes of units, and the bits that hold that of lengths."""
_SCANNER = 1
"""What an affine map leads to: the patient as the scanner has it."""
_NO_ROTATION = 3
"""How far the three stored parts of a unit quaternion may be from 1 together, for the fourth to be 0, in steps of the
numbers that they are stored as."""

_OFFSET = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
_ROWS = ("srow_x", "srow_y", "srow_z")


def _first(order: str) -> np.dtype[Any]:
    """Version 1: its fields in order, with room for those of the format before it."""
    return np.dtype(
        [
            *(("sizeof_hdr", "i4"), ("unused", "V35"), ("dim_info", "u1"), ("dim", "i2", 8), ("intent", "V14")),
            *(("datatype", "i2"), ("bitpix", "i2"), ("slice_start", "i2"), ("pixdim", "f4", 8), ("vox_offset", "f4")),
            *(("scl_slope", "f4"), ("scl_inter", "f4"), ("slice_end", "i2"), ("slice_code", "u1")),
            *(("xyzt_units", "u1"), ("display", "V12"), ("toffset", "f4"), ("unused_too", "V8"), ("words", "V104")),
            *(("qform_code", "i2"), ("sform_code", "i2")),
            *((name, "f4") for name in _OFFSET),
            *((name, "f4", 4) for name in _ROWS),
            *(("intent_name", "V16"), ("magic", "S4")),
        ]
    ).newbyteorder(order)  # type: ignore[arg-type]


def _second(order: str) -> np.dtype[Any]:
    """Version 2: wider numbers in another order."""
    return np.dtype(
        [
            *(("sizeof_hdr", "i4"), ("magic", "S4"), ("line_ends", "i1", 4), ("datatype", "i2"), ("bitpix", "i2")),
            *(("dim", "i8", 8), ("intent", "V24"), ("pixdim", "f8", 8), ("vox_offset", "i8"), ("scl_slope", "f8")),
            *(("scl_inter", "f8"), ("display", "V24"), ("toffset", "f8"), ("slices", "V16"), ("words", "V104")),
            *(("qform_code", "i4"), ("sform_code", "i4")),
            *((name, "f8") for name in _OFFSET),
            *((name, "f8", 4) for name in _ROWS),
            *(("slice_code", "i4"), ("xyzt_units", "i4"), ("intent_code", "i4"), ("intent_name", "V16")),
            *(("dim_info", "u1"), ("unused", "V15")),
        ]
    ).newbyteorder(order)  # type: ignore[arg-type]


_LAYOUTS = {1: _first, 2: _second}


def decode(block: bytes, version: int) -> Fields:
    """The fields of a header.

    Args:
        block: at least as long as the header; its first four bytes state the length, and so the order of all bytes.
        version: 1 or 2.
    """
    size = SIZES[version]
    order = "<" if block[:4] == size.to_bytes(4, "little") else ">"
    return np.frombuffer(block[:size], _LAYOUTS[version](order)).reshape(())


def empty(version: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Fields:
    """A header of an image without a place; unscaled, the pixels right behind it.

    Args:
        version: 1 or 2.
        shape: (x, y, ...).
        dtype: of the pixels, one of those that NIfTI holds.

    Raises:
        OverflowError: a side is longer than the version can say.
    """
    header = np.zeros((), _LAYOUTS[version]("<"))
    header["sizeof_hdr"], header["magic"] = SIZES[version], f"n+{version}".encode()
    if version == 2:
        header["line_ends"] = (13, 10, 26, 10)  # a transfer as text would change them
    header["dim"] = (len(shape), *shape, *(1,) * (7 - len(shape)))
    header["pixdim"] = 1
    header["scl_slope"] = 1
    header["vox_offset"] = SIZES[version] + 4
    set_type(header, dtype)
    return header


def pixel_type(header: Fields) -> np.dtype[Any]:
    """Type of the pixels, in the file's byte order.

    Raises:
        ValueError: there is no such type, or nobody has it.
    """
    code = int(header["datatype"])
    if code not in _TYPES:
        raise ValueError(f"pixels of type number {code}")
    return _TYPES[code].newbyteorder(header.dtype["dim"].base.byteorder)


def set_type(header: Fields, dtype: np.dtype[Any]) -> None:
    """State the type of the pixels.

    Raises:
        ValueError: NIfTI has none such.
    """
    code = next((code for code, known in _TYPES.items() if known == dtype.newbyteorder("=")), None)
    if code is None:
        raise ValueError(f"NIfTI holds no pixels of type {dtype}")
    header["datatype"], header["bitpix"] = code, 8 * dtype.itemsize


def sform(header: Fields) -> Affine:
    """The map that the header holds row by row."""
    affine = np.eye(4)
    affine[:3] = [header[name] for name in _ROWS]
    return affine


def qform(header: Fields) -> Affine:
    """The map of the header's rotation, sizes and offset.

    Raises:
        ValueError: a rotation, a size or a handedness that cannot be.
    """
    sizes, hand = header["pixdim"][1:4].astype(header.dtype["pixdim"].base.newbyteorder("=")), header["pixdim"][0]
    hand = hand or 1  # as the standard takes a 0, which older programs left there
    if (sizes < 0).any() or hand not in (-1, 1):
        raise ValueError("a size below 0, or a handedness that is none")
    sizes[2] *= hand
    affine = np.eye(4)
    affine[:3, :3] = _rotation(header) @ np.diag(sizes)
    affine[:3, 3] = [header[name] for name in _OFFSET[3:]]
    return affine


def _rotation(header: Fields) -> Float[np.ndarray, "3 3"]:
    """Of the unit quaternion whose first part is not stored: it is what the others lack of 1."""
    # In the longest numbers that there are: what is left of 1 may be next to nothing.
    x, y, z = parts = np.array([header[name] for name in _OFFSET[:3]], np.longdouble)
    rest, least = 1 - parts @ parts, _NO_ROTATION * np.finfo(header["quatern_b"].dtype.newbyteorder("=")).eps
    if rest < -least:
        raise ValueError("the rotation is none")
    w = np.longdouble(0) if abs(rest) < least else np.sqrt(rest)
    s = 2 / (w * w + x * x + y * y + z * z)
    return np.array(
        [
            [1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)],
            [s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x)],
            [s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y)],
        ],
        np.float64,
    )


def set_place(header: Fields, affine: Affine) -> None:
    """State a map to the patient in both ways, and the sizes that follow from it.

    The rotation is the one nearest to the map: axes that are not at right angles stand in the rows alone.

    Args:
        header: changed in place.
        affine: from voxels to mm.

    Source:
        Bar-Itzhack 2000, J Guid Control Dyn 23:1085 (the quaternion as an eigenvector).
    """
    header["qform_code"] = header["sform_code"] = _SCANNER
    for name, row in zip(_ROWS, affine, strict=False):
        header[name] = row
    sizes = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    axes = affine[:3, :3] / sizes
    hand = 1 if np.linalg.det(axes) > 0 else -1
    axes[:, 2] *= hand
    left, _, right = np.linalg.svd(axes)
    header["pixdim"][:4] = (hand, *sizes)
    for name, value in zip(_OFFSET, (*_quaternion(left @ right), *affine[:3, 3]), strict=True):
        header[name] = value


def _quaternion(rotation: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3"]:
    """The last three parts of a rotation's quaternion, whose first is not negative."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    symmetric = np.array(
        [
            [xx - yy - zz, xy + yx, xz + zx, zy - yz],
            [xy + yx, yy - xx - zz, yz + zy, xz - zx],
            [xz + zx, yz + zy, zz - xx - yy, yx - xy],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    *parts, first = np.linalg.eigh(symmetric / 3)[1][:, 3]
    return np.array(parts) * (-1 if first < 0 else 1)


def set_interval(header: Fields, interval_ms: float) -> None:
    """State the time between frames, ms; the unit of lengths stays."""
    header["pixdim"][4] = interval_ms
    header["xyzt_units"] = (int(header["xyzt_units"]) & _SPACE) | MILLISECONDS
