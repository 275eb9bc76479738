"""Outliers: frames whose outline lies farther from the reference than people do, or has a shape that no heart has."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.evaluation.case_table import CaseRow, CaseTable, group_of, group_order
from cardiotrace.evaluation.limits import OutlierLimits
from cardiotrace.evaluation.score import shape_scores
from cardiotrace.metrics import ShapeLimits, regions_of

SHAPE_QUANTILE = 0.01
"""Share of the references that may have a less likely shape than a fitted limit allows; see `fit_limits`."""


@dataclass(frozen=True)
class Verdict:
    """Whether the outlines of one frame are outliers; None where no limit speaks of it."""

    row: CaseRow
    """One of the frame's rows: its case, phase and groups."""
    geometrical: bool | None
    """Whether a region lies too far from the reference; a missed one does."""
    anatomical: bool | None
    """Whether a predicted region has an impossible shape; an empty one has none."""


@dataclass(frozen=True)
class Share:
    """How many of the frames that a limit speaks of."""

    count: int
    total: int

    @property
    def percent(self) -> float:
        """Of those frames; NaN where there are none."""
        return 100 * self.count / self.total if self.total else float("nan")


@dataclass(frozen=True)
class OutlierRates:
    """Outliers in one group of frames."""

    group: str
    images: int
    geometrical: Share
    anatomical: Share
    both: Share
    """Of the frames that both kinds of limits speak of, those that are outliers both ways."""


def verdicts(table: CaseTable, limits: OutlierLimits) -> tuple[Verdict, ...]:
    """The verdict on every frame of every case: an outlier if any of its regions passes a limit.

    Source:
        Leclerc et al. 2019, IEEE Trans Med Imaging 38:2198 (geometrical); Leclerc et al. 2019, IEEE Int Ultrasonics
        Symp, 1160 (RU-Net, anatomical).
    """
    frames: dict[tuple[str, int], list[CaseRow]] = {}
    for row in table.rows:
        frames.setdefault((row.case, row.frame), []).append(row)
    return tuple(
        Verdict(
            rows[0],
            _any(_is_far(row, limits) for row in rows),
            _any(_is_misshapen(row, limits.shapes.get(row.region)) for row in rows),
        )
        for rows in frames.values()
    )


def outlier_rates(table: CaseTable, limits: OutlierLimits, *, by: str = "phase") -> tuple[OutlierRates, ...]:
    """Outliers by group and over all frames, "all" last.

    Args:
        table: the cases.
        limits: what counts as an outlier.
        by: as in `CaseTable.summaries`.

    Returns:
        Nothing where the limits speak of no region, phase or view of the table.
    """
    found = [item for item in verdicts(table, limits) if (item.geometrical, item.anatomical) != (None, None)]
    groups: dict[str, list[Verdict]] = {}
    for item in found:
        groups.setdefault(group_of(item.row, by), []).append(item)
    rates = [_rates(group, groups[group]) for group in sorted(groups.keys() - {"all"}, key=group_order)]
    return (*rates, _rates("all", found)) if found else ()


def limited_regions(table: CaseTable, limits: OutlierLimits) -> tuple[str, ...]:
    """Regions of the table that the limits speak of."""
    return tuple(region for region in table.regions if region in limits.distances or region in limits.shapes)


def fit_limits(cases: Iterable[Case], *, on_progress: OnProgress | None = None) -> OutlierLimits:
    """Shape limits of a data set: a low quantile of the simplicity and convexity of each region's reference masks.

    Empty masks have no shape and are skipped; so are stacks and long thin structures, whose scores know no shape.

    The quantile is `SHAPE_QUANTILE`, of the references themselves and not between two of them: fewer than that share
    fall below a limit, and up to a hundred references it is the least one. It was chosen on CAMUS by drawing patients
    at random: from 50 to 400 of them the least convexity of the left ventricle fell from 0.89 to 0.83 and the least
    simplicity of the left atrium from 0.67 to 0.53, since every new patient can only loosen a minimum. At 0.5 % the
    latter still scatters by 0.06 between draws of 200 patients, at 1 % by 0.03 (and the convexity stays at 0.89); at
    2 % limits are steadier yet, but speak against twice as many references.

    Args:
        cases: never those that a model is tested on; unlabelled ones are left out.
        on_progress: told after each case.

    Raises:
        InputError: a reference cannot be read.

    Source:
        Leclerc et al. 2019, IEEE Int Ultrasonics Symp, 1160 (RU-Net), section II.B, which takes the least.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    labelled = [case for case in cases if case.read_labels is not None]
    for case in counted(labelled, on_progress):
        for region, shape in _reference_shapes(case):
            found.setdefault(region, []).append(shape)
    return OutlierLimits("references", shapes={region: _rounded_down(_low(shapes)) for region, shapes in found.items()})


def _low(shapes: Sequence[tuple[float, float]]) -> ShapeLimits:
    simplicity, convexity = np.quantile(shapes, SHAPE_QUANTILE, axis=0, method="lower")
    return ShapeLimits(float(simplicity), float(convexity))


def _rounded_down(limits: ShapeLimits) -> ShapeLimits:
    """To six digits: the reference that sets a limit keeps to it."""
    return ShapeLimits(math.floor(limits.simplicity * 1e6) / 1e6, math.floor(limits.convexity * 1e6) / 1e6)


def _reference_shapes(case: Case) -> list[tuple[str, tuple[float, float]]]:
    if case.read_labels is None:
        raise InputError(f"case {case.name} has no reference labels")
    labels = case.read_labels()
    shapes = [
        (region.name, shape_scores(labels, region, frame))
        for region in regions_of(labels.scheme)
        if not region.is_thin
        for frame in range(len(labels.array))
    ]
    pairs = [(region, (shape["simplicity"], shape["convexity"])) for region, shape in shapes]
    return [(region, pair) for region, pair in pairs if not np.isnan(pair).any()]


def _is_far(row: CaseRow, limits: OutlierLimits) -> bool | None:
    limit = limits.distances.get(row.region, {}).get(row.phase)
    distances = row.score("mean_absolute_mm"), row.score("hausdorff_mm")
    if limit is None or (limits.views and row.view not in limits.views) or np.isnan(distances).any():
        return None
    return distances[0] > limit.mean_absolute_mm or distances[1] > limit.hausdorff_mm


def _is_misshapen(row: CaseRow, limit: ShapeLimits | None) -> bool | None:
    shape = row.score("simplicity"), row.score("convexity")
    if limit is None or np.isnan(shape).any():
        return None
    return shape[0] < limit.simplicity or shape[1] < limit.convexity


def _any(answers: Iterable[bool | None]) -> bool | None:
    known = [answer for answer in answers if answer is not None]
    return any(known) if known else None


def _rates(group: str, found: Sequence[Verdict]) -> OutlierRates:
    return OutlierRates(
        group,
        len(found),
        _share(item.geometrical for item in found),
        _share(item.anatomical for item in found),
        _share(_both(item.geometrical, item.anatomical) for item in found),
    )


def _both(first: bool | None, second: bool | None) -> bool | None:
    return None if first is None or second is None else first and second


def _share(answers: Iterable[bool | None]) -> Share:
    known = [answer for answer in answers if answer is not None]
    return Share(sum(known), len(known))
