"""Files to images and label maps."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.image import Grid, Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, View
from cardiotrace.io.colour import as_colour, as_grey, by_the_rule, colour_doubt
from cardiotrace.io.formats import Format, format_of, open_image, open_series
from cardiotrace.io.frames import (
    geometry_of,
    label_doubt,
    source_of,
    to_frames,
    to_grey_values,
    to_label_values,
)
from cardiotrace.io.options import AS_STORED, KnownOption, ReadOptions, with_known
from cardiotrace.io.stored import StoredImage
from cardiotrace.io.third_axis import axes_of, check_depth


def read_image(
    path: str | Path | Sequence[str | Path], options: ReadOptions = AS_STORED, **known: Unpack[KnownOption]
) -> Image:
    """Read an image file, a video, or a folder of images: frames (time, depth, height, width[, 3]).

    Nothing is flipped: axis x of the file is the width, y the height, and rows run down; images that say how they are
    to be turned are upright. Images of the heart come as grey values, photographs keep their colours; of others
    strong colour stays. What was assumed or left out stands in `Image.notes`.

    Args:
        path: a file in a format of `FORMATS`, known by its content first, or a folder of images; or several files that
            are one image, such as those images of a folder that are the frames of a video, in order.
        options: what the caller knows better than the file.
        **known: single fields of the options: `view`, `modality`, `spacing_mm` (depth, height, width; None for the
            depth keeps the file's slice distance), `third_axis` ("auto", "depth" or "time"), `channels` (1 or 3),
            `as_shown`.

    Raises:
        InputError: the file is missing, damaged, not an image, or several; or its spacing cannot be.
    """
    image, form = open_image(path)
    return _as_image(image, form, with_known(options, **known))


def read_series(
    path: str | Path | Sequence[str | Path], options: ReadOptions = AS_STORED, **known: Unpack[KnownOption]
) -> Iterator[tuple[str, Image]]:
    """Read all images that a file or a set of files holds, one after another, each with its name.

    Args:
        path: as in `read_image`.
        options: as in `read_image`.
        **known: as in `read_image`.

    Yields:
        The name among the others, the file's own where it is alone, and the image.

    Raises:
        InputError: as `read_image`.
    """
    images, form = open_series(path)
    for image in images:
        yield image.name or image.stem, _as_image(image, form, with_known(options, **known))


def _as_image(image: StoredImage, form: Format, options: ReadOptions) -> Image:
    axes = axes_of(image, options.third_axis, is_planar=options.view.is_long_axis)
    geometry = _geometry(image, axes, options)
    pixels = form.read_pixels(image)
    values = to_grey_values(pixels.values, image)
    check_depth(values, image, axes, options.third_axis)
    times_ms = _times(image, axes)
    read = Image(
        to_frames(values, axes),
        geometry,
        times_ms,
        options.view if options.view is not View.UNKNOWN else image.view,
        source_of(image, axes),
        modality=options.modality if options.modality is not Modality.UNKNOWN else image.modality,
        times=Known.UNKNOWN if times_ms is None else image.times,
        acquisition=image.acquisition,
        notes=image.notes,
        doubts=(*colour_doubt(pixels.strong_colour), *label_doubt(values)),
    )
    return _IN_CHANNELS[options.channels](read)


_IN_CHANNELS: Mapping[int | None, Callable[[Image], Image]] = {None: by_the_rule, 1: as_grey, 3: as_colour}


def read_grid(path: str | Path, options: ReadOptions = AS_STORED, **known: Unpack[KnownOption]) -> Grid:
    """Where the voxels of an image lie and how many there are, from its header alone.

    Args:
        path: as in `read_image`.
        options: as in `read_image`.
        **known: as in `read_image`.

    Raises:
        InputError: as `read_image`, but for damaged pixels.
    """
    options = with_known(options, **known)
    image, _ = open_image(path)
    axes = axes_of(image, options.third_axis, is_planar=options.view.is_long_axis)
    lengths = dict(zip(axes, image.shape, strict=True))
    shape = (lengths.get("t", 1), lengths.get("z", 1), lengths["y"], lengths["x"])
    return Grid(_geometry(image, axes, options), shape, source_of(image, axes))


def read_labels(
    path: str | Path, scheme: LabelScheme, options: ReadOptions = AS_STORED, **known: Unpack[KnownOption]
) -> LabelMap:
    """Read a label map (time, depth, height, width); whole numbers stored as floats are accepted.

    Args:
        path: as for `read_image`, but no video or JPEG; of a palette the indices count, not its colours.
        scheme: what the values mean.
        options: as in `read_image`; of these only `third_axis` and `spacing_mm` are of account.
        **known: single fields of the options.

    Raises:
        InputError: as `read_image`, or a value is no label of the scheme.
    """
    options = with_known(options, **known)
    image, form = open_image(path)
    if image.is_lossy:
        raise InputError(
            f"{image.suffix or form.name} files hold no exact label values: compression changed them",
            where=path,
            remedy="store labels as .nii.gz or .png.",
        )
    axes = axes_of(image, options.third_axis, is_planar=False)
    geometry = _geometry(image, axes, options)
    pixels = form.read_pixels(image, as_labels=True).values
    if pixels.ndim > len(image.shape):
        pixels = _common_channel(pixels, image)
    array = to_frames(to_label_values(pixels, image), axes)
    source = dataclasses.replace(source_of(image, axes), is_labels=True)
    return LabelMap(cast("NDArray[np.uint8]", array), scheme, geometry, source)


def read_labels_of(
    path: str | Path, scheme: LabelScheme, grid: Callable[[], Grid], options: ReadOptions = AS_STORED
) -> LabelMap:
    """Read a label map beside its image: one on a grid of its own, or a segmentation that refers to the image's file.

    Args:
        path: as for `read_labels`, or a DICOM segmentation of a DICOM image.
        scheme: what the values, or the segments, mean.
        grid: reads where the image's voxels lie; it is asked where the label map has no grid of its own.
        options: as in `read_labels`.

    Raises:
        InputError: as `read_labels`, or a segmentation is of another image.
    """
    form = format_of(Path(path))
    labels = None if form is None or form.read_labels_of is None else form.read_labels_of(Path(path), scheme, grid)
    return read_labels(path, scheme, options) if labels is None else labels


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


def _geometry(image: StoredImage, axes: str, options: ReadOptions) -> Geometry:
    return dataclasses.replace(geometry_of(image, axes, options.spacing_mm), as_shown=options.as_shown)


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
