"""Facts of a DICOM header as plain values: what is absent, empty or no such value is simply not known.

Values of headers as they were read are decoded here, without the conversion that the library makes on each access: that
is the larger part of the time in sorting hundreds of files, and it warns of, or fails at, values that do no harm.
"""

import datetime
import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom import Dataset

_TEXT = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UI"))
_CLOCK = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2}(?:\.\d*)?)?")


def texts(header: "Dataset", keyword: str) -> tuple[str, ...]:
    """Values of an element as text, without the spaces around them; none where it is absent or cannot be read.

    Args:
        header: of a file, or an item of a sequence.
        keyword: the standard's name of the element, such as "ImageType".
    """
    try:
        return _values(header, _tag(keyword))
    except Exception:  # what the library cannot convert says nothing
        return ()


def text(header: "Dataset", keyword: str) -> str:
    """The first value of an element as text; empty where there is none."""
    return next(iter(texts(header, keyword)), "")


def numbers(header: "Dataset", keyword: str) -> tuple[float, ...]:
    """Values of an element as numbers; none where one of them is not finite, or no number."""
    try:
        found = tuple(map(float, texts(header, keyword)))
    except ValueError:
        return ()
    return found if all(map(math.isfinite, found)) else ()


def number(header: "Dataset", keyword: str) -> float | None:
    """The first value of an element as a number; None where there is none."""
    return next(iter(numbers(header, keyword)), None)


def items(header: "Dataset", keyword: str) -> tuple["Dataset", ...]:
    """Items of a sequence; none where it is absent, or no sequence."""
    from pydicom import Sequence

    try:
        found = header.get(keyword)
    except Exception:  # what the library cannot convert says nothing
        return ()
    return tuple(found) if isinstance(found, Sequence) else ()


def instant_s(header: "Dataset", *, date_time: str, date: str, time: str) -> float | None:
    """An instant in seconds of any origin, from one element or from two; None where the time is not stated.

    Args:
        header: of a file, or an item of a sequence.
        date_time: name of the element that states both.
        date: name of the one that states the day; a day that cannot be counts for none.
        time: name of the one that states the time.

    Example:
        >>> from pydicom import Dataset
        >>> header = Dataset()
        >>> header.ContentTime = "000130.5"
        >>> instant_s(header, date_time="AcquisitionDateTime", date="ContentDate", time="ContentTime")
        90.5
    """
    both = text(header, date_time)
    day, clock = (both[:8], both[8:]) if both else (text(header, date), text(header, time))
    found = _CLOCK.match(clock)
    if found is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return _day(day) * 86400.0 + hours * 3600 + minutes * 60 + seconds


@cache
def _day(text: str) -> int:
    try:
        return datetime.datetime.strptime(text, "%Y%m%d").toordinal()
    except ValueError:
        return 0


@cache
def _tag(keyword: str) -> Any:
    from pydicom.datadict import tag_for_keyword
    from pydicom.tag import Tag

    return Tag(tag_for_keyword(keyword) or 0)


@cache
def _representation(tag: Any) -> str:
    from pydicom.datadict import dictionary_VR

    return dictionary_VR(tag)


def _values(header: "Dataset", tag: Any) -> tuple[str, ...]:
    element = header.get_item(tag)
    if element is None:
        return ()
    kind = element.VR if element.VR not in (None, "UN") else _representation(tag)
    if getattr(element, "is_raw", False) and kind in _TEXT:
        # Words are looked for that are ASCII in every character set.
        parts: list[Any] = (element.value or b"").decode("latin-1").split("\\")
    else:
        value = header[tag].value
        parts = [value] if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__") else list(value)
    found = tuple("" if part is None else str(part).strip(" \0") for part in parts)
    return found if any(found) else ()
