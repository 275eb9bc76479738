"""What all tests share: how hypothesis runs, and where real data lies."""

import os
import signal
import threading
from pathlib import Path

import pytest
from hypothesis import settings

import tests.shapes

if os.environ.get("CARDIOTRACE_SHAPES") != "off":
    tests.shapes.install()


def _heed_signals() -> None:
    """Undo what a shell ignores for background jobs: tests send these signals to themselves and to others."""
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


_heed_signals()

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
