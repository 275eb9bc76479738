"""The steps: geometric ones move the grid, intensity ones change the values."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.core.errors import InputError
from cardiotrace.geometry.resample import AxisMap

Pair = tuple[AxisMap, AxisMap]
Values = TypeVar("Values", bound=Any)
"""A numpy array or a torch tensor (..., height, width): the intensity steps are written for both."""


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


@dataclass(frozen=True)
class Resize:
    """Stretch the picture to a fixed size, or fit it in with its shape in millimetres kept.

    Source: Leclerc et al. 2019 stretch every CAMUS image to 256 x 256.
    """

    height: int = 256
    width: int = 256
    keep_aspect: bool = False

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 1:
            raise ValueError(f"size must be positive, got {self.height} x {self.width}")

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
    """Keep the middle of the picture: cut or pad with black to a fixed size."""

    height: int = 256
    width: int = 256

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 1:
            raise ValueError(f"size must be positive, got {self.height} x {self.width}")

    def place(self, rows: AxisMap, columns: AxisMap, spacing_mm: tuple[float, float] | None) -> Pair:
        """See `GeometricStep`."""
        return (
            rows.then(AxisMap.centred(rows.target_size, self.height)),
            columns.then(AxisMap.centred(columns.target_size, self.width)),
        )


@dataclass(frozen=True)
class ZScore:
    """Subtract each image's mean and divide by its standard deviation."""

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
    """Stretch each image's values over an interval."""

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


Step = GeometricStep | IntensityStep


def _given(config: Step) -> Step:
    return config


STEPS: Catalog[Step] = Catalog(
    "preparation step",
    [
        Entry("resize", Resize, _given, "Stretch or fit the picture to a fixed size.", "Leclerc 2019"),
        Entry("resample", Resample, _given, "Bring the pixels to a fixed size in mm."),
        Entry("crop-or-pad", CropOrPad, _given, "Keep the middle at a fixed size."),
        Entry("z-score", ZScore, _given, "Zero mean and unit standard deviation, image by image."),
        Entry("min-max", MinMax, _given, "Stretch the values over an interval, image by image."),
    ],
)
