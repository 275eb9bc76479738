"""The model of errors in `clinical/ejection_error.toml`, fitted in two steps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize

from cardiotrace.clinical.expected import ErrorModel, Linear, first_signs, second_signs
from cardiotrace.clinical.long_axis_trace import LongAxisTrace

FOLDS, REPEATS = 5, 10
RIDGE, PENALTY = 20.0, 1.0
DOUBTED_SHARE = 0.125
"""Of the right ones, in cross-validation, that the model may doubt: other rules add theirs, all together below 15 %."""
WRONG_POINTS = 10.0

Table = Float[np.ndarray, "patients signs"]


@dataclass(frozen=True)
class Sample:
    """One patient."""

    error: float
    """Measured less reference, points."""
    diastole: LongAxisTrace
    systole: LongAxisTrace
    unsure: float

    @property
    def signs(self) -> dict[str, float]:
        """Those of the first step."""
        return first_signs(self.diastole, self.systole)

    def others(self, error: float) -> dict[str, float]:
        """Those of the second step."""
        return second_signs(error, self.diastole, self.systole, self.unsure)


def fitted(samples: Sequence[Sample]) -> tuple[ErrorModel, dict[str, float]]:
    """The model, and what cross-validation over patients says of it.

    The second step learns from errors that a first step expected of patients whom it had not seen, as it will be used.
    """
    errors = np.array([sample.error for sample in samples])
    wrong = np.abs(errors) > WRONG_POINTS
    scores = np.stack([_out_of_fold(samples, errors, wrong, seed) for seed in range(REPEATS)])
    limits = [float(np.quantile(row[~wrong], 1 - DOUBTED_SHARE)) for row in scores]
    found = {
        "patients": float(len(samples)),
        "wrong": float(wrong.sum()),
        "auc": float(np.mean([_auc(row, wrong) for row in scores])),
        "doubted_wrong": float(
            np.mean([(row[wrong] > limit).mean() for row, limit in zip(scores, limits, strict=True)])
        ),
        "doubted_right": DOUBTED_SHARE,
    }
    first, second = _steps(samples, errors, wrong)
    return ErrorModel(first, second, round(float(np.mean(limits)), 3)), found


def _steps(
    samples: Sequence[Sample], errors: Float[np.ndarray, "n"], wrong: Bool[np.ndarray, "n"]
) -> tuple[Linear, Linear]:
    first = _linear(samples, errors)
    expected = np.zeros(len(samples))
    for inside, outside in _folds(len(samples), seed=99):
        part = _linear([samples[index] for index in inside], errors[inside])
        expected[outside] = [part.value(samples[index].signs) for index in outside]
    return first, _logistic([sample.others(error) for sample, error in zip(samples, expected, strict=True)], wrong)


def _out_of_fold(
    samples: Sequence[Sample], errors: Float[np.ndarray, "n"], wrong: Bool[np.ndarray, "n"], seed: int
) -> Float[np.ndarray, "n"]:
    """Probability of each patient by a model fitted on others."""
    scores = np.zeros(len(samples))
    for inside, outside in _folds(len(samples), seed):
        first, second = _steps([samples[index] for index in inside], errors[inside], wrong[inside])
        for index in outside:
            error = first.value(samples[index].signs)
            scores[index] = 1 / (1 + np.exp(-second.value(samples[index].others(error))))
    return scores


def _folds(count: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    order = np.random.default_rng(seed).permutation(count)
    parts = [order[fold::FOLDS] for fold in range(FOLDS)]
    return [(np.concatenate([part for part in parts if part is not outside]), outside) for outside in parts]


def _standardised(rows: Sequence[Mapping[str, float]]) -> tuple[list[str], Table, np.ndarray, np.ndarray]:
    names = list(rows[0])
    table = np.array([[row[name] for name in names] for row in rows])
    mean, deviation = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
    return names, np.nan_to_num((table - mean) / deviation), mean, deviation


def _linear(samples: Sequence[Sample], errors: Float[np.ndarray, "n"]) -> Linear:
    """Ridge regression."""
    names, table, mean, deviation = _standardised([sample.signs for sample in samples])
    bias = float(errors.mean())
    weights = np.linalg.solve(table.T @ table + RIDGE * np.eye(len(names)), table.T @ (errors - bias))
    return _named(names, bias, mean, deviation, weights)


def _logistic(rows: Sequence[Mapping[str, float]], wrong: Bool[np.ndarray, "n"]) -> Linear:
    """Logistic regression with a small penalty on the weights."""
    names, table, mean, deviation = _standardised(rows)
    loss = _loss(table, wrong)
    found = minimize(loss, np.zeros(len(names) + 1), jac=True).x
    return _named(names, float(found[0]), mean, deviation, found[1:])


def _loss(table: Table, wrong: Bool[np.ndarray, "n"]) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logit = table @ weights[1:] + weights[0]
        off = 1 / (1 + np.exp(-logit)) - wrong
        value = np.logaddexp(0, np.where(wrong, -logit, logit)).sum() + PENALTY * (weights[1:] ** 2).sum() / 2
        return float(value), np.append(off.sum(), table.T @ off + PENALTY * weights[1:])

    return loss


def _named(names: Sequence[str], bias: float, mean: np.ndarray, deviation: np.ndarray, weights: np.ndarray) -> Linear:
    rows = zip(mean.tolist(), deviation.tolist(), weights.tolist(), strict=True)
    return Linear(bias, dict(zip(names, rows, strict=True)))


def _auc(scores: Float[np.ndarray, "n"], wrong: Bool[np.ndarray, "n"]) -> float:
    return float((scores[wrong][:, None] > scores[~wrong]).mean())


def printed(model: ErrorModel, found: Mapping[str, float]) -> str:
    """The file."""
    lines = [
        "# A model of large errors of the ejection fraction, see clinical/expected.py. Written by",
        "# `python -m benchmarks flags RUNS --fit`, on predictions by networks that had not seen the patient, for"
        f" {found['patients']:.0f}",
        f"# patients of CAMUS outside its official validation and testing lists; {found['wrong']:.0f} are off by more"
        " than 10 points.",
        f"# By {FOLDS}-fold cross-validation over patients it doubts {100 * found['doubted_wrong']:.0f} % of those and"
        f" {100 * found['doubted_right']:.1f} % of the others; area under the curve {found['auc']:.2f}.",
        "# Each sign: mean, standard deviation, weight.",
        f"limit = {model.limit:g}",
    ]
    for name, step in (("error", model.error), ("large", model.large)):
        lines += ["", f"[{name}]", f"bias = {step.bias:.5g}", f"[{name}.signs]"]
        lines += [f"{sign} = [{', '.join(f'{value:.5g}' for value in row)}]" for sign, row in step.signs.items()]
    return "\n".join(lines)
