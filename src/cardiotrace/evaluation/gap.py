"""What adaptation is worth: methods between a model that never saw a domain and one that learned from its labels."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.evaluation.case_table import RESAMPLES, CaseRow, CaseTable, group_of
from cardiotrace.evaluation.validity import ANY, LITERATURE, validity_rates
from cardiotrace.metrics.overlap import Presence

METHOD, SEED, LABELS = "adaptation", "seed", "target_labels"
"""Facts of a table of an adapted model: its method, the seed of its training, and whether it learned from labels of the
targets."""
NO_METHOD = "none"
EJECTION = "left_ventricular_ejection_fraction_percent"
_UNSURE = 0.0
"""A gap whose interval reaches this far down is none that could be closed."""


@dataclass(frozen=True)
class GapRow:
    """One method, over all of its seeds."""

    method: str
    seeds: int
    patients: int
    dice: float
    """Mean over patients of the mean over their images, regions and seeds."""
    dice_interval: tuple[float, float]
    """95 %, patients drawn anew."""
    seed_sd: float
    """Standard deviation of the mean over seeds; NaN of one seed."""
    gain: float
    """Dice minus that of the source alone, on the same patients."""
    gain_interval: tuple[float, float]
    closed: float
    """Gain as a share of the upper bound's; NaN where there is no upper bound, or it is not surely better."""
    closed_interval: tuple[float, float]
    worst_group: str
    worst_dice: float
    invalid_percent: float
    """Slices or planes that fail an anatomical criterion by the published limits; NaN where that was not asked."""
    ejection_error: float
    """Mean absolute error of the ejection fraction, points; NaN where none is known."""
    expectation_error: float
    """Mean absolute difference of the Dice that the model expected and the true one."""


@dataclass(frozen=True)
class _Method:
    """The tables of one method, a table for each seed."""

    name: str
    tables: tuple[CaseTable, ...]

    @property
    def is_source(self) -> bool:
        return self.tables[0].facts[METHOD] == NO_METHOD and not self.is_upper

    @property
    def is_upper(self) -> bool:
        return self.tables[0].facts.get(LABELS) == "yes"

    @property
    def rows(self) -> list[CaseRow]:
        return [row for table in self.tables for row in table.rows]


def gap_rows(tables: Mapping[str, CaseTable], *, by: str = "pathology") -> tuple[GapRow, ...]:
    """A row for each method, the first that adapts to nothing as the source alone.

    Tables of one name, method and use of labels are one method where all differ in their seed. Where two share a seed
    they are not the same training twice, and each is a row of its own. Patients count that all methods have.

    Args:
        tables: by name; those without the fact `METHOD` are passed over.
        by: group key of the worst group, such as pathology, vendor or quality.

    Returns:
        None where no table is of a model that adapts to nothing.
    """
    methods = _methods(tables)
    source = next((one for one in methods if one.is_source), None)
    if source is None:
        return ()
    scores = {one.name: _by_patient(one.rows) for one in methods}
    patients = sorted(set.intersection(*(set(found) for found in scores.values())))
    if not patients:
        return ()
    values = {name: np.array([found[patient] for patient in patients]) for name, found in scores.items()}
    upper = next((one for one in methods if one.is_upper), None)
    draws = np.random.default_rng(0).integers(len(patients), size=(RESAMPLES, len(patients)))
    bound = None if upper is None else values[upper.name]
    return tuple(_row(one, values[one.name], values[source.name], bound, draws, by) for one in methods)


def _methods(tables: Mapping[str, CaseTable]) -> list[_Method]:
    """In the order in which they were named."""
    groups: dict[tuple[str, ...], dict[str, CaseTable]] = {}
    for name, table in tables.items():
        if METHOD in table.facts:
            key = (table.facts.get("predicted", name), table.facts[METHOD], table.facts.get(LABELS, ""))
            groups.setdefault(key, {})[name] = table
    called = [key[0] for key in groups]
    found: list[_Method] = []
    for (predicted, *_), group in groups.items():
        seeds = [table.facts.get(SEED, "") for table in group.values()]
        if len(set(seeds)) < len(seeds):
            found.extend(_Method(name, (table,)) for name, table in group.items())
        else:
            # A name that several methods bear tells none of them: those of the tables do.
            own = predicted if called.count(predicted) == 1 else next(iter(group))
            found.append(_Method(own, tuple(group.values())))
    return found


def _row(
    method: _Method,
    values: Float[np.ndarray, " patients"],
    source: Float[np.ndarray, " patients"],
    upper: Float[np.ndarray, " patients"] | None,
    draws: np.ndarray,
    by: str,
) -> GapRow:
    gains = (values - source)[draws].mean(axis=1)
    closed, closed_interval = _closed(values - source, None if upper is None else upper - source, draws)
    worst_group, worst_dice = _worst(method, by)
    means = [np.mean(list(_by_patient(table.rows).values())) for table in method.tables]
    return GapRow(
        method.name,
        len(method.tables),
        len(values),
        float(values.mean()),
        _interval(values[draws].mean(axis=1)),
        float(np.std(means, ddof=1)) if len(means) > 1 else math.nan,
        float((values - source).mean()),
        _interval(gains),
        closed,
        closed_interval,
        worst_group,
        worst_dice,
        _mean(map(_invalid_percent, method.tables)),
        _mean(_ejection_error(table) for table in method.tables),
        _mean(abs(row.expected_dice - row.score("dice")) for row in method.rows),
    )


def _closed(
    gain: Float[np.ndarray, " patients"], room: Float[np.ndarray, " patients"] | None, draws: np.ndarray
) -> tuple[float, tuple[float, float]]:
    """Share of the gap that is closed, and its interval; nothing where the gap may be none."""
    nothing = (math.nan, (math.nan, math.nan))
    if room is None:
        return nothing
    drawn = room[draws].mean(axis=1)
    if room.mean() <= _UNSURE or _interval(drawn)[0] <= _UNSURE:
        return nothing
    return float(gain.mean() / room.mean()), _interval((gain[draws].mean(axis=1) / drawn)[drawn > _UNSURE])


def _interval(drawn: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _by_patient(rows: Sequence[CaseRow]) -> dict[str, float]:
    """Mean Dice of each patient; a structure that neither mask has says nothing, a missed one counts as 0."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.presence is not Presence.ABSENT and math.isfinite(value := row.score("dice")):
            found.setdefault(row.patient, []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _worst(method: _Method, by: str) -> tuple[str, float]:
    groups: dict[str, list[CaseRow]] = {}
    for row in method.rows:
        groups.setdefault(group_of(row, by), []).append(row)
    means = {name: found for name, rows in groups.items() if (found := list(_by_patient(rows).values()))}
    if len(means) < 2:  # one group is no worst one
        return "", math.nan
    worst = min(means, key=lambda name: float(np.mean(means[name])))
    return worst, float(np.mean(means[worst]))


def _invalid_percent(table: CaseTable) -> float:
    rates = () if table.validity is None else validity_rates(table.validity)
    wanted = [rate for rate in rates if (rate.criterion, rate.limits, rate.whose) == (ANY, LITERATURE, "predicted")]
    return next((rate.percent for rate in wanted if rate.of in ("planes", "slices")), math.nan)


def _ejection_error(table: CaseTable) -> float:
    stated = table.agreement(EJECTION, "stated")
    found = stated if stated.count else table.agreement(EJECTION, "traced")
    return found.mean_absolute_error if found.count else math.nan


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan
