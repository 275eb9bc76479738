"""How long work tells how far it is."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")

OnProgress = Callable[[int, int], None]
"""Called with (done, total) after each item, from the thread that does the work."""


def counted(items: Sequence[Item], on_progress: OnProgress | None) -> Iterator[Item]:
    """The items, each told of when the next is asked for: when it is done.

    Example:
        >>> list(counted("ab", lambda done, total: print(f"{done} of {total}")))
        1 of 2
        2 of 2
        ['a', 'b']
    """
    for done, item in enumerate(items, start=1):
        yield item
        if on_progress is not None:
            on_progress(done, len(items))
