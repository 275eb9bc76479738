"""The run's diary: one JSON object per epoch, readable while the run goes on."""

import json
import os
from pathlib import Path
from typing import Any

from cardiotrace.io import write_text

Row = dict[str, Any]


class Journal:
    """JSON lines at `path`; a row is on disk when `add` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> list[Row]:
        """All complete rows; a line cut short by a crash is left out."""
        if not self.path.exists():
            return []
        rows = []
        for line in self.path.read_text().splitlines():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return rows

    def add(self, row: Row) -> None:
        """Append a row and force it to disk."""
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def cut(self, epochs: int) -> None:
        """Forget rows after so many epochs: a resumed run writes them again."""
        kept = [row for row in self.rows() if row["epoch"] <= epochs] if epochs else []
        write_text(self.path, "".join(json.dumps(row) + "\n" for row in kept))
