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

    def to_plain(self) -> dict[str, Any]:
        """The interval as JSON holds it."""
        low, high = (float(f"{limit:.6g}") for limit in (self.low, self.high))
        return {"of": self.of.value, "low": low, "high": high, "share": self.share}
