"""What is sent and received where exams are corrected."""

from typing import Annotated, Any, Literal

from pydantic import Field

from cardiotrace.server.api.schemas import AcceptedFlag, ImageSchema, Lease, Problem, Schema, Summary

Number = Annotated[int, Field(ge=0, le=10**6)]
Point = Annotated[list[float], Field(min_length=2, max_length=2)]
ImageWord = Annotated[str, Field(min_length=1, max_length=300)]
Reason = Annotated[str, Field(max_length=500)]
_MOST_POINTS = 1000
"""More are refused before anybody looks at them; what an outline may have is said where it is drawn."""


class ContourGesture(Schema):
    """An outline drawn anew: the points of its closed curve, pixels."""

    kind: Literal["contour"]
    image: ImageWord
    frame: Number
    slice: Number = 0
    contour: Annotated[str, Field(max_length=16)]
    points: Annotated[list[Point], Field(max_length=_MOST_POINTS)]


class PlaneGesture(Schema):
    """Labels of a plane, as brush and eraser leave them: base64 of zlib of a byte for each pixel."""

    kind: Literal["plane"]
    image: ImageWord
    frame: Number
    slice: Number = 0
    labels: Annotated[str, Field(max_length=20_000_000)]


class LandmarksGesture(Schema):
    """Ends of the long axis; null for what is to be found in the labels."""

    kind: Literal["landmarks"]
    image: ImageWord
    frame: Number
    apex: Point | None = None
    annulus: Annotated[list[Point], Field(min_length=2, max_length=2)] | None = None


class KeyFrameGesture(Schema):
    """Which frame is end-diastole or end-systole."""

    kind: Literal["key-frame"]
    image: ImageWord
    phase: Literal["ED", "ES"]
    frame: Number


class VerdictGesture(Schema):
    """The labels of a plane accepted, or rejected; null takes that back."""

    kind: Literal["verdict"]
    image: ImageWord
    frame: Number
    slice: Number = 0
    verdict: Literal["accepted", "rejected"] | None
    reason: Reason = ""


class FlagGesture(Schema):
    """A flag that was looked at; no number changes."""

    kind: Literal["flag"]
    rule: Annotated[str, Field(min_length=1, max_length=64)]
    about: Annotated[str, Field(max_length=300)] = ""
    text: Annotated[str, Field(min_length=1, max_length=500)]
    accepted: bool
    reason: Reason = ""


class PropagateGesture(Schema):
    """What was changed in a plane, carried to others as far as it holds there."""

    kind: Literal["propagate"]
    image: ImageWord
    frame: Number
    slice: Number = 0
    contour: Annotated[str, Field(max_length=16)] | None = None
    to: Literal["next", "previous", "beat", "slice-up", "slice-down"]


class StepGesture(Schema):
    """One gesture back, or on again; or the automatic labels all over."""

    kind: Literal["undo", "redo", "restore"]


GestureSchema = Annotated[
    ContourGesture
    | PlaneGesture
    | LandmarksGesture
    | KeyFrameGesture
    | VerdictGesture
    | FlagGesture
    | PropagateGesture
    | StepGesture,
    Field(discriminator="kind"),
]


class EditSchema(Schema):
    """A gesture on the version that its maker saw."""

    base_version: Annotated[int, Field(ge=0, le=10**9)]
    gesture: GestureSchema


class PlaneSchema(Schema):
    """What is drawn over a plane."""

    contours: dict[str, list[Point]]
    axis: dict[str, Any] | None
    disks: list[list[Point]] | None
    edited: bool
    verdict: Literal["accepted", "rejected"] | None


class ChangedPlane(Schema):
    """A plane that a gesture changed."""

    image: str
    frame: int
    slice: int
    labels: str
    plane: PlaneSchema


class Edited(Schema):
    """What a gesture made of an exam."""

    version: int
    measures: dict[str, Any] | None
    study: Summary | None
    undo: int
    redo: int
    changed: list[ChangedPlane]
    phases: dict[str, dict[str, int]]
    accepted: list[AcceptedFlag]


class JournalEntry(Schema):
    """One entry of the journal, with what was and what is; labels by their digest."""

    version: int
    time: str
    by: str
    gesture: dict[str, Any]
    undone: bool
    change: list[dict[str, Any]] | None


class LeaseMade(Schema):
    """A lease, to be shown with each edit and renewed before it ends."""

    lease: str
    holder: str
    expires: str


class LeaseRefused(Schema):
    """Somebody else holds the lease, or the one that was shown is over."""

    error: Problem
    lease: Lease | None = None
    """Who holds it now."""


class VersionRefused(Schema):
    """Something was done meanwhile."""

    error: Problem
    version: int | None = None
    """The present one, where another was edited."""


LEASED: dict[int | str, dict[str, Any]] = {
    409: {"model": LeaseRefused, "description": "Somebody else edits it."},
    423: {"model": LeaseRefused, "description": "The lease is over, or somebody else's."},
}
"""Answers to who asks for a lease."""
EDITING: dict[int | str, dict[str, Any]] = {
    **LEASED,
    409: {"model": VersionRefused, "description": "Another version is the present one, or it cannot be edited."},
}
"""Answers to who edits."""


class Sign(Schema):
    """Who signs."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class Signed(Schema):
    """A signature: over measures and labels of one version."""

    version: int
    checksum: str
    time: str


class NewReaderStudy(Schema):
    """Which exams are traced by whom."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
    studies: Annotated[list[Annotated[str, Field(pattern="^[0-9a-f]{16}$")]], Field(min_length=1, max_length=1000)]
    readers: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]], Field(min_length=1, max_length=50)
    ]


class ReadingSchema(Schema):
    """How far a reader is with one exam."""

    study: str
    reader: str
    version: int
    opened: str | None
    done: str | None
    seconds: float | None


class ReadingStudy(Schema):
    """An exam for one reader: nothing of what was found is in it."""

    id: str
    study: str
    reader: str
    version: int
    images: list[ImageSchema]
    measures: dict[str, Any] | None
    """Of what the reader drew."""
    undo: int
    redo: int
    done: str | None


class ReaderStudySchema(Schema):
    """Exams that several people trace by themselves."""

    id: str
    name: str
    created: str
    readings: list[ReadingSchema]
