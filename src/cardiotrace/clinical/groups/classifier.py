"""A classifier of groups as a file holds it: regressions for what is known of an exam, scores, licence, checksum."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.clinical.groups.regression import Regression
from cardiotrace.core.config import brief, to_plain
from cardiotrace.core.contract import GROUPS
from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.core.licence import Terms
from cardiotrace.core.plain import read_json

SHIPPED = Path(__file__).parents[2] / "zoo" / "cine-mri-groups.json"
"""The one that comes with the program."""
_LARGEST = 4 * 2**20
_DIGEST = "sha256"
_AGAIN = "get the file again, or make it again with `cardiotrace classify train`."


@dataclass(frozen=True)
class Scores:
    """What cross-validation said of a classifier, every patient tested by one that never saw it."""

    folds: int
    accuracies: tuple[float, ...]
    """Share of the patients put into their own group, of each repetition with other folds."""
    confusion: tuple[tuple[int, ...], ...]
    """Patients of each group (rows) put into each group (columns), all repetitions together."""
    log_loss: float
    """Mean of - ln P(own group)."""
    calibration_error: float
    """Expected calibration error of the highest probability, in ten bins of equal numbers."""
    unlike: float
    """Share of the patients of whom nothing would have been said, as they are unlike those learned from."""

    @property
    def accuracy(self) -> float:
        """Mean over the repetitions."""
        return sum(self.accuracies) / len(self.accuracies)


@dataclass(frozen=True)
class GroupClassifier:
    """Tells groups of patients apart by indices of one view."""

    name: str
    view: str
    """As quantities state it, such as "SAX"."""
    groups: tuple[str, ...]
    counts: tuple[int, ...]
    """Patients of each group that it learned from."""
    regressions: tuple[Regression, ...]
    """The first whose indices are all usable counts: those that need less come later."""
    scores: Scores | None = None
    """None where it was not cross-validated."""
    terms: Terms = field(default_factory=Terms)
    """Of the data that it learned from."""
    learned_from: str = ""
    """In words."""
    sha256: str = ""
    """Of its facts, as the file states it; empty of one that was never written."""

    @property
    def patients(self) -> int:
        """How many it learned from."""
        return sum(self.counts)


def classifier_text(classifier: GroupClassifier) -> str:
    """The file as text, sealed with a checksum of all that it says."""
    facts = GROUPS.stamp(_plain(classifier))
    return json.dumps({**facts, _DIGEST: _digest(facts)}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


@cache
def _shipped() -> GroupClassifier:
    return read_classifier(SHIPPED)


def load_classifier(path: Path | None = None) -> GroupClassifier:
    """A classifier of a file, or the one that comes with the program.

    Raises:
        ModelFileError: see `read_classifier`.
    """
    return _shipped() if path is None else read_classifier(path)


def read_classifier(path: Path) -> GroupClassifier:
    """Read a classifier and verify its checksum.

    Raises:
        InputError: no such file.
        ModelFileError: it is damaged, of a newer version, or no classifier.
    """
    try:
        facts = read_json(path, largest=_LARGEST)
    except InputError as error:
        raise ModelFileError(error.what, where=path, remedy=error.remedy or _AGAIN) from None
    if not isinstance(facts, dict) or _DIGEST not in facts:
        raise ModelFileError("is no classifier of groups", where=path, remedy=_AGAIN)
    GROUPS.version_of(facts, where=path, kind=ModelFileError)
    stated = facts.pop(_DIGEST)
    if stated != _digest(facts):
        raise ModelFileError("is damaged: its checksum is another", where=path, remedy=_AGAIN)
    try:
        return _classifier(facts, stated)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"is no classifier that can be used: {brief(str(error))}", where=path) from None


def _digest(facts: Mapping[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(classifier: GroupClassifier) -> dict[str, Any]:
    scores = classifier.scores
    return {
        "name": classifier.name,
        "view": classifier.view,
        "groups": list(classifier.groups),
        "counts": list(classifier.counts),
        "licence": classifier.terms.licence,
        "citation": classifier.terms.citation,
        "learned_from": classifier.learned_from,
        "scores": None if scores is None else to_plain(scores),
        "regressions": [_plain_regression(each) for each in classifier.regressions],
    }


def _plain_regression(regression: Regression) -> dict[str, Any]:
    arrays = {name: value.tolist() for name, value in vars(regression).items() if isinstance(value, np.ndarray)}
    return {
        "indices": list(regression.indices),
        "temperature": regression.temperature,
        "farthest": regression.farthest,
        **arrays,
    }


def _classifier(facts: Mapping[str, Any], digest: str) -> GroupClassifier:
    groups, counts = tuple(map(str, facts["groups"])), tuple(map(int, facts["counts"]))
    if len(groups) < 2 or len(counts) != len(groups):
        raise ValueError("groups and their counts do not go together")
    return GroupClassifier(
        name=str(facts["name"]),
        view=str(facts["view"]),
        groups=groups,
        counts=counts,
        regressions=tuple(_regression(each, len(groups)) for each in facts["regressions"]),
        scores=None if facts["scores"] is None else _scores(facts["scores"]),
        terms=Terms(str(facts["licence"]), str(facts["citation"])),
        learned_from=str(facts["learned_from"]),
        sha256=digest,
    )


def _scores(plain: Mapping[str, Any]) -> Scores:
    return Scores(
        int(plain["folds"]),
        tuple(map(float, plain["accuracies"])),
        tuple(tuple(map(int, row)) for row in plain["confusion"]),
        *(float(plain[name]) for name in ("log_loss", "calibration_error", "unlike")),
    )


def _regression(plain: Mapping[str, Any], groups: int) -> Regression:
    indices = tuple(map(str, plain["indices"]))
    count = len(indices)
    shapes = {
        "centre": (count,),
        "scale": (count,),
        "weights": (groups, count),
        "offsets": (groups,),
        "means": (groups, count),
        "precision": (count, count),
    }
    arrays = {name: np.array(plain[name], dtype=float) for name in shapes}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, not {shape}")
    numbers = {name: float(plain[name]) for name in ("temperature", "farthest")}
    if not all(math.isfinite(value) and value > 0 for value in numbers.values()) or not (arrays["scale"] > 0).all():
        raise ValueError("a scale, the temperature or the farthest distance is not above 0")
    return Regression(
        indices,
        arrays["centre"],
        arrays["scale"],
        arrays["weights"],
        arrays["offsets"],
        numbers["temperature"],
        arrays["means"],
        arrays["precision"],
        numbers["farthest"],
    )
