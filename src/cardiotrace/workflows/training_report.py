"""What is told of a training while it goes on: remarks on its data, a line for each epoch, curves."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.exam import Case
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.core.text import some
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.datasets.split import Split
from cardiotrace.learning.training.adaptation.domains import Adaptation
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.training_log import Row
from cardiotrace.report.figure import draw_curves


@dataclass(frozen=True)
class EpochReport:
    """Told of each finished epoch: says it in one line, and draws the curves anew."""

    folder: RunFolder
    epochs: int
    """Of the whole training."""
    reporter: ProgressReporter
    keeps_last: bool = False
    """Whether the last epoch is kept whatever its score: then none is called the best."""

    def __call__(self, rows: Sequence[Row], is_kept: bool) -> None:
        """Tell of the last of the epochs so far."""
        is_chosen = is_kept and not self.keeps_last
        self.reporter.say(epoch_line(rows[-1], is_chosen, epochs=self.epochs))
        draw_curves([curve_row(row) for row in rows], self.folder.curves)


def epoch_line(row: Row, is_best: bool, *, epochs: int) -> str:
    """One line about a finished epoch.

    Args:
        row: of the training log.
        is_best: whether no epoch before had a better validation score.
        epochs: of the whole training.
    """
    dice = "  ".join(f"{name} {value:.4f}" for name, value in row.get("dice", {}).items())
    scored = f"  Dice {dice}" if dice else ""
    mark = "  best so far" if is_best else ""
    return (
        f"epoch {row['epoch']:>3}/{epochs}  loss {row['loss']:.4f}{scored}"
        f"  {row['seconds']:.0f} s ({row['images_per_second']:.1f} images/s){mark}"
    )


def curve_row(row: Row) -> dict[str, float]:
    """What the training curves show of a row of the log, under the names that stand in their legends."""
    scores = {f"{name} Dice": value for name, value in row.get("dice", {}).items()}
    if "score" in row:
        scores["mean Dice"] = row["score"]
    return {
        "epoch": row["epoch"],
        "loss": row["loss"],
        **scores,
        "learning_rate": row["learning_rate"],
    }


def split_remarks(split: Split, at_hand: Set[str]) -> list[str]:
    """A line for each thing that a split on paper is not with the data at hand.

    Args:
        split: who trains, validates and tests.
        at_hand: patients of the data.
    """
    lines = []
    if names := split.missing:
        lines.append(f"{len(names)} patients of the split are not in the data and are left out: {some(names)}")
    if others := sorted(at_hand - set(split.patients)):
        lines.append(f"{len(others)} patients of the data are in no part of the split and are left out: {some(others)}")
    if split.drawn:
        lines.append(f"nobody at hand validates in this split: {len(split.drawn)} of its training patients do")
    return lines


def adaptation_remarks(adaptation: Adaptation | None, split: Split, cases: Sequence[Case]) -> list[str]:
    """What an adaptation does with patients and their labels; nothing where there is none."""
    if adaptation is None:
        return []
    learned = set(split.training)
    target = [case for case in cases if adaptation.is_target(case) and case.patient in learned]
    patients, named = len({case.patient for case in target}), some(adaptation.targets)
    tested = {case.patient for case in cases if adaptation.is_target(case)} & set(split.testing)
    told = f"{named}: {patients} patients are seen in training, {len(tested)} are kept apart to be tested on"
    labelled = sum(case.read_labels is not None for case in target)
    if adaptation.target_labels:
        return [f"{told}; labels of {named} are learned from: an upper bound, no adaptation"]
    if labelled:
        return [f"{told}; labels of {labelled} of their images are taken away and not looked at"]
    return [told]


def unlabelled_remarks(packed: PackedDataset, split: Split, scheme: LabelScheme) -> list[str]:
    """A line for each part of the split in which structures have no pixel at all: nothing can be learned of them."""
    lines = []
    for part in ("training", "validation"):
        indices = packed.indices_of(getattr(split, part))
        if not len(indices):
            continue  # training refuses that in words of its own
        absent = _absent_structures(packed, indices, scheme)
        if len(absent) == len(scheme.structures):
            lines.append(f"warning: no label of the {part} part holds anything: look with `cardiotrace data lint`")
        elif absent:
            lines.append(f"warning: no label of the {part} part holds {', '.join(absent)}")
    return lines


def _absent_structures(packed: PackedDataset, indices: NDArray[np.int64], scheme: LabelScheme) -> list[str]:
    absent = dict(enumerate(scheme.structures, start=1))
    for index in indices:
        if not absent:  # as a rule after a plane or two
            break
        for value in np.unique(packed.labels[index]).tolist():
            absent.pop(value, None)
    return [str(structure) for structure in absent.values()]
