"""Several data sets as one: real and phantom patients together, or the centres of several publications.

Not all of them need label the same structures. A case's labels come in a scheme of those that its own data set labels,
under the values that the joined scheme has for them: what it lacks is not known there, which is not the same as absent.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.exam import Case, Exam
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.licence import Terms
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.dataset import Dataset, FilePair, MirrorAxis, exam_named
from cardiotrace.datasets.split import PARTS, Split


@dataclass(frozen=True)
class JoinedConfig:
    """Which data sets are one."""

    parts: tuple[Choice, ...] = ()
    """The data sets, such as [{ name = "acdc" }, { name = "phantom", kind = "cmr" }]; the first one's label values
    count, those of structures that it lacks follow. A part lies in the folder of its name, or in its own `root`, below
    the folder that is given."""

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise ConfigError(f"parts: at least two data sets are needed, got {len(self.parts)}")
        if any(part.name == "joined" for part in self.parts):
            raise ConfigError("parts: a joined data set cannot be part of another")


@dataclass(frozen=True)
class Joined:
    """The cases of several data sets; every label map comes in the values of one scheme, the union of theirs.

    Args:
        root: folder that the parts lie in.
        config: what was asked for.
        parts: the data sets, opened.

    Raises:
        InputError: the parts differ in colour, or in structures and modality, or two of them have a patient of the
            same name.
    """

    root: Path
    config: JoinedConfig
    parts: tuple[Dataset, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", self.root.expanduser())
        self._require_alike()
        twice = [name for name, count in Counter(self._patients()).items() if count > 1]
        if twice:
            raise InputError(f"patient {twice[0]!r} is in two of the joined data sets ({len(twice)} such)")

    def _patients(self) -> Iterator[str]:
        """Part after part, each once in a part."""
        for part in self.parts:
            yield from {case.patient for case in part.cases()}

    def _require_alike(self) -> None:
        first, *others = self.parts
        for other in others:
            # Other images of other structures have nothing to tell each other.
            if set(other.scheme.structures) != set(first.scheme.structures) and other.modality != first.modality:
                raise InputError(
                    f"{other.name} labels {_listed(other.scheme)}, {first.name} labels {_listed(first.scheme)}",
                    remedy="join data sets of the same structures, or of one modality.",
                )
            if other.channels != first.channels:
                raise InputError(f"{other.name} has {other.channels} channels, {first.name} {first.channels}")

    @property
    def name(self) -> str:
        """The names of the parts."""
        return "+".join(part.name for part in self.parts)

    @cached_property
    def scheme(self) -> LabelScheme:
        """That of the first part; structures that it lacks have the values after its own, in the parts' order."""
        first = self.parts[0].scheme
        further = dict.fromkeys(name for part in self.parts for name in part.scheme.structures)
        lacking = [name for name in further if name not in first.values]
        if not lacking:
            return first
        names = dict.fromkeys(part.scheme.name for part in self.parts)
        values = {name: value for value, name in enumerate(lacking, start=max(first.values.values()) + 1)}
        return LabelScheme("+".join(names), {**first.values, **values})

    @property
    def views(self) -> tuple[View, ...]:
        """The views of any part."""
        return tuple(dict.fromkeys(view for part in self.parts for view in part.views))

    @property
    def modality(self) -> Modality:
        """That of all parts, unknown where they differ."""
        found = {part.modality for part in self.parts}
        return found.pop() if len(found) == 1 else Modality.UNKNOWN

    @property
    def mirror_axes(self) -> tuple[MirrorAxis, ...]:
        """What every part allows."""
        return tuple(axis for axis in self.parts[0].mirror_axes if all(axis in part.mirror_axes for part in self.parts))

    @property
    def channels(self) -> int:
        """The same in all parts."""
        return self.parts[0].channels

    @property
    def licence(self) -> str:
        """The terms of all parts."""
        return self._terms.licence

    @property
    def citation(self) -> str:
        """The publications of all parts."""
        return self._terms.citation

    def cases(self) -> list[Case]:
        """Part after part."""
        return [self._case(case, part) for part in self.parts for case in part.cases()]

    def exams(self) -> list[str]:
        """Part after part."""
        return list(self._owners)

    def exam(self, name: str) -> Exam:
        """All images of one patient visit.

        Raises:
            InputError: no such exam, or a file cannot be read.
        """
        return self._owners[exam_named(name, self._owners, self.name)].exam(name)

    def splits(self) -> Mapping[str, Split]:
        """The splits that all parts have, each put together."""
        given = [part.splits() for part in self.parts]
        shared = [name for name in given[0] if all(name in splits for splits in given)]
        return {name: _together([splits[name] for splits in given]) for name in shared}

    def pairs(self) -> list[FilePair]:
        """File pairs of all parts."""
        return [pair for part in self.parts for pair in part.pairs()]

    @cached_property
    def _terms(self) -> Terms:
        return Terms.together(Terms(part.licence, part.citation) for part in self.parts)

    @cached_property
    def _owners(self) -> Mapping[str, Dataset]:
        return {name: part for part in self.parts for name in part.exams()}

    def _case(self, case: Case, part: Dataset) -> Case:
        files = tuple(self._file(part, file) for file in case.files)
        cine = case.instant.cine
        instant = replace(case.instant, cine=None if cine is None else self._file(part, cine))
        case = replace(case, files=files, instant=instant, groups={**case.groups, "dataset": part.name})
        if part.scheme == self.scheme:
            return case
        return replace(
            case,
            read_labels=_in_scheme(case.read_labels, self.scheme),
            read_stored_labels=_in_scheme(case.read_stored_labels, self.scheme),
            read_second_labels=_in_scheme(case.read_second_labels, self.scheme),
        )

    def _file(self, part: Dataset, file: str) -> str:
        """A part's file relative to the folder of all."""
        return (part.root / file).relative_to(self.root).as_posix()


def _in_scheme(read: Callable[[], LabelMap] | None, scheme: LabelScheme) -> Callable[[], LabelMap] | None:
    return None if read is None else partial(_read_in, read, scheme)


def _read_in(read: Callable[[], LabelMap], scheme: LabelScheme) -> LabelMap:
    """The labels under the values of a scheme, which is cut down to the structures that they tell of."""
    labels = read()
    told = {name: value for name, value in scheme.values.items() if name in labels.scheme.values}
    return labels.to(scheme if len(told) == len(scheme.values) else LabelScheme(scheme.name, told))


def _together(splits: Sequence[Split]) -> Split:
    parts = {part: tuple(name for split in splits for name in getattr(split, part)) for part in (*PARTS, "missing")}
    return Split(**parts)


def _listed(scheme: LabelScheme) -> str:
    return ", ".join(map(str, scheme.structures))
