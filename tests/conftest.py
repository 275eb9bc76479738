"""What all tests share: how hypothesis runs, and where real data lies."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure; in continuous integration the same examples come every time.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data sets: CARDIOTRACE_DATA, or shared/data beside the repository."""
    beside = Path(__file__).resolve().parents[1] / "../shared/data"
    folder = Path(os.environ.get("CARDIOTRACE_DATA", beside)).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set CARDIOTRACE_DATA")
    return folder
