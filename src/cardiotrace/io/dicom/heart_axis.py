"""Which plane of the heart an image shows, from how it lies in the patient.

A long-axis plane holds the axis of the left ventricle; what is left free is how far it is turned about it. From four
chambers it is about 60 degrees to two chambers, and as far again to three.

Source:
    Mitchell et al. 2019, J Am Soc Echocardiogr 32:1 (apical views: turned by about 60 degrees each). Measured in the
    patient's own directions on the cine-MRI of one volunteer (Siemens): four chambers lie 8 degrees from the patient's
    left, two chambers 66 and 68, three chambers 129; the tolerances are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.core import short_axis
from cardiotrace.core.terms import View

Direction = Float[np.ndarray, " 3"]
"""Of unit length, in the patient coordinates of DICOM: left, back, head."""

TYPICAL_AXIS: Direction = short_axis.TYPICAL_AXIS * np.array([-1.0, -1.0, 1.0])
"""`short_axis.TYPICAL_AXIS` in the coordinates of DICOM."""

_HOLDS_AXIS = 25.0
"""Degrees by which a long-axis plane may miss the direction of the axis: of five at hand the worst
misses it by 16."""

_TURNED: Mapping[View, float] = {View.FOUR_CHAMBER: 5.0, View.TWO_CHAMBER: 66.0, View.THREE_CHAMBER: 128.0}
"""Degrees about the axis, seen towards the apex, from the patient's left."""
_HALF_TURN = 180.0
_CLEAR = 15.0
"""Degrees within which a view is clear."""
_BELIEVED = 30.0
"""Degrees within which a view's name is believed: half of what lies between two views."""


@dataclass(frozen=True)
class Verdict:
    """What an image is taken for, and why, where it is not as it is called."""

    view: View
    note: str = ""
    doubt: str = ""


def towards_apex(normal: Direction) -> Direction:
    """The direction across a short-axis plane that leads from base to apex."""
    return normal if float(normal @ TYPICAL_AXIS) >= 0 else -normal


def is_short_axis(normal: Direction) -> bool:
    """Whether a plane with this normal lies across the heart, as hearts lie.

    Example:
        >>> is_short_axis(np.array([-0.48, 0.62, 0.62])), is_short_axis(np.array([0.0, 0.0, 1.0]))
        (True, False)
    """
    return between_degrees(normal, TYPICAL_AXIS) <= short_axis.WITHIN_DEGREES


def between_degrees(first: Direction, second: Direction) -> float:
    """Angle between two lines, 0 to 90 degrees."""
    share = abs(float(first @ second)) / float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.degrees(np.arccos(min(share, 1.0))))


def turned_degrees(normal: Direction, axis: Direction) -> float:
    """How far a long-axis plane is turned about the axis: 0 to 180 degrees, from the patient's left.

    Args:
        normal: of the plane.
        axis: from base to apex.
    """
    left = np.array([1.0, 0.0, 0.0])
    first = left - (left @ axis) * axis
    first /= np.linalg.norm(first)
    along = np.cross(axis, normal)
    return float(np.degrees(np.arctan2(along @ np.cross(axis, first), along @ first))) % _HALF_TURN


def long_axis_views(named: Sequence[View], normals: Sequence[Direction], axis: Direction | None) -> list[Verdict]:
    """What single planes of one exam show: their names, checked against how they lie to the short axis.

    Where the two disagree, the place decides if it is clear, and nothing is known else.

    Args:
        named: what each is called.
        normals: of the planes.
        axis: from base to apex, across a short-axis stack; None where there is none, and names alone count.
    """
    if axis is None:
        return [Verdict(view) for view in named]
    angles = [turned_degrees(normal, axis) if _holds(normal, axis) else None for normal in normals]
    offset = _heart_turned(named, angles)
    return [_verdict(view, angle, offset) for view, angle in zip(named, angles, strict=True)]


def _holds(normal: Direction, axis: Direction) -> bool:
    return between_degrees(normal, axis) >= 90 - _HOLDS_AXIS


def _heart_turned(named: Sequence[View], angles: Sequence[float | None]) -> float:
    """How far this heart is turned against others, from those of its planes whose names can be believed."""
    off = [
        _apart(angle, _TURNED[view])
        for view, angle in zip(named, angles, strict=True)
        if angle is not None and view in _TURNED
    ]
    believed = [each for each in off if abs(each) <= _BELIEVED]
    return float(np.median(believed)) if believed else 0.0


def _verdict(view: View, angle: float | None, offset: float) -> Verdict:
    """A name against an angle."""
    if view not in _TURNED and view is not View.UNKNOWN:
        return Verdict(view)
    if angle is None:
        off = "it does not lie along the axis of the left ventricle"
        return Verdict(View.UNKNOWN, doubt="" if view is View.UNKNOWN else f"called {view.value}, but {off}")
    clear = next((each for each, at in _TURNED.items() if abs(_apart(angle, at + offset)) <= _CLEAR), None)
    place = f"it is turned {angle:.0f} degrees about the long axis"
    if view is View.UNKNOWN:
        note = "" if clear is None else f"taken for {clear.value}: {place}"
        return Verdict(clear or View.UNKNOWN, note)
    if abs(_apart(angle, _TURNED[view] + offset)) <= _BELIEVED:
        return Verdict(view)
    if clear is None:
        return Verdict(View.UNKNOWN, doubt=f"called {view.value}, but {place}, where no view lies")
    return Verdict(clear, f"called {view.value}, but {place}, as {clear.value} is")


def _apart(first: float, second: float) -> float:
    """Difference of two angles of lines, -90 to 90 degrees."""
    return (first - second + _HALF_TURN / 2) % _HALF_TURN - _HALF_TURN / 2
