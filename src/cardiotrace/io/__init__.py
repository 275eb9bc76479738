"""Files to core types and back: NIfTI, MetaImage, pictures and films; the only door to their libraries."""

from cardiotrace.io.atomic import atomic_write, write_bytes, write_json, write_text
from cardiotrace.io.formats import (
    labels_path,
    read_grid,
    read_image,
    read_labels,
    read_metadata,
    write_image,
    write_labels,
)
from cardiotrace.io.frames import require_grey

__all__ = [
    "atomic_write",
    "labels_path",
    "read_grid",
    "read_image",
    "read_labels",
    "read_metadata",
    "require_grey",
    "write_bytes",
    "write_image",
    "write_json",
    "write_labels",
    "write_text",
]
