"""What the third of a file's axes is, depth or time: by what format, name, view, header and pixels say of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.io.stored import StoredImage, ThirdAxis
from cardiotrace.io.vocabulary import NamedMotion, motion_in

MOST_SLICES = 24
"""Slices of the tallest stack of a heart; recordings of a beat have 15 to 60 frames."""
TALLEST_STACK_MM = 200.0
"""A heart with its atria is 120 to 160 mm long."""
LEAST_DISTANCE_MM = 3.0
LARGEST_DISTANCE_MM = 20.0
"""Slices of cine-MRI lie 5 to 20 mm apart."""
_LEAST_BEAT = 12
_LEAST_SIDE = 64
"""Pixels along the sides of an image, as long as nobody makes thumbnails of it."""


def axes_of(image: StoredImage, third_axis: ThirdAxis, *, is_planar: bool) -> str:
    """What the file's axes mean: "xy", "xyz", "xyt", "xyzt", or "xytz" of a video that ends in an axis of length 1.

    Without word from the caller a third axis is time where the format says so, the file's name says so (see
    `vocabulary.motion_in`), or the view is one plane by nature. It is depth where the header has a distance between
    slices that makes a stack no taller than a heart. Time units in a NIfTI header are no evidence: ITK writes seconds
    into every volume.

    Raises:
        InputError: nothing tells, or what tells contradicts itself.
    """
    as_depth, count = "xyzt"[: len(image.shape)], len(image.shape)
    if count == 2 or (count == 4 and image.shape[3] > 1):
        return as_depth
    if third_axis == "auto":
        is_time = image.third_is_time or (image.shape[2] > 1 and _third_is_time(image, is_planar=is_planar))
    else:
        is_time = third_axis == "time"
    as_time = "xyt" if count == 3 else "xytz"
    return as_time if is_time else as_depth


@dataclass(frozen=True)
class _Stack:
    """What several planes would be if they were slices."""

    count: int
    distance_mm: float | None
    """Between slices, as the header states it."""

    @property
    def height_mm(self) -> float:
        """Zero where the header states no distance."""
        return 0.0 if self.distance_mm is None else self.count * self.distance_mm

    @property
    def fits_a_heart(self) -> bool:
        return self.count <= MOST_SLICES and (self.height_mm <= TALLEST_STACK_MM or self.count < _LEAST_BEAT)

    @property
    def has_gaps(self) -> bool:
        """Whether the slices lie apart as those of cine-MRI do: no other number stands there by accident."""
        return self.distance_mm is not None and self.distance_mm >= LEAST_DISTANCE_MM

    @property
    def is_as_of_mri(self) -> bool:
        return self.fits_a_heart and self.has_gaps

    @property
    def is_fine_volume(self) -> bool:
        """Whether it is one of thin slices, such as of CT, no taller than a heart."""
        return self.distance_mm is not None and not self.has_gaps and self.height_mm <= TALLEST_STACK_MM

    def __str__(self) -> str:
        return "a stack" if self.distance_mm is None else f"a stack of {self.height_mm / 10:.0f} cm"


def _third_is_time(image: StoredImage, *, is_planar: bool) -> bool:
    """Time or depth, by what name, view and header say of a third axis of several planes.

    Raises:
        InputError: nothing tells.
    """
    stack = _Stack(image.shape[2], _stated_distance(image))
    motion = motion_in(image.stem)
    if motion is NamedMotion.VIDEO:
        return True
    if motion is NamedMotion.CINE or is_planar:
        # Single stacks are called cine too, and long axes are recorded in parallel planes: a header that states such
        # slices speaks against name and view.
        if not stack.is_as_of_mri or (is_planar and not image.is_oriented):
            return True
        why = "its name says it moves" if motion is NamedMotion.CINE else "a long-axis view is one plane"
        apart = f"{stack.distance_mm:g} mm apart as the header says"
        raise third_axis_unclear(image, f"slices, {apart}, or instants: {why}")
    if stack.fits_a_heart or stack.is_fine_volume:
        return False
    _check_order(image)
    raise third_axis_unclear(image, f"{stack}, or {stack.count} instants of one slice")


def _check_order(image: StoredImage) -> None:
    """Refuse planes that are cut across the slices: neither answer to depth or time would be right."""
    few = [axis for axis in (0, 1) if image.shape[axis] <= MOST_SLICES]
    many = [size for size in image.shape[:3] if size >= _LEAST_SIDE]
    if len(few) == 1 and len(many) == 2:
        sizes = " x ".join(map(str, image.shape[:3]))
        raise InputError(
            f"the slices seem to lie along axis {few[0] + 1} of {sizes}, not along the third",
            where=image.path,
            remedy="write it anew with height, width and slices in their usual order; or say --third-axis.",
        )


def _stated_distance(image: StoredImage) -> float | None:
    """The distance between slices that the header states, mm; 1, 0 and nothing are what writers fall back on."""
    sizes = image.spacing_mm
    if sizes is None or len(sizes) < 3 or not np.isfinite(sizes[2]) or sizes[2] <= 0 or sizes[2] == 1:
        return None
    return float(sizes[2])


def third_axis_unclear(image: StoredImage, either: str) -> InputError:
    """The question whether a third axis is depth or time."""
    return InputError(
        f"its {image.shape[2]} planes can be {either}",
        where=image.path,
        remedy="say which with --third-axis depth or --third-axis time.",
    )


_LEAST_ALIKE = 6
_ALIKE = 0.7
_LEAST_PIXELS = 64
_COMES_BACK = 0.4
_LARGEST_STEP = 0.8


def check_depth(pixels: NDArray[Any], image: StoredImage, axes: str, third_axis: ThirdAxis) -> None:
    """Ask where planes that were taken for slices all show the same, or change and come back as a beat does.

    They show the same if any two correlate by more than 0.7; in each of ACDC's 120 stacks some two do by at most 0.37.
    For coming back counts how far the last plane differs from the first, as a share of the largest difference, both
    less the median difference of neighbours: at least 0.9 in the 42 stacks of ACDC and M&Ms that are as tall, at most
    0.35 in 31 of 35 beats (Sunnybrook, M&Ms-2, BIV-ME). Labels are not judged so: both ends of a traced stack
    are empty.

    Raises:
        InputError: they look like a beat.
    """
    if third_axis != "auto" or not _is_stack(image, axes):
        return
    # Every fourth row and column: neighbouring pixels say the same, and each stack that is opened is asked.
    planes = pixels.reshape(-1, *pixels.shape[len(image.shape) - 2 :])[:, ::4, ::4].astype(np.float32)
    if _all_alike(planes):
        raise third_axis_unclear(image, "slices, or instants: they all show the same")
    if len(planes) >= _LEAST_BEAT and _comes_back(planes):
        raise third_axis_unclear(image, "slices, or instants: they change and come back as a beat does")


def _is_stack(image: StoredImage, axes: str) -> bool:
    """Whether planes enough to judge were taken for the slices of one instant."""
    if "z" not in axes or len(image.shape) < 3 or image.shape[2] < _LEAST_ALIKE:
        return False
    return len(image.shape) == 3 or (axes == "xyzt" and image.shape[3] == 1)


def _comes_back(planes: NDArray[np.float32]) -> bool:
    """Whether the last plane is like the first again, and neighbours differ little on the way.

    What neighbours differ by is taken off, as noise alone makes that much.
    """
    over_plane = tuple(range(1, planes.ndim))
    from_first = np.abs(planes - planes[0]).mean(axis=over_plane)
    step = float(np.median(np.abs(np.diff(planes, axis=0)).mean(axis=over_plane)))
    largest = float(from_first.max())
    return step < _LARGEST_STEP * largest and bool(from_first[-1] - step < _COMES_BACK * (largest - step))


def _all_alike(planes: NDArray[np.float32]) -> bool:
    """Whether any two planes correlate; those of one value are left out."""
    rows = planes.reshape(len(planes), -1)
    rows = rows[rows.std(axis=1) > 0]
    is_image = rows.shape[1] >= _LEAST_PIXELS
    return is_image and len(rows) >= _LEAST_ALIKE and bool(np.corrcoef(rows).min() > _ALIKE)
