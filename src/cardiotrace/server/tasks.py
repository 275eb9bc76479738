"""What workers can do, by name. Nothing is loaded here: a task loads what it needs where it runs."""

import ctypes
import gc
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.server.work.outcome import Done, Refused, refused
from cardiotrace.server.work.task import Order, Task

TASKS: Mapping[str, Task] = {
    "intake": Task("work.intake", "take_upload"),
    "analyse": Task("work.analysis", "analyse_study"),
    "demo": Task("work.demo", "make_demo"),
    "edit": Task("desk.opened", "edit_exam", "desk"),
    "prepare": Task("desk.opened", "prepare_exam", "desk"),
    "draw": Task("desk.opened", "draw_image", "desk"),
    "retrieve": Task("pacs.tasks", "retrieve_study", "network"),
    "send": Task("pacs.tasks", "send_study", "network"),
    "echo": Task("pacs.tasks", "echo", "query"),
    "find": Task("pacs.tasks", "find", "query"),
    "export": Task("desk.exports", "export_study", "export"),
    "table": Task("desk.exports", "export_table", "export"),
    "agreement": Task("desk.readings", "agreement_of", "export"),
    "models": Task("work.models", "told_of_models", "desk"),
    "warm": Task("desk.warming", "warm"),
}


def run_task(order: Order, reporter: ProgressReporter) -> Done | Refused:
    """Run a task, in the process of a worker."""
    task = TASKS[order.task]
    try:
        return Done(task.work(order.params, reporter))
    except Exception as error:
        return refused(error, Path(order.root) if order.root else None)
    finally:
        if task.slot == "analysis":  # an edit has no time for it
            _give_back_memory()


def _give_back_memory() -> None:
    """Let the system have what an exam took: the C library keeps freed memory for a next one that may never come."""
    gc.collect()
    with suppress(OSError, AttributeError):  # only some C libraries can be asked
        ctypes.CDLL(None).malloc_trim(0)
