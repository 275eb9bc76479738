"""Modules loaded without a search for garbage: nearly all that a module makes stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Let the collector rest while modules are loaded.

    It would look through the same hundreds of thousands of objects again and again while they become more.

    Example:
        >>> with loading():
        ...     import json
        >>> gc.isenabled()
        True
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
