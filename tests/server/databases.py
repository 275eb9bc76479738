"""Databases for tests: SQLite in a folder, and a real PostgreSQL where one is installed."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardiotrace.server.store.database import Database
from cardiotrace.server.store.upgrade import upgrade

_NOBODY = 65534


def sqlite_at(folder: Path) -> Database:
    """A database of the newest revision."""
    database = Database(f"sqlite:///{folder / 'x.sqlite'}")
    upgrade(database)
    return database


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL server of its own; gives the address of its database. Skipped where none is installed."""
    pytest.importorskip("psycopg", reason="the extra `postgresql` is not installed")
    programs = {name: _program(name) for name in ("initdb", "postgres")}
    user = _unprivileged(folder)
    data = folder / "pg"
    _run(user, programs["initdb"], "-D", data, "-U", "heart", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
    port = _free_port()
    words = ["-D", data, "-h", "127.0.0.1", "-p", str(port), "-c", "fsync=off", "-k", ""]
    server = subprocess.Popen(
        [*user, programs["postgres"], *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"postgresql+psycopg://heart@127.0.0.1:{port}/postgres"
        _wait(url, server)
        yield url
    finally:
        server.send_signal(signal.SIGINT)  # SIGTERM would wait for whoever is still connected
        server.wait(300)


def _program(name: str) -> str:
    """Where a program of PostgreSQL lies: Debian keeps them out of the way."""
    places = [str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")]
    found = (
        shutil.which(name)
        or shutil.which(name, path=os.pathsep.join(places))
        or shutil.which(name, path="/usr/local/bin")
    )
    if found is None:
        pytest.skip("PostgreSQL is not installed: make system-packages")
    return found


def _unprivileged(folder: Path) -> list[str]:
    """What runs a program as somebody who is not root: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("PostgreSQL does not run as root, and setpriv is not there")
    for place in (folder, *folder.parents):
        if place.stat().st_mode & 0o001 == 0 and place.stat().st_uid == 0:
            place.chmod(place.stat().st_mode | 0o011)  # so that the other user gets there
    os.chown(folder, _NOBODY, _NOBODY)
    return [setpriv, f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]


def _run(user: list[str], *words: object) -> None:
    done = subprocess.run([*user, *map(str, words)], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"PostgreSQL cannot be set up here: {done.stderr.strip().splitlines()[-1]}")


def _wait(url: str, server: "subprocess.Popen[bytes]") -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import OperationalError

    engine, until = create_engine(url), time.monotonic() + 60
    while True:
        try:
            engine.connect().close()
        except OperationalError:
            assert server.poll() is None, "PostgreSQL ended"
            assert time.monotonic() < until
            time.sleep(0.2)
        else:
            engine.dispose()
            return


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
