"""Files of JSON that workers wrote, kept in memory as long as they stay the same."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from cardiotrace.core.plain import read_json


def automatic_exam(folder: Path) -> dict[str, Any] | None:
    """What the analysis wrote of an exam's images; None where there is none yet."""
    found: dict[str, Any] | None = read_json_file(folder / "exam.json")
    return found


def read_json_file(path: Path) -> Any:
    """A file of JSON, kept in memory as long as it stays the same; None where there is none."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return _read(path, state.st_ino, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, _: int, __: int) -> Any:
    return read_json(path)
