"""What a person does to the labels of an exam, one step of undoing each."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from numpy.typing import NDArray

from cardiotrace.core.terms import Phase

Pair = Sequence[float]
"""(row, column), pixels."""


class Verdict(StrEnum):
    """What a person says of the labels of a plane."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Reach(StrEnum):
    """Where labels are carried from one plane."""

    NEXT = "next"
    """To the frame behind."""
    PREVIOUS = "previous"
    """To the frame before."""
    BEAT = "beat"
    """To all frames of the film."""
    SLICE_UP = "slice-up"
    """To the slice of the next higher number."""
    SLICE_DOWN = "slice-down"
    """To that of the next lower one."""


@dataclass(frozen=True)
class DrawOutline:
    """Draw one outline of a plane anew."""

    image: str
    frame: int
    slice: int
    contour: str
    """Its name, such as "lv"; see `OUTLINED`."""
    points: Sequence[Pair]


@dataclass(frozen=True, eq=False)
class PaintPlane:
    """Give a plane other labels, as brush and eraser do."""

    image: str
    frame: int
    slice: int
    labels: NDArray[Any]
    """Values of the image's own scheme."""


@dataclass(frozen=True)
class PlaceLandmarks:
    """Say where the long axis ends; None for what is to be found in the labels."""

    image: str
    frame: int
    apex: Pair | None = None
    annulus: Sequence[Pair] | None = None


@dataclass(frozen=True)
class SetKeyFrame:
    """Say which frame is end-diastole or end-systole."""

    image: str
    phase: Phase
    frame: int


@dataclass(frozen=True)
class Judge:
    """Accept or reject the labels of a plane; None takes that back."""

    image: str
    frame: int
    slice: int
    verdict: Verdict | None
    reason: str = ""


@dataclass(frozen=True)
class AnswerFlag:
    """Say of a flag that it was looked at; no number changes."""

    rule: str
    about: str
    text: str
    accepted: bool
    reason: str = ""


@dataclass(frozen=True)
class Propagate:
    """Carry outlines to other planes, fitted to what is there."""

    image: str
    frame: int
    slice: int
    to: Reach
    contour: str | None = None
    """None for all of them."""


@dataclass(frozen=True)
class Restore:
    """Take the automatic labels again, all over the exam."""

    kind: Literal["restore"] = "restore"


Gesture = DrawOutline | PaintPlane | PlaceLandmarks | SetKeyFrame | Judge | AnswerFlag | Propagate | Restore
