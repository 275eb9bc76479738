"""A process that is led by its parent: deaf to signals, and gone when the parent is."""

import os
import signal
import subprocess
import sys
import time

import pytest

from cardiotrace.core.interruption import SIGNALS
from cardiotrace.parallel import parent as module
from cardiotrace.parallel.parent import led_by_parent
from tests.parallel.test_processes import command, reads_proc, wait_for

LED = """
import sys, time
from cardiotrace.parallel import led_by_parent
with led_by_parent():
    print("led", flush=True)
    {work}
"""
LEADER = """
import os, subprocess, sys, time
led = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
led.stdout.readline()
print(led.pid, flush=True)
time.sleep(60)
"""


@reads_proc
@pytest.mark.parametrize("work", ["time.sleep(60)", "raise OSError('the connection is broken')"])
def test_a_led_process_ends_with_its_parent_and_not_before(work):
    words = [sys.executable, "-c", LEADER, LED.format(work=work)]
    leader = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    led = int(leader.stdout.readline())
    for number in SIGNALS:
        os.kill(led, number)
    time.sleep(0.3)
    assert command(led), "signals and errors are left to the parent"
    leader.kill()
    _, said = leader.communicate()
    wait_for(lambda: [led] if command(led) else [], count=0)
    assert said == "", "an error that comes of the parent's end is not told"


def test_an_error_of_ones_own_is_told_in_the_end_and_signals_are_heard_again(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_FOR_PARENT", 0.0)
    monkeypatch.setattr(module, "end_with_parent", lambda: None)
    before = [signal.getsignal(number) for number in SIGNALS]
    during = []

    def work():
        with led_by_parent():
            during.extend(signal.getsignal(number) for number in SIGNALS)
            raise OSError("own")

    with pytest.raises(OSError, match="own"):
        work()
    assert during == [signal.SIG_IGN] * len(SIGNALS)
    assert [signal.getsignal(number) for number in SIGNALS] == before
