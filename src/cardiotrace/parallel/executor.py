"""One function over many items: what any way of working in parallel offers, and the plainest way."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from cardiotrace.core.errors import CardioTraceError
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.core.text import on_one_line

Item = TypeVar("Item")
Result = TypeVar("Result")

_LONGEST_NAME = 100


class Executor(Protocol):
    """Does one piece of work for each of many items, here, in processes, or on other machines.

    What crosses to another process (the function, items, results, errors) is pickled: the function stands in a module,
    results are values and not places where something was written.
    """

    def map_unordered(
        self,
        function: Callable[[Item, ProgressReporter], Result],
        items: Sequence[Item],
        reporter: ProgressReporter = SILENT,
    ) -> Iterator[Result]:
        """Results as they come, in any order.

        An error of any item stops the whole: what is running elsewhere is cancelled, as it is when the iterator is
        closed or interrupted. An error keeps its type and tells the item, by its `str`.

        Args:
            function: called with an item and somebody to tell of its progress.
            items: what it is called with.
            reporter: told all that the function tells, wherever it runs.

        Raises:
            WorkError: what worked on an item was killed.
        """
        ...


class SerialExecutor:
    """Works here, in order; needs nothing to be pickled."""

    def map_unordered(
        self,
        function: Callable[[Item, ProgressReporter], Result],
        items: Sequence[Item],
        reporter: ProgressReporter = SILENT,
    ) -> Iterator[Result]:
        """See `Executor`.

        Example:
            >>> list(SerialExecutor().map_unordered(lambda item, reporter: abs(item), [-1, 2]))
            [1, 2]
        """
        for item in items:
            with naming(item):
                result = function(item, reporter)
            # Outside of the naming: an error in what the caller does with a result is none of the item's.
            yield result


def name_of(item: object) -> str:
    """An item as lines and messages name it: its `str`, on one line and not too long."""
    name = on_one_line(str(item))
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."


@contextmanager
def naming(item: object) -> Iterator[None]:
    """An error that is raised meanwhile tells the item.

    Example:
        >>> from cardiotrace.core.errors import InputError
        >>> with naming("fold 2"):
        ...     raise InputError("the data cannot be used")
        Traceback (most recent call last):
        cardiotrace.core.errors.InputError: fold 2: the data cannot be used
    """
    try:
        yield
    except CardioTraceError as error:
        # Changed where it is: a new error would lose the type that the exit status follows from.
        error.args = (f"{name_of(item)}: {error}",)
        raise
    except Exception as error:
        error.add_note(f"while working on {name_of(item)}")
        raise
