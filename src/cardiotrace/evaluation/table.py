"""The table as rows of plain values, and as CSV, JSON or Markdown text."""

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cardiotrace.core.config import to_plain
from cardiotrace.core.ejection import EJECTION_CLASSES, ejection_fraction_class
from cardiotrace.core.errors import InputError
from cardiotrace.core.number import digits_of, fixed, general, mean_and_sd, p_value
from cardiotrace.core.plain import read_json
from cardiotrace.core.text import csv_text, markdown_cell
from cardiotrace.evaluation.beats import BEAT_SCORES, summarise_beats
from cardiotrace.evaluation.case_table import SCORES, CaseTable, GroupSummary
from cardiotrace.evaluation.compare import Comparison
from cardiotrace.evaluation.gap import GapRow
from cardiotrace.evaluation.limits import OutlierLimits
from cardiotrace.evaluation.outlier import OutlierRates, Share, outlier_rates
from cardiotrace.evaluation.quantity import CLINICAL, QUANTITIES, Against, quantity_words
from cardiotrace.evaluation.validity import ANY, WHOSE, validity_rates
from cardiotrace.metrics import Summary

Rows = list[dict[str, Any]]
TextFormat = Literal["csv", "json", "markdown"]
COUNTS = ("n", "absent", "false negative", "false positive")
"""How many images the statistics speak of, and how many each kind of absence befell."""
AGAINST: tuple[Against, ...] = ("traced", "stated")
AGAINST_WORDS: Mapping[Against, str] = {"traced": "labels", "stated": "stated"}


def case_rows(table: CaseTable) -> Rows:
    """One dictionary for each row of the table, group keys and scores as columns; `slice` where rows are of slices.

    Where validity was asked, the criteria that the frame fails by the published limits, predicted and reference.
    """
    keys = list(dict.fromkeys(key for row in table.rows for key in row.groups))
    failed = {} if table.validity is None else table.validity.failed()
    return [
        {
            "case": row.case,
            "patient": row.patient,
            "view": str(row.view),
            "phase": str(row.phase),
            "frame": row.frame,
            **({} if row.depth is None else {"slice": row.depth}),
            **{key: row.groups.get(key, "") for key in keys},
            "region": row.region,
            "presence": str(row.presence),
            **{name: row.score(name) for name in SCORES},
            "confidence": row.confidence,
            "expected_dice": row.expected_dice,
            **{f"{whose}_failed": failed.get((row.case, row.frame, whose), "") for whose in WHOSE if table.validity},
        }
        for row in table.rows
    ]


def headline_rows(table: CaseTable, *, by: str = "phase", scores: Sequence[str] = ()) -> Rows:
    """The table that papers print: regions down, scores across, counts at the end of each row.

    A score is "mean ± sd [low, high]": without sd where there is but one image, and without the 95 % interval of the
    mean below two patients.

    Args:
        table: the cases.
        by: as in `CaseTable.summaries`.
        scores: which of `SCORES`; those that tables of each region usually show if none is named.
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    asked = tuple(score for score in SCORES if score in scores)
    # Every row has a Dice, so it is what images are counted by, shown or not.
    for item in table.summaries(by, scores=dict.fromkeys(("dice", *(asked or table.headline())))):
        row = rows.setdefault((item.region, item.group), {"region": item.region, by: item.group})
        if item.score in (asked or table.headline(item.region)):
            digits = digits_of(item.score)
            row[item.score] = mean_and_sd(item.summary.mean, item.summary.sd, digits) + _bracketed(item, digits)
        if item.score == "dice":
            row |= counts_of(item.summary)
    shown = _present(list(rows.values()), asked or table.headline())
    return [{key: row.get(key, "") for key in ("region", by, *shown, *COUNTS)} for row in rows.values()]


def beat_rows(table: CaseTable) -> Rows:
    """One dictionary for each region of each film."""
    return [{**dataclasses.asdict(row), "view": str(row.view)} for row in table.beats]


def readable_beats(table: CaseTable) -> Rows:
    """Scores of films as they are read: mean and standard deviation over all films of each region."""
    return [
        {
            "region": item.region,
            "films": item.films,
            **{_BEAT_WORDS[name][0]: mean_and_sd(*item.spreads[name], _BEAT_WORDS[name][1]) for name in BEAT_SCORES},
        }
        for item in summarise_beats(table.beats)
    ]


_BEAT_WORDS = {
    "dice": ("Dice", 3),
    "worst_dice": ("worst frame", 3),
    "curve_error_percent": ("curve RMSE %", 1),
    "curve_correlation": ("curve r", 3),
    "end_diastole_off_frames": ("ED off", 1),
    "end_systole_off_frames": ("ES off", 1),
}
"""What a table calls each score of a film, and the digits it is worth."""


def counts_of(summary: Summary | None) -> dict[str, int]:
    """How many images there were, by the words of `COUNTS`; none where there is no summary."""
    if summary is None:
        return dict.fromkeys(COUNTS, 0)
    numbers = (summary.count, summary.absent, summary.false_negative, summary.false_positive)
    return dict(zip(COUNTS, numbers, strict=True))


def expectation_rows(table: CaseTable) -> Rows:
    """Expected Dice beside the true one, of each region of which a model expected any."""
    rows: Rows = []
    for region in table.regions:
        told = [row for row in table.rows if row.region == region and math.isfinite(row.expected_dice)]
        pairs = np.array([(row.expected_dice, row.score("dice")) for row in told]).reshape(-1, 2)
        expected, true = pairs[np.isfinite(pairs).all(axis=1)].T
        if len(true):
            is_spread = len(true) > 2 and min(expected.std(), true.std()) > 0
            rows.append(
                {
                    "region": region,
                    "n": len(true),
                    "expected": f"{expected.mean():.3f}",
                    "true": f"{true.mean():.3f}",
                    "mean absolute error": f"{np.abs(expected - true).mean():.3f}",
                    "correlation": f"{np.corrcoef(expected, true)[0, 1]:.2f}" if is_spread else "",
                }
            )
    return rows


def readable_gap(rows: Sequence[GapRow]) -> Rows:
    """What adaptation is worth, as it is read; columns of which nothing is known are left out."""
    shown = [
        {
            "method": row.method,
            "seeds": row.seeds,
            "patients": row.patients,
            "Dice": f"{_within(row.dice, row.dice_interval, 3)}",
            "sd of seeds": "" if math.isnan(row.seed_sd) else fixed(row.seed_sd, 3),
            "gain": "" if not row.gain else _within(row.gain, row.gain_interval, 3),
            "gap closed %": _within(100 * row.closed, _percent(row.closed_interval), 0),
            "worst group": f"{row.worst_group} {fixed(row.worst_dice, 3)}" if row.worst_group else "",
            "invalid %": "" if math.isnan(row.invalid_percent) else fixed(row.invalid_percent, 1),
            "EF error": "" if math.isnan(row.ejection_error) else fixed(row.ejection_error, 1),
            "expected Dice off": "" if math.isnan(row.expectation_error) else fixed(row.expectation_error, 3),
        }
        for row in rows
    ]
    return [{key: row[key] for key in row if any(one[key] != "" for one in shown)} for row in shown]


def _within(value: float, interval: tuple[float, float], digits: int) -> str:
    """A number with its interval; nothing of what is not known."""
    if math.isnan(value):
        return ""
    return f"{fixed(value, digits)} [{fixed(interval[0], digits)}, {fixed(interval[1], digits)}]"


def _percent(interval: tuple[float, float]) -> tuple[float, float]:
    return 100 * interval[0], 100 * interval[1]


def agreement_rows(table: CaseTable, keys: Iterable[str] = QUANTITIES) -> Rows:
    """Agreement of quantities that both sides have: with the reference labels, and with what the data set states.

    Differences are predicted minus reference, in the unit that the quantity's name ends in; the limits are those of
    Bland and Altman.

    Args:
        table: the cases.
        keys: of the quantities; `CLINICAL` are all.
    """
    return [
        {
            "quantity": key,
            "against": against,
            "n": found.count,
            "excluded": found.excluded,
            "correlation": found.correlation,
            "intraclass_correlation": found.intraclass_correlation,
            "bias": found.bias,
            "sd": found.sd,
            "lower_limit": found.lower_limit,
            "upper_limit": found.upper_limit,
            "mean_absolute_error": found.mean_absolute_error,
        }
        for key in keys
        for against in AGAINST
        if (found := table.agreement(key, against)).count
    ]


def readable_agreement(rows: Rows) -> Rows:
    """Rows of `agreement_rows` as they are read: names, units, signs, one digit."""
    shown = []
    for row in rows:
        name, unit = quantity_words(row["quantity"])
        limits = [fixed(row[key], 1, signed=True) for key in ("lower_limit", "upper_limit")]
        shown.append(
            {
                "quantity": f"{name}, {unit}",
                "against": AGAINST_WORDS[row["against"]],
                "n": row["n"],
                "left out": row["excluded"],
                "r": fixed(row["correlation"], 3),
                "ICC": fixed(row["intraclass_correlation"], 3),
                "bias": fixed(row["bias"], 1, signed=True),
                "SD": fixed(row["sd"], 1),
                "limits": " to ".join(limits) if math.isfinite(row["sd"]) else "-",
                "MAE": fixed(row["mean_absolute_error"], 1),
            }
        )
    return shown


def interval_rows(table: CaseTable, keys: Iterable[str] = CLINICAL) -> Rows:
    """How often the intervals of predicted quantities held the reference, and how wide they were.

    The interval of the reading error is held against the reference labels, that of the whole error against what the
    data set states.

    Args:
        table: the cases.
        keys: of the quantities.

    Returns:
        A row for each quantity and error of which any patient has an interval and a reference.
    """
    rows = []
    for key in keys:
        for name, against in (("reading", "traced"), ("whole", "stated")):
            found = [
                (interval, float(getattr(item, against)))
                for item in table.quantities
                if item.key == key
                and (interval := getattr(item, name)) is not None
                and math.isfinite(getattr(item, against))
            ]
            if found:
                covered = sum(low <= truth <= high for (low, high), truth in found) / len(found)
                width = sum(high - low for (low, high), _ in found) / len(found)
                rows.append({"quantity": key, "error": name, "n": len(found), "covered": covered, "width": width})
    return rows


def readable_intervals(rows: Rows) -> Rows:
    """Rows of `interval_rows` as they are read."""
    shown = []
    for row in rows:
        name, unit = quantity_words(row["quantity"])
        covered, width = fixed(100 * row["covered"], 1), fixed(row["width"], 1)
        shown.append(
            {"quantity": f"{name}, {unit}", "error": row["error"], "n": row["n"], "covered %": covered, "width": width}
        )
    return shown


def ejection_class_rows(table: CaseTable) -> Rows:
    """How patients are classed by the ejection fraction of the left ventricle: a row for each class of the reference.

    Args:
        table: the cases.

    Returns:
        Rows of `against`, `reference` (its class), a count for each class of the prediction, `missing` (not measured),
        and `right_percent` of those that were measured.
    """
    key = "left_ventricular_ejection_fraction_percent"
    rows: Rows = []
    for against in AGAINST:
        pairs = [(item.predicted, getattr(item, against)) for item in table.quantities if item.key == key]
        known = [(ejection_fraction_class(true), found) for found, true in pairs if math.isfinite(true)]
        for name in EJECTION_CLASSES if known else ():
            found = [value for true, value in known if true == name]
            classed = Counter(ejection_fraction_class(value) for value in found if math.isfinite(value))
            right = 100 * classed[name] / classed.total() if classed else math.nan
            counts = {each: classed[each] for each in EJECTION_CLASSES}
            missing = len(found) - classed.total()
            rows.append({"against": against, "reference": name, **counts, "missing": missing, "right_percent": right})
    return rows


def readable_classes(rows: Rows) -> Rows:
    """Rows of `ejection_class_rows` as they are read."""
    shown = []
    for row in rows:
        counts = {f"found {name}": row[name] for name in EJECTION_CLASSES}
        shown.append(
            {
                "against": AGAINST_WORDS[row["against"]],
                "true EF, %": row["reference"],
                **counts,
                "not measured": row["missing"],
                "right, %": fixed(row["right_percent"], 1),
            }
        )
    return shown


def outlier_rows(table: CaseTable, limits: OutlierLimits | None = None, *, by: str = "phase") -> Rows:
    """Outliers by group and over all frames: how many, and percent of the frames that limits speak of.

    Args:
        table: the cases.
        limits: what counts as an outlier; those that came with the table if None.
        by: as in `CaseTable.summaries`.
    """
    used = limits or table.limits
    rates = () if used is None else outlier_rates(table, used, by=by)
    kinds = [kind for kind in ("geometrical", "anatomical", "both") if any(getattr(rate, kind).total for rate in rates)]
    return [{by: item.group, "images": item.images, **_share_cells(item, kinds)} for item in rates]


def _share_cells(rates: OutlierRates, kinds: Sequence[str]) -> dict[str, float]:
    """Two columns for each kind: how many, and percent."""
    cells: dict[str, float] = {}
    for kind in kinds:
        share: Share = getattr(rates, kind)
        cells |= {kind: share.count, f"{kind}_percent": share.percent}
    return cells


def readable_outliers(rows: Rows) -> Rows:
    """Rows of `outlier_rows` as they are read: "3 (1.2 %)" in one cell."""
    kinds = ("geometrical", "anatomical", "both")
    return [
        {
            key: f"{value} ({fixed(row[f'{key}_percent'], 1)} %)" if key in kinds else value
            for key, value in row.items()
            if not key.endswith("_percent")
        }
        for row in rows
    ]


def validity_rows(table: CaseTable) -> Rows:
    """How many planes, stacks, films and frames are no heart's, by set of limits: of predictions and of references.

    Returns:
        Rows of `of` (what is counted), `criterion` ("any" for at least one), `limits`, `whose`, `failed`, `total` and
        `percent`; empty where validity was not asked.
    """
    rates = () if table.validity is None else validity_rates(table.validity)
    return [
        {
            "of": item.of,
            "criterion": item.criterion,
            "limits": item.limits,
            "whose": item.whose,
            "failed": item.failed,
            "total": item.total,
            "percent": item.percent,
        }
        for item in rates
    ]


def readable_validity(rows: Rows) -> Rows:
    """Rows of `validity_rows` as they are read: a column for each side, criteria that nothing fails left out."""
    shown: dict[tuple[str, str, str], dict[str, Any]] = {}
    failing = {(row["of"], row["limits"], row["criterion"]) for row in rows if row["failed"] or row["criterion"] == ANY}
    for row in rows:
        key = (row["of"], row["limits"], row["criterion"])
        if key in failing:
            head = {"of": row["of"], "limits": row["limits"], "criterion": row["criterion"]}
            cell = f"{row['failed']} of {row['total']} ({fixed(row['percent'], 1)} %)"
            shown.setdefault(key, head)[row["whose"]] = cell
    return list(shown.values())


def comparison_rows(comparisons: Sequence[Comparison]) -> Rows:
    """One dictionary for each comparison."""
    return [dataclasses.asdict(item) for item in comparisons]


def readable_comparisons(rows: Rows) -> Rows:
    """Rows of `comparison_rows` as they are read: as many digits for all numbers of a score, small p values as such."""
    shown = []
    for row in rows:
        cells: dict[str, Any] = {}
        for key, value in row.items():
            if key.startswith("p_"):
                cells[key] = p_value(value)
            elif isinstance(value, float):
                cells[key] = fixed(value, digits_of(row["score"]), signed=key == "mean_difference")
            else:
                cells[key] = value
        shown.append(cells)
    return shown


def to_text(rows: Sequence[Mapping[str, Any]], form: TextFormat) -> str:
    """Rows as text; numbers in full for CSV and JSON, to four digits for Markdown.

    Example:
        >>> print(to_text([{"region": "LV", "dice": 0.93456}], "markdown"))
        | region | dice |
        |---|---|
        | LV | 0.9346 |
        <BLANKLINE>
    """
    if form == "json":
        return json.dumps([_finite_or_none(row) for row in rows], indent=2, ensure_ascii=False) + "\n"
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if form == "csv":
        return csv_text(columns, rows)
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(row.get(column, "")) for column in columns] for row in rows]
    head, rule, *body = lines
    return "\n".join([_line(head), "|" + "|".join(rule) + "|", *(_line(cells) for cells in body), ""])


def table_to_json(table: CaseTable) -> str:
    """The whole table as JSON text that `read_case_table` reads, with the agreement of its quantities for others."""
    plain = to_plain(table) | {"agreement": [_finite_or_none(row) for row in agreement_rows(table)]}
    if table.validity is not None:
        plain["validity_rates"] = [_finite_or_none(row) for row in validity_rows(table)]
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


TABLE_BEGINS = ('{\n "rows":', '{"rows":', "case,patient,view,phase,frame", "case,patient,view,region,frames")
"""How the files of tables begin, as JSON and as CSV."""


def read_case_table(path: Path) -> CaseTable:
    """Read a table that was written with `table_to_json`.

    Raises:
        InputError: the file cannot be read or holds something else.
    """
    value = read_json(path)
    try:
        return CaseTable.__from_plain__(value, "table")
    except InputError as error:
        raise InputError(f"is no table of cases: {error.what}", where=path) from None


def _present(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[str]:
    return [key for key in keys if any(key in row for row in rows)]


def _bracketed(item: GroupSummary, digits: int) -> str:
    low, high = item.interval
    return "" if math.isnan(low) else f" [{low:.{digits}f}, {high:.{digits}f}]"


def _finite_or_none(row: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows neither NaN nor infinity; `presence` says which of the two a null was."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def _cell(value: Any) -> str:
    return general(value) if isinstance(value, float) else markdown_cell(value)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
