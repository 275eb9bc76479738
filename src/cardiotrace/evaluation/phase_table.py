"""Scores as tables of cine-MRI print them: ED, ES and both across, structures down, short and long axis apart."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cardiotrace.core.errors import InputError
from cardiotrace.core.number import digits_of, fixed
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.evaluation.case_table import SCORES, THIRDS, CaseRow, CaseTable, summarise_rows
from cardiotrace.evaluation.table import Rows, counts_of

PHASE_SCORES = ("dice", "hausdorff_mm")
"""The scores of these tables, unless others are asked for."""

_INSTANTS: Mapping[str, tuple[Phase, ...]] = {"ED": (Phase.ED,), "ES": (Phase.ES,), "both": (Phase.ED, Phase.ES)}
_ORDER = tuple(structure.value for structure in (Structure.LV, Structure.MYO, Structure.RV))
"""Of the rows; other regions come behind."""


def phase_rows(table: CaseTable, *, scores: Sequence[str] = PHASE_SCORES) -> Rows:
    """One row for each axis, what of it was scored, and region; the mean of each score at ED, at ES and over both.

    Stacks are scored as volumes, and slice by slice in the plane: all slices together, and by thirds of the
    reference's left ventricle. A mean speaks of the images that have the score, see `summarise`; the counts are
    those of both instants.

    Args:
        table: the cases; frames that are neither ED nor ES are left out.
        scores: which of `SCORES`.

    Returns:
        Rows of `axis`, `of`, `region`, `ED_dice`, ..., `both_hausdorff_mm` and the counts; NaN where a score cannot be
        had.

    Raises:
        InputError: no frame is ED or ES.
    """
    require_instants(row.phase for row in table.rows)
    shown = tuple(score for score in SCORES if score in scores)
    return [
        {"axis": axis, "of": words, "region": region, **_means(rows, shown), **counts_of(summarise_rows(rows, "dice"))}
        for axis in dict.fromkeys(map(axis_of, table.rows))
        for words, found in _scored(table, axis)
        for region in sorted(dict.fromkeys(row.region for row in found), key=_place)
        if (rows := [row for row in found if row.region == region])
    ]


def require_instants(phases: Iterable[Phase]) -> None:
    """Refuse images of which none is at an instant that these tables have a column for.

    Raises:
        InputError: no frame is ED or ES.
    """
    if set(_INSTANTS["both"]).isdisjoint(phases):
        raise InputError("no frame is known to be ED or ES", remedy="take --layout groups for scores of all frames.")


def readable_phases(rows: Rows) -> Rows:
    """Rows of `phase_rows` as they are read: as many digits for all numbers of a score."""
    return [
        {key: fixed(value, digits_of(key)) if isinstance(value, float) else value for key, value in row.items()}
        for row in rows
    ]


def axis_of(row: CaseRow) -> str:
    """What cine-MRI calls the axis of a view: SA, LA; the view itself where it is neither."""
    return "SA" if row.view is View.SAX else "LA" if row.view.is_long_axis else str(row.view)


def _scored(table: CaseTable, axis: str) -> Iterator[tuple[str, list[CaseRow]]]:
    """Rows of an axis at ED and ES in words for what they are of: whole frames, then slices, then slices by thirds."""
    whole, slices = (
        [row for row in rows if axis_of(row) == axis and row.phase in _INSTANTS["both"]]
        for rows in (table.rows, table.slices)
    )
    yield ("volume" if slices else "plane"), whole
    yield "slices", slices
    for third in THIRDS:
        yield third, [row for row in slices if row.groups.get("third") == third]


def _means(rows: Sequence[CaseRow], scores: Sequence[str]) -> dict[str, float]:
    means = {}
    for word, phases in _INSTANTS.items():
        found = [row for row in rows if row.phase in phases]
        for score in scores:
            summary = summarise_rows(found, score)
            means[f"{word}_{score}"] = float("nan") if summary is None else summary.mean
    return means


def _place(region: str) -> tuple[int, str]:
    return (_ORDER.index(region) if region in _ORDER else len(_ORDER)), region
