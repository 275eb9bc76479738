"""Pieces of work for the tests of executors: fresh processes find them here."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.interruption import Interrupted, clean_interruption
from cardiotrace.core.reporter import SILENT
from cardiotrace.parallel import ProcessExecutor, usable_processors
from cardiotrace.parallel.processors import THREAD_VARIABLES


def square(item, reporter):
    return item * item


def pid_of(item, reporter):
    return os.getpid()


def threads_of(item, reporter):
    return {os.environ[name] for name in THREAD_VARIABLES}, usable_processors()


def torch_threads(item, reporter):
    import torch

    return torch.get_num_threads()


def tells(item, reporter):
    """Two stages, one in the other, and lines before, between and after."""
    reporter.say("begins")
    with reporter.stage("outer") as outer:
        outer(1, 2)
        with reporter.stage("inner") as inner:
            for done in range(1, 501):
                inner(done, 500)
        outer(2, 2)
    reporter.say("ends")
    return item


def tells_and_waits(item, reporter):
    """One item is done at once, the other is in a stage for a long time."""
    if item == "short":
        return item
    with reporter.stage("long"):
        reporter.say("is in the stage")
        time.sleep(60)
    return item


def tells_from_threads(item, reporter):
    lines = [f"line {number} of {item}" for number in range(200)]
    threads = [threading.Thread(target=reporter.say, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return lines


def fails_at_two(item, reporter):
    if item == 2:
        raise InputError("is not to be had", where="two.nii", remedy="take another.")
    time.sleep(60 if item > 2 else 0)
    return item


def divides(item, reporter):
    return 1 / item


class OddError(Exception):
    """Cannot be made again from its arguments."""

    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")


def raises_oddly(item, reporter):
    raise OddError("this", "that")


def gives_what_cannot_be_sent(item, reporter):
    return lambda: item


def killed_at_two(item, reporter):
    if item == 2:
        os.kill(os.getpid(), 9)
    time.sleep(60 if item > 2 else 0)
    return item


def killed_with_a_heir(item, reporter):
    """Killed, while a forked child of it lives on and holds all its files open."""
    if item == 2:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        os.kill(os.getpid(), 9)
    return item


def exits(item, reporter):
    os._exit(7)


def counts_its_calls(item, reporter, *, kept):
    kept.append(item)
    return len(kept)


def nested(item, reporter):
    inner = ProcessExecutor(2).map_unordered(square, [item, item + 1], reporter)
    return sorted(inner), usable_processors()


def starts_a_child(folder, reporter):
    """Leaves the number of a process that it started, and works on until it is ended."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(folder, "child.txt").write_text(str(child.pid))
    Path(folder, "half").touch()
    time.sleep(60)


def starts_processes(folder, reporter):
    """The same, with processes of an executor in this one."""
    inner = [Path(folder, name) for name in "xy"]
    for path in inner:
        path.mkdir()
    list(ProcessExecutor(2).map_unordered(starts_a_child, inner, reporter))


def cleans_up(folder, reporter):
    """Leaves a file while it works, and a mark when it has cleaned up."""
    Path(folder, "half").touch()
    try:
        time.sleep(60)
    finally:
        reporter.say("cleans up")  # which nobody hears any more
        Path(folder, "half").unlink()
        Path(folder, "clean").touch()


def refuses_to_end(folder, reporter):
    """Deaf to what asks it to end."""
    Path(folder, "half").touch()
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(60)


def interruptible(work, items, executor=None):
    """The work in two processes, ended as the command line is."""
    executor = executor or ProcessExecutor(2)
    try:
        with clean_interruption():
            list(executor.map_unordered(work, items, SILENT))
    except Interrupted as interruption:
        sys.exit(interruption.exit_status)
