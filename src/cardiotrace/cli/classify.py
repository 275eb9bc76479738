"""cardiotrace classify table | train."""

import json
from dataclasses import dataclass
from typing import Any

from cardiotrace.cli.output import complain, say
from cardiotrace.cli.terminal import Terminal, table
from cardiotrace.clinical.groups.classifier import GroupClassifier, Scores
from cardiotrace.core.config import to_plain
from cardiotrace.workflows.classify import (
    ClassifyTableConfig,
    ClassifyTrainConfig,
    classify_table,
    train_classifier,
)


@dataclass(frozen=True, kw_only=True)
class TableOptions(ClassifyTableConfig):
    """Measure every patient of a data set, and write a table of indices with the group of each."""


def run_table(options: TableOptions) -> None:
    """Measure, and say what was written."""
    with Terminal() as terminal:
        found = classify_table(options, terminal)
    say(f"{options.out}: {len(found.rows)} exams of {', '.join(found.groups)}, {len(found.indices)} indices")


@dataclass(frozen=True, kw_only=True)
class TrainOptions(ClassifyTrainConfig):
    """Learn to tell groups of patients apart from a table of indices: for research, not for diagnosis."""

    json: bool = False
    """Print the scores as JSON."""


def run_train(options: TrainOptions) -> None:
    """Print accuracy, calibration and confusion by cross-validation."""
    with Terminal() as terminal:
        trained = train_classifier(options, terminal)
    for line in trained.left_out:
        complain(f"cardiotrace: {line}")
    if options.json:
        say(json.dumps({"groups": list(trained.classifier.groups), **to_plain(trained.scores)}, indent=2))
        return
    table(confusion_rows(trained.classifier, trained.scores), title="put into (columns), percent of each group (rows)")
    for line in _lines(trained.classifier, trained.scores):
        say(line)
    if options.out is not None:
        say(f"classifier written: {options.out}")


def confusion_rows(classifier: GroupClassifier, scores: Scores) -> list[dict[str, Any]]:
    """The matrix of confusion in percent of each group."""
    rows = []
    for group, row in zip(classifier.groups, scores.confusion, strict=True):
        shares = {name: f"{100 * each / sum(row):.0f}" for name, each in zip(classifier.groups, row, strict=True)}
        rows.append({"group": group, **shares})
    return rows


def _lines(classifier: GroupClassifier, scores: Scores) -> list[str]:
    low, high = min(scores.accuracies), max(scores.accuracies)
    repeats = len(scores.accuracies)
    return [
        f"accuracy {scores.accuracy:.3f} ({low:.3f} to {high:.3f}), {scores.folds} folds by patient, {repeats} times",
        f"mean - ln P {scores.log_loss:.3f}, calibration error {scores.calibration_error:.3f}",
        f"unlike those learned from: {100 * scores.unlike:.1f} %",
        f"regressions on {', '.join(str(len(each.indices)) for each in classifier.regressions)} indices",
    ]
