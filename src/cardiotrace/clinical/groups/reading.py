"""What a classifier says of an exam: probabilities with what speaks for and against, or why it says nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from cardiotrace.clinical.groups.classifier import GroupClassifier
from cardiotrace.clinical.groups.index import IndexValue, indices_of
from cardiotrace.clinical.groups.regression import Regression, first_complete
from cardiotrace.clinical.quantity import Measures


class Silence(StrEnum):
    """Why nothing is said."""

    ABSENT = "not measured"
    NOT_USABLE = "not usable"
    UNLIKE = "unlike the patients that it learned from"
    FEW_SLICES = "too few slices"


_OF_PARTS = ("few-slices", "stack-height", "stack-height-impossible")
"""Rules that speak where a stack shows a part of the heart, or what can be none."""


@dataclass(frozen=True)
class Evidence:
    """What one index says of the likeliest group."""

    index: str
    value: float
    usual: float
    """Mean over the patients that were learned from."""
    contribution: float
    """To the log odds of the group against the mean of all groups; above 0 it speaks for the group."""


@dataclass(frozen=True)
class GroupReading:
    """What a classifier says of one exam."""

    classifier: GroupClassifier
    probabilities: tuple[tuple[str, float], ...] = ()
    """Group and probability, the likeliest first; empty where nothing is said."""
    evidence: tuple[Evidence, ...] = ()
    """Of the likeliest group, every index, the heaviest first."""
    silence: Silence | None = None
    lacking: tuple[str, ...] = ()
    """Indices that the first choice of regression lacks: where something is said all the same, it is said without."""
    distance: float | None = None
    """See `Regression.distance`; None where indices are missing."""
    farthest: float | None = None
    is_doubted: bool = False
    """Whether a flag asks for a second look at an index that it rests on."""

    def to_plain(self) -> dict[str, Any]:
        """What it says, as JSON holds it."""
        made_by = self.classifier
        plain: dict[str, Any] = {
            "purpose": "research, no diagnosis",
            "classifier": made_by.name,
            "sha256": made_by.sha256,
            "licence": made_by.terms.licence,
            "view": made_by.view,
            "probabilities": {group: _rounded(value) for group, value in self.probabilities},
            "evidence": [{name: _rounded(value) for name, value in vars(each).items()} for each in self.evidence],
            "lacking": list(self.lacking),
        }
        if self.distance is not None and self.farthest is not None:
            plain |= {"distance": _rounded(self.distance), "farthest": _rounded(self.farthest)}
        return plain | ({} if self.silence is None else {"silence": self.silence.value})


def classify(measures: Measures, classifier: GroupClassifier) -> GroupReading | None:
    """What a classifier says of an exam.

    Args:
        measures: of the exam.
        classifier: what tells its groups apart.

    Returns:
        Probabilities, or why there are none; None where nothing was measured in the classifier's view.
    """
    found = indices_of(measures, classifier.view)
    if not found:
        return None
    usable = {key for key, each in found.items() if each.is_usable}
    first = classifier.regressions[0]
    lacking = tuple(key for key in first.indices if key not in usable)
    regression = first_complete(classifier.regressions, usable)
    if regression is None:
        least = _lacking(classifier.regressions, usable)
        silence = Silence.ABSENT if any(key not in found for key in least) else Silence.NOT_USABLE
        return GroupReading(classifier, silence=silence, lacking=least)
    # Two slices of any heart have ratios that a whole one may have: the distance does not tell them.
    if any(flag.rule in _OF_PARTS for each in found.values() for flag in each.flags):
        return GroupReading(classifier, silence=Silence.FEW_SLICES)
    return _read(classifier, regression, found, lacking)


def _lacking(regressions: Sequence[Regression], usable: set[str]) -> tuple[str, ...]:
    """What the regression lacks that is nearest to being complete."""
    missing = [tuple(key for key in each.indices if key not in usable) for each in regressions]
    return min(missing, key=len)


def _read(
    classifier: GroupClassifier, regression: Regression, found: dict[str, IndexValue], lacking: tuple[str, ...]
) -> GroupReading:
    values = np.array([found[key].value for key in regression.indices])
    distance = regression.distance(values)
    reading = GroupReading(classifier, lacking=lacking, distance=distance, farthest=regression.farthest)
    if distance > regression.farthest:
        return replace(reading, silence=Silence.UNLIKE)
    chances = regression.probabilities(values)
    order = np.argsort(-chances, kind="stable")
    contributions = regression.contributions(values)[order[0]]
    evidence = [
        Evidence(key, float(value), float(usual), float(contribution))
        for key, value, usual, contribution in zip(
            regression.indices, values, regression.centre, contributions, strict=True
        )
    ]
    return replace(
        reading,
        probabilities=tuple((classifier.groups[each], float(chances[each])) for each in order),
        evidence=tuple(sorted(evidence, key=lambda each: -abs(each.contribution))),
        is_doubted=any(found[key].is_doubted for key in regression.indices),
    )


def _rounded(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(f"{value:.6g}")
