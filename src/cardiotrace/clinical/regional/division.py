"""The sixteen segments of a short-axis stack at one instant: which part of the wall belongs to which."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from jaxtyping import Float, Int, UInt8

from cardiotrace.clinical.regional.insertion import Septum, angles_about, septal_angles, septum_of
from cardiotrace.clinical.regional.ring import FEWEST_PIXELS, Ring, ring_of
from cardiotrace.clinical.slices import thirds
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.core.short_axis import is_seen_from_apex, off_axis_degrees
from cardiotrace.core.terms import Structure

_RING_NUMBERS = np.array([3, 4, 5, 6, 1, 2])
"""From the middle of the septum on, as seen from the apex and counterclockwise, every 60 degrees."""
_APICAL_NUMBERS = np.array([14, 15, 16, 13])
"""Every 90 degrees, the first half before the middle of the septum."""


FEWEST_SLICES = 3
"""With a closed wall: fewer are no thirds."""


@dataclass(frozen=True, eq=False)
class Division:
    """The rings of one frame, and the segments that they are divided into."""

    rings: Mapping[int, Ring]
    """By number of the slice, those that are closed."""
    levels: Mapping[int, int]
    """0 basal, 1 mid, 2 apical: thirds of the slices that show cavity and wall, closed or not."""
    septa: Mapping[int, Septum]
    """Of the rings at which the right ventricle was found."""
    seen_from_apex: bool | None
    """See `is_seen_from_apex`; the same of all frames."""
    why_unnamed: str = ""
    """In words, why segments cannot be named; "" where they can."""

    @cached_property
    def middles(self) -> Mapping[int, float]:
        """Angle of the septum's middle in each ring, degrees; empty where segments cannot be named."""
        if self.why_unnamed:
            return {}
        plausible = {depth: septum for depth, septum in self.septa.items() if septum.is_plausible}
        # An odd span is flagged, and still says where the septum is.
        return septal_angles(plausible or self.septa, self.rings)

    def numbers(self, depth: int, points: Float[np.ndarray, "n 2"], level: int | None = None) -> Int[np.ndarray, "n"]:
        """Segments that points of one slice belong to, 1 to 16.

        Args:
            depth: number of the slice, one of `middles`.
            points: (row, column) in the unit of the rings.
            level: in place of that of this frame.
        """
        away = angles_about(self.rings[depth].centre, points) - self.middles[depth]
        turned = (away if self.seen_from_apex else -away) % 360
        level = self.levels[depth] if level is None else level
        if level == 2:
            return np.asarray(_APICAL_NUMBERS[((turned + 45) % 360 // 90).astype(int)])
        # A hair below 360 may be rounded up to it.
        return np.asarray(_RING_NUMBERS[(turned // 60).astype(int) % 6] + 6 * level)

    def borders(self, depth: int) -> Float[np.ndarray, "n"]:
        """Angles at which the segments of a slice meet, degrees counterclockwise from the image's right.

        Args:
            depth: number of the slice, one of `middles`.
        """
        first, count = (45.0, len(_APICAL_NUMBERS)) if self.levels[depth] == 2 else (0.0, len(_RING_NUMBERS))
        return np.asarray((self.middles[depth] + first + np.arange(count) * (360 / count)) % 360)

    def labels(self, stack: TracedStack, frame: int) -> UInt8[np.ndarray, "depth height width"]:
        """The segment of every voxel of myocardium in the closed slices of a frame; 0 elsewhere.

        Args:
            stack: that was divided.
            frame: the same.
        """
        array = np.zeros(stack.labels.array.shape[1:], np.uint8)
        for depth in self.middles:
            places = np.argwhere(stack.mask(Structure.MYO, frame, depth))
            array[depth][tuple(places.T)] = self.numbers(depth, places * np.asarray(stack.scale.pixel))
        return array

    def parts(self) -> Iterator[tuple[int, Ring, Int[np.ndarray, "n"]]]:
        """Of each ring that can be named its slice, and the segment of each point of its mid-wall line."""
        for depth in self.middles:
            ring = self.rings[depth]
            yield depth, ring, self.numbers(depth, ring.middle)


def divide(stack: TracedStack, frame: int) -> Division:
    """The rings of one frame of a stack and their segments.

    Args:
        stack: with its myocardium labelled.
        frame: from 0.

    Source:
        Cerqueira et al. 2002, Circulation 105:539 (segments; the septum lies between the insertions of the right
        ventricle).
    """
    shown = _shown(stack, frame)
    ordered = shown if stack.is_base_first else shown[::-1]
    levels = dict(zip(ordered, thirds(len(ordered)).tolist(), strict=True))
    rings = rings_of(stack, frame)
    septa: dict[int, Septum] = {}
    if Structure.RV in stack.counts:
        found = {
            depth: septum_of(ring, stack.mask(Structure.RV, frame, depth), stack.scale.pixel)
            for depth, ring in rings.items()
        }
        septa = {depth: septum for depth, septum in found.items() if septum is not None}
    seen = is_seen_from_apex(stack.labels.geometry)
    return Division(rings, levels, septa, seen, _why_unnamed(stack, rings, septa, seen))


def rings_of(stack: TracedStack, frame: int) -> dict[int, Ring]:
    """The closed rings of one frame, by slice."""
    found = {
        depth: stack.findings.plane(frame, depth).get("ring", partial(_ring, stack, frame, depth))
        for depth in _shown(stack, frame)
    }
    return {depth: ring for depth, ring in found.items() if ring is not None}


def _ring(stack: TracedStack, frame: int, depth: int) -> Ring | None:
    cavity, wall = (stack.mask(structure, frame, depth) for structure in (Structure.LV, Structure.MYO))
    return ring_of(cavity, wall, stack.scale.pixel)


def _shown(stack: TracedStack, frame: int) -> list[int]:
    """Slices that show cavity and wall, each of some size."""
    counts = [stack.counts[structure][frame] for structure in (Structure.LV, Structure.MYO)]
    return [int(depth) for depth in np.flatnonzero((np.min(counts, axis=0) >= FEWEST_PIXELS) & ~stack.blank[frame])]


def _why_unnamed(
    stack: TracedStack, rings: Mapping[int, Ring], septa: Mapping[int, Septum], seen_from_apex: bool | None
) -> str:
    geometry = stack.labels.geometry
    if seen_from_apex is None:
        if not geometry.is_oriented:
            return "nothing says where in the patient the stack lies, and it may be mirrored"
        off = off_axis_degrees(geometry)
        return f"its header puts the stack {off:.0f} degrees off the axis of a heart"
    if stack.base_contradicts:
        return "its header puts the base where the right ventricle ends"
    if len(rings) < FEWEST_SLICES:
        return f"{len(rings)} of its slices show a closed wall"
    if not septa:
        return "no slice shows where the right ventricle is inserted"
    return ""
