"""The cases that a method did worst on, or worst, median and best, as images with their numbers on a page."""

import math
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from cardiotrace.core.exam import Case
from cardiotrace.core.terms import Phase, View
from cardiotrace.evaluation.case_table import CaseRow, CaseTable
from cardiotrace.evaluation.evaluate import PredictCase
from cardiotrace.evaluation.outlier import verdicts
from cardiotrace.evaluation.table import to_text
from cardiotrace.evaluation.worst import ScoredFrame, typical_frames, worst_frames
from cardiotrace.io import write_text
from cardiotrace.metrics import short_name
from cardiotrace.report.gallery import ComparedImage, draw_all_slices, draw_compared
from cardiotrace.workflows.services.figure_folder import GALLERY_PAGE


def write_gallery(
    table: CaseTable, cases: Iterable[Case], predict: PredictCase, folder: Path, *, count: int = 10
) -> Path:
    """Write an image of each of the worst frames by mean Dice over regions, and a page, `index.md`, which shows them.

    Only those frames are predicted again.

    Args:
        table: scores of the cases.
        cases: the same cases.
        predict: what predicted them.
        folder: where they go; it must be there.
        count: how many, at most.

    Returns:
        Path of the page.

    Raises:
        InputError: an image cannot be read.
        WorkError: nothing can be written.
    """
    by_name = {case.name: case for case in cases}
    parts = [f"# The {min(count, len(table.cases))} worst cases", _about(table)]
    rows = []
    images = []
    for rank, worst in enumerate(worst_frames(table, count), start=1):
        case = by_name[worst.case]
        name = f"{rank:02d}_{_safe(worst.case)}_{worst.frame}.png"
        prediction = predict(case)
        compared = ComparedImage(case.read_image(), prediction.predicted, prediction.reference, worst.frame)
        title = f"{rank}. {worst.case}, {_place(worst)}"
        notes = [_numbers(row) for row in worst.rows if not math.isnan(row.score("dice"))]
        draw_compared(compared, folder / name, title=title, notes=notes)
        rows.append({"rank": rank, "case": worst.case, **_facts(worst), **_verdict(table, worst), "Dice": worst.mean})
        images.append(f"## {title}\n\n![{worst.case}]({name})")
    write_text(folder / GALLERY_PAGE, "\n\n".join([*parts, to_text(rows, "markdown").strip(), *images]) + "\n")
    return folder / GALLERY_PAGE


def write_figures(table: CaseTable, cases: Iterable[Case], predict: PredictCase, folder: Path) -> Path:
    """Write the worst, the median and the best frame of each axis and phase by mean Dice over regions, and a page.

    Each image shows every slice, predicted above reference; a planar image stands beside itself. Only those frames
    are predicted again.

    Args:
        table: scores of the cases.
        cases: the same cases.
        predict: what predicted them.
        folder: where they go; it must be there.

    Returns:
        Path of the page.

    Raises:
        InputError: an image cannot be read.
        WorkError: nothing can be written.
    """
    by_name = {case.name: case for case in cases}
    who = table.facts.get("predicted", "the predictions")
    parts = [f"# Worst, median and best of {who}", "By mean Dice over regions, of each view and phase."]
    for view, phase in dict.fromkeys((row.view, row.phase) for row in table.rows):
        found = typical_frames(table.where(partial(_is_of, view, phase)))
        for word, frame in found.items():
            case = by_name[frame.case]
            name = f"{view.value}_{phase.value}_{word}_{_safe(frame.case)}_{frame.frame}.png"
            prediction = predict(case)
            compared = ComparedImage(case.read_image(), prediction.predicted, prediction.reference, frame.frame)
            title = f"{word}: {frame.case}, {_place(frame)}"
            draw_all_slices(compared, folder / name, title=title)
            notes = "; ".join(_numbers(row) for row in frame.rows if not math.isnan(row.score("dice")))
            parts += [f"## {title}", notes, f"![{frame.case}]({name})"]
    write_text(folder / GALLERY_PAGE, "\n\n".join(parts) + "\n")
    return folder / GALLERY_PAGE


def _is_of(view: View, phase: Phase, row: CaseRow) -> bool:
    return (row.view, row.phase) == (view, phase)


def _about(table: CaseTable) -> str:
    who = table.facts.get("predicted", "the predictions")
    return (
        f"Of {len(table.cases)} cases predicted by {who}, those with the lowest mean Dice over regions. Left the image,"
        " right the same with the outlines of the reference (white) and of the prediction (coloured); of thin"
        " structures the pixels found, false and missed."
    )


def _facts(worst: ScoredFrame) -> dict[str, str]:
    row = worst.rows[0]
    return {"view": str(row.view), "phase": str(row.phase), **row.groups}


def _verdict(table: CaseTable, worst: ScoredFrame) -> dict[str, str]:
    """Whether the frame is an outlier, by the limits that came with the table."""
    if table.limits is None:
        return {}
    (found,) = verdicts(CaseTable(worst.rows), table.limits)
    if found.geometrical is None and found.anatomical is None:
        return {}
    words = [name for name, is_it in (("geometrical", found.geometrical), ("anatomical", found.anatomical)) if is_it]
    return {"outlier": ", ".join(words)}


def _place(worst: ScoredFrame) -> str:
    row = worst.rows[0]
    frame = f", frame {worst.frame}" if worst.frame else ""
    return f"{row.view} {row.phase}{frame}, mean Dice {worst.mean:.3f}"


def _numbers(row: CaseRow) -> str:
    """The scores of one region in words, such as "LV: Dice 0.912, HD 5.1 mm, MAD 1.9 mm"."""
    known = {score: row.score(score) for score in CaseTable((row,)).headline() if not math.isnan(row.score(score))}
    cells = [
        f"{short_name(score)} {f'{value:.1f} mm' if score.endswith('_mm') else f'{value:.3f}'}"
        for score, value in known.items()
    ]
    return f"{row.region}: {', '.join(cells)}"


def _safe(name: str) -> str:
    """A name that cannot leave the folder."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name).lstrip(".")
