"""Which of several methods is better, on the patients that all of them were given."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.core.errors import InputError
from cardiotrace.evaluation.case_table import SCORES, CaseRow, CaseTable


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
    asked = known_scores((score,) if isinstance(score, str) else score)
    wanted = regions or _common_regions(tables)
    scores = [(region, name) for region in wanted for name in _compared_scores(asked, region, tables)]
    pairs = itertools.combinations(tables.items(), 2)
    made = [_compare_pair(*pair, region, name) for pair, (region, name) in itertools.product(pairs, scores)]
    if not made:
        raise InputError("the tables have no region in common")
    corrected = holm([item.p_value for item in made])
    return tuple(replace(item, p_holm=p_holm) for item, p_holm in zip(made, corrected, strict=True))


def known_scores(asked: Sequence[str]) -> tuple[str, ...]:
    """Names of scores as they were asked for, `ALL` among them.

    Raises:
        InputError: one that is none, naming those that are.
    """
    unknown = [name for name in asked if name not in (*SCORES, ALL)]
    if unknown:
        raise InputError(f"there is no score {unknown[0]!r}", remedy=f"choose from: {', '.join((*SCORES, ALL))}.")
    return tuple(asked)


def _compared_scores(asked: tuple[str, ...], region: str, tables: Mapping[str, CaseTable]) -> tuple[str, ...]:
    """The scores that were asked for; "all" is those that every table has of the region."""
    if ALL not in asked:
        return asked
    return tuple(
        name for name in SCORES if name in asked or all(_has(table, region, name) for table in tables.values())
    )


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


def _common_regions(tables: Mapping[str, CaseTable]) -> list[str]:
    """Regions that all tables have, in the order of the first."""
    first, *others = (table.regions for table in tables.values())
    return [region for region in first if all(region in regions for regions in others)]


def _has(table: CaseTable, region: str, score: str) -> bool:
    return any(math.isfinite(row.score(score)) for row in table.rows if row.region == region)


@dataclass(frozen=True)
class _PairedScores:
    """One score of two methods, patient by patient."""

    values: Float[np.ndarray, "patients methods"]
    """Means over the images of a patient that both methods have; not finite where one has none."""
    penalised: Bool[np.ndarray, " patients"]
    """Whether an infinite distance was replaced."""


def _compare_pair(first: tuple[str, CaseTable], second: tuple[str, CaseTable], region: str, score: str) -> Comparison:
    """Two methods by name, not yet corrected for being many."""
    paired = _paired_by_patient(first[1], second[1], region, score)
    if paired is None:
        raise InputError(f"{first[0]} and {second[0]} have no image with {region} in common")
    is_usable = np.isfinite(paired.values).all(axis=1)
    usable = paired.values[is_usable]
    difference = usable[:, 0] - usable[:, 1]
    # The mean of nothing is no number, and no warning either.
    ours, theirs = usable.mean(axis=0).tolist() if len(usable) else (math.nan, math.nan)
    return Comparison(
        first[0],
        second[0],
        region,
        score,
        len(usable),
        len(is_usable) - len(usable),
        int(np.count_nonzero(paired.penalised & is_usable)),
        ours,
        theirs,
        float(difference.mean()) if len(usable) else math.nan,
        wilcoxon_p(difference),
        math.nan,
    )


def _paired_by_patient(first: CaseTable, second: CaseTable, region: str, score: str) -> _PairedScores | None:
    """Scores over the images that both have; None where they have none in common.

    No patient where the region is absent from all of them.
    """
    rows = _by_image(first, region), _by_image(second, region)
    common = sorted(rows[0].keys() & rows[1].keys())
    if not common:
        return None
    # Of all images, the common ones and the others: a miss must not cost less than any distance that was measured.
    farthest = _farthest((*rows[0].values(), *rows[1].values()), score)
    patients: dict[str, list[tuple[float, float]]] = {}
    penalised: set[str] = set()
    for key in common:
        pair = rows[0][key], rows[1][key]
        found = pair[0].score(score), pair[1].score(score)
        if all(map(math.isnan, found)):  # absent: both have nothing to say
            continue
        if any(map(math.isinf, found)):
            penalised.add(key[0])
        patients.setdefault(key[0], []).append(_penalised(found, _penalty(pair, farthest)))
    means = [np.mean(values, axis=0) for values in patients.values()]
    return _PairedScores(
        np.array(means, np.float64).reshape(-1, 2), np.array([name in penalised for name in patients], bool)
    )


def _by_image(table: CaseTable, region: str) -> dict[tuple[str, str, int], CaseRow]:
    """The rows of a region by patient, case and frame."""
    return {(row.patient, row.case, row.frame): row for row in table.rows if row.region == region}


def _farthest(rows: Iterable[CaseRow], score: str) -> float:
    """The largest finite value of a score; infinite where there is none."""
    return max((value for row in rows if math.isfinite(value := row.score(score))), default=math.inf)


def _penalty(pair: tuple[CaseRow, CaseRow], farthest: float) -> float:
    """What stands for an infinite distance: the image's diagonal, which no distance exceeds; unknown, the farthest."""
    return max((row.diagonal_mm for row in pair if not math.isnan(row.diagonal_mm)), default=farthest)


def _penalised(found: tuple[float, float], penalty: float) -> tuple[float, float]:
    first, second = (penalty if math.isinf(value) else value for value in found)
    return first, second
