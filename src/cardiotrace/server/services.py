"""All that the routes of the application work with, put together once."""

import asyncio
import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardiotrace.server.desk.editing import Target, study_params
from cardiotrace.server.desk.leases import Leases
from cardiotrace.server.events import EventHub
from cardiotrace.server.inbox import Inbox
from cardiotrace.server.pacs.keeper import NodeKeeper
from cardiotrace.server.settings import ServeConfig
from cardiotrace.server.settling import SETTLERS
from cardiotrace.server.store.blobs import BlobStore
from cardiotrace.server.store.database import Database
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.store.journal import changes, standing
from cardiotrace.server.store.studies import ConflictError, delete_study, error_of, expired, get_study, summary, unused
from cardiotrace.server.store.tables import FileRow, JobRow, StudyRow, UploadRow
from cardiotrace.server.tasks import TASKS, run_task
from cardiotrace.server.work.outcome import Done, Refused
from cardiotrace.server.work.pool import Pool
from cardiotrace.server.work.queue import OPEN, JobQueue, add_job
from cardiotrace.server.work.task import Order, SlotKind

_LOG = logging.getLogger(__name__)
_SECONDS_OF_UPLOADS = 86400.0
"""An upload that nobody finished is removed after a day."""
_SECONDS_BETWEEN_TIDYING = 600.0
_SECONDS_TO_WRITE = 3600.0
"""From content to the row that refers to it."""


class Services:
    """What the routes share; made once for each server.

    Args:
        config: what was chosen.
        database: brought up to date.
        token: that opens the application.
    """

    def __init__(self, config: ServeConfig, database: Database, token: str) -> None:
        self.config = config
        self.token = token
        self.database = database
        self.data = DataFolder(config.folder)
        self.blobs = BlobStore(self.data.blobs)
        self.hub = EventHub()
        counts: dict[SlotKind, int] = {"analysis": config.analysis_slots, "desk": config.desk_slots}
        self.pool = Pool({**counts, "export": 1, "network": 1, "query": 1}, run_task, 60 * config.idle_minutes)
        slots = {name: task.slot for name, task in TASKS.items()}
        self.jobs = JobQueue(database, self.pool, slots, self)
        self.leases = Leases()
        self._edit_locks: dict[str, asyncio.Lock] = {}
        self.started = time.time()
        self.node = None if config.node is None else NodeKeeper(self, config.node)
        self.models: list[dict[str, Any]] | None = None
        """What is told of models, once somebody asked."""
        self._tasks: list[asyncio.Task[None]] = []

    def edit_lock(self, document: str) -> asyncio.Lock:
        """Held while a document is edited: gestures on it go one after another."""
        return self._edit_locks.setdefault(document, asyncio.Lock())

    async def require_model(self) -> None:
        """Refuse a model that cannot be used; the process that loaded it keeps it for the first analysis.

        Raises:
            InputError: there is no model of the name, or its file is damaged.
        """
        if self.config.model is not None:
            await self.pool.ask("analysis", Order("warm", {"model": self.config.model}))

    async def start(self) -> None:
        """Begin to work: what an earlier server left is put in order first."""
        loop = asyncio.get_running_loop()
        self.hub.attach(loop)
        await asyncio.to_thread(self._put_in_order)
        if self.config.demo:
            await asyncio.to_thread(self._queue_demo)
        self.jobs.start()
        self._tasks = [loop.create_task(self.pool.rest()), loop.create_task(self._tidy_up())]
        if self.node is not None:
            self._tasks.append(loop.create_task(self.node.watch()))
        if self.config.inbox is not None:
            self._tasks.append(loop.create_task(Inbox(self, self.config.inbox.expanduser()).watch()))

    async def close(self) -> None:
        """End what runs; nothing of it is lost."""
        self.hub.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.jobs.close()
        await self.pool.close()
        self.database.close()

    def warm(self, kind: SlotKind) -> None:
        """Start the processes of a kind before anybody asks; only an analysis needs a model."""
        self.pool.warm(kind, {"model": self.config.model if kind == "analysis" else None})

    # What becomes of jobs: see `Follower`.

    def order(self, job: JobRow) -> Order:
        """What a worker is sent: the job's own values, and where things lie."""
        root = self.data.upload(job.params["upload"]) / "tree" if "upload" in job.params else self.data.root
        if job.study is not None:
            root = self.data.study(job.study).files
        found = self._as_it_stands(job) if job.kind == "send" else {}
        return Order(job.kind, {**job.params, **found, "data": str(self.data.root)}, str(root))

    def _as_it_stands(self, job: JobRow) -> dict[str, Any]:
        """What a worker needs to open a study as somebody corrected it."""
        with self.database.reading() as session:
            row, document, _ = Target(str(job.study)).of(session)
            held = changes(session, document, standing(session, document).done)
        return {**study_params(self, row, document), "held": held, "language": self.config.language}

    def settle(self, session: Session, job: JobRow, outcome: Done | Refused) -> Mapping[str, Any] | None:
        """Write what follows from the end of a job."""
        return SETTLERS[job.kind](self, session, job, outcome)

    def changed(self, job: JobRow) -> None:
        """Tell pages of a job, and of its study; a study that waited for it begins with it."""
        if job.study is not None and job.kind == "analyse" and job.state == "running":
            self._mark_running(job)
        self.hub.publish("job", self.job_plain(job))
        if job.study is not None:
            self.tell_of(job.study)
        if job.state not in OPEN:
            self._after(job)

    def _mark_running(self, job: JobRow) -> None:
        with self.database.reading() as session:
            row = session.get(StudyRow, job.study)
        if row is None or row.state == "running" or row.job != job.id:
            return
        with self.database.writing() as session:
            row = session.get(StudyRow, job.study)
            if row is not None and row.job == job.id:
                row.state = "running"

    def _after(self, job: JobRow) -> None:
        """What is done once the end of a job is written: work that it brought, folders that it needs no more."""
        for study in (job.result or {}).get("studies", ()):
            self.tell_of(study)
        if "upload" in job.params and "intake" not in (job.result or {}):
            shutil.rmtree(self.data.upload(job.params["upload"]), ignore_errors=True)
        self.jobs.wake()

    def job_plain(self, job: JobRow) -> dict[str, Any]:
        """A job in words."""
        progress = self.jobs.progress(job.id) if job.state == "running" else None
        return {
            "id": job.id,
            "kind": job.kind,
            "study": job.study,
            "state": job.state,
            "progress": None if progress is None else progress.to_plain(),
            "error": error_of(job),
            "result": job.result,
        }

    def summary(self, row: StudyRow) -> dict[str, Any]:
        """A study in words, as the list shows it."""
        return summary(row, self._progress_plain)

    def tell_of(self, study: str) -> None:
        """Tell pages how a study is now."""
        with self.database.reading() as session:
            row = session.get(StudyRow, study)
        if row is not None:
            self.hub.publish("study", self.summary(row))

    def _progress_plain(self, job: str | None) -> Mapping[str, Any] | None:
        progress = self.jobs.progress(job)
        return None if progress is None else progress.to_plain()

    # What is done to studies.

    def queue_analysis(self, session: Session, study: StudyRow, options: Mapping[str, Any]) -> JobRow:
        """Queue the analysis of a study; whoever calls wakes the queue when the session is over.

        Raises:
            ConflictError: it is being analysed already.
        """
        if study.state in OPEN and study.job is not None and _is_open(session, study.job):
            raise ConflictError("this study is being analysed already", remedy="wait for it, or cancel it.")
        params = {"study": study.id, "name": study.name, "within": study.within, "part": study.part}
        asked = {"model": self.config.model, **options}
        job = add_job(session, "analyse", {**params, "options": asked, "before": study.options}, study=study.id)
        study.job, study.state, study.options = job.id, "queued", dict(options)
        study.error_text = study.error_remedy = None
        return job

    def delete(self, study: str) -> None:
        """Delete a study with all that is kept of it.

        Raises:
            MissingError: there is none.
        """
        with self.database.reading() as session:
            get_study(session, study)
            open_jobs = select(JobRow.id).where(JobRow.study == study, JobRow.state.in_(OPEN))
            jobs = list(session.scalars(open_jobs))
        for job in jobs:
            self.jobs.cancel(job)
        with self.database.writing() as session:
            digests = delete_study(session, study)
        self.data.study(study).remove()
        for digest in digests:
            self.blobs.remove(digest)
        self.hub.publish("deleted", {"id": study})
        _LOG.info("study %s was deleted, with %d blobs", study, len(digests))

    # What is done now and then.

    def _put_in_order(self) -> None:
        """After a server that was killed: jobs are queued again, and what no row names is removed."""
        self.jobs.recover()
        with self.database.reading() as session:
            uploads = set(session.scalars(select(UploadRow.id)))
        for folder in self.data.uploads.iterdir():
            if folder.name not in uploads:
                shutil.rmtree(folder, ignore_errors=True)
        self.sweep(time.time())
        for folder in self.data.studies.iterdir():
            self.data.study(folder.name).mend()

    def sweep(self, since: float) -> None:
        """Remove folders of studies, and content, that no row names; not while a worker takes exams in.

        What lies there is listed first: an intake that begins meanwhile makes folders that are not in the list.

        Args:
            since: content that was put there later stays, seconds since 1970: its row may be about to be written.
        """
        folders, digests = list(self.data.studies.iterdir()), self.blobs.untouched(since)
        with self.database.reading() as session:
            busy = select(JobRow.id).where(JobRow.kind != "analyse", JobRow.state == "running").limit(1)
            if session.scalar(busy) is not None:
                return
            studies = set(session.scalars(select(StudyRow.id)))
            orphans = unused(session, digests)
        for folder in folders:
            if folder.name not in studies:
                shutil.rmtree(folder, ignore_errors=True)
        for digest in orphans:
            self.blobs.remove(digest)

    def _queue_demo(self) -> None:
        """Make the phantom exam, unless it is there or on its way."""
        with self.database.writing() as session:
            has_one = session.scalar(select(StudyRow.id).where(StudyRow.origin == "demo").limit(1))
            is_coming = session.scalar(select(JobRow.id).where(JobRow.kind == "demo", JobRow.state.in_(OPEN)).limit(1))
            if has_one is None and is_coming is None:
                add_job(session, "demo", {"origin": "demo"})

    async def _tidy_up(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.tidy_up, time.time())
            except Exception:
                _LOG.exception("tidying up failed")
            await asyncio.sleep(_SECONDS_BETWEEN_TIDYING)

    def tidy_up(self, now: float) -> None:
        """Remove uploads that nobody finished, and studies whose time is over.

        Args:
            now: seconds since 1970.
        """
        with self.database.writing() as session:
            old = UploadRow.job.is_(None) & (UploadRow.created < now - _SECONDS_OF_UPLOADS)
            uploads = list(session.scalars(select(UploadRow).where(old)))
            for upload in uploads:
                session.delete(upload)
            over = expired(session, now, self.config.keep_days, self.config.keep_signed_days)
        for upload in uploads:
            shutil.rmtree(self.data.upload(upload.id), ignore_errors=True)
        for study in over:
            self.delete(study)
        self.sweep(now - _SECONDS_TO_WRITE)


@dataclass(frozen=True)
class KeptFile:
    """Content that a study is given."""

    kind: str
    name: str
    sha256: str
    size: int


def keep(session: Session, study: str, file: KeptFile) -> None:
    """Let content belong to a study: it is kept as long as the study is."""
    session.merge(FileRow(study=study, kind=file.kind, name=file.name, sha256=file.sha256, size=file.size))


def _is_open(session: Session, job: str) -> bool:
    return session.scalar(select(JobRow.id).where(JobRow.id == job, JobRow.state.in_(OPEN))) is not None
