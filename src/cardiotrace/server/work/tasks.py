"""What workers can do, by name. Nothing is loaded here: a task loads what it needs where it runs."""

import ctypes
import gc
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.server.work.outcome import Done, Refused, refused

SlotKind = Literal["analysis", "desk", "export"]
Work = Callable[[Mapping[str, Any], ProgressReporter], Any]


@dataclass(frozen=True)
class Task:
    """A function from plain values to plain values, and which processes run it."""

    work: Work
    slot: SlotKind = "analysis"


@dataclass(frozen=True)
class Order:
    """A task with what it works on; `root` is left out of what its errors say."""

    task: str
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    root: str = ""

    def __str__(self) -> str:
        return self.task


def _intake(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.work.intake import take_upload

    return take_upload(params, reporter)


def _analyse(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.work.analysis import analyse_study

    return analyse_study(params, reporter)


def _demo(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.work.demo import make_demo

    return make_demo(params, reporter)


def _edit(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.desk.opened import edit_exam

    return edit_exam(params, reporter)


def _export(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.desk.exports import export_study

    return export_study(params, reporter)


def _table(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.desk.exports import export_table

    return export_table(params, reporter)


def _agreement(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.desk.readings import agreement_of

    return agreement_of(params, reporter)


def _models(_: Mapping[str, Any], __: ProgressReporter) -> Any:
    from cardiotrace.server.work.models import told_of_models

    return told_of_models()


def _warm(_: Mapping[str, Any], __: ProgressReporter) -> None:
    import cardiotrace.server.work.analysis
    import cardiotrace.server.work.intake  # noqa: F401 -- what the next task will need


TASKS: Mapping[str, Task] = {
    "intake": Task(_intake),
    "analyse": Task(_analyse),
    "demo": Task(_demo),
    "edit": Task(_edit, "desk"),
    "export": Task(_export, "export"),
    "table": Task(_table, "export"),
    "agreement": Task(_agreement, "export"),
    "models": Task(_models, "desk"),
    "warm": Task(_warm),
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
