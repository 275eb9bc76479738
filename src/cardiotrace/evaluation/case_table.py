"""One row for each region of each image, and what can be read from many of them."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cardiotrace.clinical.quantity import present_key
from cardiotrace.core.config import from_plain, known_only, to_plain
from cardiotrace.core.contract import CASE_TABLE
from cardiotrace.core.errors import ConfigError, UsageError
from cardiotrace.core.exam import Case
from cardiotrace.core.terms import Phase, View
from cardiotrace.core.text import class_order
from cardiotrace.evaluation.limits import OutlierLimits
from cardiotrace.evaluation.quantity import Against, PatientQuantity, of_ejection
from cardiotrace.evaluation.validity import Validity
from cardiotrace.metrics import Agreement, Summary, agreement, bootstrap_interval, summarise
from cardiotrace.metrics.overlap import Presence

SCORES = (
    "dice",
    "jaccard",
    "precision",
    "recall",
    "specificity",
    "accuracy",
    "roc_auc",
    "average_precision",
    "cldice",
    "hausdorff_mm",
    "hausdorff95_mm",
    "mean_absolute_mm",
    "average_symmetric_mm",
    "simplicity",
    "convexity",
)
"""Columns of the table.

Simplicity and convexity are those of the predicted region, planar images only. The two that need probabilities,
`roc_auc` and `average_precision`, are there for models of a single structure; `cldice` for long thin structures.
"""

HEADLINE = ("dice", "hausdorff_mm", "mean_absolute_mm")
"""The scores that published tables print of chambers and walls, which have a border."""

THIN_HEADLINE = ("dice", "jaccard", "roc_auc", "recall", "specificity", "accuracy", "cldice")
"""Those of long thin structures, such as vessels, where each pixel is a decision."""

THIRDS = ("basal", "mid", "apical", "beyond")
"""Groups of the slices of a stack, by where they lie along the reference's left ventricle."""

RESAMPLES = 2000
"""How many times patients are drawn anew for an interval."""

HIGHER_IS_BETTER = frozenset(score for score in SCORES if not score.endswith("_mm"))


@dataclass(frozen=True)
class CaseRow:
    """How one region of one frame was predicted."""

    case: str
    patient: str
    view: View
    phase: Phase
    frame: int
    groups: dict[str, str]
    """Group keys of the case beside the patient."""
    region: str
    presence: Presence
    scores: dict[str, float]
    """By the names of `SCORES`: NaN where the region is absent or the score cannot be had, infinite where it is in one
    mask only."""
    confidence: float = math.nan
    """What the model said of this frame; NaN for labels from elsewhere."""
    expected_dice: float = math.nan
    """What the model expected of its labels; NaN where it tells nothing, and in tables older than it."""
    diagonal_mm: float = math.nan
    """Of the image: no distance is larger, so it stands for an infinite one; NaN without a pixel size, and in tables
    older than it."""
    depth: int | None = None
    """Which slice of a stack the row is of; None where it is of all of the frame."""

    def score(self, name: str) -> float:
        """A score by name; NaN where it is not known, as in tables older than the score."""
        return self.scores.get(name, math.nan)


@dataclass(frozen=True)
class BeatRow:
    """How one region of a film was predicted over all of its frames."""

    case: str
    patient: str
    view: View
    region: str
    frames: int
    dice: float
    """Mean over the frames in which either mask has the region; NaN where none has."""
    worst_dice: float
    worst_frame: int | None
    """The one with the lowest Dice, from zero."""
    curve_error_percent: float
    """See `beats.curve_error_percent`."""
    curve_correlation: float
    """Pearson's r of the predicted curve of sizes and the reference's; NaN where one of them does not change."""
    end_diastole_off_frames: float = math.nan
    """By how many frames the predicted end-diastole comes late; NaN of all but the left ventricle."""
    end_systole_off_frames: float = math.nan


@dataclass(frozen=True)
class GroupSummary:
    """Statistics of one score of one region over a group of rows."""

    region: str
    group: str
    """Such as "ED", "good" or "all"."""
    score: str
    summary: Summary
    interval: tuple[float, float] = (math.nan, math.nan)
    """95 % bootstrap interval of the mean, patients drawn anew; NaN below two patients."""


@dataclass(frozen=True)
class CaseTable:
    """Every case of an evaluation, and what could not be evaluated."""

    rows: tuple[CaseRow, ...]
    quantities: tuple[PatientQuantity, ...] = ()
    """Ejection fractions, volumes and mass of each patient."""
    problems: tuple[str, ...] = ()
    """In words: cases without prediction or reference, files that could not be read."""
    facts: dict[str, str] = field(default_factory=dict)
    """What was evaluated on what."""
    limits: OutlierLimits | None = None
    """What counts as an outlier unless something else is asked for; None in tables older than limits."""
    notes: tuple[str, ...] = ()
    """In words, what speaks against the labels that were scored, such as values that must mean something else."""
    slices: tuple[CaseRow, ...] = ()
    """Of stacks, each region of each slice in its own plane, where either mask has it; their group `third` is one of
    `THIRDS`. Empty in tables older than it."""
    beats: tuple[BeatRow, ...] = ()
    """Of films, each region over all frames; empty in tables older than it."""
    validity: Validity | None = None
    """Which labels are no heart's; None where that was not asked."""

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions in order of appearance."""
        return tuple(dict.fromkeys(row.region for row in self.rows))

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of the cases in order of appearance."""
        return tuple(dict.fromkeys(row.case for row in self.rows))

    def headline(self, region: str | None = None) -> tuple[str, ...]:
        """Scores that a table of a region should print: `THIN_HEADLINE` where it has a centre line, else `HEADLINE`.

        Args:
            region: name of one; None takes those of all regions together.
        """
        names = self.regions if region is None else (region,)
        wanted = {score for name in names for score in (THIN_HEADLINE if self._is_thin(name) else HEADLINE)}
        return tuple(score for score in SCORES if score in wanted)

    def _is_thin(self, region: str) -> bool:
        return any(not math.isnan(row.score("cldice")) for row in self.rows if row.region == region)

    def where(self, keep: Callable[[CaseRow], bool]) -> "CaseTable":
        """The table of the rows that pass, such as those of good image quality, with their slices and patients."""
        rows = tuple(row for row in self.rows if keep(row))
        patients = {row.patient for row in rows}
        quantities = tuple(item for item in self.quantities if item.patient in patients)
        kept = {(row.case, row.frame, row.region) for row in rows}
        slices = tuple(row for row in self.slices if (row.case, row.frame, row.region) in kept)
        films = {(row.case, row.region) for row in rows}
        beats = tuple(row for row in self.beats if (row.case, row.region) in films)
        frames = {(row.case, row.frame) for row in rows}
        validity = None if self.validity is None else self.validity.where(frames)
        return replace(self, rows=rows, quantities=quantities, slices=slices, beats=beats, validity=validity)

    def by_slice(self) -> "CaseTable":
        """The table whose rows are the slices of the stacks: two-dimensional scores, to be summarised as any other."""
        return CaseTable(self.slices, facts=self.facts)

    def summaries(self, by: str = "all", *, scores: Iterable[str] = SCORES) -> tuple[GroupSummary, ...]:
        """Statistics of each score of each region over groups of rows.

        Args:
            by: "all", "phase", "view", "patient" or a group key, such as "quality" or "ef-class".
            scores: which; those that no row has are left out.

        Returns:
            One summary for each region, group and score, with the counts of absent, missed and false-positive cases.
        """
        groups: dict[tuple[str, str], list[CaseRow]] = {}
        for row in self.rows:
            groups.setdefault((row.region, group_of(row, by)), []).append(row)
        order = {region: number for number, region in enumerate(self.regions)}
        return tuple(
            GroupSummary(region, group, score, summary, mean_interval(rows, score))
            for (region, group), rows in sorted(
                groups.items(), key=lambda item: (order[item[0][0]], group_order(item[0][1]))
            )
            for score in scores
            if (summary := summarise_rows(rows, score)) is not None
        )

    def agreement(self, key: str, against: Against) -> Agreement:
        """How a quantity of the predicted labels agrees with that of the reference labels, or with what is stated.

        Args:
            key: one of `CLINICAL`.
            against: "traced" or "stated".
        """
        found = [item for item in self.quantities if item.key == key]
        return agreement([item.predicted for item in found], [getattr(item, against) for item in found])

    def __to_plain__(self) -> dict[str, Any]:
        """Plain data that JSON can hold; NaN and infinity are the words "nan" and "inf"."""
        return {
            "rows": [_row_to_plain(row) for row in self.rows],
            # Intervals are there only where a model was calibrated.
            "quantities": [
                _worded({key: value for key, value in vars(item).items() if value is not None})
                for item in self.quantities
            ],
            "problems": list(self.problems),
            "facts": dict(self.facts),
            **({} if self.limits is None else {"limits": to_plain(self.limits)}),
            **({"notes": list(self.notes)} if self.notes else {}),
            **({"slices": [_row_to_plain(row) for row in self.slices]} if self.slices else {}),
            **({"beats": [_worded(to_plain(row)) for row in self.beats]} if self.beats else {}),
            **({} if self.validity is None else {"validity": to_plain(self.validity)}),
            **CASE_TABLE.mark,  # last: a table is known by how its file begins
        }

    @classmethod
    def __from_plain__(cls, value: Any, path: str) -> "CaseTable":
        """Read what `__to_plain__` wrote."""
        values = known_only(_StoredTable, CASE_TABLE.read(value)) if isinstance(value, Mapping) else value
        stored = from_plain(_StoredTable, values, path=path)
        rows, slices = (
            tuple(from_plain(CaseRow, _current(row), path=f"{path}.{key}[{i}]") for i, row in enumerate(found))
            for key, found in (("rows", stored.rows), ("slices", stored.slices))
        )
        quantities = [
            from_plain(PatientQuantity, _present(_numbers(item)), path=f"{path}.quantities[{i}]")
            for i, item in enumerate(stored.quantities)
        ]
        # Older tables hold one record of the left ventricle for each patient.
        older = [found for item in stored.ejections for found in _of_older(item, f"{path}.ejections")]
        quantities = [*quantities, *older]
        beats = tuple(
            from_plain(BeatRow, known_only(BeatRow, _numbers(row)), path=f"{path}.beats[{i}]")
            for i, row in enumerate(stored.beats)
        )
        kept = {name: getattr(stored, name) for name in ("problems", "facts", "limits", "notes", "validity")}
        return cls(rows, tuple(quantities), slices=slices, beats=beats, **kept)


@dataclass(frozen=True)
class _StoredTable:
    rows: tuple[dict[str, Any], ...]
    quantities: tuple[dict[str, Any], ...] = ()
    ejections: tuple[dict[str, Any], ...] = ()
    problems: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    limits: OutlierLimits | None = None
    notes: tuple[str, ...] = ()
    slices: tuple[dict[str, Any], ...] = ()
    beats: tuple[dict[str, Any], ...] = ()
    validity: Validity | None = None
    agreement: tuple[dict[str, Any], ...] = ()
    """What follows from the quantities; files hold it for other readers."""
    validity_rates: tuple[dict[str, Any], ...] = ()
    """What follows from the validity, likewise."""


def _present(item: dict[str, Any]) -> dict[str, Any]:
    """A stored quantity under its present name."""
    item = known_only(PatientQuantity, item)
    return item | {"key": present_key(item["key"])} if isinstance(item.get("key"), str) else item


def _of_older(item: Mapping[str, Any], path: str) -> list[PatientQuantity]:
    try:
        return of_ejection(_numbers(item))
    except (KeyError, TypeError, ValueError):
        raise ConfigError("is no record of an ejection fraction", where=path) from None


def group_of(item: CaseRow | Case, by: str) -> str:
    """The group that a row or a case belongs to; "unknown" where the data set does not say.

    Args:
        item: the row or case.
        by: "all", "phase", "view", "patient" or a group key, "-" and "_" alike.
    """
    if by == "all":
        return "all"
    if by in ("phase", "view", "patient"):
        return str(getattr(item, by))
    return item.groups.get(by) or item.groups.get(by.replace("-", "_"), "unknown")


def require_group(by: str, groups: Iterable[Mapping[str, str]]) -> None:
    """Refuse to group by what no case states: all would stand in one group, "unknown".

    Args:
        by: as in `group_of`.
        groups: group keys of each case.

    Raises:
        UsageError: naming what there is.
    """
    known = ("phase", "view", "patient", *sorted({key for item in groups for key in item if key != "patient"}))
    if not {by, by.replace("-", "_")} & {"all", *known}:
        raise UsageError(f"no case has a group {by!r} to score by", remedy=f"choose from: {', '.join(known)}.")


def group_order(group: str) -> tuple[int, str]:
    """Groups in order of name, classes below a bound first and those above it last, thirds from base to apex.

    Example:
        >>> sorted([">=55", "45-55", "<=45"], key=group_order)
        ['<=45', '45-55', '>=55']
        >>> sorted(["apical", "basal", "mid"], key=group_order)
        ['basal', 'mid', 'apical']
    """
    if group in THIRDS:
        return THIRDS.index(group), group
    return class_order(group)


def mean_interval(rows: Iterable[CaseRow], score: str) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of a score; patients are drawn, as images of one are not independent."""
    patients: dict[str, list[float]] = {}
    for row in rows:
        if math.isfinite(value := row.score(score)) and row.presence is not Presence.ABSENT:
            patients.setdefault(row.patient, []).append(value)
    if len(patients) < 2:
        return math.nan, math.nan
    means = [sum(values) / len(values) for values in patients.values()]
    counts = [len(values) for values in patients.values()]
    return bootstrap_interval(means, weights=counts, resamples=RESAMPLES)


def summarise_rows(rows: Iterable[CaseRow], score: str) -> Summary | None:
    """Statistics of one score; None if no row has it (distances without a pixel size, shapes of volumes).

    Dice is had by every row, so that structures that are absent everywhere are counted too.
    """
    found = [(row.score(score), row.presence) for row in rows]
    known = [
        (value, presence) for value, presence in found if presence is not Presence.PRESENT or not math.isnan(value)
    ]
    values, presences = [value for value, _ in known], [presence for _, presence in known]
    is_had = score == "dice" or not all(map(math.isnan, values))
    return summarise(values, presences) if known and is_had else None


def _row_to_plain(row: CaseRow) -> dict[str, Any]:
    plain = vars(row) | {"view": str(row.view), "phase": str(row.phase), "presence": str(row.presence)}
    if row.depth is None:
        del plain["depth"]
    return _worded(plain | {"scores": _worded(row.scores)})


def _worded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: repr(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in values.items()
    }


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `_worded`, in nested tables too."""
    return {
        key: _numbers(value) if isinstance(value, Mapping) else _number(value) if _is_score(key) else value
        for key, value in values.items()
    }


_MISSED = "missed"
"""What older tables call false negatives."""


def _number(value: Any) -> Any:
    words = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
    return words.get(value, value) if isinstance(value, str) else value


def _current(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored row; older ones say "missed", the oldest of false positives too: labelled background tells."""
    values = known_only(CaseRow, _numbers(row))
    if values.get("presence") == _MISSED:
        values["presence"] = Presence.FALSE_NEGATIVE.value
    scores = values.get("scores")
    specificity = scores.get("specificity", math.nan) if isinstance(scores, Mapping) else math.nan
    if values.get("presence") == Presence.FALSE_NEGATIVE and isinstance(specificity, float) and specificity < 1:
        values["presence"] = Presence.FALSE_POSITIVE.value
    return values


def _is_score(key: str) -> bool:
    known = (
        "confidence",
        "expected_dice",
        "diagonal_mm",
        "predicted",
        "traced",
        "stated",
        "worst_dice",
        "curve_correlation",
    )
    return key in SCORES or key in known or key.endswith(("_percent", "_ml", "_off_frames"))
