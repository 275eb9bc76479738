"""The segments of the left ventricle's wall, and one value for each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.method import Method
from cardiotrace.core.flag import Flag


class Level(StrEnum):
    """How far along the ventricle a segment lies."""

    BASAL = "basal"
    MID = "mid"
    APICAL = "apical"
    CAP = "cap"


@dataclass(frozen=True)
class Segment:
    """One of the seventeen segments.

    Example:
        >>> str(SEGMENTS[9]), SEGMENTS[9].territory
        ('mid inferoseptal', 'RCA')
    """

    number: int
    """From 1 to 17, as the American Heart Association counts them."""
    level: Level
    wall: str
    """Such as "inferoseptal"; "apex" of the last."""
    territory: str
    """The coronary artery that mostly supplies it: "LAD", "RCA" or "LCX"."""

    def __str__(self) -> str:
        return self.wall if self.level is Level.CAP else f"{self.level.value} {self.wall}"


_RING = ("anterior", "anteroseptal", "inferoseptal", "inferior", "inferolateral", "anterolateral")
_APICAL = ("anterior", "septal", "inferior", "lateral")
_TERRITORIES = {"LAD": (1, 2, 7, 8, 13, 14, 17), "RCA": (3, 4, 9, 10, 15), "LCX": (5, 6, 11, 12, 16)}


def _segments() -> dict[int, Segment]:
    places = [
        *((Level.BASAL, wall) for wall in _RING),
        *((Level.MID, wall) for wall in _RING),
        *((Level.APICAL, wall) for wall in _APICAL),
        (Level.CAP, "apex"),
    ]
    arteries = {number: artery for artery, numbers in _TERRITORIES.items() for number in numbers}
    return {number: Segment(number, *place, arteries[number]) for number, place in enumerate(places, start=1)}


SEGMENTS: Mapping[int, Segment] = _segments()
"""By number.

Source:
    Cerqueira et al. 2002, Circulation 105:539.
"""


@dataclass(frozen=True)
class SegmentValues:
    """One kind of value over the wall, such as the longitudinal strain of each segment.

    Example:
        >>> found = SegmentValues("end_diastolic_wall_thickness", "mm", Method.TRACED, "SAX", {1: 9.0, 2: 11.0})
        >>> found.value(2), found.value(3) is None
        (11.0, True)
    """

    name: str
    """What is measured, without chamber."""
    unit: str
    method: Method
    view: str
    """The view or views it was measured in."""
    values: Mapping[int, float]
    """By number of the segment; a segment that could not be measured is missing."""
    frames: tuple[FrameRef, ...] = ()
    """Those that went into it."""
    flags: tuple[Flag, ...] = field(default=())
    """What speaks against these values."""

    def value(self, number: int) -> float | None:
        """Value of one segment; None where it was not measured."""
        return self.values.get(number)

    def to_plain(self) -> dict[str, Any]:
        """The values as JSON holds them."""
        return {
            "name": self.name,
            "unit": self.unit,
            "method": self.method.value,
            "view": self.view,
            "values": {str(number): float(f"{value:.6g}") for number, value in sorted(self.values.items())},
            "frames": [str(frame) for frame in self.frames],
            "flags": [flag.to_plain() for flag in self.flags],
        }
