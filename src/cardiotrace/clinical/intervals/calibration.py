"""What a calibration says of a number: how far the truth usually lies from it, for a heart that shows these signs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cardiotrace.clinical.expected import Linear
from cardiotrace.clinical.interval import Error, Interval
from cardiotrace.clinical.intervals.conformal import limits_of
from cardiotrace.clinical.intervals.widening import NEVER_COUNTED, Widening, needed, widened
from cardiotrace.clinical.method import Method

NOTHING = Linear(0.0, {})


@dataclass(frozen=True)
class Bounded:
    """A linear model that says no more than it said of any case that it was fitted on."""

    model: Linear = NOTHING
    low: float | None = None
    """None: without a bound."""
    high: float | None = None

    def value(self, signs: Mapping[str, float]) -> float:
        """The sum, within its bounds.

        Example:
            >>> bounded = Bounded(Linear(1.0, {"size": (0.0, 1.0, 2.0)}), -4.0, 4.0)
            >>> bounded.value({"size": 1.0}), bounded.value({"size": 9.0}), bounded.value({})
            (3.0, 4.0, 1.0)
        """
        value = self.model.value(signs)
        value = value if self.low is None else max(value, self.low)
        return value if self.high is None else min(value, self.high)


@dataclass(frozen=True)
class ErrorCalibration:
    """Of one quantity in one view: where the truth is expected, and how far from there it lies.

    Truth = measured + expected + spread * score, in points of a percentage; of volumes, in logarithms. The score lies
    within limits that were counted, whatever its distribution.
    """

    quantity: str
    """Name and unit, such as "left_ventricular_ejection_fraction_percent"."""
    view: str
    """What a cardiologist calls it, such as "A4C"."""
    method: Method
    error: Error
    share: float
    """Of patients whose truth lies within the interval."""
    limits: Mapping[str, tuple[float, float]]
    """Lower and upper limit of the score in each group of image quality; of all together under ""."""
    expected: Bounded = Bounded()
    """Truth less measured, as the signs let it expect."""
    spread: Bounded = Bounded()
    """Logarithm of how far the truth lies from there."""
    patients: int = 0
    """That it was counted on."""
    covered: float | None = None
    """Share of patients whose truth lay within, over re-splits by patient; None where nobody looked."""
    width: float | None = None
    """Mean width there, in the unit of the value."""
    widening: Widening = NEVER_COUNTED
    """Where the images are unlike those that the model was tried on."""

    @property
    def signs(self) -> tuple[str, ...]:
        """Every sign that it looks at; one that no patient had, or that told nothing, has no weight."""
        both = (*self.expected.model.signs.items(), *self.spread.model.signs.items())
        return tuple(name for name, (_, _, weight) in both if weight)

    @property
    def is_relative(self) -> bool:
        """Whether it speaks of logarithms: a large volume is off by more millilitres than a small one."""
        return not self.quantity.endswith("_percent")

    def expected_value(self, measured: float, signs: Mapping[str, float]) -> float:
        """Where the truth is expected.

        Args:
            measured: the value.
            signs: of `clinical.intervals.signs`; what is not known counts as usual.

        Example:
            >>> shift = Bounded(Linear(2.0, {}))
            >>> found = ErrorCalibration("e_percent", "A4C", Method.TRACED, Error.WHOLE, 0.9, {"": (-1, 1)}, shift)
            >>> found.expected_value(50.0, {})
            52.0
        """
        shift = self.expected.value(signs)
        return measured * math.exp(shift) if self.is_relative else measured + shift

    def interval(
        self, measured: float, signs: Mapping[str, float], group: str = "", *, unlikeness: float = math.nan
    ) -> Interval:
        """Between which limits the truth lies; the measured value lies within as well.

        Args:
            measured: the value.
            signs: of `clinical.intervals.signs`; what is not known counts as usual.
            group: quality of the image, where somebody stated it.
            unlikeness: of the images to those that the model was tried on, 1 at the limit; NaN where nobody knows.

        Example:
            >>> found = ErrorCalibration("e_percent", "A4C", Method.TRACED, Error.WHOLE, 0.9, {"": (-6.0, 9.0)})
            >>> found.interval(50.0, {}).low, found.interval(50.0, {}).high
            (44.0, 59.0)
        """
        middle, width = self.expected_value(measured, signs), math.exp(self.spread.value(signs))
        factor = self.widening.factor(unlikeness)
        low, high = (limit * width for limit in widened(limits_of(self.limits, group), factor))
        ends = (middle * math.exp(low), middle * math.exp(high)) if self.is_relative else (middle + low, middle + high)
        if "ejection_fraction" in self.quantity:
            # No heart ejects less than nothing, or more than all.
            ends = (max(ends[0], 0.0), min(ends[1], 100.0))
        # A number outside its own interval could not be read; wider it only covers more.
        return Interval(self.error, min(ends[0], measured), max(ends[1], measured), self.share, factor)

    def needed(self, measured: float, truth: float, signs: Mapping[str, float], group: str = "") -> float:
        """How many times wider the usual interval of a value must be to hold a truth; at most 1 where it does.

        Args:
            measured: the value.
            truth: what should have been measured.
            signs: of `clinical.intervals.signs`.
            group: quality of the image, where somebody stated it.

        Example:
            >>> found = ErrorCalibration("e_percent", "A4C", Method.TRACED, Error.WHOLE, 0.9, {"": (-6.0, 6.0)})
            >>> found.needed(50.0, 62.0, {}), found.needed(50.0, 53.0, {})
            (2.0, 0.5)
        """
        middle, width = self.expected_value(measured, signs), math.exp(self.spread.value(signs))
        off = math.log(truth / middle) if self.is_relative else truth - middle
        wanted = needed(limits_of(self.limits, group), off / width)
        usual = self.interval(measured, signs, group)
        return min(wanted, 1.0) if usual.low <= truth <= usual.high else wanted


@dataclass(frozen=True)
class IntervalCalibration:
    """All that a model knows of the errors of what is measured on its labels."""

    errors: tuple[ErrorCalibration, ...] = ()
    correlation: float = 0.0
    """Of displacements of the outline at end-diastole and end-systole, for sampled outlines."""
    with_variants: bool = False
    """Whether it was counted on means over slightly changed versions of each image: of others it says nothing."""
    basis: str = ""
    """On what it was counted, in words."""

    def of(self, quantity: str, view: str, method: Method) -> tuple[ErrorCalibration, ...]:
        """Those of a quantity, the largest error first."""
        wanted = (quantity, view, method)
        found = [each for each in self.errors if (each.quantity, each.view, each.method) == wanted]
        return tuple(sorted(found, key=lambda each: each.error is not Error.WHOLE))


NOT_CALIBRATED = IntervalCalibration()
