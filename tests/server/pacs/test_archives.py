"""A real archive is asked, sent to and taken from by both of its doors."""

import pytest

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.server.pacs.destination import Destination
from cardiotrace.server.pacs.remote import archive_at
from cardiotrace.server.pacs.study_query import StudyQuery
from tests.fake.dicom_exam import PATIENT_ID, write_stack, write_ultrasound
from tests.orthanc import archive

NOBODY = 9
"""A port at which nobody listens."""


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    with archive(tmp_path_factory.mktemp("pacs") / "archive") as running:
        yield running


def doors(running):
    by_messages = Destination(name="pacs", host="127.0.0.1", port=running.dicom_port, ae_title="ORTHANC")
    by_web = Destination(name="web", kind="dicomweb", url=f"http://127.0.0.1:{running.http_port}/dicom-web")
    return archive_at(by_messages), archive_at(by_web)


@pytest.mark.slow
def test_what_is_sent_by_one_door_is_found_and_fetched_by_both(tmp_path, orthanc):
    write_ultrasound(tmp_path / "us")
    write_stack(tmp_path / "mr")
    messages, web = doors(orthanc)
    messages.echo()
    web.echo()
    told = []
    film = sorted(path for path in (tmp_path / "us").rglob("*") if path.is_file())
    slices = sorted(path for path in (tmp_path / "mr").rglob("*") if path.is_file())
    messages.send(film, lambda done, total: told.append((done, total)))
    web.send(slices)
    assert told[-1] == (len(film), len(film))
    for door in (messages, web):
        found = door.find(StudyQuery(patient_id=PATIENT_ID))
        assert {modality for study in found for modality in study.modalities} == {"US", "MR"}
        for study in found:
            folder = tmp_path / type(door).__name__ / study.modalities[0]
            folder.mkdir(parents=True)
            count = door.retrieve(study.study_uid, folder)
            assert count == len(list(folder.iterdir())) == len(film if study.modalities[0] == "US" else slices)


@pytest.mark.slow
def test_a_study_that_is_not_there_is_said(tmp_path, orthanc):
    for door in doors(orthanc):
        assert door.find(StudyQuery(patient_id="nobody of that number")) == []
        with pytest.raises(InputError, match=r"1\.2\.3"):
            door.retrieve("1.2.3", tmp_path)


@pytest.mark.parametrize(
    "destination",
    [
        Destination(name="off", host="127.0.0.1", port=NOBODY, ae_title="PACS"),
        Destination(name="off", kind="dicomweb", url=f"http://127.0.0.1:{NOBODY}/dicom-web"),
    ],
    ids=["messages", "web"],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a socket that pynetdicom leaves open
def test_an_archive_that_is_off_is_said_in_a_line(destination):
    with pytest.raises(WorkError, match=r"off .*does not answer"):
        archive_at(destination).echo()
