"""Processes that work for the server: each can be ended at once, and gives its memory back when idle."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.parallel.channel import ProgressMessage, StageAdvanced, StageBegun
from cardiotrace.parallel.process import WorkerProcess
from cardiotrace.parallel.processors import threads_of_new_processes, usable_processors
from cardiotrace.parallel.worker import Failed, Finished
from cardiotrace.server.work.outcome import Done, Refused
from cardiotrace.server.work.task import Order, SlotKind

_LOG = logging.getLogger(__name__)
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_END = 5.0


@dataclass(frozen=True)
class Progress:
    """How far a task is."""

    text: str
    """What it does at the moment."""
    done: int = 0
    total: int = 0

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"done": self.done, "total": self.total, "text": self.text}


OnProgress = Callable[[Progress], None]
Run = Callable[[Order, ProgressReporter], Done | Refused]
"""What the process of a slot does with what it is sent."""


class WorkerLostError(Exception):
    """The process ended in the middle of a task."""


class TaskFaultError(WorkError):
    """A task failed in a way that the program has no words for."""


class Slot:
    """Room for one process, which is started when it is first needed and kept warm.

    Args:
        kind: what it is for.
        run: does what its process is sent.
        threads: of its numerical libraries.
    """

    def __init__(self, kind: SlotKind, run: Run, threads: int) -> None:
        self.kind = kind
        self._task = run
        self.is_busy = False
        self._threads = threads
        self._process: WorkerProcess | None = None
        self._used = time.monotonic()
        self._lock = asyncio.Lock()
        # A thread of its own waits for the process: nothing that it sends holds the loop up.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"slot-{kind}")

    @property
    def pid(self) -> int | None:
        """Of its process; None where there is none at the moment."""
        return None if self._process is None else self._process.process.pid

    async def run(
        self, order: Order, on_progress: OnProgress | None = None, is_wanted: Callable[[], bool] = lambda: True
    ) -> Done | Refused:
        """Run a task; others that ask meanwhile wait.

        Args:
            order: the task.
            on_progress: called in the thread that waits for the process.
            is_wanted: whether it still is, asked before it begins and now and then.

        Raises:
            WorkerLostError: the process was ended, or ended by itself.
        """
        async with self._lock:
            self.is_busy = True
            try:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._thread, self._run, order, on_progress, is_wanted)
            finally:
                self.is_busy = False
                self._used = time.monotonic()

    def kill(self) -> None:
        """End what it does, at once."""
        if self._process is not None:
            self._process.kill()

    def rest(self, idle_seconds: float) -> None:
        """End a process that had nothing to do for so long."""
        if self._process is not None and not self.is_busy and time.monotonic() - self._used > idle_seconds:
            _LOG.info("a process for %s gives its memory back", self.kind)
            self._thread.submit(self._end)

    def close(self) -> None:
        """End it for good; it holds nothing that could be lost."""
        self.kill()
        self._thread.shutdown(wait=True)
        if self._process is not None:
            self._process.end(time.monotonic())
            self._process = None

    def _end(self) -> None:
        if self._process is not None:
            self._process.dismiss()
            self._process.end(time.monotonic() + _SECONDS_TO_END)
            self._process = None

    def _run(self, order: Order, on_progress: OnProgress | None, is_wanted: Callable[[], bool]) -> Done | Refused:
        try:
            process = self._started()
            process.send(order)
            told = _Told(on_progress)
            while True:
                if not is_wanted():
                    process.kill()
                message = process.receive(_SECONDS_BETWEEN_LOOKS)
                if isinstance(message, Finished):
                    return _outcome(message.result)
                if isinstance(message, Failed):  # an outcome that cannot be pickled: a fault of ours
                    raise message.error
                if message is None:
                    process.look_after()
                else:
                    told(message)
        except WorkError as error:
            lost, self._process = self._process, None
            if lost is not None:
                lost.end(time.monotonic())
            raise WorkerLostError(error.what) from None

    def _started(self) -> WorkerProcess:
        if self._process is not None and self._process.process.exitcode is not None:
            self._process = None  # it ended while it had nothing to do
        if self._process is None:
            with threads_of_new_processes(self._threads):
                self._process = WorkerProcess(self._task)
        return self._process


def _outcome(result: Any) -> Done | Refused:
    if not isinstance(result, Done | Refused):
        raise TypeError(f"a task ended with {type(result).__name__}")
    return result


class _Told:
    """Progress of a process, as what it does at the moment."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._titles: dict[int, str] = {}

    def __call__(self, message: ProgressMessage) -> None:
        if isinstance(message, StageBegun):
            self._titles[message.number] = message.title
            self._tell(Progress(message.title))
        elif isinstance(message, StageAdvanced):
            self._tell(Progress(self._titles.get(message.number, ""), message.done, message.total))

    def _tell(self, progress: Progress) -> None:
        if self._on_progress is not None:
            self._on_progress(progress)


class Pool:
    """All slots.

    Args:
        counts: how many slots of each kind.
        run: does what a process is sent; a function of a module, which processes can find.
        idle_seconds: after which a process that has nothing to do is ended.
    """

    def __init__(self, counts: Mapping[SlotKind, int], run: Run, idle_seconds: float) -> None:
        # The processors are for analyses: what other processes do is short, or waits for other machines.
        threads = max(1, usable_processors() // max(1, counts.get("analysis", 1)))
        self._slots = {kind: [Slot(kind, run, threads) for _ in range(count)] for kind, count in counts.items()}
        self._idle_seconds = idle_seconds
        self._warming: set[asyncio.Task[Any]] = set()

    def slots(self, kind: SlotKind) -> list[Slot]:
        """Those of one kind."""
        return self._slots.get(kind, [])

    def processes(self) -> dict[str, int]:
        """How many processes are warm, by kind."""
        return {kind: sum(slot.pid is not None for slot in slots) for kind, slots in self._slots.items()}

    async def ask(self, kind: SlotKind, order: Order, *, key: str = "", on_progress: OnProgress | None = None) -> Any:
        """Run a task now, for a request that waits for it.

        Args:
            kind: which slots.
            order: the task.
            key: tasks of one key go to one process, which may keep in memory what they are about.
            on_progress: see `Slot.run`.

        Returns:
            What the task gives.

        Raises:
            InputError: the task refused what was handed in, in its own words.
            TaskFaultError: it failed by a fault of the program.
            WorkError: it failed.
            WorkerLostError: its process ended.
        """
        slots = self.slots(kind)
        slot = slots[sum(key.encode()) % len(slots)]
        outcome = await slot.run(order, on_progress)
        if isinstance(outcome, Refused):
            _LOG.info("%s was refused: %s", order.task, outcome.place)
            kind_of_error = InputError if outcome.is_input else TaskFaultError if outcome.is_fault else WorkError
            raise kind_of_error(outcome.text, remedy=outcome.remedy or "")
        return outcome.result

    def warm(self, kind: SlotKind, params: Mapping[str, Any]) -> None:
        """Start the processes of a kind, and load what they will need, before anybody asks.

        Args:
            kind: which.
            params: of the task "warm".
        """
        for slot in self.slots(kind):
            if slot.pid is None and not slot.is_busy:
                task = asyncio.get_running_loop().create_task(_warmed(slot, params))
                self._warming.add(task)
                task.add_done_callback(self._warming.discard)

    async def rest(self) -> None:
        """End idle processes, again and again; runs while the server does."""
        while True:
            await asyncio.sleep(min(30.0, max(0.2, self._idle_seconds / 4)))
            for slots in self._slots.values():
                for slot in slots:
                    slot.rest(self._idle_seconds)

    def kill(self) -> None:
        """End all processes at once, where nothing else ended them: the program would wait for them for ever."""
        for slots in self._slots.values():
            for slot in slots:
                slot.kill()

    async def close(self) -> None:
        """End all processes."""
        slots = [slot for slots in self._slots.values() for slot in slots]
        await asyncio.gather(*(asyncio.to_thread(slot.close) for slot in slots))


async def _warmed(slot: Slot, params: Mapping[str, Any]) -> None:
    with suppress(WorkerLostError):
        await slot.run(Order("warm", params))
