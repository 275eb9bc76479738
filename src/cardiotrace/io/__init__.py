"""Files to core types and back: NIfTI, MetaImage, images and videos; the only door to their libraries."""

from cardiotrace.io.atomic import atomic_write, write_bytes, write_json, write_new_text, write_text
from cardiotrace.io.colour import as_grey
from cardiotrace.io.formats import (
    format_of,
    has_pixels,
    image_suffixes,
    label_suffixes,
    pixel_files,
    raster_suffixes,
    stem_of,
)
from cardiotrace.io.options import ReadOptions
from cardiotrace.io.read import read_grid, read_image, read_labels, read_labels_of, read_metadata, read_series
from cardiotrace.io.write import labels_path, write_image, write_labels

__all__ = [
    "ReadOptions",
    "as_grey",
    "atomic_write",
    "format_of",
    "has_pixels",
    "image_suffixes",
    "label_suffixes",
    "labels_path",
    "pixel_files",
    "raster_suffixes",
    "read_grid",
    "read_image",
    "read_labels",
    "read_labels_of",
    "read_metadata",
    "read_series",
    "stem_of",
    "write_bytes",
    "write_image",
    "write_json",
    "write_labels",
    "write_new_text",
    "write_text",
]
