"""All exams of a folder of results on one page, and in one table."""

import base64
import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import cardiotrace
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.clinical.term import terms
from cardiotrace.core.flag import Flag, Grade, worst
from cardiotrace.core.text import csv_text
from cardiotrace.report.template import render_template

COLUMNS = tuple(
    (term.key, term.short, term.sign, term.column)
    for term in terms(
        (
            *("left_ventricular_ejection_fraction", "left_ventricular_end_diastolic_volume"),
            *("left_ventricular_end_systolic_volume", "left_ventricular_stroke_volume"),
            *("left_atrial_volume", "left_ventricular_mass", "right_ventricular_ejection_fraction"),
            *("right_ventricular_end_diastolic_volume", "right_ventricular_end_systolic_volume", "vessel_density"),
        )
    )
)
"""Key of a quantity, its short name, its unit, and the head of its column in a table."""
_AROUND = ("name", "status")
_BEHIND = (
    "ef_method",
    "ef_view",
    "methods",
    "not_usable",
    "worst_grade",
    "flags",
    "model",
    "pixel_size_known_from",
    "report",
    "reason",
)


@dataclass(frozen=True)
class CohortRow:
    """One exam of a cohort."""

    name: str
    measures: Measures | None = None
    """None where there are none."""
    reason: str = ""
    """Why it could not be done in the latest run."""
    model: str = ""
    pixel_size: str = ""
    """How the pixel sizes are known."""
    report: str = ""
    """Path of its page from that of the cohort."""
    thumbnail: bytes = b""
    """A small JPEG."""

    @property
    def status(self) -> str:
        """One of "done", "failed" and "kept", which are results of an earlier run that the latest could not renew."""
        if self.measures is None:
            return "failed"
        return "kept" if self.reason else "done"

    @property
    def flags(self) -> tuple[Flag, ...]:
        """Those of the exam."""
        return () if self.measures is None else self.measures.flags

    def quantity(self, key: str) -> Quantity | None:
        """The preferred quantity of a name and unit."""
        return None if self.measures is None else next((item for item in self.measures if item.key == key), None)

    @property
    def quantities(self) -> list[tuple[str, Quantity]]:
        """Those of the columns that were measured, with their short names."""
        found = [(short, self.quantity(key)) for key, short, _, _ in COLUMNS]
        return [(short, item) for short, item in found if item is not None]

    @property
    def usable(self) -> list[tuple[str, Quantity]]:
        """Values that are shown."""
        return [(short, item) for short, item in self.quantities if item.is_usable]

    @property
    def not_usable(self) -> list[tuple[str, Quantity]]:
        """Values that are not to be used."""
        return [(short, item) for short, item in self.quantities if not item.is_usable]


def reason_against(quantity: Quantity) -> str:
    """Why a value is not usable; empty where it is.

    Example:
        >>> from cardiotrace.clinical.method import Method
        >>> flag = Flag(Grade.NOT_USABLE, "the left ventricle was lost in one frame")
        >>> name = "left_ventricular_ejection_fraction"
        >>> reason_against(Quantity(name, 96.0, "percent", Method.UNKNOWN, "A4C", (), flags=(flag,)))
        'the left ventricle was lost in one frame'
    """
    return next((flag.text for flag in quantity.flags if flag.grade is Grade.NOT_USABLE), "")


def cohort_csv(rows: Sequence[CohortRow]) -> str:
    """One row per exam, units in the header; a value that is not usable is an empty cell and named in `not_usable`.

    Example:
        >>> print(cohort_csv([CohortRow("p1", reason="holds no image")]).splitlines()[1])
        p1,failed,,,,,,,,,,,,,,,,,,,,holds no image
    """
    columns = (*_AROUND, *(column for _, _, _, column in COLUMNS), *_BEHIND)
    return csv_text(columns, map(_cells, rows))


def cohort_page(rows: Sequence[CohortRow], title: str) -> str:
    """The page as HTML text: it needs no other file but the reports it leads to, and no network.

    Args:
        rows: the exams.
        title: its heading.
    """
    shown = {key: f"{short} ({unit})" for key, short, unit, _ in COLUMNS if any(row.quantity(key) for row in rows)}
    return render_template(
        "cohort.html.jinja",
        title=title,
        date=datetime.date.today().isoformat(),
        version=cardiotrace.__version__,
        columns=list(shown.values()),
        rows=[_line(row, list(shown)) for row in rows],
        failures=[row for row in rows if row.reason],
        count=len(rows),
        done=sum(row.measures is not None for row in rows),
    )


def _cells(row: CohortRow) -> dict[str, Any]:
    leading = row.quantity(COLUMNS[0][0])
    grade = worst(row.flags)
    values = {column: _usable(row.quantity(key)) for key, _, _, column in COLUMNS}
    return values | {
        "name": row.name,
        "status": row.status,
        "ef_method": leading.method if leading else "",
        "ef_view": leading.view if leading else "",
        "methods": "; ".join(f"{short}: {item.method}, {item.view}" for short, item in row.usable),
        "not_usable": "; ".join(f"{short}: {reason_against(item)}" for short, item in row.not_usable),
        "worst_grade": grade.value if grade else "",
        "flags": len(row.flags) if row.measures is not None else "",
        "model": row.model,
        "pixel_size_known_from": row.pixel_size,
        "report": row.report,
        "reason": " ".join(row.reason.split()),
    }


def _usable(quantity: Quantity | None) -> str:
    return "" if quantity is None or not quantity.is_usable else f"{quantity.value:.6g}"


def _line(row: CohortRow, keys: Sequence[str]) -> dict[str, Any]:
    grade = worst(row.flags)
    return {
        "name": row.name,
        "status": row.status,
        "href": quote(row.report),
        "thumbnail": base64.b64encode(row.thumbnail).decode("ascii"),
        "values": list(_values(row, keys)),
        "grade": grade.value if grade else "",
        "rank": list(Grade).index(grade) if grade else len(Grade),
        "flags": len(row.flags),
        "texts": "\n".join(f"{flag.grade}: {flag.text}" for flag in row.flags),
        "model": row.model,
        "pixel_size": row.pixel_size,
    }


def _values(row: CohortRow, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    for key in keys:
        found = row.quantity(key)
        text = "" if found is None else f"{found.value:.0f}"
        reason = reason_against(found) if found else ""
        yield {
            "text": "0" if text == "-0" else text,
            "sort": "" if found is None or reason else f"{found.value:.6g}",
            "reason": reason,
            "is_single": found is not None and found.method.is_single_plane,
        }
