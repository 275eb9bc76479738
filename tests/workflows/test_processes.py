import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cardiotrace.core.errors import WorkError
from cardiotrace.core.interruption import Interrupted, clean_interruption
from cardiotrace.workflows.processes import in_processes


def test_several_processes_do_all_items():
    assert sorted(in_processes(math.sqrt, [1.0, 4.0, 9.0], jobs=2)) == [1.0, 2.0, 3.0]


def test_an_error_in_a_process_is_raised_here():
    with pytest.raises(ValueError, match="math domain error"):
        list(in_processes(math.sqrt, [4.0, -1.0], jobs=2))


def test_no_process_is_no_number_of_jobs():
    with pytest.raises(ValueError, match="at least 1"):
        list(in_processes(math.sqrt, [4.0], jobs=0))


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_processes_end_with_a_parent_that_was_killed():
    code = "import time; from cardiotrace.workflows.processes import in_processes as many; "
    code += "list(many(time.sleep, [60, 60], jobs=2))"
    parent = subprocess.Popen([sys.executable, "-c", code])
    children = wait_for(lambda: [pid for pid in children_of(parent.pid) if "spawn_main" in command(pid)], count=2)
    time.sleep(2)  # until they watch their parent
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_for(lambda: [pid for pid in children if "spawn_main" in command(pid)], count=0)


def work_in(folder):
    """Leaves a file while it works, and a mark when it has cleaned up."""
    Path(folder, "half").touch()
    try:
        time.sleep(60)
    finally:
        Path(folder, "half").unlink()
        Path(folder, "clean").touch()


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_parent_cleans_up_in_its_processes(number, tmp_path):
    folders = [tmp_path / name for name in "abcd"]  # two of them are never begun
    for folder in folders:
        folder.mkdir()
    code = "import sys; from tests.workflows.test_processes import work_in, interruptible; "
    code += "interruptible(work_in, sys.argv[1:])"
    words = [sys.executable, "-c", code, *map(str, folders)]
    parent = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: list(tmp_path.glob("*/half")), count=2)
    children = [pid for pid in children_of(parent.pid) if "spawn_main" in command(pid)]
    os.kill(parent.pid, number)
    _, said = parent.communicate(timeout=30)
    assert (parent.returncode, said) == (128 + number, "")
    assert sorted(path.name for path in tmp_path.glob("*/*")) == ["clean", "clean"]
    assert [pid for pid in children if "spawn_main" in command(pid)] == []


def interruptible(work, items):
    try:
        with clean_interruption():
            list(in_processes(work, items, jobs=2))
    except Interrupted as interruption:
        sys.exit(interruption.exit_status)


@pytest.mark.slow
def test_a_process_that_was_killed_from_outside_is_told():
    with pytest.raises(WorkError, match="one of 2 processes was ended from outside"):
        list(in_processes(os._exit, [1, 1], jobs=2))


def wait_for(find, *, count):
    for _ in range(300):
        if len(found := find()) == count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{find()} are not {count}")


def children_of(pid):
    return [int(word) for word in text(f"/proc/{pid}/task/{pid}/children").split()]


def command(pid):
    return text(f"/proc/{pid}/cmdline")


def text(path):
    try:
        return Path(path).read_text()
    except OSError:  # the process has ended
        return ""
