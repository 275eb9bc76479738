"""Whether the labels of a film go on from frame to frame, as a heart's outlines do: temporal consistency."""

import itertools
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.axis import LongAxis
from cardiotrace.clinical.long_axis_trace import LongAxisTrace, trace_long_axis
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.surface import surface_to_surface_mm

Curve = Float[np.ndarray, "frames"]

FEWEST_FRAMES = 3
"""A frame is compared with its two neighbours."""
_SQUARE = 0.005
"""Share by which the sides of a pixel may differ and still count as a square's: headers round."""


@dataclass(frozen=True)
class FilmLimit:
    """How far one attribute of a frame may lie from the mean of its neighbours'."""

    high: float
    range: tuple[float, float] | None = None
    """What scales it; None where the film itself does."""


@dataclass(frozen=True)
class FilmLimits:
    """A set of limits with a name.

    Example:
        >>> FILM_PRESETS["painchaud-2022"].attributes["lv_length"]
        FilmLimit(high=0.0262, range=(301, 613))
    """

    name: str
    source: str
    scaling: Literal["range", "sequence"]
    attributes: Mapping[str, FilmLimit]
    margin: float = 0.0
    """By what share of each the least and greatest value of a film are moved apart, where they scale it."""

    def inconsistent(self, film: "Film") -> dict[str, Bool[np.ndarray, "frames"]]:
        """Frames that depart too far from their neighbours, by attribute.

        A frame in which an attribute cannot be had, for want of a ventricle or of its base, departs too.

        Args:
            film: its attributes.

        Returns:
            One answer for each frame, False in the first and the last one, by the name of each attribute that the film
            has. Empty below three frames.
        """
        if film.count < FEWEST_FRAMES:
            return {}
        found = {}
        for name, limit in self.attributes.items():
            values = film.attribute(name, is_in_pixels=self.scaling == "range")
            if values is not None:
                found[name] = _outside(self.departures(name, values), limit.high)
        return found

    def departures(self, name: str, values: Curve) -> Curve:
        """How far each value lies from the mean of its neighbours, scaled; 0 at both ends.

        Distances between neighbouring frames are departures as they are, mm.

        Example:
            >>> lengths = np.array([400.0, 430.0, 400.0, 400.0])
            >>> FILM_PRESETS["painchaud-2022"].departures("lv_length", lengths).round(3).tolist()
            [0.0, 0.096, -0.048, 0.0]
        """
        departures = np.zeros(len(values))
        if name in _BETWEEN:
            departures[1:-1] = values[1:-1]
            return departures
        departures[1:-1] = values[1:-1] - (values[:-2] + values[2:]) / 2
        return departures / self._span(name, values)

    def _span(self, name: str, values: Curve) -> float:
        limits = self.attributes[name].range
        if limits is None:
            known = values[np.isfinite(values)]
            if not known.size:
                return math.nan
            limits = (float(known.min()) * (1 - self.margin), float(known.max()) * (1 + self.margin))
        # What never changes is consistent, whatever it is scaled by.
        return limits[1] - limits[0] or 1.0


class Film:
    """The attributes of a film's labels, each found when it is first asked for.

    Example:
        >>> from cardiotrace.core.geometry import Geometry
        >>> from cardiotrace.core.label import CAMUS
        >>> array = np.zeros((3, 1, 40, 30), np.uint8)
        >>> array[:, 0, 5:30, 5:25], array[:, 0, 8:30, 8:22] = 2, 1
        >>> film = Film(LabelMap(array, CAMUS, Geometry.of_spacing((1.0, 0.5, 0.5))))
        >>> film.attribute("lv_area").tolist(), film.attribute("epi_center_x", is_in_pixels=True).tolist()
        ([77.0, 77.0, 77.0], [14.5, 14.5, 14.5])
    """

    def __init__(self, labels: LabelMap) -> None:
        """Take the labels of one long-axis view, its apex at the top."""
        self._labels = labels

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self._labels.array)

    def attribute(self, name: str, *, is_in_pixels: bool = False) -> Curve | None:
        """One attribute in every frame.

        Args:
            name: one of `ATTRIBUTES`.
            is_in_pixels: whether it is wanted in pixels; else mm, mm2 or degrees, and pixels where no size is known.

        Returns:
            NaN in frames that lack it; None where the labels lack a structure for it, or are to be told in pixels that
            are no squares.
        """
        needs, measure = ATTRIBUTES[name]
        if not all(structure in self._labels.scheme.values for structure in needs):
            return None
        is_distance = name in _BETWEEN
        if is_distance:
            return None if self._labels.spacing_mm is None else measure(self)
        if not is_in_pixels:
            return measure(self)
        height, width = self._labels.geometry.pixel_mm
        if abs(height / width - 1) > _SQUARE:
            return None
        return np.asarray(measure(self) / height ** _POWERS.get(name, 1))

    @cached_property
    def traces(self) -> tuple[LongAxisTrace, ...]:
        """The left ventricle in every frame."""
        return tuple(trace_long_axis(self._labels, frame) for frame in range(self.count))

    def areas(self, structure: Structure) -> Curve:
        """Area of a structure; NaN without it."""
        counts = np.count_nonzero(self._labels.mask(structure)[:, 0], axis=(1, 2)).astype(float)
        counts[counts == 0] = np.nan
        return np.asarray(counts * float(np.prod(self._labels.geometry.pixel_mm)))

    @cached_property
    def outer(self) -> Bool[np.ndarray, "frames height width"]:
        """The ventricle with its myocardium."""
        return np.asarray(self._labels.mask(Structure.LV, Structure.MYO)[:, 0])

    def centres(self, axis: int) -> Curve:
        """Place of the middle of the ventricle with its myocardium along rows (0) or columns (1)."""
        along = np.count_nonzero(self.outer, axis=2 - axis).astype(float)
        sizes = along.sum(axis=1)
        sizes[sizes == 0] = np.nan
        return np.asarray(along @ np.arange(along.shape[1]) / sizes * self._labels.geometry.pixel_mm[axis])

    def of_axes(self, measure: Callable[[LongAxis], float]) -> Curve:
        """What is measured of the long axis; NaN where there is none."""
        return np.array([math.nan if found.axis is None else measure(found.axis) for found in self.traces])

    def apart(self, masks: Bool[np.ndarray, "frames height width"]) -> Curve:
        """Mean Hausdorff distance of each frame's mask to those of both neighbours, mm; 0 at both ends."""
        pixel_mm = self._labels.geometry.pixel_mm
        steps = np.array([_hausdorff(first, second, pixel_mm) for first, second in itertools.pairwise(masks)])
        found = np.zeros(len(masks))
        found[1:-1] = (steps[:-1] + steps[1:]) / 2
        return found

    def walls(self) -> Bool[np.ndarray, "frames height width"]:
        """The myocardium."""
        return np.asarray(self._labels.mask(Structure.MYO)[:, 0])


def _hausdorff(
    first: Bool[np.ndarray, "height width"], second: Bool[np.ndarray, "height width"], pixel_mm: tuple[float, float]
) -> float:
    if not first.any() or not second.any():
        return math.nan
    there, back = surface_to_surface_mm(first, second, pixel_mm)
    return float(max(there.max(), back.max()))


def _tilt(axis: LongAxis) -> float:
    """Angle of the long axis to the vertical, degrees; positive where the apex lies to the left of the base."""
    down, right = axis.base - axis.apex
    return math.degrees(math.atan2(right, down))


def _outside(departures: Curve, high: float) -> Bool[np.ndarray, "frames"]:
    # NaN lies within nothing.
    return np.asarray(~(np.abs(departures) <= high))


_LV, _MYO = Structure.LV, Structure.MYO
ATTRIBUTES: Mapping[str, tuple[tuple[Structure, ...], Callable[[Film], Curve]]] = {
    "lv_area": ((_LV,), lambda film: film.areas(_LV)),
    "lv_base_width": ((_LV, _MYO), lambda film: film.of_axes(lambda axis: axis.annulus_width)),
    "lv_length": ((_LV, _MYO), lambda film: film.of_axes(lambda axis: axis.length)),
    "lv_orientation": ((_LV, _MYO), lambda film: film.of_axes(_tilt)),
    "myo_area": ((_MYO,), lambda film: film.areas(_MYO)),
    "epi_center_x": ((_LV, _MYO), lambda film: film.centres(1)),
    "epi_center_y": ((_LV, _MYO), lambda film: film.centres(0)),
    "hd_frames_myo": ((_MYO,), lambda film: film.apart(film.walls())),
    "hd_frames_epi": ((_LV, _MYO), lambda film: film.apart(film.outer)),
}
"""What is followed from frame to frame, by its published name: structures that it needs, and how it is measured."""
_BETWEEN = ("hd_frames_myo", "hd_frames_epi")
_POWERS = {"lv_area": 2, "myo_area": 2, "lv_orientation": 0}
"""Of the side of a pixel, by which a value is divided to be in pixels, where it is no length."""


def _read() -> Mapping[str, FilmLimits]:
    tables = tomllib.loads(files("cardiotrace.clinical.anatomy").joinpath("films.toml").read_text("utf-8"))
    return {name: _limits(name, **table) for name, table in tables.items()}


def _limits(name: str, attributes: Mapping[str, Mapping[str, Any]], **values: Any) -> FilmLimits:
    known = {
        key: FilmLimit(item["high"], tuple(item["range"]) if "range" in item else None)
        for key, item in attributes.items()
    }
    return FilmLimits(name, attributes=known, **values)


FILM_PRESETS: Mapping[str, FilmLimits] = _read()
"""Every set by name."""
