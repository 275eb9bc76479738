"""What workers are given to do."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from cardiotrace.core.loading import loading
from cardiotrace.core.reporter import ProgressReporter

SlotKind = Literal["analysis", "desk", "export", "network", "query"]
"""Processes for long work, for edits, for files that somebody waits for, for what waits for other machines, and for
what somebody asks these."""
Work = Callable[[Mapping[str, Any], ProgressReporter], Any]


@dataclass(frozen=True)
class Task:
    """A function from plain values to plain values, and which processes run it."""

    module: str
    """Where the function is, below `cardiotrace.server`; loaded where the task runs, and nowhere else."""
    name: str
    slot: SlotKind = "analysis"

    @property
    def work(self) -> Work:
        """The function."""
        with loading():
            return cast(Work, getattr(importlib.import_module(f"cardiotrace.server.{self.module}"), self.name))


@dataclass(frozen=True)
class Order:
    """A task with what it works on; `root` is left out of what its errors say."""

    task: str
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    root: str = ""

    def __str__(self) -> str:
        return self.task
