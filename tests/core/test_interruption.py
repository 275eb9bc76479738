"""Every signal that asks to end is an interruption; who ignores it goes on ignoring it."""

import os
import signal
import threading

import pytest

from cardiotrace.core.interruption import SIGNALS, Interrupted, clean_interruption


def interrupted(number, after_the_first):
    with clean_interruption():
        try:
            os.kill(os.getpid(), number)
        finally:
            after_the_first += [signal.getsignal(other) for other in SIGNALS]


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_interrupts_and_the_second_would_kill(number):
    before, after_the_first = signal.getsignal(number), []
    with pytest.raises(Interrupted) as caught:
        interrupted(number, after_the_first)
    assert caught.value.exit_status == 128 + number
    assert after_the_first == [signal.SIG_DFL] * 3
    assert signal.getsignal(number) == before


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with clean_interruption():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, signal.SIG_IGN)  # others are listened to
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_ask_for_no_signals():
    done = []

    def work():
        with clean_interruption():
            done.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.getsignal(signal.SIGTERM)]
