"""A server for the tests of a module, and a patient to send."""

import pytest

pytest.importorskip("fastapi", reason="the extra `server` is not installed")
pytest.importorskip("sqlalchemy", reason="the extra `server` is not installed")

from tests.fake.camus import write_camus
from tests.fake.models import write_camus_model
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
