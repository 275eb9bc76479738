"""Labels and traces of an image as they stand: what the analysis wrote, with the planes that are edited."""

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cardiotrace.server.store.blobs import BlobStore
from cardiotrace.server.store.edit_tables import PlaneRow

Traces = Sequence[Sequence[Mapping[str, Any]]]
_HEAD = 8
"""Bytes before the header of a container, see `work.container`."""
_NOTHING: Mapping[str, Any] = {
    "contours": {},
    "axis": None,
    "disks": None,
    "edited": False,
    "verdict": None,
}


def tag_of(digest: str, planes: Sequence[PlaneRow]) -> str:
    """What tells contents apart: the digest of what the analysis wrote, and of what is edited."""
    if not planes:
        return digest
    edited = [[plane.frame, plane.slice, plane.labels, plane.trace] for plane in planes]
    return hashlib.sha256(f"{digest}{json.dumps(edited, sort_keys=True)}".encode()).hexdigest()


def current_labels(path: Path, planes: Sequence[PlaneRow], blobs: BlobStore, *, is_blank: bool = False) -> bytes:
    """The container of labels with the planes that are edited in their places.

    Args:
        path: of the container that the analysis wrote.
        planes: that stand edited.
        blobs: where their labels lie.
        is_blank: leave out what the analysis found, for a reader who draws by themselves.
    """
    content = bytearray(path.read_bytes())
    (length,) = struct.unpack("<I", content[4:_HEAD])
    start = _HEAD + length
    _, slices, height, width = json.loads(content[_HEAD:start])["shape"]
    if is_blank:
        content[start:] = bytes(len(content) - start)
    for plane in planes:
        if plane.labels:
            place = start + (plane.frame * slices + plane.slice) * height * width
            content[place : place + height * width] = zlib.decompress(blobs.read(plane.labels))
    return bytes(content)


def no_traces(frames: int, slices: int) -> Traces:
    """Those of planes in which nobody drew anything yet."""
    return [[_NOTHING] * slices for _ in range(frames)]


def current_traces(traces: Traces, planes: Sequence[PlaneRow]) -> bytes:
    """The traces with those of the planes that are edited.

    Args:
        traces: of all planes, by frame and slice; see `work.traces` and `no_traces`.
        planes: that stand edited.
    """
    found = [list(frame) for frame in traces]
    for plane in planes:
        found[plane.frame][plane.slice] = plane.trace
    return json.dumps({"planes": found}, separators=(",", ":")).encode()
