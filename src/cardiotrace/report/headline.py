"""The numbers that stand first: each with its interval, its reference range as a bar, and its change."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cardiotrace.clinical.comparison import Change, Comparison, Verdict
from cardiotrace.clinical.normal import NormalRange, Papillaries, normal_ranges, place_in
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.exam import Patient
from cardiotrace.core.flag import Grade, worst
from cardiotrace.report.words import Words, sign_of

EJECTION = "left_ventricular_ejection_fraction"
_ROWS = (
    "left_ventricular_end_diastolic_volume",
    "left_ventricular_end_diastolic_volume_index",
    "left_ventricular_end_systolic_volume",
    "left_ventricular_end_systolic_volume_index",
    "left_ventricular_stroke_volume",
    "left_ventricular_cardiac_output",
    "left_ventricular_cardiac_index",
    "left_ventricular_global_longitudinal_strain",
    "left_ventricular_mass",
    "left_ventricular_mass_index",
    "left_atrial_volume",
    "left_atrial_volume_index",
    "right_ventricular_ejection_fraction",
    "right_ventricular_end_diastolic_volume",
    "right_ventricular_end_diastolic_volume_index",
    "right_ventricular_end_systolic_volume",
    "right_ventricular_end_systolic_volume_index",
    "tricuspid_annular_plane_systolic_excursion",
)
"""Quantities below the ejection fraction, as far as they are there, in the order of guidelines for reports."""
_EJECTION_SCALE = (0.0, 90.0)
"""Ends of the bar of an ejection fraction, percent."""
_MARGIN = 0.6
"""What a bar shows beside the range, as a share of it."""


@dataclass(frozen=True)
class Band:
    """A range on a bar."""

    start: float
    stop: float
    """From 0 to 1 along the bar."""


@dataclass(frozen=True)
class Bar:
    """A value against its reference range, drawn as a bar."""

    bands: tuple[Band, ...]
    """One, or two where the sex is unknown; none where no range was made for the value."""
    mark: float
    """Where the value lies, from 0 to 1."""
    is_beyond: bool = False
    """Whether it lies beyond the end of the bar."""
    words: str = ""
    """The limits, and whose they are where that is not plain."""
    ticks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Headline:
    """One number in the first rows, as text."""

    name: str
    value: str
    unit: str
    interval: str
    method: str
    is_usable: bool
    doubt: str
    """Word of its gravest flag; empty where there is none graver than a note."""
    place: str
    """"below", "within", "above", or empty."""
    bar: Bar | None
    change: str
    is_beyond: bool
    """Whether the change is beyond the repeatability."""
    true: str
    interval_of: str = ""
    """What the interval is of, where it was calibrated."""


@dataclass(frozen=True)
class Yardstick:
    """What values are held against: reference ranges, an earlier exam, and true values where they are known."""

    patient: Patient
    words: Words
    truth: Mapping[str, float]
    papillaries: Papillaries = "cavity"
    comparison: Comparison | None = None

    def ranges(self, quantity: Quantity) -> tuple[NormalRange, ...]:
        """Reference ranges; none where none was made for such a value."""
        return normal_ranges(quantity, self.patient, papillaries=self.papillaries)

    def place(self, quantity: Quantity) -> str:
        """Where the value lies against its range: "below", "within", "above"; empty where nothing tells."""
        return place_in(self.ranges(quantity), quantity.value) or ""

    def true(self, quantity: Quantity) -> str:
        """The true value as text; empty where it is not known."""
        known = self.truth.get(quantity.key)
        return "" if known is None else self.words.value(known, quantity.unit, quantity.name)

    def limits(self, quantity: Quantity) -> str:
        """The reference range as text, with whose it is where the sex is unknown."""
        ranges = self.ranges(quantity)
        alike = {(item.low, item.high) for item in ranges}
        parts = [
            _limits(item, quantity, self.words) + (f" ({self.words('who.' + item.sex)})" if len(alike) > 1 else "")
            for item in ranges
        ]
        return ", ".join(dict.fromkeys(parts))

    def change(self, quantity: Quantity) -> Change | None:
        """How it changed since the earlier exam."""
        return None if self.comparison is None else self.comparison.of(quantity)


def headline_of(quantity: Quantity, yardstick: Yardstick) -> Headline:
    """A quantity as it stands in the first rows."""
    words, grade = yardstick.words, worst(quantity.flags)
    change = yardstick.change(quantity)
    difference = None if change is None else change.difference
    told = "" if difference is None else words.value(difference, quantity.unit, quantity.name, signed=True)
    interval = "" if quantity.interval is None else words.interval(*quantity.interval, quantity.unit, quantity.name)
    doubts = {Grade.NOT_USABLE: "page.not_usable", Grade.LOOK_TWICE: "page.look_twice"}
    return Headline(
        name=words.term(quantity.name),
        value=words.value(quantity.value, quantity.unit, quantity.name),
        unit=sign_of(quantity.unit),
        interval=interval,
        method=f"{words.method(quantity.method)}, {words.view(quantity.view)}",
        is_usable=quantity.is_usable,
        doubt=words(doubts[grade]) if grade in doubts else "",
        place=yardstick.place(quantity) if quantity.is_usable else "",
        bar=bar_of(quantity, yardstick) if quantity.is_usable else None,
        change=told,
        is_beyond=change is not None and change.verdict is Verdict.BEYOND,
        true=yardstick.true(quantity),
        interval_of=_interval_of(quantity, words),
    )


def _interval_of(quantity: Quantity, words: Words) -> str:
    """Which error the interval is of, and how often it holds the truth."""
    found = quantity.intervals[0] if quantity.intervals else None
    return "" if found is None else words(f"interval.{found.of}", share=words.number(100 * found.share))


def headline_rows(measures: Measures, yardstick: Yardstick) -> Iterator[Headline]:
    """The rows below the ejection fraction."""
    for name in _ROWS:
        quantity = measures.find(name)
        if quantity is not None:
            yield headline_of(quantity, yardstick)


def bar_of(quantity: Quantity, yardstick: Yardstick) -> Bar | None:
    """The bar of a value; None where no range was made for it, but for the ejection fraction, which has a scale."""
    ranges = yardstick.ranges(quantity)
    if quantity.name == EJECTION:
        ends = _EJECTION_SCALE
    elif ranges:
        ends = _ends(ranges)
    else:
        return None

    def along(value: float) -> float:
        return min(max((value - ends[0]) / (ends[1] - ends[0]), 0.0), 1.0)

    bands = tuple(dict.fromkeys(Band(along(item.low), along(item.high)) for item in ranges))
    is_beyond = not ends[0] <= quantity.value <= ends[1]
    ticks = tuple((along(tick), str(tick)) for tick in range(0, 90, 20)) if quantity.name == EJECTION else ()
    return Bar(bands, along(quantity.value), is_beyond, yardstick.limits(quantity), ticks)


def _ends(ranges: Sequence[NormalRange]) -> tuple[float, float]:
    """What a bar shows: the ranges in its middle; of one without an upper limit, about as much above the lower."""
    low = min(item.low for item in ranges)
    highest = max(item.high for item in ranges)
    high = highest if math.isfinite(highest) else low * 1.6
    margin = _MARGIN * (high - low)
    return low - margin, high + (margin if math.isfinite(highest) else 0.0)


def _limits(item: NormalRange, quantity: Quantity, words: Words) -> str:
    if math.isinf(item.high):
        return f"≥ {words.value(item.low, quantity.unit, quantity.name)}"
    return words.interval(item.low, item.high, quantity.unit, quantity.name)
