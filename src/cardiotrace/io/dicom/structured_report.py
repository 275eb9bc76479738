"""Structured reports: a tree of coded items as a value, and that tree as a DICOM object."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cardiotrace.io.dicom.code import Code
from cardiotrace.io.dicom.derived import Kind, derived_object, private_scheme_item, reference_to, series_references
from cardiotrace.io.dicom.source import DicomFrame

if TYPE_CHECKING:
    from pydicom import Dataset

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.88.33"
"""Comprehensive SR."""
CONTAINS, CONTEXT, MODIFIER = "CONTAINS", "HAS OBS CONTEXT", "HAS CONCEPT MOD"
PROPERTIES, INFERRED = "HAS PROPERTIES", "INFERRED FROM"
_KIND = Kind(SOP_CLASS, "SR", 9002, "CardioTrace measurements")


@dataclass(frozen=True)
class Identifier:
    """A unique identifier as the value of an item."""

    uid: str


@dataclass(frozen=True)
class Measured:
    """A number with its unit as the value of an item."""

    value: float | None
    """None where there is none that may be used; `qualifier` then says why."""
    unit: Code
    qualifier: Code | None = None


ItemValue = None | Code | str | Identifier | Measured | DicomFrame
"""What an item says, None where it only holds others."""


@dataclass(frozen=True)
class ContentItem:
    """One item of the tree: what it is about, what it says, how it belongs to the item above, and what is below it."""

    concept: Code
    value: ItemValue = None
    relation: str = CONTAINS
    items: tuple["ContentItem", ...] = ()
    template: str = ""
    """Number of the DICOM template that a container follows."""

    def walk(self) -> Iterator["ContentItem"]:
        """The item and all below it."""
        yield self
        for item in self.items:
            yield from item.walk()


def structured_report_of(
    tree: ContentItem, header: "Dataset", evidence: Sequence["Dataset"], *, made: datetime
) -> "Dataset":
    """A tree as a Comprehensive SR of the study that an object belongs to.

    It is complete, preliminary and unverified: a program wrote it, and nobody has signed it.

    Args:
        tree: the root, a container.
        header: of an object of the study.
        evidence: all objects that the report rests on, those that its items name among them.
        made: when, as the object says.

    Raises:
        InputError: the object does not say which study it is of.
    """
    from pydicom import Dataset

    result = derived_object(header, _KIND, made, series=[], content=repr(_told(tree)).encode())
    result.ReferencedPerformedProcedureStepSequence = []
    result.PerformedProcedureCodeSequence = []
    result.CompletionFlag, result.PreliminaryFlag, result.VerificationFlag = "COMPLETE", "PRELIMINARY", "UNVERIFIED"
    study = Dataset()
    study.StudyInstanceUID = header.StudyInstanceUID
    study.ReferencedSeriesSequence = []
    for item in series_references(evidence):
        item.ReferencedSOPSequence = item.ReferencedInstanceSequence
        del item.ReferencedInstanceSequence
        study.ReferencedSeriesSequence.append(item)
    result.CurrentRequestedProcedureEvidenceSequence = [study]
    if any(not code.is_public for code in _codes(tree)):
        result.CodingSchemeIdentificationSequence = [private_scheme_item()]
    for element in _item(tree, is_root=True):
        result[element.tag] = element
    return result


def _told(item: ContentItem) -> tuple[object, ...]:
    """All that a tree says, frames by their identifiers."""
    value = item.value
    if isinstance(value, DicomFrame):
        value = f"{value.file.header.SOPInstanceUID} {value.number}"
    return item.concept, value, item.relation, tuple(_told(below) for below in item.items)


def _codes(tree: ContentItem) -> Iterator[Code]:
    for item in tree.walk():
        yield item.concept
        if isinstance(item.value, Code):
            yield item.value
        if isinstance(item.value, Measured):
            yield item.value.unit


def _item(item: ContentItem, *, is_root: bool = False) -> "Dataset":
    from pydicom import Dataset

    made = Dataset()
    if not is_root:
        made.RelationshipType = item.relation
    made.ConceptNameCodeSequence = [item.concept.item()]
    _put_value(made, item)
    if item.items:
        made.ContentSequence = [_item(below) for below in item.items]
    return made


def _put_value(made: "Dataset", item: ContentItem) -> None:
    match item.value:
        case None:
            _put_container(made, item.template)
        case Code() as code:
            made.ValueType = "CODE"
            made.ConceptCodeSequence = [code.item()]
        case Identifier(uid):
            made.ValueType, made.UID = "UIDREF", uid
        case Measured() as measured:
            _put_number(made, measured)
        case DicomFrame() as frame:
            _put_frame(made, frame)
        case text:
            made.ValueType, made.TextValue = "TEXT", text


def _put_container(made: "Dataset", template: str) -> None:
    from pydicom import Dataset

    made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
    if template:
        item = Dataset()
        item.MappingResource, item.TemplateIdentifier = "DCMR", template
        made.ContentTemplateSequence = [item]


def _put_number(made: "Dataset", measured: Measured) -> None:
    from pydicom import Dataset

    made.ValueType = "NUM"
    made.MeasuredValueSequence = []
    if measured.value is not None:
        item = Dataset()
        item.NumericValue = decimal_string(measured.value)
        item.MeasurementUnitsCodeSequence = [measured.unit.item()]
        made.MeasuredValueSequence = [item]
    if measured.qualifier is not None:
        made.NumericValueQualifierCodeSequence = [measured.qualifier.item()]


def _put_frame(made: "Dataset", frame: DicomFrame) -> None:
    made.ValueType = "IMAGE"
    reference = reference_to(frame.file.header)
    if "NumberOfFrames" in frame.file.header:
        reference.ReferencedFrameNumber = frame.number
    made.ReferencedSOPSequence = [reference]


def decimal_string(value: float) -> str:
    """A number as DICOM writes it, six significant digits: as many as files of measures hold.

    Example:
        >>> decimal_string(57.26123456), decimal_string(-0.000012345678)
        ('57.2612', '-1.23457e-05')
    """
    return f"{value:.6g}"
