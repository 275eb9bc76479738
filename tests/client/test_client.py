"""The client against a server that runs."""

import subprocess
import sys

import pytest

pytest.importorskip("fastapi", reason="the extra `server` is not installed")

from cardiotrace.client import Client
from cardiotrace.core.errors import InputError, WorkError
from tests.fake.camus import write_camus
from tests.fake.models import write_camus_model
from tests.server.serving import TOKEN, served


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    root = tmp_path_factory.mktemp("camus")
    write_camus(root, patients=1, views=("4CH",), frames=3)
    return root / "database_nifti" / "patient0001"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("client")
    with served(folder / "kept", model=str(write_camus_model(folder / "tiny.onnx"))) as running:
        yield running


def test_an_exam_is_sent_measured_and_its_results_fetched(tmp_path, server, patient):
    told = []
    with Client(f"{server.url}/?token={TOKEN}", person="Zoë") as client:
        (study,) = client.analyse(patient, on_job=told.append)
        assert study.state == "done", study.problem
        assert study.name in {found.name for found in client.studies(search=study.name)}
        measures = client.measures(study.id)
        assert measures["quantities"]
        page = client.export(study.id, "report.html", tmp_path / "report.html")
        assert b"CardioTrace" in page.read_bytes()
        with pytest.raises(InputError, match="is there already"):
            client.export(study.id, "report.html", page)
        assert study.name in client.table([study.id])
        client.delete(study.id)
        with pytest.raises(InputError, match="no such study"):
            client.study(study.id)
    assert all(job.kind in ("intake", "analyse") for job in told)


def test_what_is_no_exam_is_said(tmp_path, server):
    (tmp_path / "notes.txt").write_text("nothing")
    with Client(server.url, token=TOKEN) as client, pytest.raises(InputError, match=r"notes\.txt"):
        client.analyse(tmp_path / "notes.txt")


def test_a_wrong_token_is_said(server):
    with Client(server.url, token="a-token-of-somebody-else") as client, pytest.raises(InputError, match="token"):
        client.about()


def test_a_server_that_is_off_is_said():
    with Client("http://127.0.0.1:9", token="a-token") as client, pytest.raises(WorkError, match="does not answer"):
        client.about()


@pytest.mark.parametrize("path", ["not there", "empty"])
def test_nothing_to_send(tmp_path, path):
    (tmp_path / "empty").mkdir()
    with Client("http://127.0.0.1:9", token="a-token") as client, pytest.raises(InputError):
        client.send(tmp_path / path)


def test_without_a_secret_nothing_is_asked():
    with pytest.raises(InputError, match="no token"):
        Client("http://127.0.0.1:9")


def test_it_loads_nothing_of_the_server_and_no_torch():
    heavy = ("torch", "fastapi", "sqlalchemy", "numpy", "onnxruntime")
    code = f"import sys, cardiotrace.client; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
