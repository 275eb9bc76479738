"""Tables as papers print them: published numbers beside measured ones, protocol by protocol."""

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import InputError
from cardiotrace.core.number import digits_of, fixed
from cardiotrace.evaluation.case_table import CaseRow, CaseTable, group_of, summarise_rows
from cardiotrace.evaluation.limits import OutlierLimits
from cardiotrace.evaluation.outlier import outlier_rates
from cardiotrace.metrics import Summary

INDICES = {
    "ef_correlation": "EF r",
    "ef_bias": "EF bias %",
    "ef_sd": "EF SD %",
    "ef_mae": "EF MAE %",
    "edv_correlation": "EDV r",
    "edv_mae": "EDV MAE ml",
    "esv_correlation": "ESV r",
    "esv_mae": "ESV MAE ml",
    "geometrical_percent": "geometrical outliers %",
    "anatomical_percent": "anatomical outliers %",
}
"""Numbers of whole methods rather than images, and what the tables call them."""


@dataclass(frozen=True)
class PaperColumn:
    """One score of one region."""

    title: str
    region: str
    score: str


@dataclass(frozen=True)
class PublishedRow:
    """What a publication says of one method."""

    method: str
    protocol: str
    """Which patients it was tested on, and how: a key of `Published.protocols`."""
    source: str
    """A key of `Published.sources`."""
    scores: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)
    """By region and score: one number for each phase, or one over all."""
    indices: dict[str, float] = field(default_factory=dict)
    """By the names of `INDICES`."""


@dataclass(frozen=True)
class Published:
    """Published scores of one data set."""

    name: str
    phases: tuple[str, ...]
    columns: tuple[PaperColumn, ...]
    protocols: dict[str, str]
    """Name to what it means; methods of two protocols never share a table."""
    sources: dict[str, str]
    rows: tuple[PublishedRow, ...]
    outlier_regions: tuple[str, ...] = ()
    """Regions in which the publications count outliers; empty for all."""
    remark: str = ""
    """What else must be known to compare."""

    def __post_init__(self) -> None:
        # When the file is read, and not when a table is made of it: a slip of the pen then fails the first test that
        # opens it.
        for row in self.rows:
            if (
                row.protocol not in self.protocols
                or row.source not in self.sources
                or not row.indices.keys() <= INDICES.keys()
            ):
                raise ValueError(f"published row {row.method!r}: its protocol, source or an index is unknown")


@dataclass(frozen=True)
class PaperTable:
    """One table of one protocol."""

    title: str
    rows: list[dict[str, Any]]


def published_names() -> tuple[str, ...]:
    """Data sets whose published scores are known."""
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))
    )


def read_published(name: str) -> Published:
    """The published scores of a data set.

    Raises:
        InputError: none are known.
    """
    if name not in published_names():
        raise InputError(
            f"no published scores of {name!r} are known", remedy=f"choose from: {', '.join(published_names())}."
        )
    return from_plain(Published, tomllib.loads((_folder() / f"{name}.toml").read_text(encoding="utf-8")))


def paper_tables(
    published: Published,
    tables: Mapping[str, CaseTable],
    limits: OutlierLimits,
    *,
    protocols: Sequence[str] = (),
) -> list[PaperTable]:
    """For each protocol the table of scores and that of indices: measured methods first, then published ones.

    Only what is published under a protocol becomes a column of its tables. Scores are means at each phase,
    "0.934 / 0.905", where any publication tells phases apart.

    Args:
        published: what publications say.
        tables: name of a method to its cases; which ones they are is for the reader to weigh, see `described`.
        limits: what counts as an outlier.
        protocols: names; all if empty.

    Raises:
        InputError: there is no such protocol.
    """
    for name in (name for name in protocols if name not in published.protocols):
        raise InputError(f"there is no protocol {name!r}", remedy=f"choose from: {', '.join(published.protocols)}.")
    made = []
    for protocol in protocols or published.protocols:
        rows = [row for row in published.rows if row.protocol == protocol]
        scores, indices = _score_rows(published, rows, tables), _index_rows(published, rows, tables, limits)
        words = f"published under: {published.protocols[protocol]}"
        made += [
            PaperTable(f"{kind}, {words}", found) for kind, found in (("scores", scores), ("indices", indices)) if found
        ]
    return made


def described(table: CaseTable) -> str:
    """Which cases a table speaks of, in words.

    Example:
        >>> described(CaseTable(()))
        '0 patients, 0 images'
    """
    patients = {row.patient for row in table.rows}
    words = [f"{len(patients)} patients, {len(table.cases)} images"]
    for key in ("view", "quality"):
        groups: dict[str, set[str]] = {}
        for row in table.rows:
            groups.setdefault(group_of(row, key), set()).add(row.case)
        # A data set that knows no view or quality is not told by how much of it is unknown.
        if groups.keys() - {"unknown"}:
            words.append(f"{key} " + ", ".join(f"{group} {len(cases)}" for group, cases in sorted(groups.items())))
    return "; ".join(words)


def _score_rows(
    published: Published, rows: Sequence[PublishedRow], tables: Mapping[str, CaseTable]
) -> list[dict[str, Any]]:
    columns = [item for item in published.columns if any(_value(row, item) for row in rows)]
    if not columns:
        return []
    phases = {item: _split_phases(published, rows, item) for item in columns}
    measured = [(name, _means(table, phases), _measured(table)) for name, table in tables.items()]
    stated = [
        (row.method, {item.title: _cell(item.score, _value(row, item)) for item in columns}, f"published, {row.source}")
        for row in rows
    ]
    return _as_rows([*measured, *(found for found in stated if any(found[1].values()))])


def _as_rows(found: Iterable[tuple[str, Mapping[str, str], str]]) -> list[dict[str, Any]]:
    """Name of a method, its cells and where they come from, as one row each."""
    return [{"method": name, **cells, "source": source} for name, cells, source in found]


def _split_phases(published: Published, rows: Sequence[PublishedRow], column: PaperColumn) -> tuple[str, ...]:
    """The phases that a column tells apart: those of the publications where any does."""
    # Measured means follow what is printed: one number over both phases cannot be held against two.
    return published.phases if any(len(_value(row, column)) > 1 for row in rows) else ()


def _measured(table: CaseTable) -> str:
    return f"measured here, {len({row.patient for row in table.rows})} patients"


def _value(row: PublishedRow, column: PaperColumn) -> tuple[float, ...]:
    return row.scores.get(column.region, {}).get(column.score, ())


def _means(table: CaseTable, phases: Mapping[PaperColumn, Sequence[str]]) -> dict[str, str]:
    """A cell for each column, by its title."""
    return {column.title: _mean(table, column, told_apart) for column, told_apart in phases.items()}


def _mean(table: CaseTable, column: PaperColumn, phases: Sequence[str]) -> str:
    """Means at each phase, or over all; how many infinite distances had to be left out."""
    summaries = [summarise_rows(part, column.score) for part in _parts(table, column.region, phases)]
    known = [item for item in summaries if item is not None and not math.isnan(item.mean)]
    # One phase alone would be read as the mean of both.
    if len(known) < len(summaries):
        return ""
    # A missed structure counts as 0 in a mean of Dice; a mean of distances leaves it out, which the cell has to say.
    lost = _lost(known if column.score.endswith("_mm") else ())
    return _cell(column.score, [item.mean for item in known]) + lost


def _parts(table: CaseTable, region: str, phases: Sequence[str]) -> list[list[CaseRow]]:
    """The rows of a region, phase by phase where phases are told apart."""
    rows = [row for row in table.rows if row.region == region]
    return [[row for row in rows if row.phase == phase] for phase in phases] or [rows]


def _lost(summaries: Iterable[Summary]) -> str:
    count = sum(item.false_negative + item.false_positive for item in summaries)
    return f" ({count} missed or false)" if count else ""


def _cell(score: str, values: Iterable[float]) -> str:
    return " / ".join(fixed(value, digits_of(score)) for value in values)


def _index_rows(
    published: Published, rows: Sequence[PublishedRow], tables: Mapping[str, CaseTable], limits: OutlierLimits
) -> list[dict[str, Any]]:
    stated = [(row.method, row.indices, f"published, {row.source}") for row in rows if row.indices]
    keys = [key for key in INDICES if any(key in values for _, values, _ in stated)]
    if not keys:
        return []
    # Publications look at fewer regions than are scored here, and more regions find more outliers.
    counted = limits.of_regions(published.outlier_regions) if published.outlier_regions else limits
    measured = [(name, indices_of(table, counted), _measured(table)) for name, table in tables.items()]
    return _as_rows((name, _index_cells(keys, values), source) for name, values, source in (*measured, *stated))


def _index_cells(keys: Sequence[str], values: Mapping[str, float]) -> dict[str, str]:
    return {INDICES[key]: _index(key, values) for key in keys}


def indices_of(table: CaseTable, limits: OutlierLimits) -> dict[str, float]:
    """The numbers of `INDICES` of one method; those that cannot be had are left out.

    Ejection fractions are compared with what the data set states, volumes with those of the reference labels.
    """
    found: dict[str, float] = {}
    ejection = table.agreement("left_ventricular_ejection_fraction_percent", "stated")
    if ejection.count:
        found |= {"ef_correlation": ejection.correlation, "ef_bias": ejection.bias, "ef_sd": ejection.sd}
        found |= {"ef_mae": ejection.mean_absolute_error}
    for key, name in (
        ("edv", "left_ventricular_end_diastolic_volume_ml"),
        ("esv", "left_ventricular_end_systolic_volume_ml"),
    ):
        volume = table.agreement(name, "traced")
        if volume.count:
            found |= {f"{key}_correlation": volume.correlation, f"{key}_mae": volume.mean_absolute_error}
    rates = outlier_rates(table, limits, by="all")
    for kind in ("geometrical", "anatomical"):
        if rates and getattr(rates[-1], kind).total:
            found[f"{kind}_percent"] = getattr(rates[-1], kind).percent
    return found


def _index(key: str, values: Mapping[str, float]) -> str:
    if key not in values:
        return ""
    return fixed(values[key], 3 if key.endswith("correlation") else 1)


def _folder() -> Any:
    return files("cardiotrace.evaluation") / "published"
