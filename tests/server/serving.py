"""A server as it runs, on a port of its own, and a person who uses it; without a network to trace, a tiny one."""

import asyncio
import contextlib
import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import uvicorn

from cardiotrace.server.api.page import STATIC
from cardiotrace.server.app import guarded
from cardiotrace.server.run import _listen, _Server, opened
from cardiotrace.server.services import Services
from cardiotrace.server.settings import ServeConfig
from cardiotrace.server.store.folder import DataFolder
from tests.command import command_line, environment

TOKEN = "a-token-of-the-tests-alone"
API = "/api/v1"
PAGE = STATIC
SECONDS = 600.0
"""A busy machine is no failure."""


@dataclass
class Person:
    """Who sends exams, and waits for what comes of them."""

    http: httpx.Client

    def send(self, files: dict[str, bytes], *, finish: bool = True) -> str:
        """An upload of files by their names; gives the job, or the upload where it is not finished."""
        upload = self.http.post(f"{API}/uploads").raise_for_status().json()["id"]
        for number, (name, content) in enumerate(files.items()):
            self.put(upload, number, name, content).raise_for_status()
        if not finish:
            return upload
        return self.http.post(f"{API}/uploads/{upload}/finish").raise_for_status().json()["job"]

    def put(self, upload: str, number: int, name: str, content: bytes, offset: int = 0) -> httpx.Response:
        """A file, or a part of it."""
        url = f"{API}/uploads/{upload}/files/{number}?name={quote(name, safe='')}&offset={offset}"
        return self.http.put(url, content=content)

    def job(self, job: str, *states: str) -> dict[str, Any]:
        """A job once it has one of the states; once it has ended where none is named."""
        wanted = states or ("done", "failed", "cancelled")
        return wait_for(
            lambda: self.http.get(f"{API}/jobs/{job}").raise_for_status().json(), lambda found: found["state"] in wanted
        )

    def study(self, study: str, *states: str) -> dict[str, Any]:
        """A study once it has one of the states."""
        wanted = states or ("done", "failed", "cancelled")
        return wait_for(lambda: self.get(f"/studies/{study}"), lambda found: found["state"] in wanted)

    def get(self, path: str) -> Any:
        """What a path gives, as plain data."""
        return self.http.get(f"{API}{path}").raise_for_status().json()

    def analysed(self, files: dict[str, bytes]) -> list[dict[str, Any]]:
        """The studies of some files, analysed."""
        job = self.job(self.send(files))
        assert job["state"] == "done", job
        return [self.study(study) for study in job["result"]["studies"]]


@dataclass
class Served:
    """A server that runs."""

    services: Services
    url: str
    person: Person


def wait_for(ask: Callable[[], Any], is_there: Callable[[Any], bool], seconds: float = SECONDS) -> Any:
    """What is asked for, once it is there."""
    until = time.monotonic() + seconds
    while not is_there(found := ask()):
        assert time.monotonic() < until, f"still {json.dumps(found, default=str)[:600]}"
        time.sleep(0.05)
    return found


@contextmanager
def served(data: Path, **options: Any) -> Iterator[Served]:
    """Serve a data folder while it lasts."""
    config = ServeConfig(data=data, port=0, token=TOKEN, **options)
    folder = DataFolder(config.folder).make()
    services = Services(config, opened(config, lambda _: None), folder.token(TOKEN))
    listening = _listen(config)
    ready = threading.Event()
    server = _Server(
        uvicorn.Config(
            guarded(services, page=PAGE),
            log_config=None,
            access_log=False,
            lifespan="on",
            ws="none",
            timeout_graceful_shutdown=2,
        ),
        services,
        ready.set,
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        assert ready.wait(300)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http:
            yield Served(services, url, Person(http))
    finally:
        server.should_exit = True
        thread.join(120)
        with contextlib.suppress(OSError):
            listening.close()


def files_in(folder: Path, *, within: str = "") -> dict[str, bytes]:
    """Files of a folder by their names, as a browser sends them."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {f"{within}{path.relative_to(folder.parent).as_posix()}": path.read_bytes() for path in found}


@contextmanager
def started(data: Path, *words: Any) -> Iterator[tuple["subprocess.Popen[str]", str, str]]:
    """A server in a process of its own: the process, its address and token."""
    command = command_line("serve", "--data", data, "--port", 0, *words)
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        found = re.fullmatch(r"(http://127\.0\.0\.1:\d+)/\?token=([\w-]{43})\n", line)
        assert found, (line, process.stderr.read() if process.poll() is not None else "")
        yield process, found[1], found[2]
    finally:
        process.kill()
        process.communicate()


@contextmanager
def person(url: str, token: str) -> Iterator[Person]:
    """Who has the token of a server."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        yield Person(http)
