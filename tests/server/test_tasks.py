"""The table of tasks: each names a function that is there."""

import inspect
import subprocess
import sys

import pytest

from cardiotrace.server.tasks import TASKS


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_a_function_of_values_and_a_reporter(name):
    assert len(inspect.signature(TASKS[name].work).parameters) == 2


def test_the_table_loads_nothing_of_what_it_names():
    heavy = ("numpy", "onnxruntime", "pydicom", "pynetdicom")
    code = f"import sys, cardiotrace.server.tasks; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
