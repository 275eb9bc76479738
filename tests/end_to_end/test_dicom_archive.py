"""What `analyse --dicom` writes goes into a DICOM archive and comes back equal, by either of its doors."""

from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, RLELossless
from pynetdicom import AE

from cardiotrace.clinical import measure
from cardiotrace.workflows.services.analysis import Analysis
from cardiotrace.workflows.services.archive import write_archive
from cardiotrace.workflows.services.provenance import provenance_of
from tests.fake.dicom_exam import MADE, PATIENT_ID, film, stack, write_stack, write_ultrasound
from tests.orthanc import archive

SUCCESS = 0x0000


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """Segmentation, structured report and capture of a film and of a stack."""
    folder = tmp_path_factory.mktemp("results")
    for name, (exam, labels) in {
        "us": film(write_ultrasound(folder / "in/us")),
        "mr": stack(write_stack(folder / "in/mr")),
    }.items():
        analysis = Analysis(exam, labels, measure(exam, labels), provenance_of(exam, {}))
        write_archive(analysis, analysis.report().figures, folder / name, made=MADE)
    return sorted(folder.glob("*/*_s*.dcm"))


def as_told(files: list[bytes]) -> dict[str, object]:
    """Objects by identifier, without what an archive writes into the head of a file."""
    read = [dcmread(BytesIO(content)) for content in files]
    return {str(item.SOPInstanceUID): item for item in read}


def assert_equal(found: dict[str, object], expected: dict[str, object]) -> None:
    assert set(found) == set(expected)
    for uid, item in expected.items():
        assert found[uid] == item, f"{item.Modality} has changed"
        assert found[uid].file_meta.TransferSyntaxUID == item.file_meta.TransferSyntaxUID


@pytest.mark.slow
def test_by_the_network(tmp_path, objects):
    sent = as_told([path.read_bytes() for path in objects])
    assert [item.Modality for item in sent.values()].count("SEG") == 2
    assert len(sent) == 6
    with archive(tmp_path / "archive") as running:
        node = AE(ae_title="TEST")
        for item in sent.values():
            node.add_requested_context(item.SOPClassUID, [ExplicitVRLittleEndian])
            node.add_requested_context(item.SOPClassUID, [RLELossless])
        association = node.associate("127.0.0.1", running.dicom_port)
        assert association.is_established
        try:
            assert [association.send_c_store(item).Status for item in sent.values()] == [SUCCESS] * 6
        finally:
            association.release()
        assert_equal(as_told(running.files()), sent)


@pytest.mark.slow
def test_by_the_web(tmp_path, objects):
    contents = [path.read_bytes() for path in objects]
    sent = as_told(contents)
    with archive(tmp_path / "archive") as running:
        answer = running.stow(contents)
        assert len(answer["00081199"]["Value"]) == 6
        assert not answer.get("00081198", {}).get("Value"), "some were refused"
        for study in {str(item.StudyInstanceUID) for item in sent.values()}:
            here = {uid: item for uid, item in sent.items() if item.StudyInstanceUID == study}
            assert_equal(as_told(running.retrieved(study)), here)
        assert PATIENT_ID.encode() in running.get(f"dicom-web/studies?PatientID={PATIENT_ID}", "application/dicom+json")
