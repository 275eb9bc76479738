"""Results of a study as DICOM objects, made where they are sent from."""

import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.server.desk.opened import read_exam
from cardiotrace.workflows.services.archive import CAPTURE_FILE, REPORT_FILE, dicom_sources, moment, write_archive
from cardiotrace.workflows.services.report_form import ReportConfig

PDF_FILE = "report_pdf.dcm"


@contextmanager
def archive_objects(
    params: Mapping[str, Any], forms: Collection[str], reporter: ProgressReporter
) -> Iterator[list[Path]]:
    """Results of a study as it stands, as files that are there for the length of some work.

    Args:
        params: those of `desk.opened.read_exam`; `held`, the changes that stand, and `language`.
        forms: see `settings.Form`.
        reporter: told what is done.

    Raises:
        InputError: the images are no DICOM, so that there is no study to send results to; or there is nothing to send.
        UsageError: a PDF is wanted, and there is no browser to print it.
    """
    with tempfile.TemporaryDirectory(prefix="cardiotrace-send-") as name:
        folder = Path(name)
        with reporter.stage("measuring"):
            opened = read_exam(params)
            opened.hold(params["held"], "")
            config = ReportConfig(language=params["language"])
            analysis = config.completed(opened.exam.measured(opened.edits))
        with reporter.stage("writing"):
            report, made = analysis.report(config), moment()
            write_archive(analysis, report, folder, made=made)
            if "pdf" in forms:
                _write_pdf(analysis.exam, report.page, folder, made)
        files = [path for path in sorted(folder.glob("*.dcm")) if _form_of(path.name) in forms]
        if not files:
            raise InputError("there is nothing to send: no outlines, or no form was chosen")
        yield files


def _form_of(name: str) -> str:
    return {REPORT_FILE: "structured-report", CAPTURE_FILE: "pages", PDF_FILE: "pdf"}.get(name, "segmentations")


def _write_pdf(exam: Exam, content: str, folder: Path, made: datetime) -> None:
    from cardiotrace.io.dicom.derived import write_object
    from cardiotrace.io.dicom.document import document_of
    from cardiotrace.report.pdf import print_content

    paper = folder / "report.pdf"
    print_content(content, paper)
    source = next(iter(dicom_sources(exam).values()))
    header = source.frames[0][0].file.header
    write_object(document_of(paper.read_bytes(), header, title="CardioTrace report", made=made), folder / PDF_FILE)
