"""Many items in several processes: results, progress, errors; and that nothing goes on when it should not."""

import functools
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.parallel import ProcessExecutor, SerialExecutor, make_executor
from cardiotrace.parallel import processes as module
from tests.parallel import work

TWO = ProcessExecutor(2)
reads_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


class Listener:
    """Writes down all that it is told, in order."""

    def __init__(self):
        self.heard = []

    def say(self, text):
        self.heard.append(text)

    @contextmanager
    def stage(self, title):
        self.heard.append(f"{title} begins")
        yield lambda done, total: self.heard.append(f"{title} {done}/{total}")
        self.heard.append(f"{title} ends")


@pytest.mark.parametrize("executor", [SerialExecutor(), TWO, ProcessExecutor(5)])
def test_every_item_is_done_once(executor):
    assert sorted(executor.map_unordered(work.square, [3, 1, 2])) == [1, 4, 9]
    assert list(executor.map_unordered(work.square, [])) == []


def test_items_are_spread_over_other_processes_and_a_single_one_needs_none():
    pids = list(TWO.map_unordered(work.pid_of, range(6)))
    assert os.getpid() not in pids
    assert len(set(pids)) <= 2
    assert list(TWO.map_unordered(work.pid_of, [1])) == [os.getpid()]
    assert isinstance(make_executor(1), SerialExecutor)
    assert make_executor(3) == ProcessExecutor(3)


def test_what_a_function_keeps_is_kept_from_item_to_item():
    counts = list(TWO.map_unordered(functools.partial(work.counts_its_calls, kept=[]), range(8)))
    assert sorted(counts)[-1] >= 4  # of eight items one of two processes did at least four
    assert counts.count(1) <= 2


def test_no_process_is_no_number_of_processes():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        make_executor(0)
    with pytest.raises(ValueError, match="at least 1, got 2 and 0"):
        ProcessExecutor(2, threads=0)


def test_progress_arrives_in_order_and_under_the_name_of_its_item():
    listener = Listener()
    assert sorted(TWO.map_unordered(work.tells, ["a", "b", "c"], listener)) == ["a", "b", "c"]
    for name in "abc":
        own = [text.removeprefix(f"{name}: ") for text in listener.heard if text.startswith(f"{name}: ")]
        inner = [text for text in own if text.startswith("inner")]
        outer = [text for text in own if text not in inner]
        assert outer == ["begins", "outer begins", "outer 1/2", "outer 2/2", "outer ends", "ends"]
        assert own.index("outer begins") < own.index("inner begins") < own.index("inner ends") < own.index("outer 2/2")
        assert inner[-2:] == ["inner 500/500", "inner ends"]
        assert len(inner) < 50, "ticks that nobody can see are not sent"


def test_threads_of_a_worker_may_report_side_by_side():
    listener = Listener()
    for lines in TWO.map_unordered(work.tells_from_threads, ["a", "b"], listener):
        name = lines[0][-1]
        assert sorted(lines) == sorted(text[3:] for text in listener.heard if text.startswith(f"{name}: "))


@pytest.mark.parametrize("executor", [SerialExecutor(), TWO])
def test_an_error_keeps_its_kind_and_tells_its_item(executor):
    with pytest.raises(InputError) as caught:
        list(executor.map_unordered(work.fails_at_two, [1, 2]))
    assert str(caught.value) == "2: two.nii: is not to be had\ntake another."
    assert (caught.value.where, caught.value.remedy) == ("two.nii", "take another.")
    with pytest.raises(ZeroDivisionError) as plain:
        list(executor.map_unordered(work.divides, [1, 0, 2]))
    assert "while working on 0" in plain.value.__notes__


def test_an_error_ends_the_others_at_once():
    started = time.monotonic()
    with pytest.raises(InputError):
        list(TWO.map_unordered(work.fails_at_two, [3, 2]))
    assert time.monotonic() - started < 20, "the other item would have slept for a minute"


def test_the_place_of_an_error_in_another_process_is_told():
    with pytest.raises(ZeroDivisionError) as caught:
        list(TWO.map_unordered(work.divides, [0, 0]))
    assert "return 1 / item" in "".join(caught.value.__notes__)


def test_what_cannot_be_sent_is_an_error_in_words():
    with pytest.raises(WorkError, match="unexpected OddError: this and that"):
        list(TWO.map_unordered(work.raises_oddly, [1, 2]))
    with pytest.raises(Exception, match="lambda"):
        list(TWO.map_unordered(work.gives_what_cannot_be_sent, [1, 2]))
    with pytest.raises(Exception, match="lambda"):
        list(TWO.map_unordered(lambda item, reporter: item, [1, 2]))


def test_a_function_that_cannot_be_found_is_an_error_and_no_dead_process(tmp_path, monkeypatch):
    (tmp_path / "passing.py").write_text("def work(item, reporter):\n    return item\n")
    monkeypatch.syspath_prepend(tmp_path)
    import passing

    (tmp_path / "passing.py").unlink()
    with pytest.raises(ModuleNotFoundError, match="passing"):
        list(TWO.map_unordered(passing.work, [1, 2]))


@pytest.mark.parametrize(("function", "how"), [(work.killed_at_two, "by SIGKILL"), (work.exits, "with status 7")])
def test_a_process_that_was_killed_is_told_with_its_item(function, how):
    with pytest.raises(WorkError, match=f"^2: its process was ended from outside {how}, most likely for want of mem"):
        list(TWO.map_unordered(function, [2, 2]))


@reads_proc
def test_a_death_is_noticed_though_a_child_holds_the_connection():
    with pytest.raises(WorkError, match="2: its process was ended from outside by SIGKILL"):
        list(TWO.map_unordered(work.killed_with_a_heir, [1, 2]))


@pytest.mark.parametrize(("threads", "expected"), [(None, 2), (3, 3)])
def test_every_worker_is_told_its_share_of_the_processors(threads, expected, monkeypatch):
    monkeypatch.setattr(module, "usable_processors", lambda: 5)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "9")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    found = list(ProcessExecutor(2, threads).map_unordered(work.threads_of, [1, 2]))
    assert [variables for variables, _ in found] == [{str(expected)}] * 2
    assert all(1 <= usable <= expected for _, usable in found)
    assert dict(os.environ) == before


@pytest.mark.slow
def test_torch_takes_the_threads_that_its_worker_was_given(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert list(ProcessExecutor(2, threads=1).map_unordered(work.torch_threads, [1, 2])) == [1, 1]


def test_the_initialiser_runs_before_the_function_is_loaded(tmp_path, monkeypatch):
    lines = ("import os", "READ = os.environ.get('EARLY')", "def work(item, reporter): return READ")
    (tmp_path / "late.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    import late

    assert list(TWO.map_unordered(late.work, [1, 2])) == [None, None]
    executor = ProcessExecutor(2, initialiser=functools.partial(early, "yes"))
    assert list(executor.map_unordered(late.work, [1, 2])) == ["yes", "yes"]


def early(word):
    os.environ["EARLY"] = word


def test_processes_may_have_processes(monkeypatch):
    monkeypatch.setattr(module, "usable_processors", lambda: 4)
    listener = Listener()
    found = sorted(TWO.map_unordered(work.nested, [1, 10], listener))
    assert [squares for squares, _ in found] == [[1, 4], [100, 121]]
    assert all(usable <= 2 for _, usable in found)


@reads_proc
def test_closing_the_iterator_ends_what_is_running():
    listener = Listener()
    results = TWO.map_unordered(work.tells_and_waits, ["short", "long"], listener)
    assert next(results) == "short"
    wait_for(lambda: workers_of(os.getpid()), count=1)
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 8
    assert workers_of(os.getpid()) == []
    if "long: long begins" in listener.heard:
        assert listener.heard[-1] == "long: long ends", "a bar of a worker that is gone is taken away"


@reads_proc
def test_processes_end_with_a_parent_that_was_killed(tmp_path):
    parent = started("starts_a_child", folders(tmp_path, "ab"))
    wait_for(lambda: list(tmp_path.glob("*/half")), count=2)
    everybody = [*workers_of(parent.pid), *grandchildren(tmp_path)]
    assert len(everybody) == 4
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    wait_for(lambda: [pid for pid in everybody if command(pid)], count=0)


@reads_proc
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_parent_cleans_up_in_its_processes(number, tmp_path):
    parent = started("cleans_up", folders(tmp_path, "abcd"))  # two of them are never begun
    wait_for(lambda: list(tmp_path.glob("*/half")), count=2)
    workers = workers_of(parent.pid)
    os.kill(parent.pid, number)
    _, said = parent.communicate(timeout=30)
    assert (parent.returncode, said) == (128 + number, "")
    assert sorted(path.name for path in tmp_path.glob("*/*")) == ["clean", "clean"]
    assert [pid for pid in workers if command(pid)] == []


@reads_proc
@pytest.mark.parametrize("name", ["starts_a_child", "starts_processes"])
def test_children_of_workers_end_with_them(name, tmp_path):
    parent = started(name, folders(tmp_path, "ab"))
    count = 2 if name == "starts_a_child" else 4
    wait_for(lambda: list(tmp_path.rglob("half")), count=count)
    children = grandchildren(tmp_path)
    assert len(children) == count
    os.kill(parent.pid, signal.SIGTERM)
    _, said = parent.communicate(timeout=30)
    assert (parent.returncode, said) == (128 + signal.SIGTERM, "")
    wait_for(lambda: [pid for pid in children if command(pid)], count=0)


@reads_proc
def test_a_process_that_does_not_end_when_asked_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_TO_CLEAN_UP", 0.5)
    results = TWO.map_unordered(work.refuses_to_end, [*folders(tmp_path, "ab"), None])
    with pytest.raises(ZeroDivisionError):
        interrupt_when(results, lambda: len(list(tmp_path.glob("*/half"))) == 2)
    assert workers_of(os.getpid()) == []


def interrupt_when(results, ready):
    """An error in the consumer while the workers are busy, as an alarm raises it."""

    def look(number, frame):
        if ready():
            raise ZeroDivisionError
        signal.setitimer(signal.ITIMER_REAL, 0.1)

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        list(results)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def started(name, items):
    """A program that works in two processes."""
    code = f"import sys; from tests.parallel import work; work.interruptible(work.{name}, sys.argv[1:])"
    words = [sys.executable, "-c", code, *map(str, items)]
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True)


def folders(place, names):
    made = [place / name for name in names]
    for folder in made:
        folder.mkdir()
    return made


def grandchildren(place):
    return [int(path.read_text()) for path in place.rglob("child.txt")]


def workers_of(pid):
    return [child for child in children_of(pid) if "spawn_main" in command(child)]


def wait_for(find, *, count):
    for _ in range(300):
        if len(found := find()) == count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{find()} are not {count}")


def children_of(pid):
    return [int(word) for word in text(f"/proc/{pid}/task/{pid}/children").split()]


def command(pid):
    """Empty where the process has ended, also where nobody has asked how yet."""
    return text(f"/proc/{pid}/cmdline")


def text(path):
    try:
        return Path(path).read_text()
    except OSError:  # the process has ended
        return ""
