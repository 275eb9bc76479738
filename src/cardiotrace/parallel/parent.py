"""The bond of a process to the one that started it: it never outlives it."""

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cardiotrace.core.interruption import SIGNALS

_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_FOR_PARENT = 15.0
"""A program that has loaded PyTorch takes some seconds to end."""


def end_with_parent() -> None:
    """From now on this process ends as soon as its parent has ended, however that came about.

    A parent that was killed cannot end its processes; they would go on unseen.
    """
    threading.Thread(target=_end_after, args=(os.getppid(),), daemon=True, name="end-with-parent").start()


@contextmanager
def led_by_parent() -> Iterator[None]:
    """The first of several processes that work together, their parent, answers for all: it cleans up, it tells.

    Signals that ask to end are left to it, since Ctrl-C and many schedulers signal all processes at once, and this one
    ends when it does. An error waits a while for that: when the first gives up, the others see its connections break.
    Only a program's first thread may ask for signals.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in before:
        signal.signal(number, signal.SIG_IGN)
    end_with_parent()
    try:
        yield
    except Exception:
        time.sleep(_SECONDS_FOR_PARENT)  # in which `end_with_parent` as a rule ends this process
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _end_after(parent: int) -> None:
    if hasattr(os, "pidfd_open"):
        with suppress(ProcessLookupError):  # it has ended already
            select.select([os.pidfd_open(parent)], [], [])
    else:
        while os.getppid() == parent:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    end_now()


def end_now() -> None:
    """End at once, with all processes of the own group where this process leads one."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
