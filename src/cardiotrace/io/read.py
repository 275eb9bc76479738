"""Files to images and label maps."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Known
from cardiotrace.core.image import Grid, Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, View
from cardiotrace.io.colour import as_colour, as_grey, by_the_rule, colour_doubt
from cardiotrace.io.formats import open_image
from cardiotrace.io.frames import (
    GivenSpacing,
    geometry_of,
    label_doubt,
    source_of,
    to_frames,
    to_grey_values,
    to_label_values,
)
from cardiotrace.io.stored import StoredImage, ThirdAxis
from cardiotrace.io.third_axis import axes_of, check_depth


def read_image(
    path: str | Path,
    *,
    third_axis: ThirdAxis = "auto",
    view: View = View.UNKNOWN,
    modality: Modality = Modality.UNKNOWN,
    spacing_mm: GivenSpacing | None = None,
    channels: Literal[1, 3] | None = None,
    images: Sequence[str] = (),
) -> Image:
    """Read an image file, a video, or a folder of images: frames (time, depth, height, width[, 3]).

    Nothing is flipped: axis x of the file is the width, y the height, and rows run down; images that say how they are
    to be turned are upright. Images of the heart come as grey values, photographs keep their colours; of others
    strong colour stays. What was assumed or left out stands in `Image.notes`.

    Args:
        path: a file in a format of `FORMATS`, known by its content first, or a folder of images.
        third_axis: what the third of three axes is; "auto" goes by format, name, view and header, see `axes_of`, and
            asks where these do not tell.
        view: the anatomical plane.
        modality: how the image was made.
        spacing_mm: (depth, height, width), mm, in place of what the file says; with None for the depth the file's
            slice distance stays.
        channels: 1 for grey values and 3 for colour, whatever the image shows.
        images: names of those images in the folder `path` that are its frames, in order; none takes them all.

    Raises:
        InputError: the file is missing, damaged, or not an image; or its spacing cannot be.
    """
    image, form = open_image(path, images)
    axes = axes_of(image, third_axis, is_planar=view.is_long_axis)
    geometry = geometry_of(image, axes, spacing_mm)
    pixels = form.read_pixels(image)
    values = to_grey_values(pixels.values, image)
    check_depth(values, image, axes, third_axis)
    frames = to_frames(values, axes)
    times_ms = _times(image, axes)
    read = Image(
        frames,
        geometry,
        times_ms,
        view,
        source_of(image, axes),
        modality=modality,
        times=Known.UNKNOWN if times_ms is None else Known.FILE,
        notes=image.notes,
        doubts=(*colour_doubt(pixels.strong_colour), *label_doubt(values)),
    )
    return by_the_rule(read) if channels is None else (as_grey if channels == 1 else as_colour)(read)


def read_grid(
    path: str | Path,
    *,
    third_axis: ThirdAxis = "auto",
    view: View = View.UNKNOWN,
    spacing_mm: GivenSpacing | None = None,
) -> Grid:
    """Where the voxels of an image lie and how many there are, from its header alone.

    Args:
        path: as in `read_image`, like the options.
        third_axis: as in `read_image`.
        view: the anatomical plane.
        spacing_mm: as in `read_image`.

    Raises:
        InputError: as `read_image`, but for damaged pixels.
    """
    image, _ = open_image(path)
    axes = axes_of(image, third_axis, is_planar=view.is_long_axis)
    lengths = dict(zip(axes, image.shape, strict=True))
    shape = (lengths.get("t", 1), lengths.get("z", 1), lengths["y"], lengths["x"])
    return Grid(geometry_of(image, axes, spacing_mm), shape, source_of(image, axes))


def read_labels(
    path: str | Path,
    scheme: LabelScheme,
    *,
    third_axis: ThirdAxis = "auto",
    spacing_mm: GivenSpacing | None = None,
) -> LabelMap:
    """Read a label map (time, depth, height, width); whole numbers stored as floats are accepted.

    Args:
        path: as for `read_image`, but no video or JPEG; of a palette the indices count, not its colours.
        scheme: what the values mean.
        third_axis: as in `read_image`.
        spacing_mm: as in `read_image`.

    Raises:
        InputError: as `read_image`, or a value is no label of the scheme.
    """
    image, form = open_image(path)
    if image.is_lossy:
        raise InputError(
            f"{image.suffix or form.name} files hold no exact label values: compression changed them",
            where=path,
            remedy="store labels as .nii.gz or .png.",
        )
    axes = axes_of(image, third_axis, is_planar=False)
    geometry = geometry_of(image, axes, spacing_mm)
    pixels = form.read_pixels(image, as_labels=True).values
    if pixels.ndim > len(image.shape):
        pixels = _common_channel(pixels, image)
    array = to_frames(to_label_values(pixels, image), axes)
    source = source_of(image, axes)
    source = dataclasses.replace(source, details={**source.details, "is_labels": True})
    return LabelMap(cast("NDArray[np.uint8]", array), scheme, geometry, source)


def read_metadata(path: str | Path) -> dict[str, Any]:
    """What a file says of itself, as plain data, without reading its pixels.

    Returns:
        format, shape (as stored: x, y[, z[, t]]), dtype, channels, spacing_mm ((x, y[, z]) or None),
        frame_interval_ms (or None).

    Raises:
        InputError: the file is missing, damaged, or not an image.
    """
    image, _ = open_image(path)
    times = image.times_ms
    interval = None if times is None or len(times) < 2 else float(np.diff(times).mean())
    return {
        "format": image.format,
        "shape": list(image.shape),
        "dtype": image.dtype.newbyteorder("=").name,
        "channels": image.channel_count,
        "spacing_mm": None if image.spacing_mm is None else list(image.spacing_mm),
        "frame_interval_ms": interval,
    }


def _times(image: StoredImage, axes: str) -> NDArray[np.float64] | None:
    times = image.times_ms
    frames = image.shape[axes.index("t")] if "t" in axes else 0
    return times if times is not None and len(times) == frames else None


def _common_channel(pixels: NDArray[Any], image: StoredImage) -> NDArray[Any]:
    if (pixels[..., 0] != pixels[..., 1]).any() or (pixels[..., 1] != pixels[..., 2]).any():
        raise InputError(
            "is a coloured image, not a label map", where=image.path, remedy="store the label values as grey values."
        )
    return pixels[..., 0]
