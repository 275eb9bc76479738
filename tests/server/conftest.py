"""A server for the tests of a module, and a patient to send."""

import pytest

pytest.importorskip("fastapi", reason="the extra `server` is not installed")
pytest.importorskip("sqlalchemy", reason="the extra `server` is not installed")

from tests.fake.camus import write_camus
from tests.fake.models import write_camus_model
from tests.programs import run
from tests.server.serving import files_in, served


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A network that tells structures by their grey values."""
    return write_camus_model(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture(scope="session")
def camus(tmp_path_factory):
    """The files of a fake patient of CAMUS, by their names."""
    root = tmp_path_factory.mktemp("camus")
    write_camus(root, patients=2, views=("4CH",), frames=3)
    return files_in(root / "database_nifti" / "patient0001")


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_model):
    """A server that runs while the tests of a module do."""
    with served(tmp_path_factory.mktemp("data") / "kept", model=str(tiny_model)) as running:
        yield running


@pytest.fixture(scope="module")
def person(server):
    """Who uses it."""
    return server.person


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Certificate and key of 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    whose = ["-subj", "/CN=heart", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = run("openssl", *words, "-keyout", key, "-out", cert, *whose)
    assert made.returncode == 0, made.stderr
    return cert, key
