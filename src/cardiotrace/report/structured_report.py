"""The measures of an exam as a structured report: DICOM's template 1500, one group of values for each site and view.

A value that a flag calls not usable stands there without its number, qualified as a failure, with the reason beside
it: whoever reads the report by machine sees no style, and would take a number that is struck through for a good one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from cardiotrace import __version__
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Modality
from cardiotrace.io.dicom.code import Code
from cardiotrace.io.dicom.derived import MAKER, PROGRAM, uid_of
from cardiotrace.io.dicom.segmentation import Author
from cardiotrace.io.dicom.source import DicomFrame, dicom_source
from cardiotrace.io.dicom.structured_report import (
    CONTEXT,
    INFERRED,
    MODIFIER,
    PROPERTIES,
    ContentItem,
    Identifier,
    Measured,
)
from cardiotrace.report.coding import method_code, modality_of, quantity_code, site_code, unit_code, view_codes

_TITLE = Code("126000", "DCM", "Imaging Measurement Report")
_LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")
_ENGLISH = Code("en", "RFC5646", "English")
_PROCEDURE = Code("121058", "DCM", "Procedure reported")
_PROCEDURES = {
    Modality.US: Code("40701008", "SCT", "Echocardiography"),
    Modality.MR: Code("241620005", "SCT", "Cardiac MRI"),
}
_ANY_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")
_MEASUREMENTS = Code("126010", "DCM", "Imaging Measurements")
_GROUP = Code("125007", "DCM", "Measurement Group")
_TRACKING, _TRACKING_UID = (
    Code("112039", "DCM", "Tracking Identifier"),
    Code("112040", "DCM", "Tracking Unique Identifier"),
)
_SITE = Code("363698007", "SCT", "Finding Site")
_VIEW, _METHOD = Code("111031", "DCM", "Image View"), Code("370129005", "SCT", "Measurement Method")
_SOURCE = Code("121112", "DCM", "Source of Measurement")
_COMMENT = Code("121106", "DCM", "Comment")
_ALGORITHM, _VERSION = Code("111001", "DCM", "Algorithm Name"), Code("111003", "DCM", "Algorithm Version")
_ABOVE = Code("371886008", "SCT", "+, range of upper measurement uncertainty")
_BELOW = Code("371885007", "SCT", "-, range of lower measurement uncertainty")
_FAILED = Code("114006", "DCM", "Measurement failure")
_OBSERVER, _DEVICE = Code("121005", "DCM", "Observer Type"), Code("121007", "DCM", "Device")
_DEVICE_UID = Code("121012", "DCM", "Device Observer UID")
_DEVICE_WORDS = (
    (Code("121013", "DCM", "Device Observer Name"), PROGRAM),
    (Code("121014", "DCM", "Device Observer Manufacturer"), MAKER),
    (Code("121015", "DCM", "Device Observer Model Name"), PROGRAM),
    (Code("121016", "DCM", "Device Observer Serial Number"), __version__),
)


@dataclass(frozen=True)
class ReportedExam:
    """An exam whose measures are reported, with what the report refers to."""

    exam: Exam
    measures: Measures
    authors: Mapping[str, Author]
    """Who drew the outlines, by name of the image."""

    def images_of(self, quantity: Quantity) -> list[ExamImage]:
        """The images that a value was measured in."""
        names = {ref.image for ref in quantity.frames}
        return [image for image in self.exam.images if image.name in names]

    def modality(self, quantity: Quantity) -> Modality:
        """How the images of a value were made; UNKNOWN where it is of none, or of several kinds."""
        found = [image.image.modality for image in self.images_of(quantity)]
        return modality_of(found) if found else self.exam_modality

    @property
    def exam_modality(self) -> Modality:
        """How the images of the exam were made; UNKNOWN where they are of several kinds."""
        return modality_of([image.image.modality for image in self.exam.images])

    def author(self, quantity: Quantity) -> Author:
        """Who drew the outlines that a value rests on; several names stand side by side."""
        found = [self.authors[image.name] for image in self.images_of(quantity) if image.name in self.authors]
        names = dict.fromkeys(author.name for author in found if author.name)
        return Author(", ".join(names), found[0].version) if names else Author()

    @property
    def exam_flags(self) -> list[Flag]:
        """What speaks of the exam or of an image as a whole: the flags of no single value."""
        of_values = {flag for quantity in self.measures.quantities for flag in quantity.flags}
        return [flag for flag in self.measures.flags if flag not in of_values]

    def frames_of(self, quantity: Quantity) -> list[DicomFrame]:
        """The DICOM frames that a value rests on: of a stack, all slices; none of images that are no DICOM."""
        sources = {image.name: dicom_source(image.image) for image in self.exam.images}
        return [
            frame
            for ref in quantity.frames
            if (source := sources.get(ref.image)) is not None
            for frame in source.frames[ref.frame]
        ]


def measurement_report(reported: ReportedExam) -> ContentItem:
    """The tree of the report; what speaks of the exam as a whole stands as comments below its measurements.

    Source: DICOM PS3.16, templates 1500, 1501, 300, 310, 320, 1002 and 4019.
    """
    procedure = _PROCEDURES.get(reported.exam_modality, _ANY_PROCEDURE)
    items = (
        ContentItem(_LANGUAGE, _ENGLISH, MODIFIER),
        *_observer(),
        ContentItem(_PROCEDURE, procedure, MODIFIER),
        ContentItem(_MEASUREMENTS, items=tuple(_groups(reported))),
        *(ContentItem(_COMMENT, exam_flag_text(flag)) for flag in reported.exam_flags),
    )
    return ContentItem(_TITLE, items=items, template="1500")


def _observer() -> Iterator[ContentItem]:
    """A device, this program, and no person."""
    yield ContentItem(_OBSERVER, _DEVICE, CONTEXT)
    yield ContentItem(_DEVICE_UID, Identifier(uid_of("device", __version__)), CONTEXT)
    for concept, words in _DEVICE_WORDS:
        yield ContentItem(concept, words, CONTEXT)


def _groups(reported: ReportedExam) -> Iterator[ContentItem]:
    def key(quantity: Quantity) -> tuple[str, str, str, str]:
        modality = reported.modality(quantity).value
        return site_code(quantity).meaning, quantity.view, modality, reported.author(quantity).name

    ordered = sorted(reported.measures.quantities, key=key)  # stable: preferred methods stay first
    for number, (words, group) in enumerate(groupby(ordered, key), start=1):
        yield _group(reported, number, ", ".join(word for word in words[:2] if word), list(group))


def _group(reported: ReportedExam, number: int, words: str, quantities: Sequence[Quantity]) -> ContentItem:
    first = quantities[0]
    sources = [f"{frame.file.header.SOPInstanceUID}" for item in quantities for frame in reported.frames_of(item)]
    author = reported.author(first)
    algorithm = author.name or PROGRAM
    items = (
        ContentItem(_TRACKING, f"{number}: {words}", CONTEXT),
        ContentItem(_TRACKING_UID, Identifier(uid_of("group", words, author.name, *dict.fromkeys(sources))), CONTEXT),
        ContentItem(_ALGORITHM, algorithm, MODIFIER),
        ContentItem(_VERSION, author.version, MODIFIER),
        ContentItem(_SITE, site_code(first), MODIFIER),
        *(ContentItem(_VIEW, code) for code in view_codes(first.view, reported.modality(first))),
        *(_measurement(reported, quantity) for quantity in quantities),
        *(ContentItem(_COMMENT, text) for text in _comments(quantities)),
    )
    return ContentItem(_GROUP, items=items, template="1501")


def _measurement(reported: ReportedExam, quantity: Quantity) -> ContentItem:
    unit, method = unit_code(quantity.unit), method_code(quantity)
    value = Measured(quantity.value, unit) if quantity.is_usable else Measured(None, unit, _FAILED)
    items = (
        *([] if method is None else [ContentItem(_METHOD, method, MODIFIER)]),
        *(_uncertainty(quantity, unit) if quantity.is_usable else ()),
        *(ContentItem(_SOURCE, frame, INFERRED) for frame in reported.frames_of(quantity)),
    )
    return ContentItem(quantity_code(quantity, reported.modality(quantity)), value, items=items)


def _uncertainty(quantity: Quantity, unit: Code) -> Iterator[ContentItem]:
    """How far the interval reaches above and below the value; nothing where there is no interval."""
    if quantity.interval is not None:
        low, high = quantity.interval
        yield ContentItem(_ABOVE, Measured(high - quantity.value, unit), PROPERTIES)
        yield ContentItem(_BELOW, Measured(quantity.value - low, unit), PROPERTIES)


def _comments(quantities: Sequence[Quantity]) -> list[str]:
    """What speaks against the values of a group, each once, with the names of those that it speaks against."""
    doubted: dict[Flag, list[str]] = {}
    for quantity in quantities:
        for flag in quantity.flags:
            doubted.setdefault(flag, []).append(quantity.name.replace("_", " "))
    return [f"{flag_text(flag)} ({', '.join(dict.fromkeys(names))})" for flag, names in doubted.items()]


def flag_text(flag: Flag) -> str:
    """A flag as programs are told of it."""
    return f"{flag.grade.value}: {flag.text}"


def exam_flag_text(flag: Flag) -> str:
    """A flag of the exam, with what it concerns where its sentence does not name that.

    Example:
        >>> from cardiotrace.core.flag import Grade
        >>> exam_flag_text(Flag(Grade.NOTE, "it differs from what the model was trained on", about="loop"))
        'note: it differs from what the model was trained on (loop)'
    """
    return flag_text(flag) + (f" ({flag.about})" if flag.about and flag.about not in flag.text else "")
