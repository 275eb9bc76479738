"""The steps: pixel steps change the file's own pixels, geometric ones move the grid, intensity ones the values.

All of them work on planes (height, width) and on volumes (depth, height, width). A geometric step leaves the depth of
a volume as it is, unless its options name one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Shaped

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.core.errors import InputError
from cardiotrace.geometry.resample import AxisMap, Maps
from cardiotrace.preprocessing.equalise import equalise
from cardiotrace.preprocessing.intensity import (
    HistogramStandard,
    IntensityStep,
    MinMax,
    Multiply,
    Percentiles,
    ZScore,
    unit_range,
)

Spacing = tuple[float, ...]
"""Millimetres between neighbours along each axis of a sample; NaN between slices whose distance is not known."""


@runtime_checkable
class PixelStep(Protocol):
    """Makes another image of an image, on the file's own grid, before it is resampled or packed."""

    def channels(self, given: int) -> int:
        """Channels of the new image where the old one has `given`.

        Raises:
            InputError: no such image can be made.
        """
        ...

    def change(self, image: Shaped[np.ndarray, "channels *axes"]) -> Shaped[np.ndarray, "new_channels *axes"]:
        """The new image, of the same height, width and depth."""
        ...


@runtime_checkable
class GeometricStep(Protocol):
    """Adds one map per axis to those of the steps before it."""

    def extend(self, axes: Maps, spacing_mm: Spacing | None) -> Maps:
        """The maps after this step.

        Args:
            axes: what the steps before it did, from the file's grid to the present one.
            spacing_mm: that of the file, one for each axis.
        """
        ...


Centre = tuple[float, float]
"""A place on the file's own grid along (height, width), in pixels from its first edges."""


@runtime_checkable
class CentredStep(Protocol):
    """A geometric step that may have to know where the heart lies."""

    @property
    def needs_centre(self) -> bool:
        """Whether it has to know; else it is asked for `extend` as any other."""
        ...

    def extend_around(self, axes: Maps, centre: Centre) -> Maps:
        """The maps after this step, around a place on the file's own grid."""
        ...


LARGEST_SIDE = 16384
"""Pixels of a prepared image: many more than any network takes."""

COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Channel:
    """Keep one channel of a colour image.

    Source: vessels stand out most in the green channel of fundus photographs (Staal et al. 2004, IEEE TMI 23:501).
    """

    colour: Literal["red", "green", "blue"] = "green"
    """The one that is kept."""

    def channels(self, given: int) -> int:
        """See `PixelStep`."""
        if given != len(COLOURS):
            raise InputError(f"there is no {self.colour} channel in an image of {given} channel")
        return 1

    def change(self, image: Shaped[np.ndarray, "channels *axes"]) -> Shaped[np.ndarray, "new_channels *axes"]:
        """See `PixelStep`."""
        self.channels(len(image))
        index = COLOURS.index(self.colour)
        return image[index : index + 1]


@dataclass(frozen=True)
class Equalise:
    """Contrast-limited adaptive histogram equalisation of each channel; the result is in bytes."""

    tiles: int = 8
    """Tiles along each side."""
    limit: float = 2.0
    """Height at which a tile's histogram is cut, in means of its bins; contrast grows at most limit + 1 times."""

    def __post_init__(self) -> None:
        if self.tiles < 1 or self.limit < 1:
            raise ValueError(f"tiles and limit must be at least 1, got {self.tiles} and {self.limit}")

    def channels(self, given: int) -> int:
        """See `PixelStep`."""
        return given

    def change(self, image: Shaped[np.ndarray, "channels *axes"]) -> Shaped[np.ndarray, "new_channels *axes"]:
        """See `PixelStep`."""
        levels = image if image.dtype == np.uint8 else np.rint(255 * unit_range(image)).astype(np.uint8)
        planes = levels.reshape(-1, *levels.shape[-2:])  # slice by slice, as a plane is seen
        equalised = [equalise(plane, tiles=self.tiles, limit=self.limit) for plane in planes]
        return np.stack(equalised).reshape(levels.shape)


@dataclass(frozen=True)
class Resize:
    """Stretch the image to a fixed size, or fit it in with its shape in millimetres kept.

    Source: Leclerc et al. 2019 stretch every CAMUS image to 256 x 256.
    """

    height: int = 256
    width: int = 256
    keep_aspect: bool = False
    depth: int | None = None
    """Slices of a volume."""

    def __post_init__(self) -> None:
        _check_sides(self.height, self.width, self.depth)

    def extend(self, axes: Maps, spacing_mm: Spacing | None) -> Maps:
        """See `GeometricStep`.

        Raises:
            InputError: a depth is asked for where there is none, or its distances are needed and not known.
        """
        sides = _asked_of(axes, self.depth, self.height, self.width)
        if self.keep_aspect:
            return _changed(axes, _fit(axes, sides, spacing_mm), _scaled_in_the_middle)
        return _changed(axes, sides, lambda axis, side: axis.then(AxisMap.resize(axis.target_size, side)))


@dataclass(frozen=True)
class Resample:
    """Bring the pixels to a fixed size in millimetres."""

    height_mm: float = 1.0
    width_mm: float = 1.0
    depth_mm: float | None = None
    """Distance between the slices of a volume."""

    def __post_init__(self) -> None:
        if min(self.height_mm, self.width_mm, 1.0 if self.depth_mm is None else self.depth_mm) <= 0:
            raise ValueError("pixel size must be positive")

    def extend(self, axes: Maps, spacing_mm: Spacing | None) -> Maps:
        """See `GeometricStep`.

        Raises:
            InputError: the file does not say how large its pixels are, or there is no depth to bring to a distance.
        """
        if spacing_mm is None:
            raise InputError("the pixel size is unknown, and this model works at a fixed one")
        sizes = _asked_of(axes, self.depth_mm, self.height_mm, self.width_mm)
        scales = [size / mm for size, mm in zip(sizes, _pixels_mm(axes, len(sizes), spacing_mm), strict=True)]
        return _changed(axes, scales, _rescaled)


@dataclass(frozen=True)
class CropOrPad:
    """Keep the middle of the image, or the heart: cut or pad with black to a fixed size."""

    height: int = 256
    width: int = 256
    depth: int | None = None
    """Slices of a volume, around its middle."""
    around: Literal["heart"] | None = None
    """What height and width are cut around: the heart, which a localiser finds; by default the middle of the image."""

    def __post_init__(self) -> None:
        _check_sides(self.height, self.width, self.depth)

    @property
    def needs_centre(self) -> bool:
        """See `CentredStep`."""
        return self.around == "heart"

    def extend(self, axes: Maps, spacing_mm: Spacing | None) -> Maps:
        """See `GeometricStep`.

        Raises:
            InputError: a depth is asked for where there is none.
        """
        sides = _asked_of(axes, self.depth, self.height, self.width)
        return _changed(axes, sides, lambda axis, side: axis.then(AxisMap.centred(axis.target_size, side)))

    def extend_around(self, axes: Maps, centre: Centre) -> Maps:
        """See `CentredStep`: the place comes to lie within half a pixel of the middle.

        Raises:
            InputError: a depth is asked for where there is none.
        """
        *depth, height, width = _asked_of(axes, self.depth, self.height, self.width)
        in_depth = _changed(axes[:-2], depth, lambda axis, side: axis.then(AxisMap.centred(axis.target_size, side)))
        in_plane = zip(axes[-2:], (height, width), centre, strict=True)
        return (*in_depth, *(_window(axis, side, place) for axis, side, place in in_plane))


@dataclass(frozen=True)
class PadToMultiple:
    """Pad height and width with black up to the next multiple: a whole image, pixel for pixel, fits the network."""

    multiple: int = 32
    """Of the network's own: 2^levels for a U-Net."""
    depth: int | None = None
    """The same of a volume's slices."""

    def __post_init__(self) -> None:
        if min(self.multiple, 1 if self.depth is None else self.depth) < 1:
            raise ValueError(f"multiple must be at least 1, got {self.multiple}")

    def extend(self, axes: Maps, spacing_mm: Spacing | None) -> Maps:
        """See `GeometricStep`.

        Raises:
            InputError: a depth is asked for where there is none.
        """
        return _changed(axes, _asked_of(axes, self.depth, self.multiple, self.multiple), _padded)


Asked = TypeVar("Asked")


def _asked_of(axes: Maps, depth: Asked | None, height: Asked, width: Asked) -> tuple[Asked, ...]:
    """What is asked of the last axes: of height and width, and of a volume's depth where one is named."""
    if depth is None:
        return height, width
    if len(axes) < 3:
        raise InputError(
            "the preprocessing asks for a depth, and what it is given is a plane",
            remedy="leave out the depth of its steps.",
        )
    return depth, height, width


def _changed(axes: Maps, asked: Sequence[Asked], change: Callable[[AxisMap, Asked], AxisMap]) -> Maps:
    """The axes, as many of the last ones changed as something is asked of."""
    kept = len(axes) - len(asked)
    return (*axes[:kept], *map(change, axes[kept:], asked))


def _pixels_mm(axes: Maps, count: int, spacing_mm: Spacing | None) -> list[float]:
    """Size of a pixel after the steps so far along the last axes; all alike where the file's own is not known."""
    known = spacing_mm or (1.0,) * len(axes)
    sizes = [mm * axis.scale for mm, axis in zip(known[-count:], axes[-count:], strict=True)]
    if any(map(math.isnan, sizes)):
        raise InputError("the distance between slices is unknown, and this model needs it")
    return sizes


def _fit(axes: Maps, sides: Sequence[int], spacing_mm: Spacing | None) -> list[tuple[int, float]]:
    """Side and scale of the last axes so that all of the image fits in, its shape in millimetres kept."""
    pixels_mm = _pixels_mm(axes, len(sides), spacing_mm)
    # The axis that is longest for its side decides.
    sizes = zip(axes[-len(sides) :], sides, pixels_mm, strict=True)
    target_mm = max(axis.target_size * mm / side for axis, side, mm in sizes)
    return [(side, target_mm / mm) for side, mm in zip(sides, pixels_mm, strict=True)]


def _scaled_in_the_middle(axis: AxisMap, fit: tuple[int, float]) -> AxisMap:
    return axis.then(AxisMap.centred(axis.target_size, *fit))


def _rescaled(axis: AxisMap, scale: float) -> AxisMap:
    """The axis in pixels `scale` times as large, around the same middle; at least one."""
    return axis.then(AxisMap.centred(axis.target_size, max(1, round(axis.target_size / scale)), scale))


def _padded(axis: AxisMap, multiple: int) -> AxisMap:
    size = axis.target_size
    more = -size % multiple
    # By whole pixels, or an odd number would blur the image by half a pixel.
    return axis.then(AxisMap(size, size + more, 1.0, float(-(more // 2))))


def _window(axis: AxisMap, side: int, place: float) -> AxisMap:
    """So many pixels of the axis around a place on the file's own grid."""
    middle = (place - axis.offset) / axis.scale
    # By whole pixels, as padding is: half a pixel would blur what another step left as it was.
    return axis.then(AxisMap(axis.target_size, side, 1.0, float(round(middle - side / 2))))


def _check_sides(height: int, width: int, depth: int | None) -> None:
    sides = (height, width) if depth is None else (depth, height, width)
    if not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise ValueError(f"sides must be 1 to {LARGEST_SIDE} pixels, got {' x '.join(map(str, sides))}")


Step = PixelStep | GeometricStep | IntensityStep


def _given(config: Step) -> Step:
    return config


STEPS: Catalog[Step] = Catalog(
    "preprocessing step",
    [
        Entry("channel", Channel, _given, "Keep one channel of a colour image.", "Staal et al. 2004"),
        Entry(
            "clahe",
            Equalise,
            _given,
            "Contrast-limited adaptive histogram equalisation of the file's own pixels.",
            "Zuiderveld 1994, Graphics Gems IV:474",
        ),
        Entry("resize", Resize, _given, "Stretch or fit the image to a fixed size.", "Leclerc 2019"),
        Entry("resample", Resample, _given, "Bring the pixels to a fixed size in mm."),
        Entry("crop-or-pad", CropOrPad, _given, "Keep the middle, or the heart, at a fixed size."),
        Entry("pad-to-multiple", PadToMultiple, _given, "Pad whole images with black to sides that the network takes."),
        Entry(
            "z-score", ZScore, _given, "Zero mean and unit standard deviation, image by image and channel by channel."
        ),
        Entry(
            "percentiles",
            Percentiles,
            _given,
            "Stretch the values between two percentiles over 0 to 1, and clip what lies beyond.",
            "Isensee et al. 2017, arXiv:1707.00587",
        ),
        Entry(
            "histogram-standard",
            HistogramStandard,
            _given,
            "Bring the deciles of each image to those of a standard histogram, linearly between them.",
            "Nyul and Udupa 1999, Magn Reson Med 42:1072",
        ),
        Entry("min-max", MinMax, _given, "Stretch the values over an interval, image by image and channel by channel."),
        Entry("multiply", Multiply, _given, "Multiply the unit-range values; 255 gives back the bytes."),
    ],
    group="cardiotrace.preprocessing",
)
