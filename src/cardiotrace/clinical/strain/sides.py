"""Which wall of the left ventricle lies on which side of a long-axis image."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.rule import flag
from cardiotrace.clinical.strain.wall import Wall
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Modality, Structure, View

_FROM_LEFT_DEG: Mapping[View, float] = {View.FOUR_CHAMBER: 5.0, View.TWO_CHAMBER: 66.0, View.THREE_CHAMBER: 128.0}
"""About the axis, seen towards the apex, from the patient's left: where the second wall of each view lies."""
_LEAST_COSINE = 0.5
"""Below which a plane does not lie as its name says, and tells no wall."""
_LEAST_ATRIUM_OFFSET = 0.1
"""By which the left atrium must lie off the middle of the annulus to tell a wall, over the annulus's width."""
_UPRIGHT = 0.8
"""Cosine of the angle to straight down within which the base of an apical view is shown below."""


class Evidence(StrEnum):
    """What tells the walls; the first that is there counts.

    The first two must agree. The convention must not be against where the atrium lies, which tells nothing alone: what
    lies behind three chambers is easily labelled as the other of aorta and atrium.
    """

    RIGHT_VENTRICLE = "the right ventricle"
    PATIENT = "the place of the image in the patient"
    CONVENTION = "the display convention of apical views"
    ATRIUM = "the left atrium"


_SURE = (Evidence.RIGHT_VENTRICLE, Evidence.PATIENT)


@dataclass(frozen=True)
class NamedWall:
    """A wall, and its segments from base to apex."""

    name: str
    segments: tuple[int, int, int]


WALLS: Mapping[View, tuple[NamedWall, NamedWall]] = {
    View.FOUR_CHAMBER: (NamedWall("inferoseptal", (3, 9, 14)), NamedWall("anterolateral", (6, 12, 16))),
    View.TWO_CHAMBER: (NamedWall("inferior", (4, 10, 15)), NamedWall("anterior", (1, 7, 13))),
    View.THREE_CHAMBER: (NamedWall("inferolateral", (5, 11, 16)), NamedWall("anteroseptal", (2, 8, 14))),
}
"""Both walls of each view, in the order in which an apical view by ultrasound shows them from left to right.

Source:
    Lang et al. 2015, J Am Soc Echocardiogr 28:1 (segments of the apical views); Mitchell et al. 2019, J Am Soc
    Echocardiogr 32:1 (how they are displayed).
"""


@dataclass(frozen=True)
class Sides:
    """The walls of one view."""

    left: NamedWall
    """On the left of the image once it is turned until the apex is above: where the line along the wall begins."""
    right: NamedWall
    by: Evidence
    is_mirrored: bool
    """Whether the image shows them the other way round than an apical view by ultrasound does."""

    @property
    def segments(self) -> tuple[int, ...]:
        """Numbers of the six arcs: those of the left wall from its base up, then those of the right one."""
        return self.left.segments + self.right.segments


def find_sides(cine: TracedCine, wall: Wall) -> tuple[Sides | None, tuple[Flag, ...]]:
    """Which wall is which, and what is to be said of it.

    Args:
        cine: a long-axis image.
        wall: in one of its frames.

    Returns:
        The walls, None where nothing tells them or where what tells them disagrees; and flags.
    """
    view, name = cine.image.image.view, cine.image.image.view_name
    if view not in WALLS:
        return None, ()
    told = {each: mirrored for each, mirrored in _evidence(cine, wall) if mirrored is not None}
    asked = [each for each in _SURE if each in told] or [each for each in told if Evidence.CONVENTION in told]
    if not asked:
        text = "nothing tells which wall is on which side: no segment is named"
        return None, (flag("walls-unknown", text).of(name),)
    if len({told[each] for each in asked}) > 1:
        text = f"{' and '.join(asked)} disagree about which wall is on which side: no segment is named"
        return None, (flag("walls-contradict", text).of(name),)
    by, is_mirrored = asked[0], told[asked[0]]
    first, second = WALLS[view]
    left, right = (second, first) if is_mirrored else (first, second)
    return Sides(left, right, by, is_mirrored), _words(cine, by, is_mirrored)


def agreeing(found: Iterable[Sides | None]) -> tuple[tuple[Sides | None, bool], ...]:
    """Sides of all views of an exam; without those that rest on the convention where another view breaks it.

    Returns:
        The sides of each view, and whether they were taken away.
    """
    kept = tuple(found)
    breaks = any(each is not None and each.is_mirrored and each.by is not Evidence.PATIENT for each in kept)
    lost = [breaks and each is not None and each.by is Evidence.CONVENTION for each in kept]
    return tuple((None if gone else each, gone) for each, gone in zip(kept, lost, strict=True))


def _words(cine: TracedCine, by: Evidence, is_mirrored: bool) -> tuple[Flag, ...]:
    if by is Evidence.CONVENTION:
        text = f"walls are named by {by}: in a mirrored image each is the other"
        return (flag("walls-by-convention", text),)
    if is_mirrored and cine.image.image.is_apical:
        return (flag("view-mirrored", f"the view is shown mirrored, as {by} tells").of(cine.image.image.view_name),)
    return ()


def _evidence(cine: TracedCine, wall: Wall) -> Iterable[tuple[Evidence, bool | None]]:
    """Whether the image is mirrored against an apical view by ultrasound, by all that may tell it."""
    yield Evidence.RIGHT_VENTRICLE, _by_right_ventricle(cine, wall)
    yield Evidence.PATIENT, _by_patient(cine, wall)
    yield Evidence.CONVENTION, _by_convention(cine)
    yield Evidence.ATRIUM, _by_atrium(cine, wall)


def _by_right_ventricle(cine: TracedCine, wall: Wall) -> bool | None:
    """It lies beside the septum: in four chambers the first wall, in three chambers the second."""
    view = cine.image.image.view
    if view is View.TWO_CHAMBER:
        return None
    offset = _offset(cine, Structure.RV, wall)
    # Beside the ventricle and not before or behind it: more than half of the annulus off the axis.
    if offset is None or abs(offset) < 0.5:
        return None
    is_right = offset > 0
    return is_right if view is View.FOUR_CHAMBER else not is_right


def _by_atrium(cine: TracedCine, wall: Wall) -> bool | None:
    """In three chambers it lies beside the aorta, and so below the inferolateral wall, the first one."""
    if cine.image.image.view is not View.THREE_CHAMBER:
        return None
    offset = _offset(cine, Structure.LA, wall)
    return None if offset is None or abs(offset) < _LEAST_ATRIUM_OFFSET else offset > 0


def _by_patient(cine: TracedCine, wall: Wall) -> bool | None:
    """From where the plane lies in the patient, as hearts lie."""
    geometry, image = cine.labels.geometry, cine.image.image
    if image.modality is not Modality.MR or not geometry.is_oriented:
        return None
    steps = geometry.affine[:3, 1:3]
    steps = steps / np.linalg.norm(steps, axis=0)
    line = wall.endocardium
    axis, across = (
        _unit(steps @ way) for way in (line.apex - line.hinges.mean(axis=0), line.hinges[1] - line.hinges[0])
    )
    # The patient's left is where x falls; beside the axis that leads to the apex.
    left = _unit(np.array([-1.0, 0.0, 0.0]) + axis[0] * axis)
    angle = np.radians(_FROM_LEFT_DEG[image.view])
    # Patient coordinates are right-handed, so that this turns towards the front and the head.
    second = np.cos(angle) * left + np.sin(angle) * np.cross(axis, left)
    share = float(second @ across)
    return None if abs(share) < _LEAST_COSINE else share < 0


def _by_convention(cine: TracedCine) -> bool | None:
    """By ultrasound with the apex above, the first wall is shown on the left."""
    if cine.image.image.modality is not Modality.US or cine.towards_base is None:
        return None
    return False if cine.towards_base[0] >= _UPRIGHT else None


def _offset(cine: TracedCine, structure: Structure, wall: Wall) -> float | None:
    """How far a structure lies to the right of the ventricle's axis, over the annulus's width; None if it is not there.

    Of all frames together, as one frame of odd labels must not tell another wall.
    """
    if structure not in cine.labels.scheme.values:
        return None
    counts = cine.labels.mask(structure)[:, 0].sum(axis=0)
    if not counts.any():
        return None
    rows, columns = np.nonzero(counts)
    weights = counts[rows, columns]
    centre = np.array([rows @ weights, columns @ weights]) / weights.sum() * np.asarray(cine.scale.pixel)
    line = wall.endocardium
    foot = line.hinges.mean(axis=0)
    up, chord = line.apex - foot, line.hinges[1] - line.hinges[0]
    aside = chord - (chord @ up) / (up @ up) * up
    return float((centre - foot) @ aside / (aside @ aside))


def _unit(vector: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    return np.asarray(vector / np.linalg.norm(vector))
