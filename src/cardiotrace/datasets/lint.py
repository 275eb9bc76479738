"""Look through a data set for what would spoil training or scores without ever raising an error.

Each file is read once (`inspect`); the rules are small functions on what was seen, in two tables: `CASE_RULES` look at
one case, `SET_RULES` at all of them together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.core.text import some
from cardiotrace.datasets.case_rule import CASE_RULES, Severity, shown
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.inspection import Inspection, inspect
from cardiotrace.io import has_pixels

__all__ = ["CASE_RULES", "SET_RULES", "Finding", "Inspected", "SetRule", "Severity", "lint"]

SPACING_FACTOR = 3.0
"""A pixel size this many times the data set's median, or less than its inverse, is reported."""


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found."""

    severity: Severity
    where: str
    """A case, a file relative to the root, a split or a patient."""
    rule: str
    what: str
    remedy: str


@dataclass(frozen=True)
class SetRule:
    """A rule on the whole data set: `check` yields (where, what is wrong)."""

    name: str
    severity: Severity
    check: Callable[["Inspected"], Iterable[tuple[str, str]]]
    remedy: str


@dataclass(frozen=True)
class Inspected:
    """A data set and what was seen in each of its cases."""

    dataset: Dataset
    cases: Sequence[Inspection]
    split_error: InputError | None = None
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Patients of each split that are not on disk."""

    @property
    def by_view(self) -> Mapping[View, Sequence[Inspection]]:
        """The cases of each view, as pixel sizes are comparable only within one."""
        ordered = sorted(self.cases, key=lambda seen: seen.case.view)
        return {view: list(group) for view, group in groupby(ordered, key=lambda seen: seen.case.view)}


def lint(dataset: Dataset, *, on_progress: OnProgress | None = None) -> list[Finding]:
    """Check every file of a data set; what cannot be read is a finding, never an error.

    Args:
        dataset: the data set.
        on_progress: called with (done, total) cases.

    Returns:
        Findings, errors first, then by place.
    """
    try:
        cases = dataset.cases()
    except InputError as error:
        return [Finding(Severity.ERROR, error.where or str(dataset.root), "unreadable", error.what, error.remedy)]
    seen = [inspect(case, dataset.scheme, dataset.root) for case in counted(cases, on_progress)]
    findings = [*_case_findings(seen), *_set_findings(_with_splits(dataset, seen))]
    order = list(Severity)
    return sorted(findings, key=lambda finding: (order.index(finding.severity), finding.rule, finding.where))


def _with_splits(dataset: Dataset, seen: Sequence[Inspection]) -> Inspected:
    try:
        splits = dataset.splits()
    except InputError as error:
        return Inspected(dataset, seen, split_error=error)
    return Inspected(dataset, seen, missing={name: split.missing for name, split in splits.items()})


def _case_findings(seen: Sequence[Inspection]) -> Iterator[Finding]:
    for rule in CASE_RULES:
        for inspection in seen:
            what = rule.check(inspection)
            if what is not None:
                yield Finding(rule.severity, inspection.case.name, rule.name, what, rule.remedy)


def _set_findings(inspected: Inspected) -> Iterator[Finding]:
    for rule in SET_RULES:
        for where, what in rule.check(inspected):
            yield Finding(rule.severity, where, rule.name, what, rule.remedy)


def _missing_files(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for pair in inspected.dataset.pairs():
        if not pair.image.exists():
            yield (
                pair.name,
                f"the image {pair.image.name} is missing" + (" and its labels are there" if pair.labels else ""),
            )


@runtime_checkable
class _TellsUnused(Protocol):
    """A data set that knows which of its files nothing reads."""

    def unused(self) -> Sequence[str]: ...


def _unused_files(inspected: Inspected) -> Iterator[tuple[str, str]]:
    if isinstance(inspected.dataset, _TellsUnused) and (unused := inspected.dataset.unused()):
        yield inspected.dataset.name, f"{len(unused)} of its files are not read: {some(unused)}"


def _missing_labels(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for pair in inspected.dataset.pairs():
        if pair.image.exists() and pair.labels is not None and not pair.labels.exists():
            yield pair.name, f"the labels {pair.labels.name} are missing"


def _missing_pixels(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for pair in inspected.dataset.pairs():
        for path in (pair.image, pair.labels):
            if path is not None and path.exists() and not has_pixels(path):
                yield pair.name, f"{path.name} stands without the file of its pixels"


def _no_spacing(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for view, cases in inspected.by_view.items():
        readable = [seen for seen in cases if seen.image_shape is not None]
        lacking = [seen for seen in readable if seen.image_spacing_mm is None]
        if view == View.FUNDUS or not lacking:
            continue
        if len(lacking) == len(readable):
            yield inspected.dataset.name, f"none of {len(readable)} {view} images states its pixel size"
        else:
            yield from ((seen.case.name, "the image does not state its pixel size; others do") for seen in lacking)


def _unset_spacing(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for view, cases in inspected.by_view.items():
        spacings = {seen.image_spacing_mm for seen in cases if seen.image_spacing_mm is not None}
        if spacings == {(1.0, 1.0, 1.0)}:
            yield inspected.dataset.name, f"every {view} image states exactly 1 mm: probably nobody set it"


def _spacing_outlier(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for cases in inspected.by_view.values():
        known = [(seen.case.name, seen.image_spacing_mm) for seen in cases if seen.image_spacing_mm is not None]
        spacings = np.array([spacing for _, spacing in known]).reshape(-1, 3)
        median = _median(spacings)
        outside = (np.abs(np.log(spacings / median)) > np.log(SPACING_FACTOR)).any(axis=1)
        for index in np.flatnonzero(outside):
            name, spacing = known[index]
            yield name, f"a pixel size of {shown(spacing)} mm where the median is {shown(median)} mm"


def _median(spacings: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " 3"]:
    """Of each axis; a slice distance that is not known is no outlier, and has a rule of its own."""
    stated = (sizes[~np.isnan(sizes)] for sizes in spacings.T)
    return np.array([np.median(sizes) if sizes.size else np.nan for sizes in stated])


def _swapped_phases(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for (patient, view), phases in _beats(inspected.cases).items():
        sizes = {phase: seen.sizes.get(Structure.LV, 0.0) for phase, seen in phases.items()}
        if len(sizes) == 2 and 0 < sizes[Phase.ED] < sizes[Phase.ES]:
            ratio = sizes[Phase.ED] / sizes[Phase.ES]
            yield f"{patient} {view}", f"the LV is smaller at ED than at ES, {100 * ratio:.0f} percent of it"


def _lone_phase(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for (patient, view), phases in _beats(inspected.cases).items():
        if len(phases) == 1:
            there = next(iter(phases))
            yield f"{patient} {view}", f"there is {there} and no {Phase.ES if there == Phase.ED else Phase.ED}"


def _unnamed_phases(inspected: Inspected) -> Iterator[tuple[str, str]]:
    """Several images of a patient and view, and none is said to be ED or ES."""
    images: dict[tuple[str, View], list[Phase]] = {}
    for seen in inspected.cases:
        if seen.case.view not in (View.UNKNOWN, View.FUNDUS):
            images.setdefault((seen.case.patient, seen.case.view), []).append(seen.case.phase)
    for (patient, view), phases in images.items():
        if len(phases) > 1 and set(phases) == {Phase.OTHER}:
            yield f"{patient} {view}", f"what goes with its {len(phases)} images says nothing of ED and ES"


def _duplicate_image(inspected: Inspected) -> Iterator[tuple[str, str]]:
    first: dict[str, Case] = {}
    for seen in inspected.cases:
        if seen.digest is None or seen.is_blank:
            continue
        other = first.setdefault(seen.digest, seen.case)
        if other is not seen.case:
            yield seen.case.name, f"the image is the same, pixel by pixel, as that of {other.name}"


def _leak(inspected: Inspected) -> Iterator[tuple[str, str]]:
    if inspected.split_error is not None:
        yield inspected.split_error.where or inspected.dataset.name, inspected.split_error.what


def _absent_patients(inspected: Inspected) -> Iterator[tuple[str, str]]:
    """One finding for all patients that are absent from the same splits."""
    lists: dict[str, list[str]] = {}
    for split, patients in inspected.missing.items():
        for patient in patients:
            lists.setdefault(patient, []).append(split)
    by_lists: dict[tuple[str, ...], list[str]] = {}
    for patient, names in sorted(lists.items()):
        by_lists.setdefault(tuple(names), []).append(patient)
    for splits, absent in by_lists.items():
        yield ", ".join(splits), f"of the listed patients {len(absent)} not on disk: {some(absent)}"


SET_RULES: tuple[SetRule, ...] = (
    SetRule("missing-image", Severity.ERROR, _missing_files, "copy it from the source, or remove what is left."),
    SetRule("unused-file", Severity.WARNING, _unused_files, "move them away, or convert them to .nii.gz or .png."),
    SetRule("missing-labels", Severity.WARNING, _missing_labels, "copy them from the source; else it trains nothing."),
    SetRule(
        "missing-pixels",
        Severity.WARNING,
        _missing_pixels,
        "copy the .raw file beside its header, or remove the header.",
    ),
    SetRule("no-spacing", Severity.WARNING, _no_spacing, "without it results are in pixels, not in mm and ml."),
    SetRule("unset-spacing", Severity.WARNING, _unset_spacing, "set the true pixel size in the headers."),
    SetRule("spacing-outlier", Severity.WARNING, _spacing_outlier, "check the header: cm for mm is a factor of 10."),
    SetRule("swapped-phases", Severity.WARNING, _swapped_phases, "check whether ED and ES are exchanged."),
    SetRule("lone-phase", Severity.INFORMATION, _lone_phase, "no ejection fraction can be had from it."),
    SetRule(
        "unnamed-phases",
        Severity.WARNING,
        _unnamed_phases,
        "state both frames in its Info.cfg as `ED: 1`, or in the names of the files.",
    ),
    SetRule("duplicate-image", Severity.WARNING, _duplicate_image, "remove one: in two parts of a split it leaks."),
    SetRule("split", Severity.ERROR, _leak, "keep each patient in one part."),
    SetRule("absent-patients", Severity.INFORMATION, _absent_patients, "scores are not comparable with full splits."),
)


def _beats(cases: Sequence[Inspection]) -> Mapping[tuple[str, View], Mapping[Phase, Inspection]]:
    """ED and ES of each patient and view."""
    beats: dict[tuple[str, View], dict[Phase, Inspection]] = {}
    for seen in cases:
        if seen.case.phase in (Phase.ED, Phase.ES):
            beats.setdefault((seen.case.patient, seen.case.view), {})[seen.case.phase] = seen
    return beats
