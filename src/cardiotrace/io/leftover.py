"""Temporary files and folders that a killed run left behind: told by their names, removed by the next run.

A name holds the machine and the process that made it. Only what a dead process of this machine made is removed, or what
is a day old: nobody else's work in progress.
"""

import contextlib
import functools
import hashlib
import logging
import os
import re
import secrets
import shutil
import time
from pathlib import Path

_LOG = logging.getLogger(__name__)

MAX_AGE_S = 24 * 3600.0
"""From this age on, what another machine made is taken for left behind, too."""

_MARK = r"(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{12}"
_FILE = re.compile(rf"\.writing-{_MARK}(\..*)?")
_FOLDER = re.compile(rf"\.(?P<name>.+)-{_MARK}\.(?P<kind>partial|old)")
_MACHINE_FACTS = ("/proc/sys/kernel/random/boot_id", "/etc/machine-id")


def run_mark() -> str:
    """What a temporary name holds: the machine, the process, and a word that is never given twice."""
    return f"{_machine()}-{os.getpid()}-{secrets.token_hex(6)}"


def remove_leftovers(folder: Path) -> None:
    """Remove what dead runs left in a folder; results that were moved aside and never replaced are put back.

    A folder is looked through once in each run. What cannot be removed stays.
    """
    _remove_once(os.path.realpath(folder), os.getpid())


@functools.lru_cache(maxsize=4096)
def _remove_once(folder: str, process: int) -> None:
    with contextlib.suppress(OSError):
        for path in [entry for entry in Path(folder).iterdir() if entry.name.startswith(".")]:
            with contextlib.suppress(OSError):
                _remove_if_dead(path)


def _remove_if_dead(path: Path) -> None:
    for pattern, remove in ((_FILE, _remove_file), (_FOLDER, _remove_folder)):
        found = pattern.fullmatch(path.name)
        if found is not None and _is_dead(found["machine"], int(found["process"]), path):
            _LOG.info("%s was left by a killed run: removed, or put back", path)
            remove(path, found)


def _remove_file(path: Path, _: re.Match[str]) -> None:
    if path.is_file() and not path.is_symlink():
        path.unlink()


def _remove_folder(path: Path, found: re.Match[str]) -> None:
    target = path.with_name(found["name"])
    if found["kind"] == "old" and not target.exists():
        path.replace(target)
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)


def _is_dead(machine: str, process: int, path: Path) -> bool:
    if time.time() - path.lstat().st_mtime > MAX_AGE_S:
        return machine != _machine() or not _is_running(process)
    return machine == _machine() and not _is_running(process)


def _is_running(process: int) -> bool:
    if os.name != "posix":
        return True  # asking is not harmless elsewhere
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


@functools.cache
def _machine() -> str:
    """A word for this machine since it was started, and for the container in which processes have their numbers."""
    facts = [os.uname().nodename if hasattr(os, "uname") else ""]
    for name in _MACHINE_FACTS:
        with contextlib.suppress(OSError):
            facts.append(Path(name).read_text(encoding="utf-8"))
    with contextlib.suppress(OSError):
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]
