"""How many processors may be used, and how new processes are told."""

import os
import subprocess
import sys

import pytest

from cardiotrace.parallel.processors import THREAD_VARIABLES, threads_of_new_processes, usable_processors


def test_processors_are_those_of_this_process_and_not_of_the_machine(monkeypatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 99)
    assert usable_processors() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_processors() == 99  # where nothing else is known
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_processors() == 1


@pytest.mark.parametrize(("bound", "expected"), [("1", 1), ("3", 3), ("64", 4), ("0", 4), ("two", 4), ("", 4)])
def test_the_usual_variable_bounds_processors(monkeypatch, bound: str, expected: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", bound)
    assert usable_processors() == expected


def test_a_process_that_starts_meanwhile_is_told_its_threads_and_all_is_as_before_in_the_end(monkeypatch):
    monkeypatch.setenv(THREAD_VARIABLES[0], "8")
    for name in THREAD_VARIABLES[1:]:
        monkeypatch.delenv(name, raising=False)
    code = f"import os; print(*(os.environ[name] for name in {THREAD_VARIABLES}))"
    with threads_of_new_processes(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "3", "3"]
    assert [os.environ.get(name) for name in THREAD_VARIABLES] == ["8", None, None]
