"""One self-contained page: what matters first, every value below, nothing fetched from anywhere."""

import base64
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import cardiotrace
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.normal import ASE_2015, is_judged, normal_ranges, place_in_range
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.clinical.term import TERMS, UNIT_SIGNS, terms
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import Flag, Grade, is_doubted, worst
from cardiotrace.core.number import fixed
from cardiotrace.report.facts import facts_of, is_of_heart, view_words

_CARDS = (
    *(
        "left_ventricular_end_diastolic_volume",
        "left_ventricular_end_systolic_volume",
        "left_ventricular_stroke_volume",
    ),
    *("left_atrial_volume", "left_ventricular_mass"),
    *("right_ventricular_ejection_fraction", "right_ventricular_end_diastolic_volume"),
)
"""Quantities beside the headline."""
_PLACES = {"below": "below normal", "within": "normal", "above": "above normal"}
_SEXES = {"F": "women", "M": "men"}
_SINGLE = "single plane"
_GRADES = {
    Grade.NOT_USABLE: ("bad", "Not usable: do not trust the values struck through"),
    Grade.LOOK_TWICE: ("warn", "Look twice before trusting these values"),
    Grade.NOTE: ("calm", "Worth knowing"),
}
"""How flags of a grade are shown, and what heads them."""
_LEFT_OUT = "left-out"
"""Rule of the flags that tell what was left out and why; they stand by themselves."""
_TOP = 90.0  # right end of the ejection fraction scale, percent


@dataclass(frozen=True)
class ReportFigure:
    """An image on the page."""

    kind: str
    """"still", "sheet" (all slices of a stack), "animation" or "curve"."""
    path: Path
    title: str
    note: str = ""

    @property
    def source(self) -> str:
        """The image itself, as a page holds it."""
        kind = "gif" if self.path.suffix == ".gif" else "png"
        return f"data:image/{kind};base64,{base64.b64encode(self.path.read_bytes()).decode('ascii')}"


@dataclass(frozen=True)
class ReportContext:
    """What the page says beside the measures."""

    model: Mapping[str, str] | None = None
    truth: Mapping[str, float] | None = None
    date: datetime.date | None = None
    """Date of the report; None for today."""
    left_out: tuple[str, ...] = ()
    """What is not in the report and why, beside what flags tell."""


@dataclass(frozen=True)
class Cell:
    """One value of a table as text."""

    text: str = ""
    is_struck: bool = False
    """Whether a flag says that it is not usable."""
    is_doubted: bool = False


@dataclass(frozen=True)
class Flagged:
    """The flags of one grade."""

    kind: str
    title: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Values by row and column, empty where there is none."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Cell, ...], str, str], ...]
    """Name, unit, values, normal range, true value."""


def render_page(exam: Exam, measures: Measures, shown: Sequence[ReportFigure], beside: ReportContext) -> str:
    """The page as HTML text.

    Args:
        exam: gives its name, and the sex for normal ranges.
        measures: what was measured.
        shown: the images, in the order they are to stand.
        beside: model, true values and date.

    Returns:
        One HTML document that needs nothing else.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    template = environment.from_string(files("cardiotrace.report").joinpath("page.html.jinja").read_text("utf-8"))
    truth = beside.truth or {}
    tables = _tables(measures, exam.patient.sex, truth)
    return template.render(
        exam=exam.name,
        date=(beside.date or datetime.date.today()).isoformat(),
        version=cardiotrace.__version__,
        headline=_headline(measures, exam.patient.sex, truth),
        lead=_lead(exam, measures),
        cards=_cards(measures, exam.patient.sex, truth),
        facts=[*facts_of(exam), *_model_facts(beside.model)],
        flagged=_flagged(measures.flags),
        left_out=_left_out(measures.flags, beside.left_out),
        is_doubted=is_doubted(measures.flags),
        shown=shown,
        tables=tables,
        has_truth=any(row[4] for table in tables for row in table.rows),
        has_normal=any(row[3] for table in tables for row in table.rows),
        notes=_notes(exam, measures),
        model=dict(beside.model or {}),
        key_frames=measures.key_frames,
    )


def format_value(value: float, unit: str) -> str:
    """A value with the digits that are worth reading.

    Example:
        >>> format_value(57.26, "percent"), format_value(104.72, "ml"), format_value(7.981, "cm")
        ('57', '105', '8.0')
    """
    return fixed(value, 1 if unit in ("cm", "cm2") else 0)


def _headline(measures: Measures, sex: str | None, truth: Mapping[str, float]) -> dict[str, Any] | None:
    """The preferred ejection fraction; one that is not usable is struck through and small, without a scale."""
    found = measures.find("left_ventricular_ejection_fraction")
    if found is None:
        return None
    key = found.key
    ranges = normal_ranges(key, sex) if is_judged(found) else ()
    normal = [
        {"low": item.low, "high": item.high, "width": item.high - item.low, "who": _SEXES[item.sex]} for item in ranges
    ]
    place = place_in_range(key, found.value, sex) if is_judged(found) else None
    return {
        "value": format_value(found.value, found.unit),
        "is_struck": not found.is_usable,
        "place": place or "",
        "verdict": _PLACES.get(place or "", ""),
        "normal": normal,
        "top": _TOP,
        "mark": min(max(found.value, 0.0), _TOP),
        "method": f"{found.method.words}, {view_words(found.view)}",
        "truth": f"{truth[key]:.1f}" if key in truth else "",
        "interval": "" if found.interval is None else f"{found.interval[0]:.0f}–{found.interval[1]:.0f}",
        "is_doubted": is_doubted(found.flags),
    }


def _model_facts(model: Mapping[str, str] | None) -> list[tuple[str, str]]:
    if model is None:
        return [("Outlines", "given, not made by a model")]
    licence = model.get("licence", "")
    return [("Model", model.get("name", "") + (f" ({licence})" if licence else ""))]


def _flagged(flags: Sequence[Flag]) -> list[Flagged]:
    """Flags by grade, the gravest first."""
    found = []
    for grade, (kind, title) in _GRADES.items():
        texts = tuple(dict.fromkeys(flag.text for flag in flags if flag.grade is grade and flag.rule != _LEFT_OUT))
        if texts:
            found.append(Flagged(kind, title, texts))
    return found


def _left_out(flags: Sequence[Flag], others: Sequence[str]) -> list[str]:
    """What flags say was left out, then what else was, each image once."""
    said = [flag for flag in flags if flag.rule == _LEFT_OUT]
    return list(dict.fromkeys([*(flag.text for flag in said), *others]))


def _lead(exam: Exam, measures: Measures) -> dict[str, str]:
    """What stands first on a page without an ejection fraction: what was measured where it is not of a heart."""
    first = measures.quantities[0] if measures.quantities else None
    if first is None or any(_is_of_heart(quantity) for quantity in measures.quantities):
        name = TERMS["left_ventricular_ejection_fraction" if is_of_heart(exam) else "vessel_density"].words
        return {"name": name, "value": "", "unit": "", "method": "", "is_struck": ""}
    unit = UNIT_SIGNS.get(first.unit, first.unit)
    value = format_value(first.value, first.unit)
    struck = "" if first.is_usable else " struck"
    return {"name": _name(first), "value": value, "unit": unit, "method": first.method, "is_struck": struck}


def _cards(measures: Measures, sex: str | None, truth: Mapping[str, float]) -> list[dict[str, str]]:
    cards = []
    for term in terms(_CARDS):
        found = measures.find(term.name)
        if found is not None:
            place = place_in_range(found.key, found.value, sex) if is_judged(found) else None
            cards.append(
                {
                    "name": term.short[0].upper() + term.short[1:],
                    "value": format_value(found.value, found.unit),
                    "unit": UNIT_SIGNS.get(found.unit, found.unit),
                    "struck": "" if found.is_usable else "struck",
                    "plane": _SINGLE if found.method.is_single_plane else "",
                    "place": place or "",
                    "verdict": "" if not found.is_usable else _PLACES.get(place or "", ""),
                    "truth": format_value(truth[found.key], found.unit) if found.key in truth else "",
                    "doubt": _doubt(found),
                }
            )
    return cards


def _doubt(quantity: Quantity) -> str:
    grade = worst(quantity.flags)
    return grade.value if grade in (Grade.NOT_USABLE, Grade.LOOK_TWICE) else ""


def _tables(measures: Measures, sex: str | None, truth: Mapping[str, float]) -> list[Table]:
    """Volumes by method and view, then sizes by view."""
    volumes = [item for item in measures if not _is_size(item)]
    sizes = [item for item in measures if _is_size(item)]
    words = "Volumes and ejection fraction" if any(_is_of_heart(item) for item in volumes) else "Values"
    built = [(words, volumes, True), ("Sizes", sizes, False)]
    return [_table(title, items, sex, truth, by_method) for title, items, by_method in built if items]


def _is_size(quantity: Quantity) -> bool:
    return quantity.unit in ("cm", "cm2", "px", "px2") or quantity.method is Method.TRACED


def _table(
    title: str, quantities: Sequence[Quantity], sex: str | None, truth: Mapping[str, float], by_method: bool
) -> Table:
    def column(quantity: Quantity) -> str:
        method = quantity.method.words
        view = view_words(quantity.view)
        return f"{method}, {view}" if by_method else view

    columns = tuple(dict.fromkeys(column(item) for item in quantities))
    rows = []
    for key in _ordered(quantities):
        found = {column(item): item for item in reversed(quantities) if item.key == key}
        first = next(item for item in quantities if item.key == key)
        values = tuple(_cell(found[name]) if name in found else Cell() for name in columns)
        ranged = any(is_judged(item) for item in found.values())
        normal = " / ".join(f"{item.low:.0f}–{item.high:.0f}" for item in (normal_ranges(key, sex) if ranged else ()))
        true = format_value(truth[key], first.unit) if key in truth else ""
        rows.append((_name(first), UNIT_SIGNS.get(first.unit, first.unit), values, normal, true))
    return Table(title, columns, tuple(rows))


def _ordered(quantities: Sequence[Quantity]) -> list[str]:
    """Keys in the order of `TERMS`; unknown ones last, as they come."""
    known = list(TERMS)
    keys = {item.key: known.index(item.name) if item.name in known else len(known) for item in quantities}
    return sorted(keys, key=keys.__getitem__)


def _cell(quantity: Quantity) -> Cell:
    text = format_value(quantity.value, quantity.unit)
    if quantity.interval is not None:
        low, high = (format_value(limit, quantity.unit) for limit in quantity.interval)
        text = f"{text} ({low}–{high})"
    return Cell(text, not quantity.is_usable, is_doubted(quantity.flags))


def _name(quantity: Quantity) -> str:
    term = TERMS.get(quantity.name)
    return quantity.name.replace("_", " ").capitalize() if term is None else term.words


def _is_of_heart(quantity: Quantity) -> bool:
    """Whether it is measured in a chamber of the heart."""
    return quantity.name in TERMS and bool(TERMS[quantity.name].chamber)


def _notes(exam: Exam, measures: Measures) -> list[str]:
    """How the values came about, in a few sentences."""
    used = {item.method for item in measures}
    notes = list(dict.fromkeys(method.note for method in Method if method in used and method.note))
    if any("_index" in item.name for item in measures):
        notes.append("Indices per body surface area after Mosteller.")
    if any(normal_ranges(item.key, exam.patient.sex) and is_judged(item) for item in measures):
        notes.append(f"Normal ranges of adults, biplane echo: {ASE_2015}.")
    return notes
