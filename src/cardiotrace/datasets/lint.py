"""Look through a data set for what would spoil training or scores without ever raising an error.

Each file is read once (`inspect`); the rules are small functions on what was seen, in two tables: `CASE_RULES` look at
one case, `SET_RULES` at all of them together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.inspection import Inspection, inspect

SPACING_FACTOR = 3.0
"""A pixel size this many times the data set's median, or less than its inverse, is reported."""
SPACING_TOLERANCE = 1e-3
"""Relative difference of image and label spacing that rounding in headers explains."""

Progress = Callable[[int, int], None]


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """Training on it or scoring with it gives wrong numbers, or fails."""
    WARNING = "warning"
    """Probably wrong: look at it."""
    INFORMATION = "information"
    """Worth knowing."""


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
class CaseRule:
    """A rule on one case: `check` says what is wrong, or None."""

    name: str
    severity: Severity
    check: Callable[[Inspection], str | None]
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


def lint(dataset: Dataset, *, on_progress: Progress | None = None) -> list[Finding]:
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
    seen = [_inspected(case, dataset, done, len(cases), on_progress) for done, case in enumerate(cases, start=1)]
    findings = [*_case_findings(seen), *_set_findings(_with_splits(dataset, seen))]
    order = list(Severity)
    return sorted(findings, key=lambda finding: (order.index(finding.severity), finding.rule, finding.where))


def _inspected(case: Case, dataset: Dataset, done: int, total: int, on_progress: Progress | None) -> Inspection:
    seen = inspect(case, dataset.scheme, dataset.root)
    if on_progress is not None:
        on_progress(done, total)
    return seen


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


# Rules on one case.


def _unreadable_image(seen: Inspection) -> str | None:
    return None if seen.image_error is None or _bad_spacing(seen) else seen.image_error


def _unreadable_labels(seen: Inspection) -> str | None:
    return None if seen.labels_error is None or seen.strange_values or _bad_spacing(seen) else seen.labels_error


def _bad_spacing(seen: Inspection) -> str | None:
    for what, spacing in (("image", seen.image_header_spacing), ("labels", seen.labels_header_spacing)):
        if spacing is not None and not all(np.isfinite(value) and value > 0 for value in spacing):
            return f"a pixel size of {_shown(spacing)} mm stands in the header of the {what}"
    return None


def _mask_255(seen: Inspection) -> str | None:
    if set(seen.strange_values) != {255}:
        return None
    return "the mask holds 0 and 255" if not seen.known_values else "the mask holds 255 beside its labels"


def _strange_values(seen: Inspection) -> str | None:
    if not seen.strange_values or _mask_255(seen):
        return None
    shown = ", ".join(f"{value:g}" for value in seen.strange_values[:6])
    return f"label values {shown} are in no scheme of this data set"


def _grid_mismatch(seen: Inspection) -> str | None:
    if seen.image_shape is None or seen.labels_shape is None or seen.image_shape == seen.labels_shape:
        return None
    return f"image {_size(seen.image_shape)} and labels {_size(seen.labels_shape)} differ in size"


def _spacing_mismatch(seen: Inspection) -> str | None:
    image, labels = seen.image_spacing_mm, seen.labels_spacing_mm
    if image is None or labels is None or np.allclose(image, labels, rtol=SPACING_TOLERANCE, atol=0):
        return None
    return f"image {_shown(image)} mm and labels {_shown(labels)} mm differ in pixel size"


def _empty_labels(seen: Inspection) -> str | None:
    is_empty = seen.labels_shape is not None and not any(seen.sizes.values())
    return "the label map is empty" if is_empty else None


def _lacking_structure(seen: Inspection) -> str | None:
    lacking = [structure for structure, size in seen.sizes.items() if size == 0]
    if not lacking or len(lacking) == len(seen.sizes):
        return None
    return f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} nowhere in the label map"


def _blank_image(seen: Inspection) -> str | None:
    return "every pixel of the image has the same value" if seen.is_blank else None


def _label_order(seen: Inspection) -> str | None:
    """In a short axis the myocardium is a ring, and what it encloses is the left ventricle's cavity."""
    enclosed = {structure: size for structure, size in seen.enclosed.items() if size}
    if not enclosed:
        return None
    inside = max(enclosed, key=lambda structure: enclosed[structure])
    return None if inside == Structure.LV else f"the myocardium encloses what is labelled {inside}, not LV"


CASE_RULES: tuple[CaseRule, ...] = (
    CaseRule(
        "unreadable-image", Severity.ERROR, _unreadable_image, "copy or download the file again, or leave the case out."
    ),
    CaseRule(
        "unreadable-labels", Severity.ERROR, _unreadable_labels, "copy or download it again, or leave the case out."
    ),
    CaseRule("impossible-spacing", Severity.ERROR, _bad_spacing, "correct the header: lengths and volumes need it."),
    CaseRule("mask-0-255", Severity.ERROR, _mask_255, "divide by 255, or choose a scheme whose value is 255."),
    CaseRule("label-values", Severity.ERROR, _strange_values, "choose the scheme of these files, or correct them."),
    CaseRule("grid-mismatch", Severity.ERROR, _grid_mismatch, "resample the labels onto the image, by nearest label."),
    CaseRule(
        "spacing-mismatch",
        Severity.ERROR,
        _spacing_mismatch,
        "find out which header is right, and copy it to the other.",
    ),
    CaseRule("empty-labels", Severity.WARNING, _empty_labels, "trace the case, or leave it out."),
    CaseRule(
        "lacking-structure", Severity.INFORMATION, _lacking_structure, "expected where the picture does not show it."
    ),
    CaseRule("blank-image", Severity.WARNING, _blank_image, "export the image again."),
    CaseRule(
        "label-order",
        Severity.ERROR,
        _label_order,
        "ACDC has 1 RV, 2 MYO, 3 LV and M&Ms 1 LV, 2 MYO, 3 RV: choose the scheme that these files follow.",
    ),
)


# Rules on the whole data set.


def _missing_files(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for pair in inspected.dataset.pairs():
        if not pair.image.exists():
            yield (
                pair.name,
                f"the image {pair.image.name} is missing" + (" and its labels are there" if pair.labels else ""),
            )


def _missing_labels(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for pair in inspected.dataset.pairs():
        if pair.image.exists() and pair.labels is not None and not pair.labels.exists():
            yield pair.name, f"the labels {pair.labels.name} are missing"


def _missing_pixels(inspected: Inspected) -> Iterator[tuple[str, str]]:
    for pair in inspected.dataset.pairs():
        for path in (pair.image, pair.labels):
            # A MetaImage with its pixels inside the header file is larger than any header.
            is_header = path is not None and path.suffix == ".mhd" and path.exists() and path.stat().st_size < 64 * 1024
            if is_header and path is not None and not path.with_suffix(".raw").exists():
                yield pair.name, f"{path.name} has no pixel file {path.with_suffix('.raw').name}"


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
        if not known:
            continue
        spacings = np.array([spacing for _, spacing in known])
        median = np.median(spacings, axis=0)
        outside = (np.abs(np.log(spacings / median)) > np.log(SPACING_FACTOR)).any(axis=1)
        for (name, spacing), is_outside in zip(known, outside, strict=True):
            if is_outside:
                yield name, f"a pixel size of {_shown(spacing)} mm where the median is {_shown(median)} mm"


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
        shown = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
        yield ", ".join(splits), f"of the listed patients {len(absent)} not on disk: {shown}"


SET_RULES: tuple[SetRule, ...] = (
    SetRule("missing-image", Severity.ERROR, _missing_files, "copy it from the source, or remove what is left."),
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


def _shown(spacing: Iterable[float]) -> str:
    return " x ".join(f"{value:.4g}" for value in spacing)


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
