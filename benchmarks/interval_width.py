"""Whether the interval of the ejection fraction can be narrower: other signs, other regressions, other limits.

    python -m benchmarks.interval_width RUNS [--data PATH] [--resplits 200]

RUNS is the folder of a cross-validation on CAMUS, four-chamber view. Each training patient of the official split is
labelled by the network that had not seen him; two thirds calibrate and one third tests, many times. Regressions are of
scikit-learn on standardised signs, a sign that is not known counting as usual. Minutes for the labels, an hour for all.
"""

import argparse
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import QuantileRegressor, Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from benchmarks.quality import cases_of, folds_in, tested
from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.conformal import limits, limits_by_group, limits_of
from cardiotrace.clinical.intervals.signs import OF_NETWORK
from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.clinical.method import Method
from cardiotrace.core.catalog import Choice
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.interval_fit import CalibrationCase, What
from cardiotrace.evaluation.out_of_fold import CALIBRATED, OutOfFold, phase_correlation, predicted_patient
from cardiotrace.evaluation.quality import out_of_fold
from cardiotrace.evaluation.table import to_text
from cardiotrace.inference.predictor import open_predictor

WHAT = What(CALIBRATED[0], "A4C", Method.SINGLE_PLANE_DISKS, Error.READING)
SIZE = ("ejection", "size")
SAMPLED = ("spread", "spread_systole")
DICE = ("dice_ED", "dice_ES")
_FLOOR = 0.1
Table = Float[np.ndarray, "patients signs"]


@dataclass(frozen=True)
class Design:
    """What tells where the truth lies, and how far from there."""

    name: str
    expected: Any
    """A regression of scikit-learn."""
    spread: Any
    expected_signs: tuple[str, ...] = SIZE
    spread_signs: tuple[str, ...] = SIZE
    is_half_way: bool = False
    """Whether limits lie half-way between those of a quality and those of all."""


def designs(names: Sequence[str]) -> list[Design]:
    """What is tried.

    Args:
        names: of all signs.
    """
    outlines = tuple(name for name in names if name not in OF_NETWORK and name not in DICE)
    few, many, constant = Ridge(20.0), Ridge(100.0), DummyRegressor()
    forest = RandomForestRegressor(60, min_samples_leaf=5, max_features=0.4, random_state=0)
    vectors = SVR(C=10, gamma=0.01, epsilon=2)
    low, high = (QuantileRegressor(quantile=share, alpha=0.02) for share in (0.05, 0.95))
    return [
        Design("constant", constant, constant, (), ()),
        Design("EF and size; EF and size", few, few),
        Design("EF and size; sampled outlines", few, few, SIZE, SAMPLED),
        Design("EF and size; expected Dice", few, few, SIZE, DICE),
        Design("EF and size; both, and expected Dice", few, few, SIZE, (*SIZE, *DICE)),
        Design("outlines; constant", many, constant, outlines, ()),
        Design("all; all", many, many, tuple(names), (*SIZE, *DICE, *sorted(OF_NETWORK))),
        Design("EF and size; half-way", few, few, is_half_way=True),
        Design("outlines; constant, half-way", many, constant, outlines, (), is_half_way=True),
        Design("support vectors on all; constant", vectors, constant, tuple(names), ()),
        Design("forest on all; constant", forest, constant, tuple(names), ()),
        Design("quantiles by EF and size", low, high),
        Design("quantiles by EF, size, Dice, sampled outlines", low, high, (*SIZE, *DICE, "spread"), ()),
    ]


def patients_of(root: Path, folder: Path) -> Iterator[OutOfFold]:
    """Training patients of the official split, each by the network of his fold."""
    official = DATASETS.make(Choice("camus", {"views": ["4CH"]}), root / "camus").splits()["official"]
    kept = {*official.validation, *official.testing}
    for number, fold in enumerate(folds_in(folder), start=1):
        predictor = open_predictor(fold / "model.onnx")
        names = [name for name in read_split(fold / "split.json").testing if name not in kept]
        cases = sorted(cases_of(root, "echo", names), key=lambda case: case.patient)
        for _, own in groupby(cases, key=lambda case: case.patient):
            yield predicted_patient(predictor, list(own), fold=number)


def expected_dice_signs(root: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Logarithm of what is missing to the expected Dice of the ventricle, by patient; the regression is of others."""
    frames = [frame for fold in tested(root, "echo", folder) for frame in fold]
    pairs = out_of_fold(frames, ["LV"])["LV"]
    signs: dict[str, dict[str, float]] = {}
    for frame, (expected, _) in zip(frames, pairs, strict=True):
        phase = frame.name.split()[0].rsplit("_", 1)[1]
        signs.setdefault(frame.patient, {})[f"dice_{phase}"] = math.log(1.01 - expected)
    return signs


def cases_with_signs(patients: Sequence[OutOfFold], dice: Mapping[str, Mapping[str, float]]) -> list[CalibrationCase]:
    """Cases with all signs that there are."""
    correlation = phase_correlation(patients)
    found = []
    for patient in patients:
        case = patient.case(WHAT, correlation)
        if case is not None:
            first, last = (seen.trace for seen in patient.phases[WHAT.view])
            signs = {**case.signs, **shape_signs(first, last), **dice.get(case.patient, {})}
            found.append(replace(case, signs=signs))
    return found


def shape_signs(first: LongAxisTrace, last: LongAxisTrace) -> dict[str, float]:
    """What outlines show beside `clinical.intervals.signs`: wall, atrium, thirds of the ventricle, moving ends."""
    signs = {
        "wall": _log(last.myocardium_area, first.myocardium_area),
        "wall_diastole": _log(first.myocardium_area, first.area),
        "wall_systole": _log(last.myocardium_area, last.area),
        "outer": _log(last.area + last.myocardium_area, first.area + first.myocardium_area),
        "atrium_diastole": _log(first.atrium_area, first.area),
        "atrium_systole": _log(last.atrium_area, first.area),
    }
    if first.disks is None or last.disks is None or first.axis is None or last.axis is None:
        return signs
    wide, narrow = first.disks.diameters**2, last.disks.diameters**2
    for number, third in enumerate((slice(0, 7), slice(7, 14), slice(14, 20))):
        signs[f"third_{number}"] = _log(narrow[third].sum(), wide[third].sum())
        signs[f"share_diastole_{number}"] = _log(wide[third].sum(), wide.sum())
        signs[f"share_systole_{number}"] = _log(narrow[third].sum(), narrow.sum())
    for name in ("apex", "base"):
        moved = np.linalg.norm(np.subtract(getattr(first.axis, name), getattr(last.axis, name)))
        signs[f"{name}_moved"] = float(moved / first.axis.length)
    for name, trace, widths in (("diastole", first, wide), ("systole", last, narrow)):
        signs[f"width_{name}"] = _log(math.sqrt(widths.max()), trace.axis.length if trace.axis else math.nan)
        round_trip = np.linalg.norm(trace.ring - np.roll(trace.ring, 1, axis=0), axis=1).sum()
        signs[f"roundness_{name}"] = _log(4 * math.pi * trace.area, float(round_trip) ** 2)
    return signs


def _log(above: float, below: float) -> float:
    return math.log(above / below) if above > 0 and below > 0 else math.nan


@dataclass(frozen=True)
class Rows:
    """Values, errors, signs and qualities of some patients."""

    measured: Float[np.ndarray, "patients"]
    errors: Float[np.ndarray, "patients"]
    table: Table
    names: tuple[str, ...]
    quality: np.ndarray

    @classmethod
    def of(cls, cases: Sequence[CalibrationCase]) -> "Rows":
        """All of them."""
        names = tuple(sorted({name for case in cases for name in case.signs}))
        table = np.array([[case.signs.get(name, math.nan) for name in names] for case in cases])
        measured = np.array([case.measured for case in cases])
        truth = np.array([case.truth for case in cases])
        return cls(measured, truth - measured, table, names, np.array([case.group for case in cases]))

    def some(self, chosen: np.ndarray) -> "Rows":
        """Some of them."""
        return Rows(self.measured[chosen], self.errors[chosen], self.table[chosen], self.names, self.quality[chosen])

    def signs(self, names: Sequence[str]) -> Table:
        """Some signs; of none a column of nothing, which a constant needs."""
        return self.table[:, [self.names.index(name) for name in names]] if names else np.zeros((len(self.errors), 1))


def _fitted(model: Any, signs: Table, wanted: Float[np.ndarray, "patients"]) -> Any:
    return make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), clone(model)).fit(signs, wanted)


def both_models(design: Design, rows: Rows) -> tuple[Any, Any]:
    """Where the truth lies, and the logarithm of how far off; of quantiles, the lower and the upper one."""
    told = rows.signs(design.expected_signs)
    if isinstance(design.expected, QuantileRegressor):
        return _fitted(design.expected, told, rows.errors), _fitted(design.spread, told, rows.errors)
    expected = _fitted(design.expected, told, rows.errors)
    off = np.abs(rows.errors - expected.predict(told))
    return expected, _fitted(design.spread, rows.signs(design.spread_signs), np.log(off + _FLOOR * off.mean()))


def ends(design: Design, calibrate: Rows, test: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends of the intervals of testing patients; the measured value lies within."""
    is_quantile = isinstance(design.expected, QuantileRegressor)
    scores = np.zeros((2, len(calibrate.errors)))
    for inside, outside in KFold(5, shuffle=True, random_state=99).split(calibrate.errors):
        scores[:, outside] = _scores(design, both_models(design, calibrate.some(inside)), calibrate.some(outside))
    one, other = both_models(design, calibrate)
    first = one.predict(test.signs(design.expected_signs))
    if is_quantile:
        low = first + limits(scores[0], share=WHAT.share)[0]
        high = other.predict(test.signs(design.expected_signs)) + limits(scores[1], share=WHAT.share)[1]
    else:
        known = limits_by_group(scores[0], calibrate.quality.tolist(), share=WHAT.share)
        pairs = np.array([limits_of(known, name) for name in test.quality.tolist()])
        pairs = (pairs + known[""]) / 2 if design.is_half_way else pairs
        low, high = first + pairs.T * np.exp(other.predict(test.signs(design.spread_signs)))
    low, high = (np.clip(test.measured + each, 0, 100) for each in (low, high))
    return np.minimum(low, test.measured), np.maximum(high, test.measured)


def _scores(design: Design, models: tuple[Any, Any], rows: Rows) -> np.ndarray:
    first = models[0].predict(rows.signs(design.expected_signs))
    if isinstance(design.expected, QuantileRegressor):
        return np.stack([rows.errors - first, rows.errors - models[1].predict(rows.signs(design.expected_signs))])
    return np.tile((rows.errors - first) / np.exp(models[1].predict(rows.signs(design.spread_signs))), (2, 1))


def tried(design: Design, rows: Rows, resplits: int) -> dict[str, Any]:
    """One row of the table."""
    rng, hits, widths = np.random.default_rng(0), [], []
    qualities: dict[str, list[bool]] = {}
    for _ in range(resplits):
        order = rng.permutation(len(rows.errors))
        cut = round(2 / 3 * len(order))
        calibrate, test = rows.some(order[:cut]), rows.some(order[cut:])
        low, high = ends(design, calibrate, test)
        truth = test.measured + test.errors
        inside = (low <= truth) & (truth <= high)
        hits.append(inside.mean())
        widths.append((high - low).mean())
        for name in ("good", "medium", "poor"):
            qualities.setdefault(name, []).extend(inside[test.quality == name].tolist())
    return {
        "what tells": design.name,
        "covered, %": f"{100 * np.mean(hits):.1f}",
        "good / medium / poor, %": " / ".join(f"{100 * np.mean(own):.0f}" for own in qualities.values()),
        "mean width": f"{np.mean(widths):.1f}",
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CARDIOTRACE_DATA", ".")))
    parser.add_argument("--resplits", type=int, default=200)
    given = parser.parse_args()
    dice = expected_dice_signs(given.data, given.runs)
    rows = Rows.of(cases_with_signs(list(patients_of(given.data, given.runs)), dice))
    row_of = partial(tried, rows=rows, resplits=given.resplits)
    print(to_text([row_of(design) for design in designs(rows.names)], "markdown"))


if __name__ == "__main__":
    main()
