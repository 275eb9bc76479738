"""How long work tells how far it is."""

from collections.abc import Callable

OnProgress = Callable[[int, int], None]
"""Called with (done, total) after each item, from the thread that does the work."""
