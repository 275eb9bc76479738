"""What a person changed in an exam: a value at each of some addresses, and changes from one set of them to another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from cardiotrace.clinical.editing.gesture import Verdict
from cardiotrace.clinical.editing.outline import Points
from cardiotrace.core.exam import Exam, ExamImage, Landmarks
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase


class Kind(StrEnum):
    """What can be edited."""

    PLANE = "plane"
    LANDMARKS = "landmarks"
    PHASE = "phase"
    VERDICT = "verdict"
    FLAG = "flag"


class Address(NamedTuple):
    """What of an exam an edit is about."""

    kind: Kind
    image: str = ""
    frame: int = -1
    slice: int = -1
    name: str = ""
    """Of a phase; of a flag its rule, what it is about and its sentence, a line each."""


@dataclass(frozen=True, eq=False)
class EditedPlane:
    """Labels of one plane, with the points that its outlines are drawn through."""

    labels: UInt8[np.ndarray, "height width"]
    contours: Mapping[str, Points]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, EditedPlane)
            and np.array_equal(self.labels, other.labels)
            and self.contours.keys() == other.contours.keys()
            and all(np.array_equal(points, other.contours[name]) for name, points in self.contours.items())
        )


@dataclass(frozen=True)
class Said:
    """What a person says of a plane or of a flag."""

    verdict: Verdict
    reason: str = ""


Value = EditedPlane | Landmarks | Said | int
"""An int is the frame of a phase."""


@dataclass(frozen=True)
class Edit:
    """A value that stands in place of the automatic one."""

    value: Value
    by: str = ""
    """Who says so."""
    time: str = ""
    """When, ISO 8601."""


Held = Mapping[Address, Edit | None]


@dataclass(frozen=True)
class Change:
    """What one gesture does: what was and what is at every address that it touches; None is the automatic value."""

    before: Held
    after: Held

    @property
    def reversed(self) -> "Change":
        """What takes it back."""
        return Change(self.after, self.before)

    @property
    def planes(self) -> tuple[Address, ...]:
        """Planes of labels that it touches."""
        return tuple(address for address in self.after if address.kind is Kind.PLANE)

    @property
    def is_nothing(self) -> bool:
        """Whether all stays as it was."""
        return all(_same(self.before[address], edit) for address, edit in self.after.items())


def _same(one: Edit | None, other: Edit | None) -> bool:
    return (one and one.value) == (other and other.value)


@dataclass(frozen=True)
class Edits:
    """All that stands edited; what is not held is automatic.

    Example:
        >>> phase = Address(Kind.PHASE, "loop", name="ED")
        >>> change = Edits().change({phase: Edit(3, "M. Roy")})
        >>> edited = Edits().after(change)
        >>> edited.value(phase), edited.after(change.reversed).value(phase)
        (3, None)
    """

    held: Mapping[Address, Edit] = field(default_factory=dict)

    def value(self, address: Address) -> Value | None:
        """What stands at an address; None for the automatic value."""
        edit = self.held.get(address)
        return None if edit is None else edit.value

    def change(self, after: Held) -> Change:
        """The change to some values."""
        return Change({address: self.held.get(address) for address in after}, dict(after))

    def after(self, change: Change) -> "Edits":
        """The edits once a change was made."""
        held = {**self.held, **change.after}
        return Edits({address: edit for address, edit in held.items() if edit is not None})

    def of(self, kind: Kind, image: str = "") -> Iterator[tuple[Address, Edit]]:
        """What stands edited of one kind, in one image, in order of frames."""
        found = (item for item in self.held.items() if item[0].kind is kind and item[0].image == image)
        yield from sorted(found, key=lambda item: item[0])

    def edited_frames(self, image: str) -> tuple[int, ...]:
        """Frames of an image whose labels or long axis a person changed."""
        kinds = (Kind.PLANE, Kind.LANDMARKS)
        return tuple(sorted({address.frame for kind in kinds for address, _ in self.of(kind, image)}))

    def exam(self, exam: Exam) -> Exam:
        """The exam with phases, landmarks and rejected frames as they are edited."""
        return replace(exam, images=tuple(map(self._image, exam.images)))

    def _image(self, image: ExamImage) -> ExamImage:
        phases = {Phase(a.name): e.value for a, e in self.of(Kind.PHASE, image.name) if isinstance(e.value, int)}
        marks = {a.frame: e.value for a, e in self.of(Kind.LANDMARKS, image.name) if isinstance(e.value, Landmarks)}
        rejected = frozenset(
            address.frame
            for address, edit in self.of(Kind.VERDICT, image.name)
            if isinstance(edit.value, Said) and edit.value.verdict is Verdict.REJECTED
        )
        if not (phases or marks or rejected):
            return image
        return replace(
            image,
            phases={**image.phases, **phases},
            landmarks={**image.landmarks, **marks},
            rejected=image.rejected | rejected,
        )

    def labels(self, name: str, automatic: LabelMap) -> LabelMap:
        """The labels of an image with the planes that are edited."""
        edited = [(address, edit.value) for address, edit in self.of(Kind.PLANE, name)]
        if not edited:
            return automatic
        array = automatic.array.copy()
        for address, value in edited:
            if isinstance(value, EditedPlane):
                array[address.frame, address.slice] = value.labels
        return replace(automatic, array=array)
