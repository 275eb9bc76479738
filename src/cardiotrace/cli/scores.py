"""Print a table of cases as papers do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cardiotrace.cli.layout import wrapped
from cardiotrace.cli.output import complain
from cardiotrace.cli.terminal import print_text, table, width
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.outlier import limited_regions
from cardiotrace.evaluation.phase_table import PHASE_SCORES, phase_rows, readable_phases
from cardiotrace.evaluation.quantity import QUANTITIES
from cardiotrace.evaluation.table import (
    COUNTS,
    agreement_rows,
    ejection_class_rows,
    expectation_rows,
    headline_rows,
    interval_rows,
    outlier_rows,
    readable_agreement,
    readable_beats,
    readable_classes,
    readable_intervals,
    readable_outliers,
    readable_validity,
    validity_rows,
)
from cardiotrace.metrics import short_name

AGREEMENT_WORDS = (
    "agreement, predicted minus reference: against the same measured on the reference labels, or stated by the data"
    " set; limits are bias ± 1.96 SD"
)

EXPECTED_WORDS = "Dice that the model expected of its labels, and the true one, image by image"

CLASS_WORDS = "patients by class of the left ventricle's ejection fraction"
INTERVAL_WORDS = (
    "intervals of predicted values: reading error against the reference labels, whole error against what is stated"
)
SLICE_WORDS = (
    "slices of the stacks, each in its own plane, where either has the region; thirds from base to apex of the"
    " reference's left ventricle, and slices beyond it"
)

VALIDITY_WORDS = (
    "labels that are no heart's: planes by anatomical criteria, films and their frames by consistency in time; criteria"
    " that nothing fails are left out"
)
BEAT_WORDS = (
    "films: Dice over all frames and in the worst one; the curve of sizes, its error in percent of the reference's"
    " largest; frames between predicted and reference instants, found on either curve"
)

_RARE = COUNTS[1:]
"""Counts that have a column only where there is something to count."""


def print_scores(
    scored: CaseTable,
    *,
    by: str = "phase",
    of: str = "",
    scores: Sequence[str] = (),
    quantities: Iterable[str] = QUANTITIES,
) -> None:
    """Scores of each region over all cases and by group, outliers, agreement of EF, volumes and mass, and problems.

    Of stacks also the scores of their slices, by thirds of the ventricle; of films those of their curves and instants.

    Args:
        scored: the table.
        by: how to group.
        of: whose scores they are, where that must be said.
        scores: which to show; the usual ones of each region if none is named.
        quantities: those whose agreement is shown.
    """
    words = "mean ± standard deviation [95 % interval of the mean, by patient]"
    if any(score.endswith("_mm") for score in scores or scored.headline()):
        words += "; distances in mm, inf or missing structures counted"
    over_all = headline_rows(scored, by="all", scores=scores)
    _print_headline(over_all, title=f"{of}: {words}" if of else words)
    idle = _all_zero(over_all)
    if idle:
        print_text(f"None {' or '.join(idle)}.\n")
    if by != "all":
        _print_headline(headline_rows(scored, by=by, scores=scores))
    _print_slices(scored.by_slice(), scores)
    table(readable_beats(scored), title=BEAT_WORDS, keys=1)
    _print_outliers(scored, by=by)
    table(expectation_rows(scored), title=EXPECTED_WORDS)
    _print_agreement(scored, quantities)


def print_phases(
    scored: CaseTable, *, of: str = "", scores: Sequence[str] = (), quantities: Iterable[str] = QUANTITIES
) -> None:
    """Scores as tables of cine-MRI print them, agreement of EF, volumes and mass, and problems.

    Args:
        scored: the table.
        of: whose scores they are, where that must be said.
        scores: which to show; Dice and Hausdorff distance if none is named.
        quantities: those whose agreement is shown.

    Raises:
        InputError: no frame is known to be ED or ES.
    """
    rows = phase_rows(scored, scores=scores or PHASE_SCORES)
    idle = _all_zero(rows)
    words = "means at ED, at ES and over both; of stacks as volumes in 3D, and of their slices in 2D, by thirds of the"
    words += " reference's left ventricle; distances in mm, those of structures that are missed, or false, only counted"
    shown = [
        {_phase_head(key): value for key, value in row.items() if key not in idle} for row in readable_phases(rows)
    ]
    table(shown, title=f"{of}: {words}" if of else words, keys=3)
    _print_agreement(scored, quantities)


def _phase_head(key: str) -> str:
    """What a column of scores at an instant is called, such as "ED HD mm"; counts in a word, to fit beside them."""
    word, _, score = key.partition("_")
    return (
        f"{word} {score_head(score)}"
        if score
        else {"false negative": "missed", "false positive": "false"}.get(key, key)
    )


def _print_slices(slices: CaseTable, scores: Sequence[str]) -> None:
    """Scores of the slices of stacks: over all of them, then by thirds."""
    rows = [
        {"region": row["region"], "slices": row[by], **{key: row[key] for key in row if key not in ("region", by)}}
        for by in ("all", "third")
        for row in headline_rows(slices, by=by, scores=scores)
    ]
    order = {region: place for place, region in enumerate(slices.regions)}
    _print_headline(sorted(rows, key=lambda row: order[row["region"]]), title=SLICE_WORDS)


def print_classes(scored: CaseTable) -> None:
    """How many patients of each class of ejection fraction are found to be of which."""
    table(readable_classes(ejection_class_rows(scored)), title=CLASS_WORDS, keys=2)


def print_validity(scored: CaseTable) -> None:
    """How many labels are no heart's, of the predictions and of the reference; nothing where that was not asked."""
    if scored.validity is None:
        return
    rows = readable_validity(validity_rows(scored))
    if rows:
        table(rows, title=VALIDITY_WORDS, keys=3)
    else:
        print_text("Anatomical criteria speak of long and short axes of the heart: none is among these images.\n")


def print_intervals(scored: CaseTable) -> None:
    """How often intervals held the reference, where the model that predicted was calibrated."""
    table(readable_intervals(interval_rows(scored)), title=INTERVAL_WORDS, keys=2)


def _print_agreement(scored: CaseTable, quantities: Iterable[str]) -> None:
    table(readable_agreement(agreement_rows(scored, quantities)), title=AGREEMENT_WORDS, keys=2)
    print_problems(scored)


def _print_headline(rows: Sequence[Mapping[str, Any]], *, title: str = "") -> None:
    idle = _all_zero(rows)
    table(
        [{score_head(key): value for key, value in row.items() if key not in idle} for row in rows], title=title, keys=2
    )


def _all_zero(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns of counts that are zero in every row."""
    return [key for key in _RARE if not any(row[key] for row in rows)]


def score_head(score: str) -> str:
    """What a column of scores is called."""
    return f"{short_name(score)} mm" if score.endswith("_mm") else short_name(score)


def _print_outliers(scored: CaseTable, *, by: str) -> None:
    if scored.limits is not None:
        limits = scored.limits
        judged = limited_regions(scored, limits)
        unjudged = sorted((limits.distances.keys() | limits.shapes.keys()) - set(judged))
        regions = f"({', '.join(judged)}{'; not in this table: ' + ', '.join(unjudged) if unjudged else ''})"
        rows = readable_outliers(outlier_rows(scored, by=by))
        table(rows, title=f"outliers by the limits of {limits.name} {regions}")


def print_problems(scored: CaseTable) -> None:
    """What could not be scored and what speaks against the labels, on standard error."""
    for note in scored.notes:
        complain("\n".join(wrapped(f"cardiotrace: {note}", width())))
    if scored.problems:
        complain(f"cardiotrace: {len(scored.problems)} could not be scored:")
    for problem in scored.problems:
        complain(f"  {problem}")
