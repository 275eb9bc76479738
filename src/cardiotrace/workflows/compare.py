"""Tables of several methods side by side."""

from collections.abc import Sequence
from pathlib import Path

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.compare import Comparison, compare
from cardiotrace.evaluation.table import read_table

TABLES = ("testing.json", "validation.json")
"""Tables that a run folder may hold, the preferred one first."""


def compare_runs(paths: Sequence[Path], *, score: str = "dice") -> tuple[Comparison, ...]:
    """Compare every pair of methods.

    Args:
        paths: run folders or table files; a method is named after its folder or file.
        score: what to compare.

    Raises:
        UsageError: fewer than two.
        InputError: one holds no table, or they have nothing in common.
    """
    if len(paths) < 2:
        raise UsageError("a comparison needs at least two runs", remedy="name run folders, or tables of cases.")
    tables: dict[str, CaseTable] = {}
    for path in paths:
        file = path if path.is_file() else _table_in(path)
        name = path.stem if path.is_file() else path.resolve().name
        tables[name if name not in tables else str(path)] = read_table(file)
    return compare(tables, score=score)


def _table_in(folder: Path) -> Path:
    for name in TABLES:
        if (folder / name).exists():
            return folder / name
    raise InputError("holds no table of cases", where=folder, remedy="export the run, or evaluate with --out.")
