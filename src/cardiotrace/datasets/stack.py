"""Slices that are stored one per file, put together by where they lie in the patient."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.image import Image

_SAME_PLACE_MM = 0.1
_SAME_DIRECTION = 1e-3
_EVEN = 0.1
"""Share of the median step by which one step may differ: scanners round positions."""


def are_parallel(images: Sequence[Image]) -> bool:
    """Whether images are single planes of one grid, whose headers place them one above the other in the patient."""
    first = images[0]
    if not all(_is_like(image, first) for image in images) or len(images) < 2:
        return False
    steps = _offsets(images)
    normal = _normal(first)
    along = steps @ normal
    sideways = np.linalg.norm(steps - np.outer(along, normal), axis=1)
    # Slices of one stack may lie somewhat aside of each other; planes that lie beside each other are no stack.
    return bool(np.ptp(along) > _SAME_PLACE_MM and sideways.max() <= max(np.ptp(along), 1.0))


def stacked(images: Sequence[Image]) -> Image:
    """One stack of parallel planes, in the order in which they lie.

    Raises:
        InputError: two lie at one place, or their distances differ: one is missing, or belongs to another stack.
    """
    along = _offsets(images) @ _normal(images[0])
    ordered = [images[index] for index in np.argsort(along)]
    steps = np.diff(np.sort(along))
    where = None if images[0].source is None else images[0].source.path.parent
    if steps.min() <= _SAME_PLACE_MM:
        raise InputError(
            f"two of its {len(images)} slices lie at one place in the patient",
            where=where,
            remedy="put each stack into a folder of its own; instants of one slice belong into one file.",
        )
    step = float(np.median(steps))
    if np.abs(steps - step).max() > _EVEN * step:
        raise InputError(
            f"its {len(images)} slices lie {steps.min():.3g} to {steps.max():.3g} mm apart",
            where=where,
            remedy="a slice is missing, or belongs to another stack: complete it, or take it away.",
        )
    affine = ordered[0].geometry.affine.copy()
    # Over the whole stack: the step between two neighbours holds the rounding of both.
    affine[:3, 0] = (_place(ordered[-1]) - _place(ordered[0])) / (len(ordered) - 1)
    geometry = replace(ordered[0].geometry, affine=affine, slice_distance=Known.FILE)
    return _together(ordered, geometry, f"a stack of {len(images)} files, ordered by their places in the patient")


def piled(images: Sequence[Image], distance_mm: float | None) -> Image:
    """One stack of planes in the order given, whose distance is what the caller says, or unknown.

    Raises:
        InputError: their grids differ.
    """
    spacing = images[0].spacing_mm
    geometry = images[0].geometry
    if spacing is not None:
        known = geometry.pixel_size if distance_mm is None else Known.GIVEN
        geometry = Geometry.of_spacing((distance_mm or float("nan"), *spacing[1:]), known)
    _require_one_grid(images)
    return _together(images, geometry, f"a stack of {len(images)} files, in the order of their names")


def in_time(images: Sequence[Image]) -> Image:
    """One video of single frames in the order given.

    Raises:
        InputError: their grids differ.
    """
    _require_one_grid(images)
    frames = np.concatenate([image.frames for image in images])
    note = f"a video of {len(images)} files, in the order of their names"
    return replace(images[0], frames=frames, source=None, times_ms=None, notes=(*images[0].notes, note))


def _together(images: Sequence[Image], geometry: Geometry, note: str) -> Image:
    frames = np.concatenate([image.frames for image in images], axis=1)
    return replace(images[0], frames=frames, geometry=geometry, source=None, notes=(*images[0].notes, note))


def _require_one_grid(images: Sequence[Image]) -> None:
    shapes = {image.frames.shape for image in images}
    if len(shapes) > 1:
        where = None if images[0].source is None else images[0].source.path.parent
        listed = " and ".join(str(shape) for shape in sorted(shapes)[:2])
        raise InputError(f"files of shapes {listed} are no one image", where=where, remedy="name them one by one.")


def _is_like(image: Image, first: Image) -> bool:
    directions, others = (each.geometry.affine[:3, 1:3] for each in (first, image))
    return (
        image.grid_shape[1] == 1
        and image.frames.shape == first.frames.shape
        and image.geometry.is_oriented
        # The columns of an affine hold the size of the pixels as well as a direction: what may differ is a share of
        # it.
        and bool(np.allclose(directions, others, atol=_SAME_DIRECTION * np.abs(directions).max()))
    )


def _place(image: Image) -> Float[np.ndarray, " 3"]:
    place: Float[np.ndarray, " 3"] = image.geometry.affine[:3, 3]
    return place


def _offsets(images: Sequence[Image]) -> Float[np.ndarray, "n 3"]:
    return np.stack([_place(image) - _place(images[0]) for image in images])


def _normal(image: Image) -> Float[np.ndarray, " 3"]:
    cross = np.cross(image.geometry.affine[:3, 1], image.geometry.affine[:3, 2])
    normal: Float[np.ndarray, " 3"] = cross / np.linalg.norm(cross)
    return normal
