"""The header of a copy: made anew from what is allowed, and a list of what the original held besides."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cardiotrace.core.terms import Modality, View, view_name
from cardiotrace.io.dicom import fact
from cardiotrace.io.dicom.anonymous.allowed import (
    DEMANDED,
    EMPTIED,
    PLAIN,
    STAND_INS,
    WORDS,
    model_name,
    vendor_words,
)
from cardiotrace.io.dicom.anonymous.clock import Clock
from cardiotrace.io.dicom.anonymous.pseudonym import Pseudonyms
from cardiotrace.io.dicom.header import value_of
from cardiotrace.io.dicom.picture import modality_of, view_of
from cardiotrace.io.dicom.plane import series_words
from cardiotrace.io.dicom.series_kind import standard_words
from cardiotrace.io.dicom.visit import patient_of

if TYPE_CHECKING:
    from pydicom import Dataset

_OLDEST = 89
"""Years; who is older is rare enough to be known by it."""
_PIXELS = 0x7FE00010
_PIXEL_WORDS = ("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns",
                "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")  # fmt: skip
"""Elements that say how the pixels are stored, which the copy states of its own."""
_REMOVED, _EMPTIED, _REPLACED = "removed", "emptied", "replaced"


@dataclass
class Removed:
    """What was not copied as it was: tags, never values."""

    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    """By tag and what became of it."""

    def compare(self, before: "Dataset", after: "Dataset | None") -> None:
        """Count what one dataset holds and its copy does not, in sequences too."""
        from pydicom.sequence import Sequence

        for tag in before.keys():  # noqa: SIM118 (a dataset yields elements, and decodes each)
            if tag == _PIXELS:
                continue
            kept = after is not None and tag in after
            old, new = _value(before, tag), _value(after, tag) if after is not None and kept else None
            if isinstance(old, Sequence):
                copies = list(new) if isinstance(new, Sequence) else []
                for place, item in enumerate(old):
                    self.compare(item, copies[place] if place < len(copies) else None)
            elif kept and _is_same(old, new):
                continue
            if not kept:
                self.counts[int(tag), _REMOVED] += 1
            elif not isinstance(old, Sequence):
                self.counts[int(tag), _EMPTIED if new in (None, "") else _REPLACED] += 1

    def rows(self) -> list[dict[str, Any]]:
        """A row for each tag: its number, the standard's name of it, how often, and what became of it."""
        from pydicom.datadict import keyword_for_tag

        return [
            {
                "tag": f"({tag >> 16:04X},{tag & 0xFFFF:04X})",
                "keyword": "private" if (tag >> 16) % 2 else keyword_for_tag(tag),
                "count": count,
                "what": what,
            }
            for (tag, what), count in sorted(self.counts.items())
        ]


def _value(dataset: "Dataset", tag: Any) -> Any:
    """A value as the library gives it; None of one that it cannot read."""
    try:
        return dataset[tag].value
    except Exception:  # whatever a value of the wrong type makes the library raise
        return None


def _is_same(old: Any, new: Any) -> bool:
    return bool(old is not None and str(old) == str(new))


@dataclass(frozen=True)
class Cleaner:
    """What makes headers of copies for one study."""

    pseudonyms: Pseudonyms
    clock: Clock

    def header(self, source: "Dataset", name: str) -> "Dataset":
        """The header of a copy, without what tells of its pixels.

        Args:
            source: header of the original.
            name: what stands for identifiers that the original lacks.
        """
        copy = self.allowed(source)
        for keyword in DEMANDED:
            if keyword not in copy:
                setattr(copy, keyword, None)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(copy, keyword, self.pseudonyms.uid(fact.text(source, keyword) or f"{keyword} of {name}"))
        copy.PatientName = copy.PatientID = self.pseudonyms.patient(source)
        copy.PatientAge = _age(source)
        copy.Manufacturer = vendor_words(fact.text(source, "Manufacturer"))
        copy.ManufacturerModelName = model_name(fact.text(source, "ManufacturerModelName"))
        copy.SeriesDescription = told_words(source)
        for keyword in ("PatientAge", "ManufacturerModelName", "SeriesDescription"):
            if not copy[keyword].value:
                del copy[keyword]
        if "BodyPartExamined" in source and "BodyPartExamined" not in copy:
            copy.Laterality = None  # demanded where no part of the body is named that has no sides
        return copy

    def allowed(self, source: "Dataset") -> "Dataset":
        """What may be copied of a header, or of an item of a sequence."""
        from pydicom import Dataset
        from pydicom.datadict import dictionary_VR, keyword_for_tag

        copy = Dataset()
        for tag in source.keys():  # noqa: SIM118 (a dataset yields elements, and decodes each)
            keyword = keyword_for_tag(tag)
            if keyword in EMPTIED:
                setattr(copy, keyword, None)
            elif keyword in PLAIN:
                value = self._copied(source, keyword, dictionary_VR(tag))
                if value not in (None, "", []):
                    setattr(copy, keyword, value)
        return copy

    def _copied(self, source: "Dataset", keyword: str, kind: str) -> Any:
        """A value that may be copied; None where it is none."""
        if kind == "SQ":
            return [self.allowed(item) for item in fact.items(source, keyword)]
        if kind == "UI":
            return [self.pseudonyms.uid(stated) for stated in fact.texts(source, keyword)]
        if kind == "TM":
            return self.clock.time(source, keyword)
        if kind == "DT":
            return self.clock.date_time(source, keyword)
        rule = _RULES.get(kind)
        return None if rule is None else rule(source, keyword)


def _numbers(source: "Dataset", keyword: str) -> Any:
    """Numbers as they are written there; None where one of them is none."""
    from pydicom.multival import MultiValue

    value = value_of(source, keyword)
    try:
        for each in value if isinstance(value, MultiValue | list | tuple) else [value]:
            float(each)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if isinstance(value, str | bytes) and not hasattr(value, "original_string") else value


def _words(source: "Dataset", keyword: str) -> list[str]:
    """Words of the standard; in place of others one that says nothing, or none."""
    other = STAND_INS.get(keyword, "")
    found = [word.upper() if word.upper() in WORDS else other for word in fact.texts(source, keyword)]
    return found if other else [word for word in found if word]


_RULES: Mapping[str, Callable[["Dataset", str], Any]] = {
    **dict.fromkeys(("DS", "IS", "FD", "FL", "US", "SS", "UL", "SL", "AT"), _numbers),
    "CS": _words,
}


def _age(source: "Dataset") -> str:
    """The age as DICOM writes it, 090Y of all who are older than 89; empty where it is not known."""
    years = patient_of([source]).age_years
    if years is None:
        return ""
    if years > _OLDEST:
        return f"{_OLDEST + 1:03d}Y"
    stated = fact.text(source, "PatientAge").upper()
    return stated if re.fullmatch(r"\d{3}[DWMY]", stated) else f"{int(years):03d}Y"


def told_words(source: "Dataset") -> str:
    """What the descriptions of a series say of its view and kind, in words from closed lists; empty where nothing."""
    modality = modality_of(source)
    if modality is Modality.MR:
        return standard_words(series_words(source))
    view = view_of(source)
    return "" if view is View.UNKNOWN else view_name(view, modality)
