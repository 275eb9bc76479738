"""Ultrasound and photographs of a study: every object is an image of its own."""

import re
from collections.abc import Iterable
from functools import partial

from cardiotrace.core.terms import View, view_name
from cardiotrace.core.text import numbered
from cardiotrace.io.dicom.fact import number, text
from cardiotrace.io.dicom.picture import modality_of, read_picture, view_of
from cardiotrace.io.dicom.source import DicomFile, DicomImage, Images

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_NUMBER = re.compile(r"[\d.]{16,}")
"""Of a name that is a unique identifier of DICOM and tells nobody anything."""
_LONGEST = 60


def pictures_of(files: Iterable[DicomFile]) -> Images:
    """The images that single objects are, in the order of their recording.

    An image is named after its view where the header states one, else after its file, as it is in other formats.

    Args:
        files: of ultrasound or photographs.
    """
    ordered = sorted(files, key=_order)
    views = [view_of(file.header) for file in ordered]
    names = numbered([_name(file, view) for file, view in zip(ordered, views, strict=True)])
    return Images(
        tuple(
            DicomImage(name, view, modality_of(file.header), partial(read_picture, file), (file,))
            for file, view, name in zip(ordered, views, names, strict=True)
        )
    )


def _name(file: DicomFile, view: View) -> str:
    modality = modality_of(file.header)
    if view is not View.UNKNOWN:
        return view_name(view, modality)
    own = file.member.rpartition("/")[2] or file.path.name
    stem = re.sub(r"(?i)\.(dcm|dicom|dic|ima)$", "", own)
    safe = _UNSAFE.sub("-", stem).strip("-")[:_LONGEST]
    return modality.value if _NUMBER.fullmatch(stem) or not safe else safe


def _order(file: DicomFile) -> tuple[float, str, float]:
    """By series, time and number."""
    header = file.header
    series, instance = number(header, "SeriesNumber"), number(header, "InstanceNumber")
    times = (text(header, keyword) for keyword in ("AcquisitionDateTime", "AcquisitionTime", "ContentTime"))
    return series or 0.0, next(filter(None, times), ""), instance or 0.0
