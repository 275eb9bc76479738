"""Where the segments of the wall lie in each plane, to be drawn over the image."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.labelling import labels_in_place
from cardiotrace.clinical.modality import by_modality
from cardiotrace.clinical.regional.division import Division, divide
from cardiotrace.clinical.regional.insertion import angles_about
from cardiotrace.clinical.regional.ring import Points, Ring
from cardiotrace.clinical.strain.arcs import ARCS, Arcs
from cardiotrace.clinical.strain.sides import WALLS
from cardiotrace.clinical.strain.wall import Wall, trace_wall
from cardiotrace.clinical.strain.walled_view import WalledView, walled_views
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.traced_exam import TracedExam, find_blank, without_blank_phases, without_rejected
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.clinical.view_measurement import measure_views
from cardiotrace.core.exam import Exam
from cardiotrace.core.findings import ExamFindings
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase

_POINTS = 7
"""Of a segment on either border of the wall: it bends little."""
_FROM_HINGE_TO_HINGE = (*range(ARCS), *range(2 * ARCS - 1, ARCS - 1, -1))
"""The arcs as `Sides.segments` counts them, in their order along the line."""


@dataclass(frozen=True, eq=False)
class SegmentOutline:
    """One segment of the wall in one plane."""

    number: int | None
    """From 1 to 16, see `SEGMENTS`; None where nothing tells which wall it belongs to."""
    points: Float[np.ndarray, "n 2"]
    """(row, column) of a closed ring, in pixels: along the endocardium, and back along the epicardium. Where no
    myocardium is labelled, back along the endocardium as well."""

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it, to a hundredth of a pixel."""
        return {"number": self.number, "points": self.points.round(2).tolist()}


Planes = list[list[tuple[SegmentOutline, ...]]]
"""Of one image by frame and slice; nothing where the wall was not found or cannot be divided."""


def segment_outlines(
    exam: Exam, labels: Mapping[str, LabelMap], *, known: ExamFindings | None = None
) -> dict[str, Planes]:
    """The segments that values are given for: six of each apical view, sixteen of a short-axis stack.

    Apical views are divided as strain is: each wall into thirds at end-diastole of the view's first beat, which keep
    their shares of the long axis in other frames. Stacks are divided frame by frame, from the insertions of the right
    ventricle.

    Args:
        exam: its images, with end-diastole and end-systole named or not.
        labels: labels of the images, by image name.
        known: what was found when the exam was measured.

    Returns:
        By image name; images of other views are not there.

    Raises:
        InputError: labels that belong to no image, or lie elsewhere than theirs.
    """
    labels = labels_in_place(exam, labels)
    known = ExamFindings() if known is None else known
    shown = [image for image in exam.images if image.name in labels]
    findings = {image.name: known.of(image.name, image.image.frames, labels[image.name]) for image in shown}
    blank = without_rejected(exam, find_blank(exam, findings, has_images=True))
    found: dict[str, Planes] = {}
    for part in by_modality(without_blank_phases(exam, blank)):
        traced = TracedExam.of(part, labels, blank, findings)
        for view in walled_views(measure_views(traced.cines.values())):
            if view.measured.view in WALLS:
                found |= _of_view(view, traced.cines[view.measured.view])
        found |= {stack.name: _of_stack(stack) for stack in traced.stacks}
    return found


def _of_view(view: WalledView, cines: Sequence[TracedCine]) -> dict[str, Planes]:
    wall = view.walls.get(Phase.ED) or next(iter(view.walls.values()))
    arcs = Arcs.of(wall.endocardium)
    numbers = (None,) * len(_FROM_HINGE_TO_HINGE) if view.sides is None else view.sides.segments
    found: dict[str, Planes] = {}
    for cine in cines:
        walls = (trace_wall(cine, frame) for frame in range(len(cine.blank)))
        found[cine.name] = [[() if each is None else tuple(_arcs_of(each, arcs, numbers, cine))] for each in walls]
    return found


def _arcs_of(wall: Wall, arcs: Arcs, numbers: tuple[int | None, ...], cine: TracedCine) -> Iterator[SegmentOutline]:
    inner = wall.endocardium.points
    outer = inner if wall.epicardium is None else wall.epicardium.points
    places = arcs.places(wall.endocardium)
    for arc, start, stop in zip(_FROM_HINGE_TO_HINGE, places[:-1], places[1:], strict=True):
        along = np.linspace(start, stop, _POINTS)
        ring = np.concatenate([_at(inner, along), _at(outer, along[::-1])])
        yield SegmentOutline(numbers[arc], ring / np.asarray(cine.scale.pixel))


def _at(line: Points, places: Float[np.ndarray, "n"]) -> Points:
    """Points of a line at places between its points."""
    return np.stack([np.interp(places, np.arange(len(line)), side) for side in line.T], axis=1)


def _of_stack(stack: TracedStack) -> Planes:
    planes: Planes = []
    for frame in range(len(stack.blank)):
        division = divide(stack, frame)
        slices = range(stack.labels.array.shape[1])
        planes.append([tuple(_sectors(division, each, stack)) if each in division.middles else () for each in slices])
    return planes


def _sectors(division: Division, depth: int, stack: TracedStack) -> Iterator[SegmentOutline]:
    ring, borders = division.rings[depth], division.borders(depth)
    for start in borders:
        angles = start + np.linspace(0, 360 / len(borders), _POINTS)
        inner, outer = _towards(ring, ring.inner, angles), _towards(ring, ring.outer, angles)
        (number,) = division.numbers(depth, inner[_POINTS // 2][None]).tolist()
        yield SegmentOutline(number, np.concatenate([inner, outer[::-1]]) / np.asarray(stack.scale.pixel))


def _towards(ring: Ring, line: Points, angles: Float[np.ndarray, "n"]) -> Points:
    """Where a border of the wall lies at angles about the middle of the cavity."""
    held = angles_about(ring.centre, line)
    return np.stack([np.interp(angles, held, side, period=360) for side in line.T], axis=1)
