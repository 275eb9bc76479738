"""Server and workers are killed at any moment: what was answered is there, nothing is half-written."""

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.server.desk.test_editing import Editor
from tests.server.serving import API, Person, person, started, wait_for

KILLS = 10
"""Of each seed; five seeds are fifty."""
LONGEST_S = 1.5
"""From the begin of what somebody does to the kill."""


@dataclass
class Answered:
    """What people were told, and may rely on."""

    jobs: list[str] = field(default_factory=list)
    """Of uploads that were finished."""
    studies: list[str] = field(default_factory=list)
    edits: dict[str, list[int]] = field(default_factory=dict)
    """The versions that each study became."""
    received: dict[str, int] = field(default_factory=dict)
    """Bytes of the file of each upload that is not finished."""


class People:
    """Who sends, edits and looks, one thing after another, until the server goes away."""

    def __init__(self, random: random.Random, files: dict[str, bytes]) -> None:
        self.random, self.files, self.answered = random, files, Answered()

    def do_something(self, sender: Person) -> None:
        """Whatever comes to mind; ends where the server does not answer any more."""
        # Killed, or what was asked for had been lost with a worker.
        with suppress(httpx.TransportError, httpx.HTTPStatusError):
            self.random.choice((self._send, self._edit, self._edit, self._look, self._upload))(sender)

    def _send(self, sender: Person) -> None:
        job = sender.send(self.files)
        self.answered.jobs.append(job)

    def _upload(self, sender: Person) -> None:
        upload = sender.http.post(f"{API}/uploads").raise_for_status().json()["id"]
        for offset in range(0, 60_000, 6_000):
            sender.put(upload, 0, "a.nii", bytes(6_000), offset).raise_for_status()
            self.answered.received[upload] = offset + 6_000

    def _edit(self, sender: Person) -> None:
        if not self.answered.studies:
            return
        study = sender.get(f"/studies/{self.random.choice(self.answered.studies)}")
        if study["state"] != "done":
            return
        editor = Editor(sender, study, "A")
        editor.lease().raise_for_status()
        for _ in range(4):
            gesture = editor.pulled(self.random.randrange(editor.image["frames"]), self.random.uniform(0.6, 0.95))
            answer = editor.post(gesture).raise_for_status().json()
            self.answered.edits.setdefault(study["id"], []).append(answer["version"])

    def _look(self, sender: Person) -> None:
        for study in self.answered.studies:
            Editor(sender, sender.get(f"/studies/{study}"), "A").traces()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has ended meanwhile
        os.kill(pid, signal.SIGKILL)


def workers_of(pid: int) -> list[int]:
    done = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [child for child in map(int, done.stdout.split()) if b"spawn_main" in _command(child)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def kept_is_whole(data: Path) -> None:
    """What lies on the disk is what the database says; called while nobody works."""
    with sqlite3.connect(data / "cardiotrace.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        files = database.execute("SELECT study, kind, name, sha256, size FROM files").fetchall()
        analysed = database.execute("SELECT id FROM studies WHERE analysis IS NOT NULL").fetchall()
    database.close()
    for study, kind, name, sha256, size in files:
        content = (data / "blobs" / sha256[:2] / sha256).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, size)
        if kind == "exam":
            assert (data / "studies" / study / "files" / name).read_bytes() == content
    for (study,) in analysed:
        folder = data / "studies" / study / "automatic"
        for name, digest in json.loads((folder / "exam.json").read_text())["digests"].items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def look_after(sender: Person, answered: Answered, count: int) -> None:
    """All that was answered is there; what came of it is answered from now on."""
    for job in answered.jobs:
        found = sender.job(job)
        if found["state"] == "failed":  # a worker that is killed costs one job, which says so
            assert "ended" in found["error"]["text"]
            continue
        for study in found["result"]["studies"]:
            assert len(sender.study(study, "done", "failed")["views"]) or sender.study(study)["state"] == "failed"
            if study not in answered.studies:
                answered.studies.append(study)
    for upload, received in answered.received.items():
        (file,) = sender.get(f"/uploads/{upload}")["files"]
        assert file["received"] >= received
    for study, versions in answered.edits.items():
        journal = sender.get(f"/studies/{study}/edits")
        assert set(versions) <= {entry["version"] for entry in journal}, f"after {count} kills"
        assert sender.get(f"/studies/{study}")["version"] >= versions[-1]


def all_is_taken_back(sender: Person, study: str) -> None:
    """Every edit can be undone, and what comes back is what the models found, to the bit."""
    editor = Editor(sender, sender.get(f"/studies/{study}"), "A")
    assert editor.lease().status_code == 200
    while editor.study()["undo"]:
        editor.do({"kind": "undo"})
    assert editor.labels().tobytes() == editor.labels("automatic").tobytes()
    assert editor.traces() == editor.traces("automatic")
    found = editor.study()
    values = [[(each["name"], each["value"]) for each in found[of]["quantities"]] for of in ("measures", "automatic")]
    assert values[0] == values[1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_kills_at_any_moment_lose_nothing(tmp_path, tiny_model, camus, seed):
    chance = random.Random(seed)
    people = People(random.Random(seed + 100), camus)
    data, words = tmp_path / "kept", ("--model", tiny_model, "--idle-minutes", 5)
    with started(data, *words) as (_, url, token), person(url, token) as sender:
        people._send(sender)
        look_after(sender, people.answered, 0)
    count = 0
    while count < KILLS:
        with ExitStack() as stack:
            process, url, token = stack.enter_context(started(data, *words))
            sender = stack.enter_context(person(url, token))
            look_after(sender, people.answered, count)
            while count < KILLS:
                count += 1
                is_server = _killed_while(people, sender, process.pid, chance)
                if is_server:
                    process.wait()
                    break
        kept_is_whole(data)
    with started(data, *words) as (_, url, token), person(url, token) as sender:
        look_after(sender, people.answered, count)
        for study in people.answered.edits:
            all_is_taken_back(sender, study)
        left = [path for path in data.rglob(".*") if "-new" in path.name and path.is_dir()]
        wait_for(lambda: [path for path in left if path.exists()], lambda found: not found)
    kept_is_whole(data)


def _killed_while(people: People, sender: Person, server: int, chance: random.Random) -> bool:
    """Kill the server or one of its workers while somebody does something; tells whether it was the server."""
    busy = threading.Thread(target=people.do_something, args=(sender,))
    busy.start()
    time.sleep(chance.uniform(0, LONGEST_S))
    workers = workers_of(server)
    is_server = not workers or chance.random() < 0.5
    kill(server if is_server else chance.choice(workers))
    busy.join()
    return is_server
