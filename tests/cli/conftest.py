"""Exams of a fake CAMUS and a model that labels them by their grey values."""

from pathlib import Path

import pytest

from cardiotrace.cli.main import main
from tests.fake.camus import write_camus
from tests.fake.models import write_camus_model


@pytest.fixture(scope="session")
def camus(tmp_path_factory) -> Path:
    """Three patients with two views and short sequences; not to be changed."""
    root = tmp_path_factory.mktemp("camus")
    write_camus(root, patients=3, frames=3)
    return root


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """A small sealed model file; not to be changed."""
    return write_camus_model(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture
def command(capsys):
    """Run a verb in this process: its exit status, what it printed, and what it said on standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        out, error = capsys.readouterr()
        return status, out, error

    return run
