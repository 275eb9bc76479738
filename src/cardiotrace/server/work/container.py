"""Pixels and labels as the page takes them: a header in JSON, then a raw block; `application/x-cardiotrace-array`."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"CTA1"
_ALIGNED = 8
_KNOWN = ("uint8", "uint16", "int16", "float32")


def packed(array: NDArray[Any], facts: Mapping[str, Any]) -> bytes:
    """An array and what is known of it, as bytes; see `write_array`."""
    head, block = _parts(array, facts)
    return head + block.tobytes()


def write_array(path: Path, array: NDArray[Any], facts: Mapping[str, Any]) -> None:
    """Write an array and what is known of it.

    Args:
        path: of the file to be.
        array: of uint8, uint16, int16 or float32.
        facts: stand in the header beside `shape` and `dtype`, as JSON.

    Raises:
        ValueError: another kind of number, or a fact that is no JSON.
    """
    head, block = _parts(array, facts)
    with path.open("xb") as file:
        file.write(head)
        block.tofile(file)


def read_array(path: Path) -> tuple[NDArray[Any], dict[str, Any]]:
    """What `write_array` wrote.

    Raises:
        ValueError: it is no such file.
    """
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ValueError("is no array of CardioTrace")
        (length,) = struct.unpack("<I", file.read(4))
        facts: dict[str, Any] = json.loads(file.read(length))
        block = np.fromfile(file, np.dtype(facts["dtype"]).newbyteorder("<"))
    return block.reshape(facts["shape"]), facts


def _parts(array: NDArray[Any], facts: Mapping[str, Any]) -> tuple[bytes, NDArray[Any]]:
    if array.dtype.name not in _KNOWN:
        raise ValueError(f"{array.dtype} is not sent; {', '.join(_KNOWN)} are")
    told = {"shape": list(array.shape), "dtype": array.dtype.name, **facts}
    header = json.dumps(told, allow_nan=False, separators=(",", ":")).encode()
    header += b" " * (-(len(MAGIC) + 4 + len(header)) % _ALIGNED)
    block = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return MAGIC + struct.pack("<I", len(header)) + header, block
