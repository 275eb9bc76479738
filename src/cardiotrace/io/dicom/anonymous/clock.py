"""Times without dates: the images of a study begin at zero, and what lies between their instants stays."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardiotrace.io.dicom.fact import instant_s

if TYPE_CHECKING:
    from pydicom import Dataset

_DAY_S = 86_400.0
_ORIGIN = datetime.datetime(1900, 1, 1)
"""The day that stands where an element holds day and time in one: no study was taken on it."""


@dataclass(frozen=True)
class Clock:
    """The clock of one study."""

    first_s: float = 0.0
    is_short: bool = True
    """Whether the study takes less than a day; times of a longer one, without their days, would mislead."""

    @classmethod
    def of(cls, headers: Iterable["Dataset"]) -> "Clock":
        """The clock that begins with the first acquisition; where none states its time, with the first image's."""
        # Kinds are looked at apart: programs that changed the dates of some may have left those of others.
        kept = list(headers)
        known = [found for kind in _KINDS if (found := sorted(_instants(kept, *kind)))]
        return cls(known[0][0], all(found[-1] - found[0] < _DAY_S for found in known)) if known else cls()

    def time(self, header: "Dataset", keyword: str) -> str:
        """A time of day as the time since the clock began, HHMMSS.FFFFFF; empty where none is stated.

        Example:
            >>> from pydicom import Dataset
            >>> header = Dataset()
            >>> header.StudyTime, header.ContentTime = "235950", "000005.5"
            >>> Clock(86390.0).time(header, "ContentTime")
            '000015.500000'
        """
        stated = instant_s(header, date_time="", date="", time=keyword)
        if stated is None or not self.is_short:
            return ""
        return _clock_face((stated - self.first_s) % _DAY_S)

    def date_time(self, header: "Dataset", keyword: str) -> str:
        """Day and time on this clock, which begins on the first of January 1900; empty where none is stated."""
        stated = instant_s(header, date_time=keyword, date="", time="")
        if stated is None or stated < self.first_s or stated < _DAY_S:
            return ""
        days, rest = divmod(stated - self.first_s, _DAY_S)
        return f"{_ORIGIN + datetime.timedelta(days=days):%Y%m%d}{_clock_face(rest)}"


_KINDS = (("AcquisitionDateTime", "Acquisition"), ("", "Content"))


def _instants(headers: Iterable["Dataset"], both: str, kind: str) -> Iterator[float]:
    for header in headers:
        instant = instant_s(header, date_time=both, date=f"{kind}Date", time=f"{kind}Time")
        if instant is not None:
            yield instant


def _clock_face(seconds: float) -> str:
    whole, micro = divmod(round(seconds * 1e6), 1_000_000)
    return f"{whole // 3600 % 24:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{micro:06d}"
