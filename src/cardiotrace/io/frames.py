"""From the axes and numbers of a file to frames (time, depth, height, width) and to labels."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry, Known, check_spacing
from cardiotrace.core.image import FileSource
from cardiotrace.io.stored import StoredImage
from cardiotrace.io.third_axis import LARGEST_DISTANCE_MM, LEAST_DISTANCE_MM

NEARLY_WHOLE = 1e-3
"""How far a label may be from a whole number: programs that rescale on writing leave such differences."""

_LOSSLESS = (np.uint8, np.int16, np.uint16)

GivenSpacing = tuple[float | None, float, float]
"""(depth, height, width), mm, as the caller knows them; without a depth the file's own slice distance stays."""


def geometry_of(image: StoredImage, axes: str, given: GivenSpacing | None = None) -> Geometry:
    """Where the voxels lie: sizes and directions that the header states, with what the caller knows better.

    The thickness of a single plane may be left out or zero: nothing depends on it, and it counts as 1 mm. A stack whose
    header has no distance between its slices keeps the size of its pixels.

    Raises:
        InputError: a size is zero, negative or not a number, in the file where none is given, or in what is given.
    """
    sizes = _sizes(image, axes) if given is None else _given_sizes(image, axes, given)
    if sizes is None:
        return replace(NO_GEOMETRY, doubts=image.doubts) if image.doubts else NO_GEOMETRY
    depth, height, width = sizes
    check_spacing(sizes, where=image.path, may_lack_depth=True)
    if image.affine is None:
        affine = Geometry.of_spacing(sizes, where=image.path).affine
    else:
        affine = _scaled(image.affine, (1.0 if np.isnan(depth) else depth, height, width))
    stated = Geometry(
        affine,
        pixel_size=Known.FILE,
        slice_distance=Known.UNKNOWN if np.isnan(depth) else Known.FILE,
        orientation=Known.FILE if image.is_oriented else Known.UNKNOWN,
        doubts=image.doubts,
    )
    if given is None:
        return stated
    # Sizes that are given end what the header says of itself; a distance of slices is given across them, however they
    # are shifted.
    return stated.with_pixel_size(height, width, given[0])


def _sizes(image: StoredImage, axes: str) -> tuple[float, float, float] | None:
    """(depth, height, width), mm, of the header; the depth is NaN where a stack states none, or zero."""
    if image.spacing_mm is None:
        return None
    width, height = image.spacing_mm[:2]
    return _slice_distance(image, axes), height, width


def _given_sizes(image: StoredImage, axes: str, given: GivenSpacing) -> tuple[float, float, float]:
    depth, height, width = given
    return _slice_distance(image, axes) if depth is None else depth, height, width


def _slice_distance(image: StoredImage, axes: str) -> float:
    """The header's distance between slices; of one plane over time its thickness, if it can be one and no interval."""
    is_stack = "z" in axes and image.shape[axes.index("z")] > 1
    stated = image.spacing_mm[2] if image.spacing_mm is not None and len(image.spacing_mm) > 2 else float("nan")
    is_thickness = LEAST_DISTANCE_MM <= stated <= LARGEST_DISTANCE_MM
    if np.isnan(stated) or stated == 0 or not ("z" in axes or is_thickness):
        return float("nan") if is_stack else 1.0
    return stated


def _scaled(affine: NDArray[np.float64], sizes: tuple[float, float, float]) -> NDArray[np.float64]:
    """The file's affine (x, y, z) as one of (depth, height, width), its columns as long as the sizes."""
    moved = affine[:, [2, 1, 0, 3]].copy()
    lengths = np.linalg.norm(moved[:3, :3], axis=0)
    moved[:3, :3] *= np.divide(sizes, lengths, out=np.ones(3), where=lengths > 0)
    return moved


def source_of(image: StoredImage, axes: str) -> FileSource:
    """What a label map needs to be written onto the grid of this file."""
    return FileSource(
        image.path,
        image.format,
        image.suffix,
        axes,
        image.shape,
        pixel_file=image.pixel_file,
        frame_interval_ms=image.frame_interval_ms,
        header=image.header,
    )


def to_frames(pixels: NDArray[Any], axes: str) -> NDArray[Any]:
    """Stored pixels ([[t,] z,] y, x[, 3]) -> (time, depth, height, width[, 3]), without a copy."""
    if axes == "xyt":
        return pixels[:, np.newaxis]
    if axes == "xytz":
        return np.swapaxes(pixels, 0, 1)
    missing = 4 - len(axes)
    return pixels[(np.newaxis,) * missing]


def to_grey_values(pixels: NDArray[Any], image: StoredImage) -> NDArray[Any]:
    """Pixels as uint8, uint16, int16 or float32: unchanged where they are, float64 rounded, integers narrowed.

    Raises:
        InputError: some pixel is NaN or infinite, or an integer fits none of these.
    """
    if pixels.dtype.kind == "f":
        if pixels.dtype != np.float32:
            with np.errstate(over="ignore"):
                pixels = pixels.astype(np.float32)
        bad = int(pixels.size - np.count_nonzero(np.isfinite(pixels)))
        if bad:
            raise InputError(
                f"{bad} of {pixels.size} pixels are NaN or infinite",
                where=image.path,
                remedy="replace them by a number, such as 0, before analysis.",
            )
    elif pixels.dtype.kind == "b":
        pixels = pixels.astype(np.uint8)
    elif pixels.dtype.kind not in "iu":
        raise InputError(
            f"pixels of type {pixels.dtype} are not grey values",
            where=image.path,
            remedy="export real numbers, such as the magnitude.",
        )
    elif pixels.dtype.newbyteorder("=") not in _LOSSLESS:
        pixels = _narrowed(pixels, image)
    return np.require(pixels, dtype=pixels.dtype.newbyteorder("="), requirements=["C", "W"])


def to_label_values(pixels: NDArray[Any], image: StoredImage) -> NDArray[np.uint8]:
    """Pixels as exact labels 0..255; numbers that are whole within `NEARLY_WHOLE` are accepted.

    Raises:
        InputError: a value is not a whole number from 0 to 255.
    """
    if pixels.dtype.kind not in "biuf":
        raise InputError(f"pixels of type {pixels.dtype} are not labels", where=image.path)
    if pixels.dtype == np.uint8:
        return np.require(pixels, requirements=["C", "W"])
    labels = np.empty(pixels.shape, np.uint8)
    wrong: list[float] = []
    count = 0
    for index in np.ndindex(pixels.shape[:-2]):  # plane by plane: comparisons need several times the memory
        plane, whole = pixels[index], np.rint(pixels[index]) if pixels.dtype.kind == "f" else pixels[index]
        with np.errstate(invalid="ignore"):
            labels[index] = np.where((whole >= 0) & (whole <= 255), whole, 0).astype(np.uint8)
            is_wrong = ~(np.abs(plane - labels[index].astype(np.float64)) <= NEARLY_WHOLE)
        if is_wrong.any():
            count += int(np.count_nonzero(is_wrong))
            wrong = wrong or [float(plane[is_wrong][0])]
    if wrong:
        raise _not_labels(image, count, pixels.size, wrong[0])
    return labels


def _not_labels(image: StoredImage, count: int, total: int, value: float) -> InputError:
    slope, intercept = image.scaling
    scaled = f", after the header's scl_slope {slope:.7g} and scl_inter {intercept:.7g}" if image.is_rescaled else ""
    return InputError(
        f"{count} of {total} pixels are not whole numbers from 0 to 255, such as {value:.7g}{scaled}",
        where=image.path,
        remedy="save the labels as whole numbers without a slope."
        if scaled
        else "this is an image or a probability map, or labels that were resampled smoothly, not a label map.",
    )


def label_doubt(values: NDArray[Any]) -> tuple[str, ...]:
    """What speaks against grey values that are but a few small whole numbers: they are labels, more likely than not.

    Example:
        >>> label_doubt(np.array([[0, 1], [2, 3]], np.uint8)), label_doubt(np.array([[0, 1], [2, 90]], np.uint8))
        (('its values are the numbers 0, 1, 2, 3 alone: is it a label map?',), ())
    """
    if not values.size or values.max() > _MOST_LABEL or values.min() < 0:
        return ()
    found = np.unique(values)
    if len(found) < 2 or (found != np.rint(found)).any():
        return ()
    return (f"its values are the numbers {', '.join(f'{value:g}' for value in found)} alone: is it a label map?",)


_MOST_LABEL = 7


def _narrowed(pixels: NDArray[Any], image: StoredImage) -> NDArray[Any]:
    lowest, highest = int(pixels.min()), int(pixels.max())
    for kind in _LOSSLESS:
        limits = np.iinfo(kind)
        if limits.min <= lowest and highest <= limits.max:
            return pixels.astype(kind)
    raise InputError(
        f"grey values from {lowest} to {highest} fit neither int16 nor uint16",
        where=image.path,
        remedy="rescale them to 16 bit, or store them as float32.",
    )
