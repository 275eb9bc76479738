"""A report on paper as a DICOM object: an encapsulated PDF (PS3.3 A.45.1)."""

from datetime import datetime
from typing import TYPE_CHECKING

from cardiotrace.core.errors import InputError
from cardiotrace.io.dicom.derived import Kind, derived_object

if TYPE_CHECKING:
    from pydicom import Dataset

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"
_KIND = Kind(SOP_CLASS, "DOC", 9004, "CardioTrace report")


def document_of(pdf: bytes, header: "Dataset", *, title: str, made: datetime) -> "Dataset":
    """A PDF as an object of the study that another belongs to.

    Args:
        pdf: the whole file.
        header: of an object of the study.
        title: of the document, shown by archives.
        made: when, as the object says.

    Raises:
        InputError: it is no PDF, or the other object does not say which study it is of.
    """
    if not pdf.startswith(b"%PDF-"):
        raise InputError("is no PDF: no document can be made of it", where=title)
    result = derived_object(header, _KIND, made, series=[], content=pdf)
    result.ConversionType = "WSD"  # made by a workstation
    result.BurnedInAnnotation = "YES"  # a report may say whose it is
    result.AcquisitionDateTime = made.strftime("%Y%m%d%H%M%S")
    result.DocumentTitle = title[:1024]
    result.ConceptNameCodeSequence = []
    result.MIMETypeOfEncapsulatedDocument = "application/pdf"
    result.EncapsulatedDocumentLength = len(pdf)
    result.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return result
