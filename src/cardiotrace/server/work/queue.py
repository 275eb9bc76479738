"""The queue of jobs: in the database, so that nothing is lost; worked off in order, one job for each slot."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cardiotrace.core.errors import CardioTraceError, explained
from cardiotrace.server.store.database import Database
from cardiotrace.server.store.tables import JobRow, UploadRow
from cardiotrace.server.work.outcome import Done, Refused
from cardiotrace.server.work.pool import Pool, Progress, Slot, WorkerLostError
from cardiotrace.server.work.task import Order, SlotKind

_LOG = logging.getLogger(__name__)
_MOST_STARTS = 3
"""A job during which the server was ended so often is what ends it."""
_SECONDS_BETWEEN_TOLD = 0.2
_LOST = Refused(
    "the process that worked on it ended unexpectedly", "try it again; with a large exam, close other programs first."
)
_TOO_OFTEN = Refused("the server ended three times while this was worked on", "look at its log, then try it again.")
LEAST_BYTES = 1 << 30
"""That an intake may always have: a small archive may be a large study."""
OPEN, ENDED = ("queued", "running"), ("done", "failed", "cancelled")


def add_job(
    session: Session, kind: str, params: Mapping[str, Any], *, study: str | None = None, now: float | None = None
) -> JobRow:
    """Queue a job with the other changes of a session: it is there if they are."""
    row = JobRow(
        id=secrets.token_hex(8),
        kind=kind,
        study=study,
        state="queued",
        created=time.time() if now is None else now,
        starts=0,
        params=dict(params),
    )
    session.add(row)
    session.flush()
    return row


def queue_intake(
    session: Session, upload: str, files: Sequence[tuple[int, str]], *, origin: str, byte_count: int
) -> JobRow:
    """Queue that files in the folder of an upload are taken in; the upload is the job's from now on.

    Args:
        session: in which.
        upload: its row is made if it is not there.
        files: number, which the file `NUMBER.part` has, and name of each.
        origin: how they came.
        byte_count: that they may have; see `LEAST_BYTES` where they are there already.
    """
    listed = [list(file) for file in files]
    job = add_job(session, "intake", {"upload": upload, "origin": origin, "files": listed, "byte_count": byte_count})
    row = session.get(UploadRow, upload) or UploadRow(id=upload, created=job.created)
    row.job = job.id
    session.add(row)
    return job


class Follower(Protocol):
    """Who makes something of how jobs go; called in threads, by the session in which a job's end is written."""

    def order(self, job: JobRow) -> Order:
        """What a worker is sent."""

    def settle(self, session: Session, job: JobRow, outcome: Done | Refused) -> Mapping[str, Any] | None:
        """Write what follows from a job's end; gives the job's own result."""

    def changed(self, job: JobRow) -> None:
        """A job began, is farther, or ended, and that is written."""


@dataclass
class _Running:
    job: JobRow
    slot: Slot
    progress: Progress | None = None
    is_cancelled: bool = False
    told: float = 0.0


class JobQueue:
    """Works jobs off.

    Args:
        database: where they stand.
        pool: where they are worked on.
        slots: which slots work on a job, by its kind.
        follower: who writes what follows from them.
    """

    def __init__(self, database: Database, pool: Pool, slots: Mapping[str, SlotKind], follower: Follower) -> None:
        self._slots = slots
        self._database = database
        self._pool = pool
        self._follower = follower
        self._running: dict[str, _Running] = {}
        self._wake: dict[Slot, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def recover(self) -> None:
        """Queue again what was running when the server ended, at its old place."""
        with self._database.writing() as session:
            session.execute(update(JobRow).where(JobRow.state == "running").values(state="queued"))

    def start(self) -> None:
        """Begin to work, in the running loop."""
        self._loop = asyncio.get_running_loop()
        for slot in (*self._pool.slots("analysis"), *self._pool.slots("network")):
            self._wake[slot] = asyncio.Event()
            self._wake[slot].set()
            self._tasks.append(self._loop.create_task(self._work(slot)))

    async def close(self) -> None:
        """Stop; what was running is queued again when the server starts."""
        for task in self._tasks:
            task.cancel()
        for running in list(self._running.values()):
            running.slot.kill()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    def wake(self) -> None:
        """There is something to do; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_all)

    def progress(self, job: str | None) -> Progress | None:
        """How far a job is that runs; None of any other."""
        running = self._running.get(job or "")
        return None if running is None else running.progress

    def cancel(self, job: str) -> bool:
        """Cancel a job: one that waits is not begun, one that runs ends at once.

        Returns:
            Whether there was anything to cancel.
        """
        running = self._running.get(job)
        if running is not None:
            running.is_cancelled = True
            running.slot.kill()
            return True
        with self._database.writing() as session:
            row = session.scalar(select(JobRow).where(JobRow.id == job, JobRow.state == "queued"))
            if row is None:
                return False
            row.state, row.finished = "cancelled", time.time()
            self._follower.settle(session, row, Refused("cancelled", None))
        self._follower.changed(row)
        return True

    def _wake_all(self) -> None:
        for event in self._wake.values():
            event.set()

    async def _work(self, slot: Slot) -> None:
        while True:
            await self._wake[slot].wait()
            self._wake[slot].clear()
            while (job := await asyncio.to_thread(self._claim, slot)) is not None:
                await self._run(self._running[job.id])

    def _claim(self, slot: Slot) -> JobRow | None:
        """The next job, marked as begun."""
        kinds = [name for name, kind in self._slots.items() if kind == slot.kind]
        with self._database.writing() as session:
            waiting = select(JobRow).where(JobRow.state == "queued", JobRow.kind.in_(kinds)).order_by(JobRow.serial)
            row = session.scalar(waiting.limit(1))
            if row is None:
                return None
            row.state, row.started, row.starts = "running", time.time(), row.starts + 1
            self._running[row.id] = _Running(row, slot)
        self._follower.changed(row)
        return row

    async def _run(self, running: _Running) -> None:
        job, began = running.job, time.monotonic()
        outcome: Done | Refused
        try:
            if job.starts > _MOST_STARTS:
                outcome = _TOO_OFTEN
            else:
                outcome = await running.slot.run(
                    self._follower.order(job), self._teller(running), lambda: not running.is_cancelled
                )
        except WorkerLostError as error:
            outcome = Refused(_LOST.text, _LOST.remedy, str(error))
        except Exception as error:
            known = explained(error)
            outcome = Refused(known.what, known.remedy or None, type(error).__name__)
        await asyncio.shield(asyncio.to_thread(self._end, running, outcome))
        _LOG.info(
            "job %s (%s) %s after %.2f s%s",
            *(job.id, job.kind, job.state, time.monotonic() - began),
            f": {outcome.place}" if isinstance(outcome, Refused) and outcome.place else "",
        )

    def _teller(self, running: _Running) -> Callable[[Progress], None]:
        def tell(progress: Progress) -> None:
            running.progress = progress
            now = time.monotonic()
            if now - running.told >= _SECONDS_BETWEEN_TOLD or (progress.total and progress.done >= progress.total):
                running.told = now
                self._follower.changed(running.job)

        return tell

    def _end(self, running: _Running, outcome: Done | Refused) -> None:
        """Write how a job ended, and all that follows from it: together or not at all."""
        state = "done" if isinstance(outcome, Done) else "failed"
        if running.is_cancelled:
            outcome, state = Refused("cancelled", None), "cancelled"
        try:
            row = self._written(running.job.id, outcome, state)
        except Exception as error:  # what follows could not be written: the job failed, and nothing is half done
            _LOG.exception("job %s could not be settled", running.job.id)
            known: CardioTraceError = explained(error)
            row = self._written(running.job.id, Refused(known.what, known.remedy or None), "failed")
        running.job.state = "failed" if row is None else row.state
        self._running.pop(running.job.id, None)
        if row is not None:
            self._follower.changed(row)

    def _written(self, job: str, outcome: Done | Refused, state: str) -> JobRow | None:
        with self._database.writing() as session:
            row = session.scalar(select(JobRow).where(JobRow.id == job))
            if row is None:  # deleted with its study
                return None
            row.state, row.finished = state, time.time()
            if isinstance(outcome, Refused) and state == "failed":
                row.error_text, row.error_remedy = outcome.text, outcome.remedy
            result = self._follower.settle(session, row, outcome)
            row.result = None if result is None else dict(result)
            return row
