"""One self-contained page: what matters first, every value below, nothing fetched from anywhere."""

import base64
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import cardiotrace
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.normal import ASE_2015, NormalRange, normal_ranges, place_in_range, ranges_apply
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.clinical.term import TERMS, UNIT_SIGNS, Term, terms
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import Flag, Grade, is_doubted, worst
from cardiotrace.core.identity import Identity
from cardiotrace.core.number import fixed
from cardiotrace.report.facts import facts_of, identity_words, is_of_heart, view_words
from cardiotrace.report.template import render_template

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


FigureKind = Literal["still", "sheet", "animation", "curve", "other"]


@dataclass(frozen=True)
class ReportFigure:
    """An image on the page."""

    kind: FigureKind
    """Where it stands: a "still", a "sheet" (all slices of a stack), an "animation", a "curve", or any "other"."""
    name: str
    """Of its file, such as "p1_ED.png"."""
    content: bytes = field(repr=False)
    """Of its file."""
    title: str
    note: str = ""

    @property
    def source(self) -> str:
        """The image itself, as a page holds it."""
        kind = "gif" if self.name.endswith(".gif") else "png"
        return f"data:image/{kind};base64,{base64.b64encode(self.content).decode('ascii')}"


@dataclass(frozen=True)
class ReportContext:
    """What a report says beside the measures."""

    model: Mapping[str, str] | None = None
    """What made the labels, such as {"name": ..., "licence": ...}; None where a person drew them."""
    truth: Mapping[str, float] | None = None
    """True values by name and unit, such as {"left_ventricular_ejection_fraction_percent": 58.0}."""
    provenance: Mapping[str, Any] | None = None
    """Where labels and images came from, as plain data for `measures.json`."""
    date: datetime.date | None = None
    """Date of the report; None for today."""
    identity: Identity | None = None
    """Whose the exam is, where the report is to say it."""


@dataclass(frozen=True)
class _Yardstick:
    """What a value is held against: the normal range of the patient's sex, and the true value."""

    sex: str | None
    truth: Mapping[str, float]

    def ranges(self, quantity: Quantity) -> tuple[NormalRange, ...]:
        """Normal ranges; none where they are not meant for the method."""
        return normal_ranges(quantity.key, self.sex) if ranges_apply(quantity) else ()

    def place(self, quantity: Quantity) -> str:
        """Where the value lies against its range: "below", "within", "above"; empty where nothing tells."""
        return (place_in_range(quantity.key, quantity.value, self.sex) or "") if ranges_apply(quantity) else ""

    def verdict(self, quantity: Quantity) -> str:
        """The same in words."""
        return _PLACES.get(self.place(quantity), "")

    def true(self, quantity: Quantity) -> str:
        """The true value as text; empty where it is not known."""
        return format_value(self.truth[quantity.key], quantity.unit) if quantity.key in self.truth else ""


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


Row = tuple[str, str, tuple[Cell, ...], str, str]
"""Name, unit, values, normal range, true value."""


@dataclass(frozen=True)
class Table:
    """Values by row and column, empty where there is none."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def render_page(
    exam: Exam,
    measures: Measures,
    shown: Sequence[ReportFigure],
    context: ReportContext,
    *,
    left_out: Sequence[str] = (),
) -> str:
    """The page as HTML text.

    Args:
        exam: gives its name, and the sex for normal ranges.
        measures: what was measured.
        shown: the images, in the order they are to stand.
        context: model, true values and date.
        left_out: what is not in the report and why, beside what flags tell.

    Returns:
        One HTML document that needs nothing else.
    """
    yardstick = _Yardstick(exam.patient.sex, context.truth or {})
    tables = _tables(measures, yardstick)
    return render_template(
        "page.html.jinja",
        exam=exam.name,
        patient=[] if context.identity is None else identity_words(context.identity),
        date=(context.date or datetime.date.today()).isoformat(),
        version=cardiotrace.__version__,
        headline=_headline(measures, yardstick),
        lead=_lead(exam, measures),
        cards=[
            _card(item, term, yardstick) for term in terms(_CARDS) if (item := measures.find(term.name)) is not None
        ],
        facts=[*facts_of(exam), *_model_facts(context.model)],
        flagged=_flagged(measures.flags),
        left_out=_left_out(measures.flags, left_out),
        is_doubted=is_doubted(measures.flags),
        shown=shown,
        tables=tables,
        has_truth=any(row[4] for table in tables for row in table.rows),
        has_normal=any(row[3] for table in tables for row in table.rows),
        notes=_notes(measures, yardstick),
        model=dict(context.model or {}),
        key_frames=measures.key_frames,
    )


_DIGITS = {"cm": 1, "cm2": 1, "ratio": 2}
"""Behind the point, of units that are not whole numbers."""


def format_value(value: float, unit: str) -> str:
    """A value with the digits that are worth reading.

    Example:
        >>> format_value(57.26, "percent"), format_value(7.981, "cm"), format_value(1.734, "ratio")
        ('57', '8.0', '1.73')
    """
    return fixed(value, _DIGITS.get(unit, 0))


def _headline(measures: Measures, yardstick: _Yardstick) -> dict[str, Any] | None:
    """The preferred ejection fraction; one that is not usable is struck through and small, without a scale."""
    found = measures.find("left_ventricular_ejection_fraction")
    if found is None:
        return None
    true = yardstick.truth.get(found.key)
    return {
        "value": format_value(found.value, found.unit),
        "is_struck": not found.is_usable,
        "place": yardstick.place(found),
        "verdict": yardstick.verdict(found),
        "normal": [
            {"low": item.low, "high": item.high, "width": item.high - item.low, "who": _SEXES[item.sex]}
            for item in yardstick.ranges(found)
        ],
        "top": _TOP,
        "mark": min(max(found.value, 0.0), _TOP),
        "method": f"{found.method.words}, {view_words(found.view)}",
        "truth": "" if true is None else f"{true:.1f}",
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


def _card(quantity: Quantity, term: Term, yardstick: _Yardstick) -> dict[str, str]:
    """A value in a box of its own, under its abbreviation or, where it has none, its name in full."""
    return {
        "name": term.words if term.short.islower() else term.short,
        "value": format_value(quantity.value, quantity.unit),
        "unit": UNIT_SIGNS.get(quantity.unit, quantity.unit),
        "struck": "" if quantity.is_usable else "struck",
        "plane": _SINGLE if quantity.method.is_single_plane else "",
        "place": yardstick.place(quantity),
        "verdict": yardstick.verdict(quantity) if quantity.is_usable else "",
        "truth": yardstick.true(quantity),
        "doubt": _doubt(quantity),
    }


def _doubt(quantity: Quantity) -> str:
    grade = worst(quantity.flags)
    return grade.value if grade in (Grade.NOT_USABLE, Grade.LOOK_TWICE) else ""


def _tables(measures: Measures, yardstick: _Yardstick) -> list[Table]:
    """Volumes by method and view, then sizes by view."""
    sizes, volumes = ([item for item in measures if _is_size(item) == wanted] for wanted in (True, False))
    words = "Volumes and ejection fraction" if any(map(_is_of_heart, volumes)) else "Values"
    built = ((words, volumes, _method_and_view), ("Sizes", sizes, _view))
    return [_table(title, items, yardstick, column) for title, items, column in built if items]


def _is_size(quantity: Quantity) -> bool:
    return quantity.unit in ("cm", "cm2", "px", "px2") or quantity.method is Method.TRACED


def _method_and_view(quantity: Quantity) -> str:
    return f"{quantity.method.words}, {_view(quantity)}"


def _view(quantity: Quantity) -> str:
    return view_words(quantity.view)


def _table(
    title: str, quantities: Sequence[Quantity], yardstick: _Yardstick, column: Callable[[Quantity], str]
) -> Table:
    """One row for each name and unit, one column for each of what `column` says."""
    columns = tuple(dict.fromkeys(map(column, quantities)))
    alike = ([item for item in quantities if item.key == key] for key in _ordered(quantities))
    rows = (_row(items, yardstick, {column(item): item for item in items[::-1]}, columns) for items in alike)
    return Table(title, columns, tuple(rows))


def _row(
    quantities: Sequence[Quantity], yardstick: _Yardstick, by_column: Mapping[str, Quantity], columns: Sequence[str]
) -> Row:
    """One name and unit; of two values in a column the preferred one."""
    first = quantities[0]
    ranges = next((found for item in quantities if (found := yardstick.ranges(item))), ())
    return (
        _name(first),
        UNIT_SIGNS.get(first.unit, first.unit),
        tuple(_cell(by_column[name]) if name in by_column else Cell() for name in columns),
        " / ".join(f"{item.low:.0f}–{item.high:.0f}" for item in ranges),
        yardstick.true(first),
    )


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


def _notes(measures: Measures, yardstick: _Yardstick) -> list[str]:
    """How the values came about, in a few sentences."""
    used = {item.method for item in measures}
    notes = list(dict.fromkeys(method.note for method in Method if method in used and method.note))
    if any("_index" in item.name for item in measures):
        notes.append("Indices per body surface area after Mosteller.")
    if any(yardstick.ranges(item) for item in measures):
        notes.append(f"Normal ranges of adults, biplane echo: {ASE_2015}.")
    return notes
