"""The plots of a table of cases: boxes of each score, agreement of ejection fraction and volumes."""

import math
from pathlib import Path

import numpy as np

from cardiotrace.evaluation.case_table import CaseTable, group_of, group_order
from cardiotrace.metrics import short_name
from cardiotrace.report.boxes import draw_boxes
from cardiotrace.report.figure import draw_agreement

AGREEMENTS = (
    ("ejection-fraction", "predicted_percent", "reference_percent", "ejection fraction", "%"),
    ("ejection-fraction-traced", "predicted_percent", "traced_percent", "ejection fraction", "%"),
    (
        "end-diastolic-volume",
        "predicted_end_diastolic_ml",
        "traced_end_diastolic_ml",
        "end-diastolic volume",
        "ml",
    ),
    ("end-systolic-volume", "predicted_end_systolic_ml", "traced_end_systolic_ml", "end-systolic volume", "ml"),
)
"""Name of the file, what is compared with what, and the words for it."""
_FEWEST = 3
"""Pairs below which agreement cannot be drawn."""


def write_plots(table: CaseTable, folder: Path, *, by: str = "phase") -> tuple[Path, ...]:
    """Write one box plot for each score that tables print and any case has, and one for each agreement that is known.

    Args:
        table: the cases.
        folder: where they go; it must be there.
        by: groups of the boxes, as in `CaseTable.summaries`.

    Returns:
        The PNG files.

    Raises:
        WorkError: nothing can be written.
    """
    written = []
    for score in table.headline():
        values = _values(table, score, by)
        if not any(math.isfinite(value) for groups in values.values() for group in groups.values() for value in group):
            continue  # absent everywhere, or a distance without a pixel size: the tables say so
        path = folder / f"{score.removesuffix('_mm').replace('_', '-')}.png"
        draw_boxes(values, path, score=_words(score))
        written.append(path)
    for name, predicted, reference, quantity, unit in AGREEMENTS:
        pairs = np.array([(getattr(item, predicted), getattr(item, reference)) for item in table.ejections])
        if len(pairs) and np.count_nonzero(np.isfinite(pairs).all(axis=1)) >= _FEWEST:
            path = folder / f"{name}.png"
            draw_agreement(pairs[:, 0], pairs[:, 1], path, quantity=quantity, unit=unit)
            written.append(path)
    return tuple(written)


def _values(table: CaseTable, score: str, by: str) -> dict[str, dict[str, list[float]]]:
    """Region to group to values; regions whose tables do not print the score are left out."""
    groups = sorted({group_of(row, by) for row in table.rows}, key=group_order)
    return {
        region: {
            group: [row.score(score) for row in table.rows if row.region == region and group_of(row, by) == group]
            for group in groups
        }
        for region in table.regions
        if score in table.headline(region)
    }


def _words(score: str) -> str:
    """A score as an axis names it.

    Example:
        >>> _words("mean_absolute_mm"), _words("accuracy")
        ('MAD, mm', 'accuracy')
    """
    return short_name(score) + (", mm" if score.endswith("_mm") else "")
