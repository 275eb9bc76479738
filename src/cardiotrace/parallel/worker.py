"""The far side of a process pool: takes items one after another, sends progress and results back."""

import functools
import os
import pickle
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from cardiotrace.core.errors import explained
from cardiotrace.core.interruption import clean_interruption
from cardiotrace.parallel.channel import SendingReporter
from cardiotrace.parallel.executor import naming
from cardiotrace.parallel.parent import end_with_parent

if TYPE_CHECKING:
    AnyConnection = Connection[Any, Any]
else:
    AnyConnection = Connection  # takes no parameters when the program runs


@dataclass(frozen=True)
class Finished:
    """An item is done."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """The work on an item raised an error, which tells the item."""

    error: Exception


def serve(connection: AnyConnection, initialiser: Callable[[], object] | None) -> None:
    """Work until there is no further item, or nobody there any more.

    Args:
        connection: gives the function first, then items, then nothing in a message; takes progress, `Finished` and
            `Failed`.
        initialiser: called once, before the function is loaded and with it all that it imports.
    """
    if hasattr(os, "setpgid"):
        # A group of its own: what the work starts can be ended with it, and Ctrl-C reaches the parent alone, which
        # asks its workers to end.
        os.setpgid(0, 0)
    end_with_parent()
    if initialiser is not None:
        initialiser()
    sending = threading.Lock()

    def send(message: Any) -> None:
        # The parent may have given up meanwhile; whoever reports while cleaning up must not stumble over that.
        with sending, suppress(OSError):
            connection.send(message)

    with suppress(EOFError, OSError, KeyboardInterrupt):
        # Loaded once, with the first item: what the function keeps from item to item is kept, and an import that fails
        # is an error like any other.
        load = functools.cache(functools.partial(pickle.loads, connection.recv_bytes()))
        while item := connection.recv_bytes():
            _work(load, item, send)


def _work(load: Callable[[], Callable[..., Any]], pickled: bytes, send: Callable[[Any], None]) -> None:
    """The work on one item; asked to end, it cleans up, and nothing else is begun."""
    try:
        with clean_interruption():
            try:
                item = pickle.loads(pickled)  # noqa: S301 -- from the parent, through a pipe of its own
                with naming(item):
                    result = load()(item, SendingReporter(send))
                send(Finished(result))
            except Exception as error:
                send(Failed(_sendable(error)))
    except KeyboardInterrupt as interruption:
        os._exit(getattr(interruption, "exit_status", 1))


def _sendable(error: Exception) -> Exception:
    """The error with its traceback as a note; one that cannot be sent, in words."""
    error.add_note(f"in process {os.getpid()}:\n{''.join(traceback.format_exception(error))}")
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 -- made a moment ago, in this very process
    except Exception:
        return explained(error)
    return error
