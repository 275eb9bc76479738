"""What speaks against trusting a result, in words and by grade. A flag never alters a value."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Grade(StrEnum):
    """How far a flag goes, the gravest first."""

    NOT_USABLE = "not usable"
    """The value is wrong or means nothing: it is shown struck through, never as a headline."""
    LOOK_TWICE = "look twice"
    """The value may be wrong: look at the image before using it."""
    NOTE = "note"
    """Worth knowing; the value stands."""


LEFT_OUT = "left-out"
"""Rule of the flags that tell which files or images were not used, and why."""


@dataclass(frozen=True)
class Flag:
    """One doubt about a result.

    Example:
        >>> flag = Flag(Grade.NOTE, "the left atrium reaches the edge of the image", rule="atrium-cut", about="LA")
        >>> print(flag)
        the left atrium reaches the edge of the image
    """

    grade: Grade
    text: str
    """One sentence without a full stop, naming view and phase where it concerns only these."""
    rule: str = ""
    """Name of the check that raised it, such as "long-axis-shortening"; the documentation explains each."""
    about: str = ""
    """What it concerns, such as "LV", "LA", "RV" or the name of an image; empty for the exam as a whole."""

    def __str__(self) -> str:
        return self.text

    def of(self, place: str) -> "Flag":
        """The same flag, its sentence headed by a view, phase or image.

        Example:
            >>> str(Flag(Grade.LOOK_TWICE, "no left ventricle was found").of("A4C ES"))
            'A4C ES: no left ventricle was found'
        """
        return replace(self, text=f"{place}: {self.text}")

    def to_plain(self) -> dict[str, str]:
        """The flag as JSON holds it."""
        return {"grade": self.grade.value, "text": self.text, "rule": self.rule, "about": self.about}


@dataclass(frozen=True)
class AcceptedFlag:
    """A flag that a person looked at and let stand; the flag itself stays, and no value changes."""

    rule: str
    about: str
    text: str
    """The sentence of the flag: with another number in it, it is another flag, which nobody looked at."""
    by: str = ""
    """Who did, as far as they said."""
    time: str = ""
    """When, ISO 8601."""
    reason: str = ""

    def is_of(self, flag: Flag) -> bool:
        """Whether it is this flag that was looked at."""
        return (self.rule, self.about, self.text) == (flag.rule, flag.about, flag.text)


def worst(flags: Iterable[Flag]) -> Grade | None:
    """The gravest grade of several flags; None where there is none.

    Example:
        >>> worst([Flag(Grade.NOTE, "a"), Flag(Grade.LOOK_TWICE, "b")])
        <Grade.LOOK_TWICE: 'look twice'>
    """
    grades = {flag.grade for flag in flags}
    return next((grade for grade in Grade if grade in grades), None)


def is_doubted(flags: Iterable[Flag]) -> bool:
    """Whether any flag is graver than a note.

    Example:
        >>> is_doubted([Flag(Grade.NOTE, "a")])
        False
    """
    return worst(flags) in (Grade.NOT_USABLE, Grade.LOOK_TWICE)
