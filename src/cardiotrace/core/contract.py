"""Every file that this program writes, the version of its form, and what happens to a file of another version.

A version rises when a reader of the one before would misunderstand the file: a word changes, a key goes or means
something else. A fact that is only added raises nothing: readers pass over what they do not know. So a file with newer
facts is read, and one of a newer version is refused. A file without a version is of the first one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardiotrace.core.config import brief
from cardiotrace.core.errors import InputError

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class Contract:
    """What is agreed about one kind of file.

    Example:
        >>> contract = Contract("list of patients", "split.json", 2, writer="train", reader="train")
        >>> contract.stamp({"training": ["a"]})
        {'version': 2, 'training': ['a']}
        >>> contract.read({"training": ["a"], "colour": "red"})
        {'training': ['a'], 'colour': 'red'}
        >>> contract.read({"version": 3})
        Traceback (most recent call last):
        cardiotrace.core.errors.InputError: this list of patients was written by a newer CardioTrace: ...
        update CardioTrace, or write it again with this one.
    """

    name: str
    """In words, as messages say it."""
    file: str
    """Its name, or where it stands in another file."""
    version: int
    """The one that is written, and the newest that is read."""
    writer: str
    """Verbs that write it."""
    reader: str
    """Who reads it."""
    oldest: int = 1
    """The oldest version that is read."""
    key: str = "version"
    """Where the version stands."""
    words: str | None = None
    """Text before the number, where the version is text and not a number."""

    @property
    def spelled(self) -> int | str:
        """The version as it stands in the file."""
        return self.version if self.words is None else f"{self.words}{self.version}"

    @property
    def mark(self) -> dict[str, int | str]:
        """The key and the version, to be put into a file."""
        return {self.key: self.spelled}

    def stamp(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a file with its version, which comes first."""
        return {**self.mark, **values}

    def read(
        self, values: Mapping[str, Any], *, where: Path | None = None, kind: type[InputError] = InputError
    ) -> dict[str, Any]:
        """The values of a file without its version, if this program knows that version.

        Args:
            values: as the file holds them.
            where: the file, for messages.
            kind: of the error.

        Raises:
            InputError: the file is of a newer version, of one that is no longer read, or of none that is known.
        """
        self.version_of(values, where=where, kind=kind)
        return {key: value for key, value in values.items() if key != self.key}

    def version_of(
        self, values: Mapping[str, Any], *, where: Path | None = None, kind: type[InputError] = InputError
    ) -> int:
        """The version of a file, 1 where it states none.

        Raises:
            InputError: see `read`.
        """
        if not isinstance(values, Mapping):
            raise kind(f"is no {self.name}", where=where, remedy=_AGAIN)
        version = self._stated(values)
        if version is None:
            stated = brief(values[self.key])
            raise kind(f"this {self.name} states no version that is known: {stated}", where=where, remedy=_AGAIN)
        self.refuse_newer(values, where=where, kind=kind)
        if version < self.oldest:
            told = f"file format {version}, this program reads from {self.oldest} on"
            raise kind(f"this {self.name} was written by an older CardioTrace: {told}", where=where, remedy=_AGAIN)
        return version

    def refuse_newer(self, values: Any, *, where: Path | None = None, kind: type[InputError] = InputError) -> None:
        """Refuse a file of a newer version, whatever else may be wrong with it.

        Raises:
            InputError: it was written by a newer program.
        """
        version = self._stated(values) if isinstance(values, Mapping) else None
        if version is not None and version > self.version:
            told = f"file format {brief(version)}, this program reads up to {self.version}"
            raise kind(
                f"this {self.name} was written by a newer CardioTrace: {told}",
                where=where,
                remedy="update CardioTrace, or write it again with this one.",
            )

    def _stated(self, values: Mapping[str, Any]) -> int | None:
        """The version that stands there, 1 where none does, None where it is nonsense."""
        if self.key not in values:
            return 1
        stated = values[self.key]
        if self.words is None:
            return stated if isinstance(stated, int) and not isinstance(stated, bool) and stated > 0 else None
        found = _NUMBER.fullmatch(stated.removeprefix(self.words)) if isinstance(stated, str) else None
        return int(found[0]) if found and stated.startswith(self.words) else None


_AGAIN = "write it again with this program."

MEASURES = Contract(
    "record of measures", "measures.json", 3, "analyse, measure, demo", "analyse, for its summary", words=""
)
RESULTS = Contract(
    "manifest of results",
    ".cardiotrace.json",
    1,
    "analyse, segment, measure, demo",
    "the same, before they replace anything",
    key="format",
    words="cardiotrace results ",
)
SUMMARY = Contract(
    "summary of exams",
    "`made` in the .cardiotrace.json beside summary.csv and index.html",
    1,
    "analyse, measure",
    "the same, to remember exams that failed",
    key="summary",
)
CASE_TABLE = Contract(
    "table of cases",
    "validation.json, testing.json, testing-grid.json, `evaluate --out`",
    2,
    "train, crossval, sweep, evaluate, export",
    "compare, crossval, sweep",
)
RECIPE = Contract("recipe", "recipe.toml of a run folder", 2, "train, crossval, sweep, plan", "train, export, compare")
SPLIT = Contract("split", "split.json of a run folder, `data split --out`", 1, "train, data split", "train, export")
ENVIRONMENT = Contract(
    "record of a run", "environment.json of a run folder", 1, "train, crossval, sweep", "train, export"
)
TRAINING_LOG = Contract(
    "row of a training log", "each line of journal.jsonl of a run folder", 2, "train, crossval, sweep", "train, export"
)
CHECKPOINT = Contract(
    "checkpoint", "`state` in the metadata of checkpoint.safetensors", 2, "train, crossval, sweep", "train --resume"
)
ITERATION = Contract("iteration", "iteration.json of an iteration of rl4seg", 1, "adapt", "adapt, when it goes on")
SWEEP_RESULT = Contract("result of a run", "result.json of a run of a sweep", 1, "sweep", "sweep, when it goes on")
MODEL = Contract(
    "model's description",
    "`cardiotrace` in the metadata of a model's .onnx file",
    6,
    "train, crossval, export, models join",
    "whatever uses a model",
    key="format_version",
)
GROUPS = Contract("classifier of groups", "the file of `classify train`", 1, "classify train", "analyse, measure")
PACKED = Contract(
    "packed cache", "index.json of a packed cache", 4, "data pack, train", "train, crossval, sweep", oldest=4
)
PARCEL = Contract("parcel of trainings", "queue.json of `queue --pack`", 1, "queue", "queue, on another machine")
EXAM = Contract(
    "record of an exam",
    "exam.json of `convert`",
    1,
    "convert",
    "whatever reads exams",
    key="format",
    words="cardiotrace exam ",
)
PHANTOMS = Contract("record of phantoms", "phantom.json", 1, "phantom", "phantom, when it goes on")
PHANTOM_TRUTH = Contract("truth of a phantom", "truth/PATIENT.json", 1, "phantom", "phantom, when it goes on")
NNUNET = Contract(
    "record of an export", "cardiotrace.json of an export for nnU-Net", 1, "data export-nnunet", "the same"
)
BACKUP = Contract("backup", "backup.json in the file of `serve --backup`", 1, "serve", "serve --restore")

CONTRACTS = (
    MEASURES,
    RESULTS,
    SUMMARY,
    EXAM,
    CASE_TABLE,
    MODEL,
    GROUPS,
    RECIPE,
    SPLIT,
    ENVIRONMENT,
    TRAINING_LOG,
    CHECKPOINT,
    ITERATION,
    SWEEP_RESULT,
    PACKED,
    PARCEL,
    PHANTOMS,
    PHANTOM_TRUTH,
    NNUNET,
    BACKUP,
)
"""All of them, those that a user meets most first."""
