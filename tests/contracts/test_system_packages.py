"""`make system-packages` never fails, asks for nothing where all is there, and says in one line what cannot be had."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci/system-packages"


def run(*packages: str, path: str) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash")
    assert bash is not None
    words = [bash, str(SCRIPT), *packages]
    return subprocess.run(
        words, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )


def test_where_all_is_there_nothing_is_done():
    if shutil.which("dpkg-query") is None:
        pytest.skip("this system has no Debian packages")
    told = run("dpkg", path=os.environ["PATH"])
    assert (told.returncode, told.stdout) == (0, "")


def test_where_there_are_no_debian_packages_one_line_says_so(tmp_path):
    told = run("orthanc", "dcmtk", path=str(tmp_path))
    assert told.returncode == 0
    assert told.stdout == (
        "system-packages: this system has no Debian packages; tests that need orthanc dcmtk are skipped\n"
    )


def test_where_nobody_may_install_one_line_says_so(tmp_path):
    for name, answer in {"dpkg-query": "exit 1", "id": "echo 1000"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "sh").symlink_to(shutil.which("sh"))
    told = run("orthanc", path=str(tmp_path))
    assert told.returncode == 0
    assert told.stdout == "system-packages: neither root nor sudo; tests that need orthanc are skipped\n"
