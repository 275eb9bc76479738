"""The training log: one JSON object per epoch, readable while the run goes on."""

import json
import os
from pathlib import Path
from typing import Any

from cardiotrace.core.contract import TRAINING_LOG
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.file import read_limited
from cardiotrace.core.former import with_present_keys
from cardiotrace.core.plain import LARGEST_TABLE, parse_json
from cardiotrace.io import write_text
from cardiotrace.io.atomic import as_work_error

Row = dict[str, Any]

_NEEDED: dict[str, type | tuple[type, ...]] = {"epoch": int}
"""What is asked of every row, and its types."""
_OPTIONAL: dict[str, type | tuple[type, ...]] = {"score": (int, float)}
"""What a row may lack: an epoch that nobody validated has no score."""
_FORMER_KEYS = {"rate": "learning_rate"}
"""Of version 1."""


class TrainingLog:
    """JSON lines at `path`; a row is on disk when `add` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> list[Row]:
        """All complete rows; a line cut short by a crash is left out.

        Raises:
            InputError: the file cannot be read, or a complete line of it is no row.
        """
        if not self.path.exists():
            return []
        lines = read_limited(self.path, largest=LARGEST_TABLE).splitlines(keepends=True)
        return [self._row(line, number) for number, line in enumerate(lines, start=1) if line.endswith(b"\n")]

    def _row(self, line: bytes, number: int) -> Row:
        try:
            row = parse_json(line)
        except ConfigError as error:
            raise InputError(f"line {number} {error.what}", where=self.path) from None
        if not isinstance(row, dict) or not _is_typed(row):
            raise InputError(f"line {number} is no row about an epoch", where=self.path)
        return with_present_keys(TRAINING_LOG.read(row, where=self.path), _FORMER_KEYS)

    def add(self, row: Row) -> None:
        """Append a row and force it to disk; where that fails, the file is as it was.

        Raises:
            WorkError: the disk is full, or the file cannot be written.
        """
        with as_work_error(self.path), self.path.open("ab") as file:
            before = file.tell()
            try:
                file.write(_line(row).encode())
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                os.ftruncate(file.fileno(), before)
                raise

    def cut(self, epochs: int) -> list[Row]:
        """Forget rows after so many epochs, which a resumed run writes again; returns the rows that are kept."""
        kept = [row for row in self.rows() if row["epoch"] <= epochs] if epochs else []
        write_text(self.path, "".join(map(_line, kept)))
        return kept


def _is_typed(row: Row) -> bool:
    wanted = _NEEDED | {key: kind for key, kind in _OPTIONAL.items() if key in row}
    return all(isinstance(row.get(key), kind) for key, kind in wanted.items())


def _line(row: Row) -> str:
    return json.dumps(TRAINING_LOG.stamp(row), allow_nan=False) + "\n"
