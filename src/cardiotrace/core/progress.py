"""The one type of callback that hears how far a piece of work is."""

from collections.abc import Callable

OnProgress = Callable[[int, int], None]
"""Called with (done, total)."""
