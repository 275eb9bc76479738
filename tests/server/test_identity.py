"""Whose an exam is stands in its own files, and nowhere else: no row, no answer, no line of the log."""

import pydicom
import pytest

from tests.fake.dicom_exam import write_ultrasound
from tests.server.serving import API, served

HOSTILE = "Doe^<script>alert(1)</script>"


@pytest.mark.parametrize("name", [HOSTILE, "Doe^John'; DROP TABLE studies; --"])
def test_names_of_patients_stay_in_their_files(tmp_path, tiny_model, name):
    path = write_ultrasound(tmp_path / "in")
    object_ = pydicom.dcmread(path)
    object_.PatientName, object_.PatientID, object_.SeriesDescription = name, "4711-DOE", "A4C"
    object_.save_as(path)
    with served(tmp_path / "kept", model=str(tiny_model)) as server:
        (study,) = server.person.analysed({"IM0001.dcm": path.read_bytes()})
        told = [
            server.person.http.get(f"{API}/studies/{study['id']}").text,
            server.person.http.get(f"{API}/studies").text,
        ]
    assert study["state"] == "done", study["error"]
    kept = [file for file in (tmp_path / "kept").rglob("*") if file.is_file()]
    own = [file for file in kept if b"4711-DOE" in file.read_bytes()]
    assert len({file.stat().st_ino for file in own}) == 1
    assert {file.relative_to(tmp_path / "kept").parts[0] for file in own} == {"blobs", "studies"}
    assert not any("Doe" in text or "4711" in text for text in told)
