"""How likely a model's ejection fraction is off by more than ten points, from what the outlines themselves show.

Two steps, both fitted on predictions by networks that had never seen the patient: `python -m benchmarks flags RUNS
--fit`. The first is a linear model of the error, reference taken from measured: an ejection fraction that atrium,
length and outline do not go along with tends to be wrong, in a direction that can be told. The second is a logistic
model of an error above ten points, from that expected error, from how unsure the network was at end-systole, and from
how atrium and heart change; where ventricle, wall and atrium together change much, an unusual ejection fraction is
rather a true one.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.ejection import ejection_fraction
from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.clinical.rule import flag
from cardiotrace.core.flag import Flag
from cardiotrace.geometry.contour import convex_hull_area, polygon_area

Doubt = Float[np.ndarray, "frames"]
"""How unsure a model was of the left ventricle in each frame, as a share of how unsure it was of the least certain
image that it was validated on; NaN where that is not known."""

WORDS = {
    "ejection": "the ejection fraction itself",
    "atrium": "the change of the atrium",
    "dents": "dents in the outline",
    "length": "the length of the ventricle",
    "error": "the ejection fraction for this atrium and length",
    "unsure": "the model's doubt at end-systole",
    "odd_atrium": "the change of the atrium",
}
"""What each sign is, for the sentence of the flag."""

_USUAL_ATRIUM, _USUAL_HEART = 0.2, -0.115
"""Usual change in systole of the atrium's area, and of ventricle, wall and atrium together: logarithms of the ratio."""


@dataclass(frozen=True)
class Linear:
    """A linear model: a weighted sum of standardised inputs; a missing one adds nothing."""

    bias: float
    signs: Mapping[str, tuple[float, float, float]]
    """Mean, standard deviation and weight by name."""

    def parts(self, values: Mapping[str, float]) -> dict[str, float]:
        """What each sign adds."""
        parts = {}
        for name, (mean, deviation, weight) in self.signs.items():
            # What is not known counts as usual: the model still speaks, and no louder than of a usual heart.
            value = values.get(name, math.nan)
            parts[name] = weight * (value - mean) / deviation if math.isfinite(value) else 0.0
        return parts

    def value(self, values: Mapping[str, float]) -> float:
        """The sum."""
        return self.bias + sum(self.parts(values).values())


@dataclass(frozen=True)
class ErrorModel:
    """Both models, and the probability from which on the flag is raised."""

    error: Linear
    large: Linear
    limit: float


@cache
def error_model() -> ErrorModel:
    """The fitted model."""
    plain = tomllib.loads(files("cardiotrace.clinical").joinpath("ejection_error.toml").read_text("utf-8"))
    steps = [
        Linear(table["bias"], {name: (row[0], row[1], row[2]) for name, row in table["signs"].items()})
        for table in (plain["error"], plain["large"])
    ]
    return ErrorModel(steps[0], steps[1], plain["limit"])


def first_signs(diastole: LongAxisTrace, systole: LongAxisTrace) -> dict[str, float]:
    """Inputs of the first model, from the outlines alone: NaN where one is not known, none without volumes.

    Args:
        diastole: the ventricle at end-diastole.
        systole: at end-systole.
    """
    if not diastole.disk_volume or systole.disk_volume is None:
        return {}
    return {
        "ejection": ejection_fraction(diastole.disk_volume, systole.disk_volume),
        "atrium": _change(diastole.atrium_area, systole.atrium_area),
        "dents": _dents(diastole),
        "length": math.nan if diastole.length_cm is None else diastole.length_cm,
    }


def second_signs(error: float, diastole: LongAxisTrace, systole: LongAxisTrace, unsure: float) -> dict[str, float]:
    """Inputs of the second model: what goes with a large error.

    Args:
        error: what the first step expects.
        diastole: the ventricle at end-diastole.
        systole: at end-systole.
        unsure: the model's doubt at end-systole, see `Doubt`.
    """
    return {
        "error": abs(error),
        "unsure": math.log(unsure) if unsure > 0 else math.nan,
        "odd_atrium": abs(_change(diastole.atrium_area, systole.atrium_area) - _USUAL_ATRIUM),
        "odd_heart": abs(_change(_heart(diastole), _heart(systole)) - _USUAL_HEART),
    }


def error_probability(diastole: LongAxisTrace, systole: LongAxisTrace, unsure: float) -> tuple[float, float, str]:
    """How likely the ejection fraction by disks in this plane is off by more than ten points.

    Args:
        diastole: the ventricle at end-diastole.
        systole: at end-systole.
        unsure: the model's doubt at end-systole.

    Returns:
        The probability; the expected error, points; and what speaks loudest for it, in words. NaN where the ejection
        fraction could not be measured.
    """
    model, signs = error_model(), first_signs(diastole, systole)
    if not signs:
        return math.nan, math.nan, ""
    error = model.error.value(signs)
    others = second_signs(error, diastole, systole, unsure)
    parts = model.large.parts(others)
    loudest = max(WORDS.keys() & parts.keys(), key=lambda name: parts[name])
    return 1 / (1 + math.exp(-model.large.value(others))), error, WORDS[loudest]


def error_flags(diastole: LongAxisTrace, systole: LongAxisTrace, unsure: float) -> tuple[Flag, ...]:
    """Whether an error of the ejection fraction above ten points is likely; see `error_probability`."""
    probability, error, why = error_probability(diastole, systole, unsure)
    if not probability > error_model().limit:
        return ()
    text = f"the ejection fraction may be off by more than 10 points: {why} is unusual"
    if abs(error) >= _WORTH_SAYING:
        text += f"; it is probably too {'high' if error > 0 else 'low'}"
    return (flag("ejection-error", text),)


_WORTH_SAYING = 4.0


def _change(before: float, after: float) -> float:
    """Logarithm of the ratio of two areas, within bounds; NaN where one is missing."""
    # A logarithm treats growing and shrinking alike; bounded, one slip of an outline cannot outweigh all other signs.
    return min(max(math.log(after / before), -0.5), 1.0) if before > 0 and after > 0 else math.nan


def _heart(found: LongAxisTrace) -> float:
    """Area of ventricle, wall and atrium together; 0 where one of them is not labelled."""
    parts = (found.area, found.myocardium_area, found.atrium_area)
    return sum(parts) if all(parts) else 0.0


def _dents(found: LongAxisTrace) -> float:
    """Logarithm of the share that the outline lacks to its convex hull."""
    if len(found.ring) < 3:
        return math.nan
    hull = convex_hull_area(found.ring)
    # A thousandth more than the whole keeps the logarithm of a convex outline finite.
    return math.log(1.001 - min(1.0, abs(polygon_area(found.ring)) / hull)) if hull > 0 else math.nan
