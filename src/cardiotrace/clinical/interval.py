"""Between which limits the truth of a measured value lies, and which error that is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Error(StrEnum):
    """Which error an interval is of: what it was held against."""

    READING = "reading error"
    """The same measurement on reference outlines of the same images: what is wrong with the outlines."""
    WHOLE = "whole error"
    """What the data set states of the heart: what is wrong with the outlines, and what one plane cannot show."""


@dataclass(frozen=True)
class Interval:
    """Between which limits a truth lies, as often as was asked for."""

    of: Error
    low: float
    high: float
    share: float
    """Of patients whose truth lies within."""
    widened: float = 1.0
    """How many times wider than usual it is, since the image is unlike those that the model was tried on."""

    def to_plain(self) -> dict[str, Any]:
        """The interval as JSON holds it; `widened` is left out where it is as wide as usual."""
        low, high = (float(f"{limit:.6g}") for limit in (self.low, self.high))
        plain = {"of": self.of.value, "low": low, "high": high, "share": self.share}
        return plain if self.widened == 1 else plain | {"widened": self.widened}
