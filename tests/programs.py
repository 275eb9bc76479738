"""Programs of the system that tests ask for a second opinion: `make system-packages` installs them."""

import shutil
import subprocess
from pathlib import Path

import pytest


def require(name: str) -> str:
    """Where a program is; the test is skipped where it is not.

    Programs of administrators, as servers are, lie where a user's shell does not look.
    """
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: make system-packages")
    return found


def run(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run([require(name), *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


def complaints(path: Path) -> list[str]:
    """What dicom3tools' validator says against an object: its errors, one a line."""
    told = run("dciodvfy", "-new", path)
    assert told.returncode in (0, 1), told.stderr
    return [line for line in told.stderr.splitlines() if line.startswith("Error")]
