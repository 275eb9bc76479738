"""The plots of a table of cases: boxes of each score, agreement of ejection fractions, volumes and mass."""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cardiotrace.evaluation.case_table import CaseTable, group_of, group_order
from cardiotrace.evaluation.quantity import QUANTITIES, Against, quantity_words
from cardiotrace.evaluation.table import AGAINST
from cardiotrace.metrics import short_name
from cardiotrace.report.boxes import draw_boxes
from cardiotrace.report.figure import PairedValues, draw_agreement

_FEWEST = 3
"""Pairs below which agreement cannot be drawn."""
_REFERENCES = {"traced": "reference labels", "stated": "stated by the data set"}


def write_plots(
    table: CaseTable, folder: Path, *, by: str = "phase", keys: Iterable[str] = QUANTITIES
) -> tuple[Path, ...]:
    """Write one box plot for each score that tables print and any case has, and one for each agreement that is known.

    Args:
        table: the cases.
        folder: where they go; it must be there.
        by: groups of the boxes, as in `CaseTable.summaries`.
        keys: quantities whose agreement is drawn.

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
    written.extend(
        _agreement(table, key, against, folder)
        for key in keys
        for against in AGAINST
        if table.agreement(key, against).count >= _FEWEST
    )
    return tuple(written)


def _agreement(table: CaseTable, key: str, against: Against, folder: Path) -> Path:
    """Draw how one quantity agrees; files are named after it, those of the reference labels with "-traced"."""
    pairs = np.array([(item.predicted, getattr(item, against)) for item in table.quantities if item.key == key])
    name = key.rsplit("_", 1)[0].replace("_", "-") + ("-traced" if against == "traced" else "")
    words, unit = quantity_words(key)
    path = folder / f"{name}.png"
    draw_agreement(PairedValues(pairs[:, 0], pairs[:, 1], words, unit, _REFERENCES[against]), path)
    return path


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
