"""Calibrate intervals on patients whom a network had not seen, and count how often they then hold the truth.

Ridge regressions of few signs say where the truth lies and how far from there; both are fitted on some patients and
scored on others, so that the limits of the scores are those of patients that were not fitted. See
`clinical.intervals.conformal`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from cardiotrace.clinical.expected import Linear
from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.calibration import Bounded, ErrorCalibration
from cardiotrace.clinical.intervals.conformal import limits_by_group, require_cases
from cardiotrace.clinical.intervals.signs import OF_NETWORK
from cardiotrace.clinical.method import Method
from cardiotrace.core.errors import InputError

FOLDS = 5
RESPLITS = 200
_PART = 2 / 3
"""Share of the patients that calibrate in a re-split; the others test."""
_RIDGE = 20.0
_STILL = 1e-9
"""A sign that deviates by less is the same in all patients, and tells nothing."""
_FLOOR = 0.1
"""Added to how far a truth lies off before its logarithm is taken, as a share of the mean: none lies on the spot."""


@dataclass(frozen=True)
class CalibrationCase:
    """One patient: a value that was measured, the truth, and what the images show."""

    patient: str
    measured: float
    truth: float
    signs: Mapping[str, float]
    group: str = ""
    """Quality of the image; "" where nobody stated it."""


@dataclass(frozen=True)
class What:
    """Of what intervals are fitted; see `ErrorCalibration`."""

    quantity: str
    view: str
    method: Method
    error: Error
    share: float = 0.90


@dataclass(frozen=True)
class Signs:
    """Which signs tell where the truth lies, and how far from there; none of them gives a constant width."""

    name: str
    expected: tuple[str, ...] = ()
    spread: tuple[str, ...] = ()

    @property
    def is_of_outlines(self) -> bool:
        """Whether they follow from outlines alone, and so mean the same for every network."""
        return OF_NETWORK.isdisjoint((*self.expected, *self.spread))

    def among(self, known: Set[str]) -> "Signs":
        """Without those that no patient has, such as the atrium of a short axis."""
        expected, spread = (tuple(name for name in names if name in known) for names in (self.expected, self.spread))
        return Signs(self.name, expected, spread)


_SIZE = ("ejection", "size")
_EXPECTED = (*_SIZE, "atrium", "dents", "length")
_OUTLINES = ("spread", "spread_systole")
_DOUBT = (*_OUTLINES, "unsure", "odd_atrium", "odd_heart")
CHOICES = (
    Signs("constant"),
    Signs("spread of outlines", (), _OUTLINES),
    Signs("ejection fraction and size", _SIZE, _SIZE),
    Signs("expected error", _EXPECTED),
    Signs("expected error, spread of outlines", _EXPECTED, _OUTLINES),
    Signs("expected error, spread, doubt", _EXPECTED, _DOUBT),
)
"""What is tried; the narrowest wins."""


@dataclass(frozen=True)
class Coverage:
    """What came out of re-splits by patient: means over them."""

    covered: float
    """Share of testing patients whose truth lay within."""
    width: float
    """Of the intervals, in the unit of the value."""
    spread: float
    """Standard deviation of the share over re-splits."""
    by_group: Mapping[str, float] = field(default_factory=dict)
    """Share covered in each group."""
    patients: int = 0


def fitted(cases: Sequence[CalibrationCase], what: What, signs: Signs) -> ErrorCalibration:
    """A calibration of all cases.

    Args:
        cases: one a patient.
        what: of what.
        signs: which signs are used.

    Raises:
        InputError: too few patients.
    """
    rows = _Rows.of(cases, what)
    require_cases(len(cases), share=what.share)
    found = limits_by_group(rows.scores(signs), rows.groups, share=what.share)
    expected, spread = rows.models(np.arange(len(cases)), signs)
    return ErrorCalibration(
        what.quantity,
        what.view,
        what.method,
        what.error,
        what.share,
        {name: (round(low, 6), round(high, 6)) for name, (low, high) in found.items()},
        expected,
        spread,
        len(cases),
    )


def chosen(
    cases: Sequence[CalibrationCase], what: What, *, resplits: int = RESPLITS // 10, is_same_network: bool = True
) -> Signs:
    """The choice of signs whose intervals are narrowest in the mean while they cover what they should.

    Args:
        cases: one a patient.
        what: of what.
        resplits: of the same patients, that each of `CHOICES` is judged by.
        is_same_network: whether the intervals are for the network that predicted these patients; for another one only
            signs of outlines are tried.

    Raises:
        InputError: too few patients.
    """
    known = {name for case in cases for name, value in case.signs.items() if math.isfinite(value)}
    tried = [signs.among(known) for signs in CHOICES if is_same_network or signs.is_of_outlines]
    found = [(signs, coverage(cases, what, signs, resplits=resplits)) for signs in tried]
    good = [(signs, each) for signs, each in found if each.covered >= what.share - 0.01] or found
    return min(good, key=lambda pair: pair[1].width)[0]


def coverage(
    cases: Sequence[CalibrationCase], what: What, signs: Signs, *, resplits: int = RESPLITS, seed: int = 0
) -> Coverage:
    """Calibrate on two thirds of the patients, test on the others, many times.

    Args:
        cases: one a patient.
        what: of what.
        signs: which signs are used.
        resplits: how many times.
        seed: of the drawing.

    Raises:
        InputError: too few patients.
    """
    generator = np.random.default_rng(seed)
    inside: list[tuple[float, float]] = []
    by_group: dict[str, list[bool]] = {}
    for _ in range(resplits):
        order = generator.permutation(len(cases))
        cut = round(_PART * len(cases))
        model = fitted([cases[index] for index in order[:cut]], what, signs)
        hits, widths = [], []
        for index in order[cut:]:
            case = cases[index]
            found = model.interval(case.measured, case.signs, case.group)
            hits.append(found.low <= case.truth <= found.high)
            widths.append(found.high - found.low)
            by_group.setdefault(case.group, []).append(hits[-1])
        inside.append((float(np.mean(hits)), float(np.mean(widths))))
    shares, widths_of = np.array(inside).T
    groups = {name: float(np.mean(hits)) for name, hits in sorted(by_group.items()) if name}
    return Coverage(float(shares.mean()), float(widths_of.mean()), float(shares.std()), groups, len(cases))


@dataclass(frozen=True)
class Referral:
    """What is left where the least sure patients are referred to somebody else."""

    referred: Float[np.ndarray, "n"]
    """Share referred, from 0."""
    error: Float[np.ndarray, "n"]
    """Mean absolute error of those that are left."""
    large: Float[np.ndarray, "n"]
    """Share of all large errors that were referred."""

    def removed(self, share: float) -> float:
        """Share of the large errors that is gone when a share of the patients is referred; NaN where there are none."""
        return float(np.interp(share, self.referred, self.large))

    @property
    def area(self) -> float:
        """Mean of the error over all shares: area under the curve of risk and coverage."""
        return float(self.error.mean())


def referral(
    errors: Float[np.ndarray, "patients"], unsure: Float[np.ndarray, "patients"], *, large: float = 10.0
) -> Referral:
    """The curve of referral.

    Args:
        errors: of each patient, any sign.
        unsure: how unsure each is; the largest are referred first.
        large: from where on an error is a large one.

    Example:
        >>> curve = referral(np.array([1.0, 12.0, -2.0, 15.0]), np.array([0.1, 0.9, 0.2, 0.8]))
        >>> curve.removed(0.5), float(curve.error[2])
        (1.0, 1.5)
    """
    order = np.argsort(-unsure, kind="stable")
    ordered = np.abs(errors[order])
    count = len(ordered)
    left = np.cumsum(ordered[::-1])[::-1] / np.arange(count, 0, -1)
    wrong = ordered > large
    gone = np.concatenate([[0.0], np.cumsum(wrong)[:-1]]) / max(1, wrong.sum())
    gone = gone if wrong.any() else np.full(count, math.nan)
    return Referral(np.arange(count) / count, left, gone)


def held_out_spreads(cases: Sequence[CalibrationCase], what: What, signs: Signs) -> Float[np.ndarray, "patients"]:
    """How far the truth of each patient lies off, as models fitted on others expect it: what a referral is by."""
    rows = _Rows.of(cases, what)
    unsure = np.zeros(len(cases))
    for inside, outside in _folds(len(cases)):
        expected, spread = rows.models(inside, signs)
        for index in outside:
            # A truth that is expected elsewhere is as good a reason as one that is expected anywhere.
            own = rows.signs[index]
            unsure[index] = math.hypot(expected.value(own), math.exp(spread.value(own)))
    return unsure


@dataclass(frozen=True)
class _Rows:
    """Errors and signs of all cases."""

    errors: Float[np.ndarray, "cases"]
    """Truth less measured; of their logarithms where it is relative."""
    signs: Sequence[Mapping[str, float]]
    groups: Sequence[str]

    @classmethod
    def of(cls, cases: Sequence[CalibrationCase], what: What) -> "_Rows":
        if len({case.patient for case in cases}) < len(cases):
            raise InputError("a patient calibrates once for each quantity and view")
        is_relative = not what.quantity.endswith("_percent")
        values = np.array([[case.measured, case.truth] for case in cases], float).reshape(-1, 2)
        known = np.isfinite(values).all(axis=1) & ((values > 0).all(axis=1) | (not is_relative))
        if not known.all():
            raise InputError("a patient without a value and a truth cannot calibrate")
        scaled = np.log(values) if is_relative else values
        return cls(scaled[:, 1] - scaled[:, 0], [case.signs for case in cases], [case.group for case in cases])

    def values(self, names: Sequence[str]) -> Float[np.ndarray, "cases signs"]:
        """Some signs of all cases; NaN where one is not known."""
        table = [[own.get(name, math.nan) for name in names] for own in self.signs]
        return np.array(table, float).reshape(len(self.signs), len(names))

    def scores(self, signs: Signs) -> Float[np.ndarray, "cases"]:
        """(truth - expected) / spread of each case, by models fitted on others."""
        tables = self.values(signs.expected), self.values(signs.spread)
        scores = np.zeros(len(self.errors))
        for inside, outside in _folds(len(self.errors)):
            expected, spread = _models(self.errors[inside], [table[inside] for table in tables], signs)
            for index in outside:
                own = self.signs[index]
                scores[index] = (self.errors[index] - expected.value(own)) / math.exp(spread.value(own))
        return scores

    def models(self, inside: Int[np.ndarray, "some"], signs: Signs) -> tuple[Bounded, Bounded]:
        """Where the truth is expected, and the logarithm of how far off it lies, fitted on some cases."""
        tables = [self.values(names)[inside] for names in (signs.expected, signs.spread)]
        return _models(self.errors[inside], tables, signs)


def _models(
    errors: Float[np.ndarray, "cases"], tables: Sequence[Float[np.ndarray, "cases _"]], signs: Signs
) -> tuple[Bounded, Bounded]:
    expected, told = _regression(tables[0], errors, signs.expected)
    off = np.abs(errors - told)
    return expected, _regression(tables[1], np.log(off + _FLOOR * max(off.mean(), 1e-9)), signs.spread)[0]


def _regression(
    values: Float[np.ndarray, "cases signs"], wanted: Float[np.ndarray, "cases"], names: Sequence[str]
) -> tuple[Bounded, Float[np.ndarray, "cases"]]:
    """Ridge regression on standardised signs, and what it says of each case; a sign not known counts as usual."""
    bias = float(wanted.mean())
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, values, 0).sum(axis=0) / count
    deviations = np.sqrt((np.where(known, values - means, 0) ** 2).sum(axis=0) / count)
    deviations = np.where(deviations > _STILL, deviations, 1.0)
    inputs = np.where(known, (values - means) / deviations, 0.0)
    weights = np.linalg.solve(inputs.T @ inputs + _RIDGE * np.eye(len(names)), inputs.T @ (wanted - bias))
    numbers = zip(means, deviations, weights, strict=True)
    signs = {name: _rounded(row) for name, row in zip(names, numbers, strict=True)}
    told = bias + inputs @ weights
    model = Linear(round(bias, 6), signs)
    return Bounded(model, round(float(told.min()), 6), round(float(told.max()), 6)), told


def _rounded(row: tuple[float, float, float]) -> tuple[float, float, float]:
    mean, deviation, weight = (float(f"{value:.6g}") for value in row)
    return mean, deviation, weight


def _folds(count: int) -> Iterator[tuple[Int[np.ndarray, "inside"], Int[np.ndarray, "outside"]]]:
    order = np.random.default_rng(99).permutation(count)
    parts = [order[fold::FOLDS] for fold in range(FOLDS)]
    for outside in parts:
        yield np.concatenate([part for part in parts if part is not outside]), outside
