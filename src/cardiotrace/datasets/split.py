"""Who is trained on and who is tested on: always whole patients."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.core.contract import SPLIT
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.file import read_text
from cardiotrace.core.plain import LARGEST_TABLE, read_json
from cardiotrace.io import write_text

PARTS = ("training", "validation", "testing")
PatientGroups = Mapping[str, Mapping[str, str]]
"""Group keys of each patient, such as {"patient0001": {"quality": "Good"}}."""


@dataclass(frozen=True)
class LeftOut:
    """A domain that is kept apart: whoever has it is tested on, nobody of it is learned from."""

    key: str
    """Group key, such as vendor, dataset, centre or pathology."""
    value: str
    """The group that is left out, such as Siemens."""

    def __str__(self) -> str:
        return f"without {self.key} {self.value}"


@dataclass(frozen=True)
class Split:
    """Patient names of the three parts.

    Args:
        training: patients to learn from.
        validation: patients to choose by (stopping, thresholds).
        testing: patients to report on.
        missing: patients that the published list names and the data at hand lacks.
        drawn: validation patients that were training patients of the list, see `validated`.

    Raises:
        InputError: a patient stands in two parts, or twice in one.

    Example:
        >>> Split(("a", "b"), ("c",)).part_of("c")
        'validation'
    """

    training: tuple[str, ...]
    validation: tuple[str, ...] = ()
    testing: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(self)

    @property
    def patients(self) -> tuple[str, ...]:
        """All patients of the three parts."""
        return (*self.training, *self.validation, *self.testing)

    def part_of(self, patient: str) -> str | None:
        """Name of the part that holds the patient, None if no part does."""
        return next((part for part in PARTS if patient in getattr(self, part)), None)

    def on_disk(self, known: Iterable[str]) -> "Split":
        """The split of the patients that are known; the others are kept in `missing`."""
        present = set(known)
        parts = {part: tuple(name for name in getattr(self, part) if name in present) for part in PARTS}
        absent = tuple(sorted({*self.missing, *(name for name in self.patients if name not in present)}))
        return replace(self, **parts, missing=absent)

    def validated(self) -> "Split":
        """The split itself, or one in which a tenth of the training patients validates where nobody else can.

        Who is drawn depends on the names of the training patients alone. Fewer than two of them are left as they are.

        Example:
            >>> Split(tuple("abcdefghijk")).validated().validation
            ('e',)
        """
        if self.validation or len(self.training) < 2:
            return self
        order = np.random.default_rng(0).permutation(len(self.training))
        names = sorted(self.training)
        held = tuple(sorted(names[index] for index in order[: max(1, len(names) // 10)]))
        return replace(
            self, training=tuple(name for name in self.training if name not in held), validation=held, drawn=held
        )

    def validated_by(
        self,
        count: int,
        groups: PatientGroups,
        *,
        stratify: Sequence[str] = (),
        seed: int = 0,
        among: Collection[str] | None = None,
    ) -> "Split":
        """The split with so many validation patients, drawn from its training and validation patients together.

        Of each stratum as many are drawn as its share gives, rounded down, and the rest goes to the strata that
        rounding cost most: no stratum is off its share by a whole patient.

        Args:
            count: how many validate; 0 for nobody, so that all are learned from.
            groups: group keys of each patient.
            stratify: group keys that validate in the shares that they have.
            seed: of the draw.
            among: who can validate, such as patients with labels; by default everybody.

        Raises:
            InputError: there are not enough patients, or none has such a key.

        Example:
            >>> groups = {name: {"sex": "F" if name in "abcd" else "M"} for name in "abcdef"}
            >>> Split(tuple("abcdef")).validated_by(3, groups, stratify=["sex"]).validation
            ('a', 'c', 'f')
        """
        pool = sorted({*self.training, *self.validation})
        able = pool if among is None else [name for name in pool if name in among]
        if not 0 <= count < len(able):
            raise InputError(
                f"{count} validation patients are wanted, and {len(able)} are there to learn from and to choose by",
                remedy=f"choose from 0 to {max(0, len(able) - 1)} data.validation_patients.",
            )
        _check_seed(seed)
        _check_keys(stratify, groups)
        held = set(_drawn(_strata(able, groups, stratify), count, np.random.default_rng(seed)))
        training, validation = (tuple(name for name in pool if (name in held) is part) for part in (False, True))
        return replace(self, training=training, validation=validation, drawn=())

    def with_fewer_training_patients(self, count: int, *, seed: int = 0) -> "Split":
        """The split with only some of its training patients; a larger number of the same seed holds the smaller.

        Args:
            count: how many training patients.
            seed: of the draw.

        Raises:
            InputError: there are not so many.

        Example:
            >>> Split(("a", "b", "c", "d"), ("e",)).with_fewer_training_patients(2).training
            ('a', 'c')
        """
        if not 1 <= count <= len(self.training):
            raise InputError(f"{count} training patients are wanted, the split has {len(self.training)}")
        _check_seed(seed)
        order = np.random.default_rng(seed).permutation(len(self.training))
        names = sorted(self.training)
        return replace(self, training=tuple(sorted(names[index] for index in order[:count])))

    def require(self, known: Iterable[str], *, where: str | Path | None = None) -> "Split":
        """The split itself, if every patient in it is known.

        Raises:
            InputError: naming the first patient that is not.
        """
        present = set(known)
        unknown = [name for name in self.patients if name not in present]
        if unknown:
            raise InputError(
                f"patient {unknown[0]!r} of the split is not in the data set ({len(unknown)} unknown in all)",
                where=where,
                remedy="correct the list, or give the folder that holds these patients.",
            )
        return self


def check(split: Split) -> None:
    """Refuse a split that leaks.

    Raises:
        InputError: naming the patient that stands in two parts, or twice in one.
    """
    seen: dict[str, str] = {}
    for part in PARTS:
        for name in getattr(split, part):
            if name in seen:
                parts = f"{seen[name]} and {part}" if seen[name] != part else f"{part} twice"
                raise InputError(f"patient {name!r} is in {parts}: the split leaks", remedy="keep it in one part.")
            seen[name] = part


def patient_groups(cases: Iterable[Case]) -> dict[str, dict[str, str]]:
    """Group keys of each patient, taken from the first of its cases that has the key, in order of name."""
    groups: dict[str, dict[str, str]] = {}
    for case in cases:
        known = groups.setdefault(case.patient, {})
        for key, value in case.groups.items():
            known.setdefault(key, value)
    return dict(sorted(groups.items()))


def fold_seed(of_data: int | None, of_recipe: int) -> int:
    """Seed by which patients come into folds, and are drawn where only some of them are learned from.

    Args:
        of_data: the seed that a recipe states for its data, None where it states none.
        of_recipe: the recipe's own, which counts then.

    Example:
        >>> fold_seed(None, 7), fold_seed(0, 7)
        (7, 0)
    """
    return of_recipe if of_data is None else of_data


def k_folds(
    patients: PatientGroups,
    *,
    folds: int,
    seed: int = 0,
    stratify: Sequence[str] = (),
    validation: bool = True,
) -> tuple[Split, ...]:
    """Cross-validation in which each patient is tested on exactly once.

    Patients are shuffled within each stratum and dealt to the folds in turn, stratum after stratum: fold
    sizes differ by at most one, and so do the numbers of each stratum.

    Args:
        patients: group keys of each patient.
        folds: number of folds, at least 2 (3 with `validation`), at most the number of patients.
        seed: of the shuffle; the same seed gives the same folds, whatever the order of `patients`.
        stratify: group keys that are kept in equal shares, such as ("quality", "ef_class").
        validation: whether the fold after the tested one is kept for validation.

    Returns:
        One split per fold.

    Raises:
        InputError: a number of folds that cannot be.

    Example:
        >>> split = k_folds({name: {} for name in "abcdef"}, folds=3)[0]
        >>> len(split.training), len(split.validation), len(split.testing)
        (2, 2, 2)
    """
    _check_folds(folds, len(patients), least=3 if validation else 2)
    _check_seed(seed)
    _check_keys(stratify, patients)
    strata = _strata(patients, patients, stratify)
    generator = np.random.default_rng(seed)
    dealt = [strata[key][index] for key in sorted(strata) for index in generator.permutation(len(strata[key]))]
    parts = [tuple(sorted(dealt[fold::folds])) for fold in range(folds)]
    return tuple(_fold(parts, fold, validation) for fold in range(folds))


Strata = Mapping[tuple[str, ...], Sequence[str]]
"""Patients, in order of name, by their groups."""


def _strata(names: Iterable[str], groups: PatientGroups, stratify: Sequence[str]) -> Strata:
    """Patients by their groups under some keys; all together where there are no keys."""
    strata: dict[tuple[str, ...], list[str]] = {}
    for name in sorted(names):
        known = groups.get(name, {})
        strata.setdefault(tuple(known.get(key, "") for key in stratify), []).append(name)
    return strata


def _drawn(strata: Strata, count: int, generator: np.random.Generator) -> list[str]:
    """So many patients, of each stratum its share to within one: largest remainders."""
    total = sum(map(len, strata.values()))
    shuffled = {
        key: [strata[key][index] for index in generator.permutation(len(strata[key]))] for key in sorted(strata)
    }
    wanted = {key: count * len(names) // total for key, names in shuffled.items()}
    # Whole numbers: of equal remainders none may come first by a rounding error. Ties go by chance, not by name.
    chances = dict(zip(shuffled, generator.permutation(len(shuffled)).tolist(), strict=True))
    by_remainder = sorted(shuffled, key=lambda key: (-(count * len(shuffled[key]) % total), chances[key]))
    for key in by_remainder[: count - sum(wanted.values())]:
        wanted[key] += 1
    return [name for key, names in shuffled.items() for name in names[: wanted[key]]]


def _check_folds(folds: int, patients: int, *, least: int) -> None:
    counted = "1 patient" if patients == 1 else f"{patients} patients"
    if patients < least:
        raise InputError(
            f"{counted}: folds by patient need at least {least}, one each to learn from, to choose by and to test on"
            if least == 3
            else f"{counted}: folds by patient need at least {least}",
            remedy="give more patients, or in data.split a .json file of your own with training and validation lists.",
        )
    if not least <= folds <= patients:
        raise InputError(
            f"{folds} folds of {counted} cannot be",
            remedy=f"choose from {least} to {patients} folds." if patients > least else f"choose {least} folds.",
        )


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise InputError(f"a seed is a whole number of 0 or more, got {seed}")


def _check_keys(stratify: Sequence[str], patients: PatientGroups) -> None:
    known = sorted({key for groups in patients.values() for key in groups})
    for key in stratify:
        if key not in known:
            there = f"choose from: {', '.join(known)}." if known else "the data set states no groups of patients."
            raise InputError(f"no patient has a group {key!r} to keep in equal shares", remedy=there)


def _fold(parts: Sequence[tuple[str, ...]], fold: int, validation: bool) -> Split:
    held = (fold + 1) % len(parts) if validation else None
    training = sorted(name for index, part in enumerate(parts) if index not in (fold, held) for name in part)
    return Split(tuple(training), () if held is None else parts[held], parts[fold])


def leave_one_group_out(patients: PatientGroups, key: str) -> dict[str, Split]:
    """For each vendor, centre or other group: train on the other groups, test on this one.

    Raises:
        InputError: a patient without the key, or fewer than two groups.

    Example:
        >>> splits = leave_one_group_out({"a": {"vendor": "A"}, "b": {"vendor": "B"}}, "vendor")
        >>> splits["A"].testing, splits["A"].training
        (('a',), ('b',))
    """
    lacking = [name for name, groups in sorted(patients.items()) if key not in groups]
    if lacking:
        raise InputError(f"patient {lacking[0]!r} has no {key!r} ({len(lacking)} in all)")
    members: dict[str, list[str]] = {}
    for name in sorted(patients):
        members.setdefault(patients[name][key], []).append(name)
    if len(members) < 2:
        raise InputError(f"all patients have the same {key!r}: there is no group to leave out")
    return {
        value: Split(tuple(name for name in sorted(patients) if name not in members[value]), (), tuple(members[value]))
        for value in sorted(members)
    }


def leave_out(cases: Iterable[Case], left_out: LeftOut) -> Split:
    """Train on all other groups, test on one; a patient with any image of it is tested on.

    Raises:
        InputError: no patient has that group or all have it, or a patient is of no group under the key, so that it
            could be of the one that is left out.
    """
    found: dict[str, set[str]] = {}
    for case in cases:
        found.setdefault(case.patient, set()).update(filter(None, [case.groups.get(left_out.key)]))
    _check_left_out(found, left_out)
    testing = {name for name, values in found.items() if left_out.value in values}
    return Split(tuple(sorted(found.keys() - testing)), (), tuple(sorted(testing)))


def _check_left_out(found: Mapping[str, set[str]], left_out: LeftOut) -> None:
    values = sorted(set().union(*found.values()))
    if left_out.value not in values:
        there = f"choose from: {', '.join(values)}." if values else "the data set states none."
        raise InputError(f"no patient has {left_out.key} {left_out.value!r}", remedy=there)
    if lacking := sorted(name for name, known in found.items() if not known):
        raise InputError(
            f"patient {lacking[0]!r} has no {left_out.key!r} ({len(lacking)} in all): it may be of the one left out",
            remedy="leave out by a key that all have, such as dataset of a joined data set.",
        )
    if all(left_out.value in known for known in found.values()):
        raise InputError(f"all patients have {left_out.key} {left_out.value!r}: nobody is left to learn from")


def require_group_of(cases: Iterable[Case], patients: Iterable[str], key: str) -> None:
    """Refuse a key under which a patient is of no group.

    Raises:
        InputError: naming the first image that lacks it.
    """
    wanted, lacking = set(patients), []
    known: set[str] = set()
    for case in cases:
        known |= case.groups.keys()
        if case.patient in wanted and not case.groups.get(key):
            lacking.append(case.name)
    if lacking:
        raise InputError(
            f"{lacking[0]} is of no group {key!r} to be balanced by ({len(lacking)} images in all)",
            remedy=f"choose from: {', '.join(sorted(known))}.",
        )


def groups_to_leave_out(cases: Iterable[Case], key: str) -> tuple[str, ...]:
    """The groups that can be left out one by one, in order of name.

    Raises:
        InputError: there are fewer than two.
    """
    values = sorted({case.groups[key] for case in cases if case.groups.get(key)})
    if len(values) < 2:
        there = f"all have {key} {values[0]!r}" if values else f"no patient has a group {key!r}"
        raise InputError(f"{there}: there is no group to leave out")
    return tuple(values)


def read_patient_list(path: Path) -> tuple[str, ...]:
    """Names of a text file, one a line; empty lines are skipped.

    Raises:
        InputError: it cannot be read.
    """
    lines = read_text(path, largest=LARGEST_TABLE).splitlines()
    return tuple(line.strip() for line in lines if line.strip())


def read_lists(folder: Path, stem: str) -> Split:
    """The split of `<stem>_training.txt`, `<stem>_validation.txt` and `<stem>_testing.txt`; the last two may be absent.

    Raises:
        InputError: the training list cannot be read, or the split leaks.
    """
    paths = {part: folder / f"{stem}_{part}.txt" for part in PARTS}
    needed = {part: path for part, path in paths.items() if part == "training" or path.exists()}
    return _located({part: read_patient_list(path) for part, path in needed.items()}, folder / f"{stem}_*.txt")


def write_lists(split: Split, folder: Path, stem: str) -> None:
    """Write the three text lists that `read_lists` reads; `missing` is not written."""
    for part in PARTS:
        write_text(folder / f"{stem}_{part}.txt", "".join(f"{name}\n" for name in getattr(split, part)))


def read_split(path: Path) -> Split:
    """The split of a JSON file with lists `training`, `validation`, `testing` (and `missing`).

    Raises:
        InputError: not such a file, or the split leaks.
    """
    value = read_json(path)
    if not isinstance(value, dict) or "training" not in value:
        raise InputError("is not a split", where=path, remedy='it needs {"training": [...], "testing": [...]}.')
    by_hand = SPLIT.key not in value  # a program's file may hold facts that are newer than this one, no misspelt part
    value = SPLIT.read(value, where=path)
    for key in value:
        if by_hand and key not in (*PARTS, "missing"):
            raise InputError(f"a split has no part {key!r}", where=path, remedy=f"its parts are {', '.join(PARTS)}.")
    return _located({key: _names(value[key], key, path) for key in (*PARTS, "missing") if key in value}, path)


def write_split(split: Split, path: Path) -> None:
    """Write the JSON file that `read_split` reads."""
    write_text(path, split_text(split))


def split_text(split: Split) -> str:
    """The split as the JSON that `read_split` reads."""
    plain = {key: list(getattr(split, key)) for key in (*PARTS, "missing")}
    return json.dumps(SPLIT.stamp(plain), indent=2, ensure_ascii=False) + "\n"


def _names(value: Any, key: str, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise InputError(f"{key!r} must be a list of patient names", where=path)
    return tuple(value)


def _located(parts: Mapping[str, tuple[str, ...]], where: Path) -> Split:
    """The split, its errors naming the file."""
    try:
        return Split(**parts)
    except InputError as error:
        raise InputError(error.what, where=where, remedy=error.remedy) from None
