"""What the tests of `cardiotrace.datasets` share."""

import os
from pathlib import Path

import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.datasets import DATASETS


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data sets."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("CARDIOTRACE_DATA", root / "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set CARDIOTRACE_DATA")
    return folder


@pytest.fixture
def make():
    """A data set from the catalog by name, root and options, as a recipe makes it."""

    def make(name: str, root: Path, **options):
        return DATASETS.make(Choice(name, {"root": str(root), **options}))

    return make
