"""Which of several methods is better, on the patients that all of them were given."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.core.errors import InputError
from cardiotrace.evaluation.case_table import SCORES, CaseTable


@dataclass(frozen=True)
class Comparison:
    """Two methods on one region and score, paired by patient."""

    first: str
    second: str
    region: str
    score: str
    count: int
    """Patients compared."""
    left_out: int
    """Patients that have no score with one of the two, such as distances without a pixel size."""
    penalised: int
    """Patients, among those compared, with a structure in one mask only: for the infinite distance stands the image's
    diagonal, or in older tables the largest distance of all."""
    first_mean: float
    second_mean: float
    mean_difference: float
    """First minus second."""
    p_value: float
    """Two-sided Wilcoxon signed-rank test; NaN below one patient."""
    p_holm: float
    """The same, corrected for the number of comparisons made."""


ALL = "all"
"""The word for every score that the tables have."""


def compare(
    tables: Mapping[str, CaseTable],
    *,
    score: str | Sequence[str] = "dice",
    regions: Sequence[str] | None = None,
) -> tuple[Comparison, ...]:
    """Compare every pair of methods on the images they have in common.

    The images of one patient are not independent, so their scores are averaged before testing.

    Args:
        tables: name of the method to its table.
        score: one of `SCORES` or several, or "all" for those that all tables have.
        regions: names of regions; those that all tables have if None.

    Returns:
        One comparison for each pair, region and score; Holm's correction spans all of them.

    Raises:
        InputError: fewer than two tables, an unknown score, or no image in common.

    Source:
        Wilcoxon 1945, Biometrics Bull 1:80; Holm 1979, Scand J Stat 6:65.
    """
    if len(tables) < 2:
        raise InputError("a comparison needs at least two tables")
    scores = (score,) if isinstance(score, str) else tuple(score)
    for name in scores:
        if name not in (*SCORES, ALL):
            raise InputError(f"there is no score {name!r}", remedy=f"choose from: {', '.join((*SCORES, ALL))}.")
    wanted = regions or [name for name in next(iter(tables.values())).regions if _in_all(name, tables)]
    made = [
        _compare_pair((first, tables[first]), (second, tables[second]), region, name)
        for first, second in itertools.combinations(tables, 2)
        for region in wanted
        for name in (SCORES if ALL in scores else scores)
        if name in scores or all(_has(table, region, name) for table in tables.values())
    ]
    if not made:
        raise InputError("the tables have no region in common")
    corrected = holm([item[-1] for item in made])
    return tuple(Comparison(*item, p_holm) for item, p_holm in zip(made, corrected, strict=True))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for being many: p_(i) (n - i + 1), made monotone, at most 1; NaN stays and is not counted.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    corrected = list(p_values)
    order = sorted((index for index, p in enumerate(p_values) if not math.isnan(p)), key=p_values.__getitem__)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(order) - rank)))
        corrected[index] = largest
    return corrected


def wilcoxon_p(difference: Float[np.ndarray, " patients"]) -> float:
    """Two-sided p of the Wilcoxon signed-rank test that differences are centred on zero.

    Differences of zero are ranked and then dropped (Pratt). All zero: 1. None at all: NaN.

    Example:
        >>> wilcoxon_p(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
        0.0625
    """
    if difference.size == 0:
        return math.nan
    if not difference.any():
        return 1.0
    from scipy.stats import wilcoxon

    # The exact distribution holds only without zeros and ties.
    sizes = np.abs(difference)
    is_exact = difference.size <= 50 and sizes.min() > 0 and len(np.unique(sizes)) == sizes.size
    method = "exact" if is_exact else "asymptotic"
    return float(wilcoxon(difference, zero_method="pratt", method=method).pvalue)


def _in_all(region: str, tables: Mapping[str, CaseTable]) -> bool:
    return all(region in table.regions for table in tables.values())


def _has(table: CaseTable, region: str, score: str) -> bool:
    return any(math.isfinite(row.score(score)) for row in table.rows if row.region == region)


def _compare_pair(
    first: tuple[str, CaseTable], second: tuple[str, CaseTable], region: str, score: str
) -> tuple[str, str, str, str, int, int, int, float, float, float, float]:
    scores, penalised = _paired_by_patient(first[1], second[1], region, score)
    if scores is None:
        raise InputError(f"{first[0]} and {second[0]} have no image with {region} in common")
    is_usable = np.isfinite(scores).all(axis=1)
    usable = scores[is_usable]
    names = (first[0], second[0], region, score)
    counts = (len(usable), len(scores) - len(usable), int(np.count_nonzero(penalised & is_usable)))
    if not len(usable):
        return *names, *counts, math.nan, math.nan, math.nan, math.nan
    difference = usable[:, 0] - usable[:, 1]
    means = usable.mean(axis=0)
    return *names, *counts, float(means[0]), float(means[1]), float(difference.mean()), wilcoxon_p(difference)


def _paired_by_patient(
    first: CaseTable, second: CaseTable, region: str, score: str
) -> tuple[Float[np.ndarray, "patients methods"] | None, Bool[np.ndarray, " patients"]]:
    """Mean score of each patient with both methods over the images that both have, and who was penalised.

    None where they have no image in common; no patient where the region is absent from all of them.
    """
    rows = [
        {(row.patient, row.case, row.frame): row for row in table.rows if row.region == region}
        for table in (first, second)
    ]
    common = sorted(rows[0].keys() & rows[1].keys())
    if not common:
        return None, np.zeros(0, bool)
    finite = [value for table in rows for row in table.values() if math.isfinite(value := row.score(score))]
    patients: dict[str, list[tuple[float, float]]] = {}
    penalised: set[str] = set()
    for key in common:
        pair = rows[0][key], rows[1][key]
        values = [row.score(score) for row in pair]
        if all(map(math.isnan, values)):  # absent: both have nothing to say
            continue
        if any(map(math.isinf, values)):
            diagonals = [row.diagonal_mm for row in pair if not math.isnan(row.diagonal_mm)]
            penalty = max(diagonals or finite, default=math.inf)
            values = [penalty if math.isinf(value) else value for value in values]
            penalised.add(key[0])
        patients.setdefault(key[0], []).append((values[0], values[1]))
    means = [np.mean(patients[name], axis=0) for name in patients]
    return np.array(means, np.float64).reshape(-1, 2), np.array([name in penalised for name in patients], bool)
