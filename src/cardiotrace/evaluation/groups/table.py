"""Indices of many exams with the group of each: what a classifier learns from."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.groups.index import SHORT_AXIS
from cardiotrace.clinical.term import TERMS
from cardiotrace.core.errors import InputError
from cardiotrace.core.text import csv_text, some
from cardiotrace.datasets.table import number, read_rows

NAME, PATIENT = "name", "patient"
_COLUMNS = {term.column: term.key for term in TERMS.values()}
"""Columns of `summary.csv`, and which quantities they hold."""


@dataclass(frozen=True)
class GroupRow:
    """One exam."""

    name: str
    patient: str
    """Whose: all exams of a patient are learned from or tested together."""
    group: str
    values: Mapping[str, float]
    """Indices by name; one that is not known or not usable is missing."""


@dataclass(frozen=True)
class GroupTable:
    """Exams with their groups."""

    rows: tuple[GroupRow, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """In order of name."""
        return tuple(sorted({row.group for row in self.rows}))

    @property
    def patients(self) -> dict[str, dict[str, str]]:
        """The group of each patient, as folds are made from it."""
        return {row.patient: {"group": row.group} for row in self.rows}

    @property
    def indices(self) -> tuple[str, ...]:
        """Those that any exam has, in order of their first appearance."""
        return tuple(dict.fromkeys(key for row in self.rows for key in row.values))

    def of(self, patients: Iterable[str]) -> "GroupTable":
        """The exams of some patients."""
        wanted = set(patients)
        return GroupTable(tuple(row for row in self.rows if row.patient in wanted))

    def with_all(self, indices: Sequence[str]) -> "GroupTable":
        """The exams of which all these indices are known."""
        return GroupTable(tuple(row for row in self.rows if set(indices) <= row.values.keys()))

    def values(self, indices: Sequence[str]) -> Float[np.ndarray, "n index"]:
        """The indices of all exams, which must have them."""
        return np.array([[row.values[key] for key in indices] for row in self.rows]).reshape(-1, len(indices))

    def numbers(self, groups: Sequence[str]) -> np.ndarray:
        """The place of each exam's group among all groups."""
        return np.array([groups.index(row.group) for row in self.rows], dtype=int)

    def chosen_indices(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Those that are wanted; if none is named, those made for the short axis, else all that the table has.

        Raises:
            InputError: one that the table lacks; a constant one.
        """
        there = self.indices
        chosen = tuple(wanted) or tuple(key for key in SHORT_AXIS if key in there) or there
        if not chosen:
            raise InputError("the table holds no indices", remedy="give columns of numbers beside name and group.")
        for key in chosen:
            known = [row.values[key] for row in self.rows if key in row.values]
            if not known:
                raise InputError(f"the table has no index {key!r}", remedy=f"it has: {', '.join(there)}.")
            if min(known) == max(known):
                raise InputError(f"{key} is {known[0]:g} in every exam: it tells nothing", remedy="leave it out.")
        return chosen

    def to_csv(self, by: str) -> str:
        """The table as text that `read_group_table` reads; `by` heads the column of the groups."""
        head = {NAME: "name", PATIENT: "patient", by: "group"}
        rows = [
            {column: getattr(row, field) for column, field in head.items()}
            | {key: f"{value:.9g}" for key, value in row.values.items()}
            for row in self.rows
        ]
        return csv_text((*head, *self.indices), rows)


def read_group_table(path: Path, by: str) -> GroupTable:
    """Read a table with one exam a row: columns name, patient (else the name), the group, and indices.

    A column of `summary.csv`, such as edv_ml, is taken for the quantity that it holds. Empty cells and cells that hold
    no number are unknown; exams without a group are left out.

    Args:
        path: a comma-separated file.
        by: the column of the groups.

    Raises:
        InputError: it cannot be read, lacks a column, names an exam twice, or has a patient in two groups.
    """
    rows = tuple(_row(row, by) for row in read_rows(path, columns=(NAME, by)) if row[by].strip())
    table = GroupTable(rows)
    names = [row.name for row in rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"exam {some(twice)} stands in it twice", where=path, remedy="give each a name of its own.")
    torn = sorted(row.patient for row in rows if table.patients[row.patient]["group"] != row.group)
    if torn:
        raise InputError(f"patient {some(torn)} is of two groups", where=path, remedy="give each patient one.")
    return table


def _row(row: Mapping[str, str], by: str) -> GroupRow:
    name, held = row[NAME].strip(), {NAME, PATIENT, by}
    found = {_COLUMNS.get(column, column): number(row, column) for column in row if column not in held}
    values = {key: value for key, value in found.items() if value is not None and math.isfinite(value)}
    return GroupRow(name, row.get(PATIENT, "").strip() or name, row[by].strip(), values)


def same_exams(table: GroupTable, other: GroupTable) -> GroupTable:
    """The rows of another table that are of the same exams, such as those of other labels.

    Raises:
        InputError: an exam is missing there, or is of another group.
    """
    there = {row.name: row for row in other.rows}
    missing = [row.name for row in table.rows if row.name not in there]
    if missing:
        raise InputError(f"the table to test on lacks {some(missing)}", remedy="measure the same exams for both.")
    odd = [row.name for row in table.rows if there[row.name].group != row.group]
    if odd:
        raise InputError(f"{some(odd)} is of another group in the table to test on")
    return GroupTable(tuple(replace(there[row.name], patient=row.patient) for row in table.rows))
