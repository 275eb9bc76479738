"""How well groups are told apart: folds by patient, everything that is chosen chosen inside the training part."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from cardiotrace.clinical.groups.classifier import Scores
from cardiotrace.clinical.groups.regression import Regression
from cardiotrace.core.errors import InputError
from cardiotrace.core.progress import OnProgress
from cardiotrace.core.text import some
from cardiotrace.datasets.split import k_folds
from cardiotrace.evaluation.groups.fit import fit_regression, require_learnable, variants
from cardiotrace.evaluation.groups.table import GroupRow, GroupTable

_BINS = 10


def cross_validate(
    table: GroupTable,
    indices: Sequence[str],
    *,
    folds: int,
    repeats: int,
    tested: GroupTable | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> Scores:
    """Scores over repeated folds by patient, with all groups in equal shares.

    The first repetition has the folds that `crossval` makes of the same patients with the seed 0 and
    `stratify` of the group.

    Args:
        table: what is learned from.
        indices: the names of those that may be used.
        folds: how many parts.
        repeats: how many times, each with other folds: their seeds are 0, 1, 2, ...
        tested: the same exams, measured otherwise, that are tested on in place of the table's own.
        on_progress: told how many folds are done.

    Raises:
        InputError: too few patients of a group, or an exam that no regression can be used on.
    """
    require_learnable(table)
    tested = tested or table
    groups, accuracies = table.groups, []
    confusion = np.zeros((len(groups), len(groups)), int)
    everyone: list[Float[np.ndarray, "n group"]] = []
    unlike = 0
    for repeat in range(repeats):
        chances = np.zeros((len(tested.rows), len(groups)))
        made = k_folds(table.patients, folds=folds, seed=repeat, stratify=("group",), validation=False)
        for number, fold in enumerate(made):
            judge = _Judge(table.of(fold.training), indices)
            for place, row in enumerate(tested.rows):
                if row.patient in fold.testing:
                    chances[place], is_unlike = judge.judged(row)
                    unlike += is_unlike
            on_progress(repeat * folds + number + 1, repeats * folds)
        numbers = tested.numbers(groups)
        accuracies.append(float((chances.argmax(axis=1) == numbers).mean()))
        np.add.at(confusion, (numbers, chances.argmax(axis=1)), 1)
        everyone.append(chances)
    together, numbers = np.concatenate(everyone), np.tile(tested.numbers(groups), repeats)
    own = np.maximum(together[np.arange(len(numbers)), numbers], 1e-12)
    return Scores(
        folds,
        tuple(accuracies),
        tuple(tuple(map(int, row)) for row in confusion),
        float(-np.log(own).mean()),
        calibration_error(together, numbers),
        unlike / len(numbers),
    )


@dataclass(frozen=True)
class _Judge:
    """What is learned from one training part; a regression is fitted when an exam needs it."""

    training: GroupTable
    indices: Sequence[str]
    fitted: dict[tuple[str, ...], Regression] = field(default_factory=dict)

    def judged(self, row: GroupRow) -> tuple[Float[np.ndarray, "group"], bool]:
        """Probabilities of an exam, and whether it is unlike those learned from."""
        chosen = next((each for each in variants(self.indices) if set(each) <= row.values.keys()), None)
        if chosen is None:
            lacking = [key for key in self.indices if key not in row.values]
            raise InputError(
                f"exam {row.name} lacks {some(lacking)}", remedy="leave it out, or choose other --indices."
            )
        if chosen not in self.fitted:
            self.fitted[chosen] = fit_regression(self.training, chosen)
        regression = self.fitted[chosen]
        values = np.array([row.values[key] for key in chosen])
        return regression.probabilities(values), regression.distance(values) > regression.farthest


def calibration_error(chances: Float[np.ndarray, "n group"], numbers: Int[np.ndarray, "n"]) -> float:
    """Expected calibration error: how far the highest probability is from how often it is right, in equal bins.

    Example:
        >>> chances = np.array([[0.8, 0.2]] * 10)
        >>> round(calibration_error(chances, np.array([0] * 8 + [1] * 2)), 6)
        0.0

    Source:
        Guo et al. 2017, ICML; theirs has bins of equal width, ours of equal numbers.
    """
    highest, is_right = chances.max(axis=1), chances.argmax(axis=1) == numbers
    # Equal probabilities say the same, whichever bin they fall into.
    _, number = np.unique(highest, return_inverse=True)
    is_right = (np.bincount(number, is_right) / np.bincount(number))[number]
    parts = [part for part in np.array_split(np.argsort(highest, kind="stable"), _BINS) if len(part)]
    gaps = [len(part) * abs(highest[part].mean() - is_right[part].mean()) for part in parts]
    return float(sum(gaps) / len(numbers))
