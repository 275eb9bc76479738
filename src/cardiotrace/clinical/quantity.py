"""What was measured: one value with its unit, method and frames, and all values of an exam together."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.curve import Curve
from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.interval import Interval
from cardiotrace.clinical.key_frames import KeyFrame
from cardiotrace.clinical.method import Method, present_words
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.clinical.term import key_of
from cardiotrace.core.contract import MEASURES
from cardiotrace.core.deprecation import warn_renamed
from cardiotrace.core.flag import Flag, Grade, worst

FORMER_NAMES = {
    **{
        name: f"left_ventricular_{name}"
        for name in (
            "ejection_fraction",
            "end_diastolic_volume",
            "end_systolic_volume",
            "end_diastolic_volume_index",
            "end_systolic_volume_index",
            "stroke_volume",
            "end_diastolic_area",
            "end_systolic_area",
            "end_diastolic_length",
            "end_systolic_length",
            "fractional_area_change",
        )
    },
    "myocardial_mass": "left_ventricular_mass",
    "myocardial_mass_index": "left_ventricular_mass_index",
}
"""What quantities were called up to version 2, and what they are called now."""
COLUMNS = ("name", "value", "unit", "method", "view", "frames", "low", "high", "flags")


def present_key(key: str) -> str:
    """Name and unit of a quantity as they are called now.

    Example:
        >>> present_key("ejection_fraction_percent"), present_key("left_atrial_volume_ml")
        ('left_ventricular_ejection_fraction_percent', 'left_atrial_volume_ml')
    """
    name = next((name for name in FORMER_NAMES if key == name or key.startswith(f"{name}_")), "")
    return FORMER_NAMES[name] + key.removeprefix(name) if name else key


@dataclass(frozen=True)
class Quantity:
    """One measured value, with all that is needed to read it alone.

    Example:
        >>> name = "left_ventricular_ejection_fraction"
        >>> quantity = Quantity(name, 58.25, "percent", Method.SUM_OF_SLICES, "SAX", ())
        >>> quantity.key
        'left_ventricular_ejection_fraction_percent'
    """

    name: str
    value: float
    unit: str
    """"ml", "cm2", "cm", "percent", "g", "ml/m2", "px", "px2", or "ratio" of what has none."""
    method: Method
    view: str
    """The view or views it was measured in, such as "A4C" or "A4C+A2C"."""
    frames: tuple[FrameRef, ...]
    """Those that went into it."""
    interval: tuple[float, float] | None = None
    """Lower and upper limit, in the unit of the value, where the model that traced was calibrated: the first of
    `intervals`."""
    flags: tuple[Flag, ...] = ()
    """What speaks against this value, by grade; a flag never alters it."""
    by_beat: tuple[float, ...] = ()
    """Its value in each beat, of which `value` is the mean; empty where it is of one beat. How far they lie apart says
    how beats differ, not how sure the mean is: it is no interval."""
    intervals: tuple[Interval, ...] = ()
    """Each error that was calibrated, the largest first."""

    @property
    def key(self) -> str:
        """Name and unit as one word, such as "left_ventricular_end_diastolic_volume_ml"."""
        return key_of(self.name, self.unit)

    @property
    def spread(self) -> float | None:
        """Standard deviation of its values over beats; None where it is of one beat."""
        return statistics.stdev(self.by_beat) if len(self.by_beat) > 1 else None

    @property
    def is_usable(self) -> bool:
        """Whether no flag says that the value is not usable."""
        return worst(self.flags) is not Grade.NOT_USABLE

    def to_plain(self) -> dict[str, Any]:
        """The quantity as JSON holds it; interval and values by beat are left out where there are none."""
        plain: dict[str, Any] = {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "method": self.method.value,
            "view": self.view,
            "frames": [str(frame) for frame in self.frames],
        }
        if self.interval is not None:
            plain["interval"] = [_rounded(limit) for limit in self.interval]
        if self.intervals:
            plain["intervals"] = [found.to_plain() for found in self.intervals]
        if self.by_beat:
            plain["by_beat"] = [_rounded(value) for value in self.by_beat]
        return plain | {"flags": [flag.to_plain() for flag in self.flags]}


@dataclass(frozen=True)
class Measures:
    """All that was measured in one exam; of quantities with the same name, the preferred method stands first.

    Example:
        >>> name = "left_ventricular_ejection_fraction"
        >>> measures = Measures("p1", (Quantity(name, 60.0, "percent", Method.BIPLANE_DISKS, "A4C+A2C", ()),))
        >>> measures.ejection_fraction_percent
        60.0
        >>> measures.end_diastolic_volume_ml is None
        True
    """

    exam: str
    quantities: tuple[Quantity, ...]
    flags: tuple[Flag, ...] = ()
    """Every flag of the exam, each once."""
    key_frames: tuple[KeyFrame, ...] = ()
    """The end-diastolic and end-systolic frames that were measured, with their long axes."""
    curves: tuple[Curve, ...] = ()
    """One per moving image: areas, lengths and volumes of all frames."""
    beats: tuple[Beat, ...] = ()
    """Those of every moving image."""
    segments: tuple[SegmentValues, ...] = ()
    """What was measured segment by segment of the left ventricle's wall."""
    version: str = str(MEASURES.spelled)
    not_calibrated: str = ""
    """Why the ejection fraction has no interval though a model traced it; see `clinical.intervals.filling.Lacking`."""

    def __iter__(self) -> Iterator[Quantity]:
        return iter(self.quantities)

    def find(self, name: str, *, view: str | None = None, method: str | None = None) -> Quantity | None:
        """The first quantity of that name, in that view and by a method that contains `method`; None if there is none.

        Those that are usable stand first; see `Quantity.is_usable`.

        Example:
            >>> Measures("p1", ()).find("left_ventricular_ejection_fraction") is None
            True
        """
        name = _told(name, present_key(name))
        words = _told(method or "", present_words(method or ""))
        for quantity in self.quantities:
            if quantity.name == name and view in (None, quantity.view) and words in quantity.method:
                return quantity
        return None

    def value(self, key: str) -> float | None:
        """The preferred value of a quantity by its name and unit, such as "left_atrial_volume_ml".

        None if it could not be measured, or if no value of it is usable; `find` hands out those that are not, too.
        """
        key = _told(key, present_key(key))
        return next((item.value for item in self.quantities if item.key == key and item.is_usable), None)

    @property
    def ejection_fraction_percent(self) -> float | None:
        """Ejection fraction by the preferred method, percent; None if it could not be measured or is not usable."""
        return self.value("left_ventricular_ejection_fraction_percent")

    @property
    def end_diastolic_volume_ml(self) -> float | None:
        """Left-ventricular volume at end-diastole by the preferred method, ml; None if not measured or not usable."""
        return self.value("left_ventricular_end_diastolic_volume_ml")

    @property
    def end_systolic_volume_ml(self) -> float | None:
        """Left-ventricular volume at end-systole by the preferred method, ml; None if not measured or not usable."""
        return self.value("left_ventricular_end_systolic_volume_ml")

    def to_plain(self) -> dict[str, Any]:
        """Everything as JSON holds it, flat enough to read by eye."""
        return {
            "version": self.version,
            "exam": self.exam,
            "flags": [flag.to_plain() for flag in self.flags],
            "quantities": [quantity.to_plain() for quantity in self.quantities],
            "key_frames": [key_frame.to_plain() for key_frame in self.key_frames],
            "curves": [curve.to_plain() for curve in self.curves],
            "beats": [beat.to_plain() for beat in self.beats],
            "segments": [values.to_plain() for values in self.segments],
        }

    def rows(self) -> list[dict[str, str]]:
        """One row per quantity with the columns of `COLUMNS`, as text for CSV."""
        rows = []
        for quantity in self.quantities:
            low, high = ("", "") if quantity.interval is None else (f"{limit:.6g}" for limit in quantity.interval)
            cells = (
                quantity.name,
                f"{quantity.value:.6g}",
                quantity.unit,
                quantity.method.value,
                quantity.view,
                " ".join(map(str, quantity.frames)),
                low,
                high,
                "; ".join(flag.text for flag in quantity.flags),
            )
            rows.append(dict(zip(COLUMNS, cells, strict=True)))
        return rows


def _told(before: str, now: str) -> str:
    """What something is called now; whoever asked by a former name is told."""
    if now != before:
        warn_renamed(before, now, gone="0.3", depth=3)
    return now


def _rounded(value: float) -> float:
    """Six significant digits: more than any of these numbers is worth, and legible."""
    return float(f"{value:.6g}")
