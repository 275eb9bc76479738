"""Tables and progress bars; the only place that draws on the terminal.

What is written often quotes names of files and words of model files. They are text: never markup, and never obeyed.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cardiotrace.cli.layout import lay_out, wrapped
from cardiotrace.cli.output import say
from cardiotrace.core.number import general
from cardiotrace.core.progress import OnProgress
from cardiotrace.core.text import on_one_line, printable


class Terminal:
    """A `ProgressReporter` that draws bars on standard error and says its lines on standard output.

    The further processes of a distributed training stay silent: the first speaks for all.
    """

    def __init__(self) -> None:
        self._is_first = os.environ.get("LOCAL_RANK", "0") == "0"
        self._errors = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._errors,
            transient=True,
            # What is said goes to standard output also where only errors go to the terminal.
            redirect_stdout=sys.stdout.isatty(),
            disable=not (self._errors.is_terminal and self._is_first),
        )

    def __enter__(self) -> "Terminal":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    @contextmanager
    def stage(self, title: str) -> Iterator[OnProgress]:
        """A bar that lasts as long as the stage."""
        task = self._progress.add_task(on_one_line(title), total=None)

        def on_progress(done: int, total: int) -> None:
            self._progress.update(task, completed=done, total=total)

        try:
            yield on_progress
        finally:
            self._progress.remove_task(task)

    def say(self, text: str) -> None:
        """One line on standard output, above the bars."""
        if not self._is_first:
            return
        if self._errors.is_terminal and sys.stdout.isatty():
            self._progress.console.print(printable(text), highlight=False, markup=False, emoji=False)
        else:
            say(text, flush=True)


def table(rows: Sequence[Mapping[str, Any]], *, title: str = "", keys: int = 1, below: Sequence[str] = ()) -> None:
    """Print rows as a table no wider than the terminal, or than 80 columns where there is none; nothing without rows.

    Args:
        rows: values by column.
        title: stands above.
        keys: how many of the first columns tell rows apart; see `layout.lay_out`.
        below: columns of prose, on lines of their own below each row.
    """
    if not rows:
        return
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    texts = [{on_one_line(name): cell(row.get(name)) for name in columns} for row in rows]
    if title:
        console.print("\n".join(wrapped(on_one_line(title), console.width)), style="italic")
    for block in lay_out(texts, console.width, keys=keys, below=below):
        console.print("\n".join(block.head), style="bold")
        console.print("\n".join(block.body) + "\n")


def width() -> int:
    """Of the terminal, or 80 columns where there is none."""
    return Console().width


def print_text(text: str) -> None:
    """Print a sentence, wrapped to the terminal."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print("\n".join(wrapped(printable(text), console.width)))


def cell(value: Any) -> str:
    """A value as a table shows it."""
    if value is None:
        return ""
    return general(value) if isinstance(value, float) else on_one_line(str(value))
