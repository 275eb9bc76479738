"""The tables of the page: every value, what changed since an earlier exam, the beats."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.beats.search import span_ms
from cardiotrace.clinical.comparison import Change, Comparison, Obstacle, Verdict
from cardiotrace.clinical.curve import Curve
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.clinical.term import TERMS
from cardiotrace.core.flag import is_doubted
from cardiotrace.report.headline import Yardstick
from cardiotrace.report.words import Words, sign_of

_VERDICTS = {Verdict.WITHIN: "within", Verdict.NEAR: "near", Verdict.BEYOND: "beyond"}

_MOST_COLUMNS = 6
"""Methods that stand side by side on a page."""


@dataclass(frozen=True)
class Cell:
    """One value of a table as text."""

    text: str = ""
    interval: str = ""
    """Behind the value, where there is one."""
    is_struck: bool = False
    """Whether a flag says that it is not usable."""
    is_doubted: bool = False


Row = tuple[str, str, tuple[Cell, ...], str, str]
"""Name, unit, values, reference range, true value."""


@dataclass(frozen=True)
class Table:
    """Values by row and column, empty where there is none."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    is_list: bool = False
    """Whether each row is one value, its method in words in the second column."""


def value_tables(measures: Measures, yardstick: Yardstick) -> list[Table]:
    """Volumes and function by method and view, strain likewise, then sizes by view."""
    words = yardstick.words

    def view(quantity: Quantity) -> str:
        return words.view(quantity.view)

    def method_and_view(quantity: Quantity) -> str:
        return f"{words.method(quantity.method)}, {view(quantity)}"

    by_kind: dict[str, list[Quantity]] = {"volumes": [], "strain": [], "sizes": []}
    for quantity in measures:
        by_kind[_kind(quantity)].append(quantity)
    titles = {kind: words(f"page.{kind}") for kind in by_kind}
    if not any(map(is_of_a_chamber, by_kind["volumes"])):
        titles["volumes"] = words("page.all_values")
    return [
        table
        for kind, items in by_kind.items()
        for table in _fitting(titles[kind], items, yardstick, view if kind == "sizes" else method_and_view)
    ]


def is_of_a_chamber(quantity: Quantity) -> bool:
    """Whether it is measured in a chamber of the heart."""
    return quantity.name in TERMS and bool(TERMS[quantity.name].chamber)


def _kind(quantity: Quantity) -> str:
    if "strain" in quantity.name:
        return "strain"
    is_size = quantity.unit in ("cm", "cm2", "mm", "px", "px2") or quantity.method is Method.TRACED
    return "sizes" if is_size else "volumes"


def _fitting(
    title: str, quantities: Sequence[Quantity], yardstick: Yardstick, column: Callable[[Quantity], str]
) -> Iterator[Table]:
    """The table of some quantities, and a list of those that would make it wider than a page.

    These are rows whose every column is theirs alone: most of what a wide table holds is empty.
    """
    keys: dict[str, set[str]] = {}
    for item in quantities:
        keys.setdefault(column(item), set()).add(item.key)
    shared = {key for found in keys.values() if len(found) > 1 for key in found}
    if len(keys) <= _MOST_COLUMNS or not shared:
        shared = {item.key for item in quantities}
    together = [item for item in quantities if item.key in shared]
    if together:
        yield _table(title, together, yardstick, column)
    alone = [item for item in quantities if item.key not in shared]
    if alone:
        yield _list(alone, yardstick)


def _list(quantities: Sequence[Quantity], yardstick: Yardstick) -> Table:
    """A row for each value, with how it was measured beside it."""
    words, order = yardstick.words, _ordered(quantities)
    rows = tuple(
        (words.term(item.name), sign_of(item.unit), cells, _references([item], yardstick), yardstick.true(item))
        for item in sorted(quantities, key=lambda item: order.index(item.key))
        for cells in [(_cell(item, words), Cell(f"{words.method(item.method)}, {words.view(item.view)}"))]
    )
    return Table(words("page.further"), (words("page.value"), words("page.method")), rows, is_list=True)


def _table(
    title: str, quantities: Sequence[Quantity], yardstick: Yardstick, column: Callable[[Quantity], str]
) -> Table:
    """One row for each name and unit, one column for each of what `column` says."""
    columns = tuple(dict.fromkeys(map(column, quantities)))
    alike = ([item for item in quantities if item.key == key] for key in _ordered(quantities))
    rows = (_row(items, yardstick, {column(item): item for item in items[::-1]}, columns) for items in alike)
    return Table(title, columns, tuple(rows))


def _row(
    quantities: Sequence[Quantity], yardstick: Yardstick, by_column: Mapping[str, Quantity], columns: Sequence[str]
) -> Row:
    """One name and unit; of two values in a column the preferred one."""
    first, words = quantities[0], yardstick.words
    return (
        words.term(first.name),
        sign_of(first.unit),
        tuple(_cell(by_column[name], words) if name in by_column else Cell() for name in columns),
        _references(quantities, yardstick),
        yardstick.true(first),
    )


def _references(quantities: Sequence[Quantity], yardstick: Yardstick) -> str:
    """Reference ranges of a row; one that was not made for its preferred value says for which view it was."""
    views: dict[str, dict[str, None]] = {}
    for item in quantities:
        limits = yardstick.limits(item)
        if limits:
            views.setdefault(limits, {})[yardstick.words.view(item.view)] = None
    if list(views) == [yardstick.limits(quantities[0])]:
        return next(iter(views))
    colon = yardstick.words("language.colon")
    return "; ".join(f"{', '.join(names)}{colon} {limits}" for limits, names in views.items())


def _ordered(quantities: Sequence[Quantity]) -> list[str]:
    """Keys in the order of `TERMS`; unknown ones last, as they come."""
    known = list(TERMS)
    keys = {item.key: known.index(item.name) if item.name in known else len(known) for item in quantities}
    return sorted(keys, key=keys.__getitem__)


def _cell(quantity: Quantity, words: Words) -> Cell:
    text, interval = words.value(quantity.value, quantity.unit, quantity.name), ""
    if quantity.interval is not None:
        interval = f"({words.interval(*quantity.interval, quantity.unit, quantity.name)})"
    return Cell(text, interval, not quantity.is_usable, is_doubted(quantity.flags))


@dataclass(frozen=True)
class ChangeRow:
    """One quantity then and now, as text."""

    name: str
    unit: str
    before: str
    now: str
    change: str
    """Empty where they are not compared."""
    verdict: str
    """How the change compares with the repeatability, empty where nothing tells; or why it was not compared."""
    is_beyond: bool


def change_rows(comparison: Comparison, words: Words) -> Iterator[ChangeRow]:
    """The rows of the comparison with an earlier exam."""
    for change in comparison.changes:
        before, now, difference = change.before, change.now, change.difference
        before_text, now_text = (words.value(item.value, item.unit, item.name) for item in (before, now))
        told = "" if difference is None else words.value(difference, now.unit, now.name, signed=True)
        verdict = _verdict(change, words)
        is_beyond = change.verdict is Verdict.BEYOND
        yield ChangeRow(words.term(now.name), sign_of(now.unit), before_text, now_text, told, verdict, is_beyond)


def _verdict(change: Change, words: Words) -> str:
    if change.obstacle is not None:
        told = words.method if change.obstacle is Obstacle.METHOD else None
        before, now = (
            words.view(item.view) if told is None else told(item.method) for item in (change.before, change.now)
        )
        return words(f"change.{change.obstacle}", before=before, now=now)
    if change.repeatability is None or change.verdict is None:
        return ""
    low, high = (words.number(limit, 1) for limit in change.repeatability.limits(change.before.value, change.now.value))
    return words(f"change.{_VERDICTS[change.verdict]}", limit=high, low=low, high=high)


@dataclass(frozen=True)
class BeatRow:
    """One beat, as text; empty where something is not known."""

    view: str
    number: str
    frames: str
    length: str
    rate: str
    ejection: str
    end_diastolic: str
    end_systolic: str


def beat_rows(measures: Measures, words: Words) -> Iterator[BeatRow]:
    """The beats of every film, with what its curve says of each."""
    curves = {curve.image: curve for curve in measures.curves}
    counts: dict[str, int] = {}
    for beat in measures.beats:
        counts[beat.image] = counts.get(beat.image, 0) + 1
        yield _beat_row(beat, counts[beat.image], curves.get(beat.image), words)


def _beat_row(beat: Beat, number: int, curve: Curve | None, words: Words) -> BeatRow:
    length_ms = _length_ms(beat, curve)
    large, small = (_volume_ml(curve, frame) for frame in (beat.end_diastole, beat.end_systole))
    ejection = 100 * (large - small) / large if large and small is not None else None
    last = words("beat.open") if beat.stop is None else str(beat.stop)

    def text(value: float | None) -> str:
        return "" if value is None else words.number(value)

    rate = None if length_ms is None or not length_ms > 0 else 60_000 / length_ms
    frames = f"{beat.end_diastole}, {beat.end_systole}, {last}"
    volumes = text(ejection), text(large), text(small)
    return BeatRow(words.view(beat.view), str(number), frames, text(length_ms), text(rate), *volumes)


def _length_ms(beat: Beat, curve: Curve | None) -> float | None:
    """From one end-diastole to the next."""
    if curve is None or curve.times_ms is None or beat.stop is None or beat.stop >= len(curve.times_ms):
        return None
    return span_ms(np.array(curve.times_ms), beat.end_diastole, beat.stop)


def _volume_ml(curve: Curve | None, frame: int) -> float | None:
    values = () if curve is None else curve.series.get("left_ventricular_volume_ml", ())
    return values[frame] if frame < len(values) else None
