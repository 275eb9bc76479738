"""How long work tells how far it is."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")

OnProgress = Callable[[int, int], None]
"""Called with (done, total) after each item, from the thread that does the work."""


def in_two(on_progress: OnProgress | None) -> tuple[OnProgress | None, OnProgress | None]:
    """What to tell by two pieces of work of the same length that follow each other.

    Example:
        >>> first, second = in_two(lambda done, total: print(f"{done} of {total}"))
        >>> first(3, 3)
        3 of 6
        >>> second(1, 3)
        4 of 6
    """
    if on_progress is None:
        return None, None
    return (
        lambda done, total: on_progress(done, 2 * total),
        lambda done, total: on_progress(total + done, 2 * total),
    )


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
