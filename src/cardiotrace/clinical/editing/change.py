"""From a gesture to what it changes, or to the one line that says why it cannot be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8

from cardiotrace.clinical.editing.composition import with_outline
from cardiotrace.clinical.editing.edits import Address, Change, Edit, EditedPlane, Edits, Kind, Said, Value
from cardiotrace.clinical.editing.gesture import (
    AnswerFlag,
    DrawOutline,
    Gesture,
    Judge,
    PaintPlane,
    PlaceLandmarks,
    Propagate,
    Reach,
    Restore,
    SetKeyFrame,
    Verdict,
)
from cardiotrace.clinical.editing.outline import Points, checked_places, checked_points, outlined, outlines_of
from cardiotrace.clinical.editing.propagation import carried, reached
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage, Landmarks, Place
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase, View

DECIMALS = 4
"""Of a pixel, of the points of outlines."""
_LONGEST_REASON = 500
"""Letters."""


@dataclass(frozen=True)
class Subject:
    """An exam as it was analysed: what edits stand against."""

    exam: Exam
    automatic: Mapping[str, LabelMap]
    """Labels by name of the image."""

    def image(self, name: str) -> ExamImage:
        """An image that has labels.

        Raises:
            InputError: there is none of that name.
        """
        found = next((image for image in self.exam.images if image.name == name), None)
        if found is None or name not in self.automatic:
            known = ", ".join(sorted(self.automatic)) or "none"
            raise InputError(f"there is no image {name!r} with labels", remedy=f"the exam has {known}.")
        return found

    def is_open(self, name: str) -> bool:
        """Whether the cavity is open at the base there: in a long axis."""
        return self.image(name).image.view is not View.SAX and self.automatic[name].array.shape[1] == 1

    def checked(self, name: str, frame: int, depth: int = 0) -> tuple[int, int]:
        """A frame and a slice of an image.

        Raises:
            InputError: there is no such image, frame or slice.
        """
        self.image(name)
        frames, slices = self.automatic[name].array.shape[:2]
        for what, number, count in (("frame", frame, frames), ("slice", depth, slices)):
            if not 0 <= number < count:
                reach = f"it has 0 to {count - 1}" if count > 1 else "it has one"
                raise InputError(f"{name} has no {what} {number}: {reach}")
        return frame, depth

    def plane(self, edits: Edits, name: str, frame: int, depth: int) -> EditedPlane:
        """Labels of a plane as they stand, with the points that draw its outlines."""
        held = edits.value(Address(Kind.PLANE, name, frame, depth))
        if isinstance(held, EditedPlane):
            return held
        labels = self.automatic[name]
        plane = labels.array[frame, depth]
        return EditedPlane(plane, outlines_of(plane, labels.scheme))


def change_of(gesture: Gesture, edits: Edits, subject: Subject, *, by: str = "", time: str = "") -> Change:
    """What a gesture changes.

    Args:
        gesture: what a person did.
        edits: what stands edited.
        subject: the exam as it was analysed.
        by: who it was.
        time: when, ISO 8601.

    Raises:
        InputError: there is no such image, frame, slice or outline, or what was drawn cannot be one. Nothing changes.
    """
    after = _AFTER[type(gesture)](gesture, edits, subject)
    return edits.change({address: None if value is None else Edit(value, by, time) for address, value in after.items()})


_Values = dict[Address, Value | None]


def _drawn(gesture: DrawOutline, edits: Edits, subject: Subject) -> _Values:
    frame, depth = subject.checked(gesture.image, gesture.frame, gesture.slice)
    scheme, before = subject.automatic[gesture.image].scheme, subject.plane(edits, gesture.image, frame, depth)
    outlined(before.labels, scheme, gesture.contour)
    points = checked_points(gesture.points, before.labels.shape)
    labels = with_outline(
        before.labels,
        scheme,
        gesture.contour,
        points,
        before=before.contours.get(gesture.contour),
        is_open=subject.is_open(gesture.image),
    )
    if not outlined(labels, scheme, gesture.contour).any():
        raise InputError("nothing of the outline would be left: it lies outside of what may hold it")
    drawn = {gesture.contour: points}
    return {Address(Kind.PLANE, gesture.image, frame, depth): replanned(before, labels, subject, gesture.image, drawn)}


def replanned(
    before: EditedPlane, labels: UInt8[np.ndarray, "_ _"], subject: Subject, name: str, drawn: Mapping[str, Points]
) -> EditedPlane:
    """Changed labels with their outlines: those that were drawn, those that stayed, and the others found anew.

    Args:
        before: the plane as it was.
        labels: of it by now.
        subject: tells the scheme.
        name: of the image.
        drawn: points that a person gave, kept as they are.
    """
    scheme = subject.automatic[name].scheme
    kept = {}
    for outline, points in before.contours.items():
        inside = outlined(labels, scheme, outline)
        if outline not in drawn and np.array_equal(inside, outlined(before.labels, scheme, outline)):
            kept[outline] = points
    contours = {**outlines_of(labels, scheme, leave=(*drawn, *kept)), **kept, **drawn}
    # As they are kept: what is read back is what was drawn, to the last digit.
    return EditedPlane(labels, {outline: points.round(DECIMALS) for outline, points in contours.items()})


def _painted(gesture: PaintPlane, edits: Edits, subject: Subject) -> _Values:
    frame, depth = subject.checked(gesture.image, gesture.frame, gesture.slice)
    automatic, before = subject.automatic[gesture.image], subject.plane(edits, gesture.image, frame, depth)
    labels = np.asarray(gesture.labels)
    if labels.shape != before.labels.shape or labels.dtype != np.uint8:
        height, width = before.labels.shape
        raise InputError(f"a plane of {gesture.image} is {height} x {width} bytes, these are {labels.shape}")
    LabelMap(labels[None, None], automatic.scheme, automatic.geometry)  # refuses values of no structure
    address = Address(Kind.PLANE, gesture.image, frame, depth)
    return {address: replanned(before, labels.copy(), subject, gesture.image, {})}


def _placed(gesture: PlaceLandmarks, edits: Edits, subject: Subject) -> _Values:
    frame, _ = subject.checked(gesture.image, gesture.frame)
    if not subject.is_open(gesture.image):
        raise InputError(f"{gesture.image} is no long axis: it has neither apex nor annulus")
    shape = subject.automatic[gesture.image].array.shape[2:]

    def place(point: Any) -> Place:
        row, column = checked_places([point], (shape[0], shape[1]))[0]
        return float(row), float(column)

    apex = None if gesture.apex is None else place(gesture.apex)
    if gesture.annulus is not None and len(gesture.annulus) != 2:
        raise InputError(f"an annulus has two corners, this one {len(gesture.annulus)}")
    annulus = None if gesture.annulus is None else (place(gesture.annulus[0]), place(gesture.annulus[1]))
    if annulus is not None and np.hypot(annulus[0][0] - annulus[1][0], annulus[0][1] - annulus[1][1]) < 1:
        raise InputError("both corners of the annulus lie in one place")
    marks = None if apex is None and annulus is None else Landmarks(apex, annulus)
    if apex is not None and annulus is not None and np.hypot(*(np.array(apex) - np.mean(annulus, axis=0))) < 1:
        raise InputError("the apex lies upon the annulus")
    return {Address(Kind.LANDMARKS, gesture.image, frame): marks}


def _chosen(gesture: SetKeyFrame, edits: Edits, subject: Subject) -> _Values:
    frame, _ = subject.checked(gesture.image, gesture.frame)
    if gesture.phase not in (Phase.ED, Phase.ES):
        raise InputError(f"{gesture.phase} is no key frame", remedy="ED and ES are.")
    image = next(item for item in edits.exam(subject.exam).images if item.name == gesture.image)
    other = Phase.ES if gesture.phase is Phase.ED else Phase.ED
    if image.phases.get(other) == frame:
        raise InputError(
            f"frame {frame} of {gesture.image} is {other} already: choose another frame, or move that first"
        )
    if frame in image.rejected:
        raise InputError(f"frame {frame} of {gesture.image} was rejected: a rejected frame is no key frame")
    return {Address(Kind.PHASE, gesture.image, name=gesture.phase.value): frame}


def _judged(gesture: Judge, edits: Edits, subject: Subject) -> _Values:
    frame, depth = subject.checked(gesture.image, gesture.frame, gesture.slice)
    said = None if gesture.verdict is None else Said(gesture.verdict, _reason(gesture.reason))
    return {Address(Kind.VERDICT, gesture.image, frame, depth): said}


def _answered(gesture: AnswerFlag, edits: Edits, subject: Subject) -> _Values:
    parts = [_reason(part) for part in (gesture.rule, gesture.about, gesture.text)]
    if not parts[0] or not parts[2]:
        raise InputError("a flag has a rule and a sentence")
    said = Said(Verdict.ACCEPTED, _reason(gesture.reason)) if gesture.accepted else None
    return {Address(Kind.FLAG, name="\n".join(parts)): said}


def _reason(text: str) -> str:
    """What a person wrote, on one line.

    Raises:
        InputError: it is too long.
    """
    if len(text) > _LONGEST_REASON:
        raise InputError(f"a reason has {_LONGEST_REASON} letters at most, this one {len(text)}")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _carried(gesture: Propagate, edits: Edits, subject: Subject) -> _Values:
    frame, depth = subject.checked(gesture.image, gesture.frame, gesture.slice)
    automatic, image = subject.automatic[gesture.image], subject.image(gesture.image)
    source = subject.plane(edits, gesture.image, frame, depth)
    if gesture.contour is not None:
        outlined(source.labels, automatic.scheme, gesture.contour)
    names = [name for name in source.contours if gesture.contour in (None, name)]
    if not names:
        raise InputError(f"frame {frame} of {gesture.image} has no such outline to carry on")
    there = {
        target: subject.plane(edits, gesture.image, *target)
        for target in reached(gesture.to, (frame, depth), automatic.array.shape[:2])
        if gesture.to is not Reach.BEAT or not _is_settled(edits, gesture.image, target)
    }
    if not there:
        raise InputError("every other frame was drawn or judged by a person: nothing is laid over that")
    found = carried(
        source.labels,
        (frame, depth),
        {target: plane.labels for target, plane in there.items()},
        automatic,
        image.image,
        names=names,
    )
    return {
        Address(Kind.PLANE, gesture.image, *target): replanned(plane, found[target], subject, gesture.image, {})
        for target, plane in there.items()
    }


def _is_settled(edits: Edits, image: str, target: tuple[int, int]) -> bool:
    """Whether a person drew or judged a plane: what goes over a whole film is not laid over that."""
    return any(Address(kind, image, *target) in edits.held for kind in (Kind.PLANE, Kind.VERDICT))


def _restored(gesture: Restore, edits: Edits, subject: Subject) -> _Values:
    return dict.fromkeys(edits.held)


_AFTER: Mapping[type, Callable[[Any, Edits, Subject], _Values]] = {
    DrawOutline: _drawn,
    PaintPlane: _painted,
    PlaceLandmarks: _placed,
    SetKeyFrame: _chosen,
    Judge: _judged,
    AnswerFlag: _answered,
    Propagate: _carried,
    Restore: _restored,
}
