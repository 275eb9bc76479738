"""What a killed run left behind goes, and nothing else."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cardiotrace.io import leftover, write_text
from cardiotrace.io.folder import staged_folder

HANGING_FILE = """
import sys, time
from pathlib import Path
from cardiotrace.io import atomic_write

def write(file):
    file.write_text("half")
    print("writing", flush=True)
    time.sleep(60)

atomic_write(Path(sys.argv[1]) / "a.nii.gz", write)
"""
HANGING_FOLDER = """
import sys, time
from pathlib import Path
from cardiotrace.io.folder import staged_folder

with staged_folder(Path(sys.argv[1]) / "patient") as folder:
    (folder / "half").write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def started(code: str, folder: Path) -> subprocess.Popen:
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def killed(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def names(folder: Path) -> list[str]:
    leftover._remove_once.cache_clear()  # as in a run of its own
    return sorted(entry.name for entry in folder.iterdir())


def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def mark(machine: str | None = None, process: int | None = None) -> str:
    own, number, word = leftover.run_mark().split("-")
    return f"{machine or own}-{number if process is None else process}-{word}"


@pytest.mark.parametrize("code", [HANGING_FILE, HANGING_FOLDER])
def test_the_next_run_cleans_up_after_a_kill_and_not_before(tmp_path, code):
    process = started(code, tmp_path)
    write_text(tmp_path / "other.txt", "1")
    assert len(names(tmp_path)) == 2  # the other run still works
    killed(process)
    write_text(tmp_path / "other.txt", "2")
    assert names(tmp_path) == ["other.txt"]


def test_a_folder_cleans_up_beside_itself(tmp_path):
    killed(started(HANGING_FOLDER, tmp_path))
    with staged_folder(tmp_path / "another") as folder:
        (folder / "a").write_text("")
    assert names(tmp_path) == ["another"]


def test_results_that_were_moved_aside_come_back(tmp_path):
    aside, replaced = tmp_path / f".p-1-{mark(process=dead())}.old", tmp_path / f".q-{mark(process=dead())}.old"
    for folder in (aside, replaced, tmp_path / "q"):
        folder.mkdir()
        (folder / "report.html").write_text(folder.name)
    write_text(tmp_path / "a.txt", "1")
    assert names(tmp_path) == ["a.txt", "p-1", "q"]
    assert (tmp_path / "p-1" / "report.html").read_text() == aside.name
    assert (tmp_path / "q" / "report.html").read_text() == "q"


def test_of_other_machines_only_what_is_old_goes(tmp_path):
    young, old = (tmp_path / f".writing-{mark('00000000', 1)}.nii.gz" for _ in range(2))
    for file in (young, old):
        file.write_text("half")
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    write_text(tmp_path / "a.txt", "1")
    assert names(tmp_path) == [young.name, "a.txt"]


@pytest.mark.parametrize("name", [".writing-notes", ".writing-3f.txt", ".hidden.partial", ".a-1.old", "x.partial"])
def test_what_is_not_ours_stays(tmp_path, name):
    (tmp_path / name).write_text("mine")
    os.utime(tmp_path / name, (0, 0))
    write_text(tmp_path / "a.txt", "1")
    assert names(tmp_path) == sorted([name, "a.txt"])


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "data").write_text("1")
    (tmp_path / f".p-{mark(process=dead())}.partial").symlink_to(tmp_path / "kept")
    write_text(tmp_path / "a.txt", "1")
    assert (tmp_path / "kept" / "data").read_text() == "1"


def test_names_hold_machine_and_process():
    assert re.fullmatch(rf"[0-9a-f]{{8}}-{os.getpid()}-[0-9a-f]{{12}}", leftover.run_mark())
