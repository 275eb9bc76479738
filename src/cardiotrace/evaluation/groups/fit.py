"""Fit a classifier of groups with scikit-learn: strength of the penalty, temperature and distances by inner folds."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar

from cardiotrace.clinical.groups.index import Index
from cardiotrace.clinical.groups.regression import Regression, softmax
from cardiotrace.core.errors import InputError
from cardiotrace.core.text import some
from cardiotrace.datasets.split import Split, k_folds
from cardiotrace.evaluation.groups.table import GroupTable

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""Inverse strengths of the quadratic penalty that are tried."""
FEWEST = 5
"""Patients of each group: fewer cannot be in every one of five folds."""
_FEWEST_INSIDE = 2
"""Of each group within a training part: one to learn from where the other is held out."""
_COLDEST, _HOTTEST = 0.1, 10.0


def require_learnable(table: GroupTable, *, fewest: int = FEWEST) -> None:
    """Refuse a table that nothing can be learned from.

    Args:
        table: the exams.
        fewest: patients of each group that must be there.

    Raises:
        InputError: fewer than two groups, or a group with too few patients.
    """
    groups = [group["group"] for group in table.patients.values()]
    counts = {name: groups.count(name) for name in sorted(set(groups))}
    if len(counts) < 2:
        told = f"all exams are of group {next(iter(counts))!r}" if counts else "no exam has a group"
        raise InputError(f"{told}: there is nothing to tell apart", remedy="give exams of two groups or more.")
    few = [f"{name} ({count})" for name, count in counts.items() if count < fewest]
    if few:
        raise InputError(
            f"too few patients of group {', '.join(few)}: at least {fewest} of each are needed",
            remedy="give more patients, or leave the group out.",
        )


def fit_regressions(table: GroupTable, indices: Sequence[str]) -> tuple[Regression, ...]:
    """Regressions on all indices, and on those that are left where height and weight, or segments, are not known.

    Args:
        table: what is learned from; an exam that lacks an index of a regression is left out of it.
        indices: the names of all.

    Raises:
        InputError: nothing can be learned from the table.
    """
    return tuple(fit_regression(table, chosen) for chosen in variants(indices))


def fit_regression(table: GroupTable, indices: Sequence[str]) -> Regression:
    """One regression, its strength, temperature and farthest distance found by folds of the same patients.

    Args:
        table: what is learned from; an exam that lacks an index is left out.
        indices: the names of those that it needs.

    Raises:
        InputError: nothing can be learned from the exams that have all of them.
    """
    complete = table.with_all(indices)
    require_learnable(complete, fewest=_FEWEST_INSIDE)
    lost = set(table.groups) - set(complete.groups)
    if lost:
        raise InputError(f"no exam of group {some(sorted(lost))} has all indices", remedy="choose other --indices.")
    return _fit(complete, table.groups, indices)


def variants(indices: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """All indices, then without those by segment, then without those by body surface, then without both; each once."""
    kinds: tuple[Callable[[Index], bool], ...] = (
        lambda index: True,
        lambda index: not index.statistic,
        lambda index: not index.is_per_body,
        lambda index: not index.statistic and not index.is_per_body,
    )
    sets = (tuple(key for key in indices if keeps(Index.of(key))) for keeps in kinds)
    yield from dict.fromkeys(each for each in sets if each)


def _fit(table: GroupTable, groups: Sequence[str], indices: Sequence[str]) -> Regression:
    numbers = table.numbers(groups)
    logits, distances = {}, {}
    for strength in STRENGTHS:
        logits[strength], distances[strength] = _out_of_fold(table, groups, indices, strength)
    best = min(
        STRENGTHS, key=lambda strength: _loss(logits[strength], numbers, _temperature(logits[strength], numbers))
    )
    farthest = float(distances[best].max())
    return _regression(table, groups, indices, best, temperature=_temperature(logits[best], numbers), farthest=farthest)


def _out_of_fold(
    table: GroupTable, groups: Sequence[str], indices: Sequence[str], strength: float
) -> tuple[Float[np.ndarray, "n group"], Float[np.ndarray, "n"]]:
    """Logits and distances of each exam, by regressions that never saw its patient."""
    logits = np.zeros((len(table.rows), len(groups)))
    distances = np.zeros(len(table.rows))
    for fold in inner_folds(table):
        regression = _regression(table.of(fold.training), groups, indices, strength)
        tested = np.array([row.patient in set(fold.testing) for row in table.rows])
        values = table.values(indices)[tested]
        logits[tested] = regression.logits(values)
        distances[tested] = [regression.distance(each) for each in values]
    return logits, distances


def inner_folds(table: GroupTable) -> tuple[Split, ...]:
    """Folds by patient with every group in every part: five, or as many as the smallest group has patients."""
    patients = table.patients
    groups = [group["group"] for group in patients.values()]
    count = min(5, *(groups.count(name) for name in set(groups)))
    return k_folds(patients, folds=count, stratify=("group",), validation=False)


def _regression(
    table: GroupTable,
    groups: Sequence[str],
    indices: Sequence[str],
    strength: float,
    *,
    temperature: float = 1.0,
    farthest: float = 1.0,
) -> Regression:
    values, numbers = table.values(indices), table.numbers(groups)
    centre, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)  # constant among these few, not among all
    standardised = (values - centre) / scale
    weights, offsets = _fit_weights(standardised, numbers, strength)
    means = np.array([standardised[numbers == number].mean(axis=0) for number in range(len(groups))])
    precision = _precision(standardised - means[numbers])
    return Regression(tuple(indices), centre, scale, weights, offsets, temperature, means, precision, farthest)


def _fit_weights(
    standardised: Float[np.ndarray, "n index"], numbers: Int[np.ndarray, "n"], strength: float
) -> tuple[Float[np.ndarray, "group index"], Float[np.ndarray, "group"]]:
    from sklearn.linear_model import LogisticRegression  # of the extra for training

    fitted: Any = LogisticRegression(C=strength, max_iter=10_000).fit(standardised, numbers)
    weights, offsets = np.asarray(fitted.coef_, float), np.asarray(fitted.intercept_, float)
    if len(weights) > 1:
        return weights, offsets
    # Of two groups scikit-learn holds the log odds of the second alone.
    return np.concatenate([-weights, weights]) / 2, np.concatenate([-offsets, offsets]) / 2


def _precision(residuals: Float[np.ndarray, "n index"]) -> Float[np.ndarray, "index index"]:
    """Inverse covariance, shrunk by the rule of Ledoit and Wolf, so that few exams have one at all."""
    from sklearn.covariance import LedoitWolf  # of the extra for training

    return np.asarray(LedoitWolf(assume_centered=True).fit(residuals).precision_, float)


def _temperature(logits: Float[np.ndarray, "n group"], numbers: Int[np.ndarray, "n"]) -> float:
    """The one that makes the held-out exams likeliest."""
    found = minimize_scalar(
        lambda exponent: _loss(logits, numbers, float(np.exp(exponent))),
        bounds=(np.log(_COLDEST), np.log(_HOTTEST)),
        method="bounded",
    )
    return float(np.exp(found.x))


def _loss(logits: Float[np.ndarray, "n group"], numbers: Int[np.ndarray, "n"], temperature: float) -> float:
    own = softmax(logits / temperature)[np.arange(len(numbers)), numbers]
    return float(-np.log(np.maximum(own, 1e-12)).mean())
