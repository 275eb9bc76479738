"""The one writer of a report: page, values and figures, all in one folder."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.errors import WorkError
from cardiotrace.core.exam import Exam
from cardiotrace.core.label import LabelMap
from cardiotrace.io import write_bytes, write_json, write_text
from cardiotrace.io.results import FIGURES, MEASURES, MEASURES_TABLE, REPORT_PAGE, REPORT_PDF
from cardiotrace.report.exam_report import ExamReport, render_report
from cardiotrace.report.page import ReportContext
from cardiotrace.report.pdf import print_page

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReportFiles:
    """What is written beside page, values and figures."""

    pdf: bool = False
    """`report.pdf`: the page as a browser prints it."""
    frames: bool = False
    """`figures/frames/`: every frame of the moving images with its outlines, `<image>_000.png` and on."""


USUAL = ReportFiles()


def write_report(
    exam: Exam,
    labels: Mapping[str, LabelMap],
    measures: Measures,
    folder: Path,
    context: ReportContext | None = None,
    *,
    forms: ReportFiles = USUAL,
) -> Path:
    """Write `report.html`, `measures.json`, `measures.csv` and `figures/` of one exam.

    `figures/thumbnail.jpg` is for pages over several exams. The page holds its images and needs no other file, script
    or network. Nothing that identifies the patient is written but the exam's name.

    Args:
        exam: the exam; its name heads the page.
        labels: labels by image name.
        measures: what was measured in them.
        folder: where to; made if it is not there.
        context: model, true values, provenance, language, an earlier exam, and date.
        forms: what to write beside the usual files.

    Returns:
        Path of the page.

    Raises:
        UsageError: a PDF is wanted, and there is no browser to print it.
        WorkError: the disk is full, or the folder cannot be written to.
    """
    # Found before any figure is drawn: a folder that cannot be is no reason to wait.
    made_folder(folder / FIGURES)
    return save_report(render_report(exam, labels, measures, context), folder, forms=forms)


def save_report(report: ExamReport, folder: Path, *, forms: ReportFiles = USUAL) -> Path:
    """Write a report that was built; the page last, so that one that is there has all its files.

    Args:
        report: from `render_report`.
        folder: where to; made if it is not there.
        forms: what to write beside the usual files.

    Returns:
        Path of the page.

    Raises:
        UsageError: a PDF is wanted, and there is no browser to print it.
        WorkError: the disk is full, or the folder cannot be written to; or the browser failed.
    """
    figures = made_folder(folder / FIGURES)
    write_json(folder / MEASURES, report.measures)
    write_text(folder / MEASURES_TABLE, report.table)
    for name, content in report.figures.items():
        write_bytes(figures / name, content)
    for series in report.frames if forms.frames else ():
        frames = made_folder(figures / "frames")
        for frame in range(len(series)):
            write_bytes(frames / series.name(frame), series.png(frame))
    page = folder / REPORT_PAGE
    write_text(page, report.page)
    if forms.pdf:
        print_page(page, folder / REPORT_PDF)
    LOG.debug("wrote %s", page)
    return page


def made_folder(folder: Path) -> Path:
    """A folder of results, made if it is not there.

    Raises:
        WorkError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"cannot make the folder: {error.strerror}", where=folder) from None
    return folder
