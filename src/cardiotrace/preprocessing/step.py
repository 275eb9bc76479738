"""The steps: pixel steps change the file's own pixels, geometric ones move the grid, intensity ones the values."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from jaxtyping import Float, Shaped

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.core.errors import InputError
from cardiotrace.geometry.resample import AxisMap
from cardiotrace.preprocessing.equalise import equalise

Pair = tuple[AxisMap, AxisMap]
Values = TypeVar("Values", bound=Any)
"""A numpy array or a torch tensor (..., height, width): the intensity steps are written for both."""


class PixelStep(Protocol):
    """Makes another image of an image, on the file's own grid, before it is resampled or packed."""

    def channels(self, given: int) -> int:
        """Channels of the new image where the old one has `given`.

        Raises:
            InputError: no such image can be made.
        """
        ...

    def change(
        self, image: Shaped[np.ndarray, "channels height width"]
    ) -> Shaped[np.ndarray, "new_channels height width"]:
        """The new image, of the same height and width."""
        ...


class GeometricStep(Protocol):
    """Adds one map per axis to those of the steps before it."""

    def place(self, rows: AxisMap, columns: AxisMap, spacing_mm: tuple[float, float] | None) -> Pair:
        """The maps after this step; `spacing_mm` (row, column) is that of the file."""
        ...


class IntensityStep(Protocol):
    """Changes values, image by image."""

    def normalise(self, values: Values) -> Values:
        """New values of the same shape."""
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

    def change(
        self, image: Shaped[np.ndarray, "channels height width"]
    ) -> Shaped[np.ndarray, "new_channels height width"]:
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

    def change(
        self, image: Shaped[np.ndarray, "channels height width"]
    ) -> Shaped[np.ndarray, "new_channels height width"]:
        """See `PixelStep`."""
        levels = image if image.dtype == np.uint8 else np.rint(255 * unit_range(image)).astype(np.uint8)
        return np.stack([equalise(plane, tiles=self.tiles, limit=self.limit) for plane in levels])


@dataclass(frozen=True)
class Resize:
    """Stretch the image to a fixed size, or fit it in with its shape in millimetres kept.

    Source: Leclerc et al. 2019 stretch every CAMUS image to 256 x 256.
    """

    height: int = 256
    width: int = 256
    keep_aspect: bool = False

    def __post_init__(self) -> None:
        if not all(1 <= side <= LARGEST_SIDE for side in (self.height, self.width)):
            raise ValueError(f"sides must be 1 to {LARGEST_SIDE} pixels, got {self.height} x {self.width}")

    def place(self, rows: AxisMap, columns: AxisMap, spacing_mm: tuple[float, float] | None) -> Pair:
        """See `GeometricStep`."""
        height, width = rows.target_size, columns.target_size
        if not self.keep_aspect:
            return rows.then(AxisMap.resize(height, self.height)), columns.then(AxisMap.resize(width, self.width))
        row_mm, column_mm = spacing_mm or (1.0, 1.0)
        row_mm, column_mm = row_mm * rows.scale, column_mm * columns.scale
        target_mm = max(height * row_mm / self.height, width * column_mm / self.width)
        return (
            rows.then(AxisMap.centred(height, self.height, target_mm / row_mm)),
            columns.then(AxisMap.centred(width, self.width, target_mm / column_mm)),
        )


@dataclass(frozen=True)
class Resample:
    """Bring the pixels to a fixed size in millimetres."""

    height_mm: float = 1.0
    width_mm: float = 1.0

    def __post_init__(self) -> None:
        if min(self.height_mm, self.width_mm) <= 0:
            raise ValueError("pixel size must be positive")

    def place(self, rows: AxisMap, columns: AxisMap, spacing_mm: tuple[float, float] | None) -> Pair:
        """See `GeometricStep`.

        Raises:
            InputError: the file does not say how large its pixels are.
        """
        if spacing_mm is None:
            raise InputError("the pixel size is unknown, and this model works at a fixed one")
        scales = (
            self.height_mm / (spacing_mm[0] * rows.scale),
            self.width_mm / (spacing_mm[1] * columns.scale),
        )
        maps = [
            axis.then(AxisMap.centred(axis.target_size, max(1, round(axis.target_size / scale)), scale))
            for axis, scale in zip((rows, columns), scales, strict=True)
        ]
        return maps[0], maps[1]


@dataclass(frozen=True)
class CropOrPad:
    """Keep the middle of the image: cut or pad with black to a fixed size."""

    height: int = 256
    width: int = 256

    def __post_init__(self) -> None:
        if not all(1 <= side <= LARGEST_SIDE for side in (self.height, self.width)):
            raise ValueError(f"sides must be 1 to {LARGEST_SIDE} pixels, got {self.height} x {self.width}")

    def place(self, rows: AxisMap, columns: AxisMap, spacing_mm: tuple[float, float] | None) -> Pair:
        """See `GeometricStep`."""
        return (
            rows.then(AxisMap.centred(rows.target_size, self.height)),
            columns.then(AxisMap.centred(columns.target_size, self.width)),
        )


@dataclass(frozen=True)
class PadToMultiple:
    """Pad both sides with black up to the next multiple: a whole image, pixel for pixel, fits the network."""

    multiple: int = 32
    """Of the network's own: 2^levels for a U-Net."""

    def __post_init__(self) -> None:
        if self.multiple < 1:
            raise ValueError(f"multiple must be at least 1, got {self.multiple}")

    def place(self, rows: AxisMap, columns: AxisMap, spacing_mm: tuple[float, float] | None) -> Pair:
        """See `GeometricStep`."""
        return rows.then(self._padding(rows.target_size)), columns.then(self._padding(columns.target_size))

    def _padding(self, size: int) -> AxisMap:
        more = -size % self.multiple
        # By whole pixels, or an odd number would blur the image by half a pixel.
        return AxisMap(size, size + more, 1.0, float(-(more // 2)))


@dataclass(frozen=True)
class ZScore:
    """Subtract the mean of each image, channel by channel, and divide by its standard deviation."""

    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        if self.epsilon <= 0:
            raise ValueError("epsilon must be positive: some images are flat")

    def normalise(self, values: Values) -> Values:
        """See `IntensityStep`."""
        centred = values - values.mean(axis=(-2, -1), keepdims=True)
        normalised: Values = centred / ((centred * centred).mean(axis=(-2, -1), keepdims=True) ** 0.5 + self.epsilon)
        return normalised


@dataclass(frozen=True)
class MinMax:
    """Stretch the values of each image, channel by channel, over an interval."""

    low: float = 0.0
    high: float = 1.0
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        if self.epsilon <= 0:
            raise ValueError("epsilon must be positive: some images are flat")
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")

    def normalise(self, values: Values) -> Values:
        """See `IntensityStep`."""
        flat = values.reshape(*values.shape[:-2], -1)
        least, most = flat.min(-1), flat.max(-1)
        if not hasattr(least, "dtype") or hasattr(least, "values"):  # torch returns (values, indices)
            least, most = least.values, most.values
        least, most = least[..., None, None], most[..., None, None]
        stretched: Values = (values - least) / (most - least + self.epsilon) * (self.high - self.low) + self.low
        return stretched


@dataclass(frozen=True)
class Multiply:
    """Multiply all values by a constant.

    255 gives the network the bytes of the file: what some call no normalisation. Without any intensity step
    the values are those bytes divided by 255.
    """

    factor: float = 255.0

    def __post_init__(self) -> None:
        if self.factor == 0:
            raise ValueError("factor must not be 0")

    def normalise(self, values: Values) -> Values:
        """See `IntensityStep`."""
        multiplied: Values = values * self.factor
        return multiplied


def unit_range(values: Shaped[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Values as float32 in 0..1: bytes are divided by 255, anything else is stretched from its own extremes.

    Example:
        >>> unit_range(np.array([0, 51], np.uint8)).tolist()
        [0.0, 0.20000000298023224]
    """
    if values.dtype == np.uint8:
        return values.astype(np.float32) / np.float32(255)
    floats = values.astype(np.float32)
    low, high = float(floats.min()), float(floats.max())
    return (floats - np.float32(low)) / np.float32(max(high - low, 1e-12))


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
        Entry("crop-or-pad", CropOrPad, _given, "Keep the middle at a fixed size."),
        Entry("pad-to-multiple", PadToMultiple, _given, "Pad whole images with black to sides that the network takes."),
        Entry(
            "z-score", ZScore, _given, "Zero mean and unit standard deviation, image by image and channel by channel."
        ),
        Entry("min-max", MinMax, _given, "Stretch the values over an interval, image by image and channel by channel."),
        Entry("multiply", Multiply, _given, "Multiply the unit-range values; 255 gives back the bytes."),
    ],
    group="cardiotrace.preprocessing",
)
