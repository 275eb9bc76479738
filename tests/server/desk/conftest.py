"""The routes and the desk in one process, with a study that is analysed: no network, and nothing to wait for."""

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.reporter import SILENT
from cardiotrace.server.app import make_app
from cardiotrace.server.services import Services
from cardiotrace.server.settings import ServeConfig
from cardiotrace.server.settling import SETTLERS
from cardiotrace.server.store.tables import JobRow, StudyRow
from cardiotrace.server.tasks import run_task
from cardiotrace.server.work.outcome import Refused
from cardiotrace.server.work.task import Order
from tests.server.databases import sqlite_at
from tests.server.serving import API, TOKEN


class InProcess:
    """Runs tasks here, in place of processes."""

    async def ask(self, kind, order, *, key="", on_progress=None):
        outcome = run_task(order, SILENT)
        if isinstance(outcome, Refused):
            raise (InputError if outcome.is_input else WorkError)(outcome.text, remedy=outcome.remedy or "")
        return outcome.result


class Asker:
    """Asks an application in this process."""

    def __init__(self, app):
        self._loop = asyncio.new_event_loop()
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver")

    def _ask(self, method, url, **asked):
        return self._loop.run_until_complete(self._client.request(method, url, **asked))

    def get(self, url, **asked):
        return self._ask("GET", url, **asked)

    def post(self, url, **asked):
        return self._ask("POST", url, **asked)

    def put(self, url, **asked):
        return self._ask("PUT", url, **asked)

    def delete(self, url, **asked):
        return self._ask("DELETE", url, **asked)

    def close(self):
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()


@dataclass
class Office:
    """An application without guards, and one study in it."""

    services: Services
    http: Asker
    options: dict[str, Any]
    id: str = ""

    def get(self, path):
        return self.http.get(f"{API}{path}").raise_for_status().json()

    @property
    def study(self):
        return self.get(f"/studies/{self.id}")

    def take_in(self, files):
        """A study of some files, analysed."""
        self.id = secrets.token_hex(8)
        folder = self.services.data.study(self.id).files
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        with self.services.database.writing() as session:
            values = {"version": 0, "edits": 0, "views": [], "grade": 0, "within": "", "part": ""}
            row = StudyRow(id=self.id, name="exam", created=time.time(), origin="upload", state="queued", **values)
            row.options = self.options
            session.add(row)
        self.analyse()

    def analyse(self):
        """Analyse it, again."""
        params = {"data": str(self.services.data.root), "study": self.id, "name": "exam", "within": "", "part": ""}
        outcome = run_task(Order("analyse", {**params, "options": self.options}), SILENT)
        assert not isinstance(outcome, Refused), outcome
        with self.services.database.writing() as session:
            job = JobRow(id=secrets.token_hex(8), kind="analyse", study=self.id, state="done", created=time.time())
            job.params = {}
            session.add(job)
            row = session.get(StudyRow, self.id)
            row.job = job.id
            SETTLERS["analyse"](self.services, session, job, outcome)


@pytest.fixture(scope="module")
def office(tmp_path_factory, tiny_model, camus):
    folder = tmp_path_factory.mktemp("office")
    services = Services(ServeConfig(data=folder), sqlite_at(folder), TOKEN)
    services.data.make()
    services.pool = InProcess()
    found = Office(services, Asker(make_app(services)), {"model": str(tiny_model)})
    found.take_in(camus)
    yield found
    found.http.close()
    services.database.close()
