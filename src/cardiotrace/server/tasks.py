"""What workers can do, by name. Nothing is loaded here: a task loads what it needs where it runs."""

import ctypes
import gc
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.server.work.outcome import Done, Refused, refused
from cardiotrace.server.work.task import Order, Task


def _intake(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.work.intake import take_upload

    return take_upload(params, reporter)


def _analyse(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.work.analysis import analyse_study

    return analyse_study(params, reporter)


def _demo(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.work.demo import make_demo

    return make_demo(params, reporter)


def _retrieve(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.pacs.tasks import retrieve_study

    return retrieve_study(params, reporter)


def _send(params: Mapping[str, Any], reporter: ProgressReporter) -> Any:
    from cardiotrace.server.pacs.tasks import send_study

    return send_study(params, reporter)


def _echo(params: Mapping[str, Any], _: ProgressReporter) -> Any:
    from cardiotrace.server.pacs.tasks import echo

    return echo(params)


def _find(params: Mapping[str, Any], _: ProgressReporter) -> Any:
    from cardiotrace.server.pacs.tasks import find

    return find(params)


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
    "retrieve": Task(_retrieve, "network"),
    "send": Task(_send, "network"),
    "echo": Task(_echo, "query"),
    "find": Task(_find, "query"),
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
