"""Results of an exam as DICOM objects of its study, for the archive that the images came from."""

import logging
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam
from cardiotrace.io.dicom.header import unwarned
from cardiotrace.io.dicom.segmentation import Author
from cardiotrace.io.dicom.source import DicomSource, dicom_source
from cardiotrace.workflows.services.analysis import Analysis

if TYPE_CHECKING:
    from cardiotrace.report import ExamReport

_LOG = logging.getLogger(__name__)
REPORT_FILE, CAPTURE_FILE = "report_sr.dcm", "report_sc.dcm"


def require_dicom(exam: Exam) -> None:
    """Refuse to write DICOM objects of an exam that has no study for them.

    Raises:
        InputError: no image of it is DICOM, or they are of several studies.
    """
    sources = dicom_sources(exam)
    if not sources:
        raise InputError(
            "no image of it is DICOM: there is no study that DICOM results could belong to",
            where=exam.name,
            remedy="leave out --dicom, or name the DICOM files that the images were made from.",
        )
    studies = {frame.file.header.get("StudyInstanceUID") for item in sources.values() for frame in item.frames[0]}
    if len(studies) > 1:
        raise InputError(f"its images are of {len(studies)} studies", where=exam.name, remedy="analyse each by itself.")


def dicom_sources(exam: Exam) -> dict[str, DicomSource]:
    """Where the planes of each image came from, by its name; images that are no DICOM are left out."""
    found = {image.name: dicom_source(image.image) for image in exam.images}
    return {name: source for name, source in found.items() if source is not None}


def moment() -> datetime:
    """Now, as DICOM objects state it: by the clock on the wall, in whole seconds."""
    return datetime.now().replace(microsecond=0)


def authors_of(analysis: Analysis) -> dict[str, Author]:
    """Who drew the outlines of each image: a model, or a person, as where any frame was edited.

    A corrector that changed any stands beside the model.
    """
    models = {model.name for model in analysis.provenance.models}
    edited = {image.name for image in analysis.provenance.edited if image.frames}
    done = {} if analysis.correction is None else analysis.correction.images
    correctors = {name: each.corrector for name, each in done.items() if each.corrected}

    def names(image: str, model: str) -> str:
        return ", ".join(name for name in (model, correctors.get(image, "")) if name)

    return {
        image.name: Author(
            names(image.name, image.labels) if image.labels in models and image.name not in edited else ""
        )
        for image in analysis.provenance.images
    }


@unwarned()  # what the source states is taken over as it is, also where it is not quite as the standard has it
def write_archive(analysis: Analysis, report: "ExamReport", folder: Path, *, made: datetime) -> None:
    """Write outlines, measures and report of an exam as DICOM objects of its study.

    Each image that has outlines gets a segmentation, `<image>_seg.dcm`; the measures are a structured report,
    `report_sr.dcm`, and the pages of the report a secondary capture, `report_sc.dcm`.

    Args:
        analysis: of an exam with DICOM images.
        report: its report, for the figures.
        folder: where to; made if it is not there.
        made: when, as the objects say.

    Raises:
        InputError: no image of the exam is DICOM, or labels lie on another grid than the DICOM planes.
        WorkError: nothing can be written there.
    """
    from cardiotrace.io.dicom.capture import capture_of
    from cardiotrace.io.dicom.derived import write_object
    from cardiotrace.io.dicom.segmentation import segmentation_of
    from cardiotrace.io.dicom.structured_report import structured_report_of
    from cardiotrace.report.capture import draw_pages
    from cardiotrace.report.exam_report import safe_name
    from cardiotrace.report.structured_report import ReportedExam, measurement_report
    from cardiotrace.report.write import made_folder

    require_dicom(analysis.exam)
    sources, authors = dicom_sources(analysis.exam), authors_of(analysis)
    made_folder(folder)
    evidence = [frame.file.header for source in sources.values() for row in source.frames for frame in row]
    for number, name in enumerate(sorted(analysis.labels), start=1):
        labels, source = analysis.labels[name], sources.get(name)
        if source is None or not labels.array.any():
            _LOG.info("%s: no segmentation: %s", name, "no DICOM" if source is None else "nothing is outlined")
            continue
        author = authors.get(name, Author())
        segmentation = segmentation_of(labels, source, author=author, made=made, name=name, number=number)
        write_object(segmentation, folder / f"{safe_name(name)}_seg.dcm")
        evidence.append(segmentation)
    tree = measurement_report(ReportedExam(analysis.exam, analysis.measures, authors))
    write_object(structured_report_of(tree, evidence[0], evidence, made=made), folder / REPORT_FILE)
    model = (analysis.terms or {}).get("name", "")
    pages = draw_pages(analysis.measures, report.figures, report.drawings, date=made.date(), model=model)
    write_object(capture_of(pages, evidence[0], made=made), folder / CAPTURE_FILE)
