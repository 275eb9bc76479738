"""What came of many trainings: mean and spread of each variant, collapsed runs, paired comparisons along each axis."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Integer

from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.compare import Comparison, compare, holm

Rows = list[dict[str, Any]]
RUN_SCORES = ("dice", "jaccard", "native_dice", "native_jaccard")
"""Scores of a run's testing part: on the network's grid, and on the images' own."""


@dataclass(frozen=True)
class RunResult:
    """One finished run of a sweep."""

    name: str
    variant: str
    settings: Mapping[str, str]
    """Axis to label."""
    seed: int
    fold: int
    epochs: int
    best_epoch: int
    validation_dice: float
    """The best over the epochs; 0 if none was finished."""
    constant_dice: float
    """What the best constant answer has on the same images."""
    lowest_share: float
    """Smallest share of foreground that was predicted in a testing image."""
    highest_share: float
    is_diverged: bool = False
    """Whether the loss or a weight became no number."""
    collapse: str = ""
    """Why the run counts as collapsed; empty if it does not."""
    scores: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Means over testing images and structures, by the names of `RUN_SCORES`."""
    seconds: float = 0.0


def collapse_of(
    *, validation_dice: float, constant_dice: float, margin: float, shares: Sequence[float], is_diverged: bool = False
) -> str:
    """Why a run counts as collapsed, in a word or two; empty if it does not.

    A run has collapsed if its loss or a weight became no number ("diverged"), if what it predicts on the testing
    part is background everywhere ("all background") or foreground everywhere ("all foreground"), or if its best
    validation Dice is at most `constant_dice + margin` ("as a constant").

    Args:
        validation_dice: best over the epochs, 0..1.
        constant_dice: of the best constant answer on the same images, see `best_constant_dice`.
        margin: what a network must be better by.
        shares: share of foreground predicted in each testing image, 0..1.
        is_diverged: whether training stopped because a number was none.

    Example:
        >>> collapse_of(validation_dice=0.0, constant_dice=0.18, margin=0.05, shares=[0.0, 0.0])
        'all background'
        >>> collapse_of(validation_dice=0.7, constant_dice=0.18, margin=0.05, shares=[0.1, 0.12])
        ''
    """
    if is_diverged:
        return "diverged"
    if shares and max(shares) == 0.0:
        return "all background"
    if shares and min(shares) == 1.0:
        return "all foreground"
    return "as a constant" if validation_dice <= constant_dice + margin else ""


def best_constant_dice(labels: Integer[np.ndarray, "planes height width"], class_count: int, *, ignore: int) -> float:
    """Mean Dice of the answer that names one and the same class everywhere, for the best such class.

    A class that fills the share p of an image has Dice 2p / (1 + p) then, and every other class 0.

    Args:
        labels: class indices, 0 for background.
        class_count: classes, background included.
        ignore: label of pixels that do not count.

    Example:
        >>> labels = np.array([[[1, 0, 0, 0]]])
        >>> best_constant_dice(labels, 2, ignore=255)
        0.4
    """
    best = 0.0
    for index in range(1, class_count):
        shares = [float((plane == index).sum() / max(1, (plane != ignore).sum())) for plane in labels]
        dice = [2 * share / (1 + share) for share in shares if share]
        best = max(best, sum(dice) / max(1, len(shares)) / (class_count - 1))
    return best


def result_rows(results: Sequence[RunResult]) -> Rows:
    """One dictionary for each run."""
    rows = []
    for item in results:
        plain = {key: value for key, value in vars(item).items() if key not in ("settings", "scores", "variant")}
        rows.append({**item.settings, **plain, **{name: item.scores.get(name, math.nan) for name in RUN_SCORES}})
    return rows


def variant_rows(results: Sequence[RunResult]) -> Rows:
    """One dictionary for each variant: mean and standard deviation over all its runs, and how many collapsed.

    Collapsed runs count in the means: they are what the variant gives.
    """
    rows = []
    for variant in dict.fromkeys(item.variant for item in results):
        runs = [item for item in results if item.variant == variant]
        row: dict[str, Any] = dict(runs[0].settings)
        row |= {"runs": len(runs), "collapsed": sum(bool(item.collapse) for item in runs)}
        for score in RUN_SCORES:
            row |= _mean_and_sd(runs, score)
        rows.append(row)
    return rows


def _mean_and_sd(runs: Sequence[RunResult], score: str) -> dict[str, float]:
    """Two columns: the mean of the runs that have a score, and its standard deviation; NaN below one and two."""
    values = [item.scores[score] for item in runs if not math.isnan(item.scores.get(score, math.nan))]
    return {
        score: float(np.mean(values)) if values else math.nan,
        f"{score}_sd": float(np.std(values, ddof=1)) if len(values) > 1 else math.nan,
    }


def readable(rows: Rows) -> Rows:
    """The summary as papers print it: "mean ± sd" in one cell."""
    shown = []
    for row in rows:
        cells = {key: value for key, value in row.items() if key.removesuffix("_sd") not in RUN_SCORES}
        spread = {score: f" ± {row[f'{score}_sd']:.3f}" for score in RUN_SCORES if not math.isnan(row[f"{score}_sd"])}
        cells |= {score.replace("_", " "): f"{row[score]:.3f}{spread.get(score, '')}" for score in RUN_SCORES}
        shown.append(cells)
    return shown


def compare_along(tables: Mapping[str, CaseTable], results: Sequence[RunResult], axis: str) -> Rows:
    """Compare the Dice of every two values of one axis, paired by patient on the same seeds and folds.

    First over all settings of the other axes together, then at each of them alone; Holm's correction spans all
    comparisons along the axis.

    Args:
        tables: name of the run to the table of its testing part.
        results: the runs.
        axis: name of the axis.

    Returns:
        One dictionary for each comparison; "at" tells the other settings.
    """
    contexts: dict[str, list[RunResult]] = {}
    for item in results:
        contexts.setdefault(_others(item, axis), []).append(item)
    # At the only setting of the other axes nothing else is seen than over all of them.
    parts = {"all": list(results)} | (contexts if len(contexts) > 1 else {})
    found = [(at, item) for at, part in parts.items() for item in _compared_values(tables, part, axis)]
    corrected = holm([item.p_value for _, item in found])
    return [
        {"axis": axis, "at": at, **vars(item), "p_holm": p_holm}
        for (at, item), p_holm in zip(found, corrected, strict=True)
    ]


def _compared_values(tables: Mapping[str, CaseTable], results: Sequence[RunResult], axis: str) -> Iterator[Comparison]:
    """Every two values of an axis that have cases, over the runs given."""
    labels = dict.fromkeys(item.settings[axis] for item in results)
    pooled = {
        label: _pooled(tables, [item for item in results if item.settings[axis] == label], axis) for label in labels
    }
    for first, second in itertools.combinations([label for label, table in pooled.items() if table.rows], 2):
        yield from compare({first: pooled[first], second: pooled[second]}, score="dice")


def _others(result: RunResult, axis: str) -> str:
    return ", ".join(f"{name} {label}" for name, label in result.settings.items() if name != axis)


def _pooled(tables: Mapping[str, CaseTable], results: Sequence[RunResult], axis: str) -> CaseTable:
    """The rows of several runs; a case is named with seed and other settings, so that it meets its own counterpart."""
    return CaseTable(
        tuple(
            dataclasses.replace(row, case=f"{row.case}, seed {item.seed}, {_others(item, axis)}")
            for item in results
            if item.name in tables
            for row in tables[item.name].rows
        )
    )
