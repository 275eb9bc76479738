import pytest
from pydicom import dcmread

from cardiotrace.core.errors import InputError
from cardiotrace.io.dicom.derived import write_object
from cardiotrace.io.dicom.document import SOP_CLASS, document_of
from tests.fake.dicom_exam import MADE, write_ultrasound
from tests.programs import complaints

PDF = b"%PDF-1.7\n" + b"x" * 100 + b"\n%%EOF\n"


def test_a_document_holds_the_pdf_and_belongs_to_the_study(tmp_path):
    source = dcmread(write_ultrasound(tmp_path))
    made = document_of(PDF, source, title="Report", made=MADE)
    write_object(made, tmp_path / "report.dcm")
    found = dcmread(tmp_path / "report.dcm")
    assert (found.SOPClassUID, found.StudyInstanceUID) == (SOP_CLASS, source.StudyInstanceUID)
    assert found.PatientName == source.PatientName
    assert found.EncapsulatedDocument[: found.EncapsulatedDocumentLength] == PDF


def test_the_standard_has_no_complaint(tmp_path):
    write_object(document_of(PDF, dcmread(write_ultrasound(tmp_path)), title="R", made=MADE), tmp_path / "report.dcm")
    assert complaints(tmp_path / "report.dcm") == []


def test_anything_else_is_no_document(tmp_path):
    with pytest.raises(InputError, match="no PDF"):
        document_of(b"<html>", dcmread(write_ultrasound(tmp_path)), title="R", made=MADE)
