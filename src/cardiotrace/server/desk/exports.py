"""Results of a study as files: made in a process of their own when they are asked for, kept with the version."""

import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardiotrace.clinical.editing.edits import Edits
from cardiotrace.clinical.quantity import COLUMNS
from cardiotrace.core.errors import InputError
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.core.text import csv_text
from cardiotrace.io.atomic import write_json
from cardiotrace.server.desk.opened import DESK, OpenExam
from cardiotrace.workflows.services.analysis import Analysis
from cardiotrace.workflows.services.record import read_record
from cardiotrace.workflows.services.report_form import ReportConfig

_STAMP = (1980, 1, 1, 0, 0, 0)
"""Of files in archives: the same results give the same archive."""


def export_study(params: Mapping[str, Any], _: ProgressReporter) -> dict[str, Any]:
    """Make one file of a study.

    Args:
        params: those of `desk.opened.read_exam`; `at` and `held` as there; `form`, `of`, `language`, and `target`,
            where the file is to be.

    Raises:
        InputError: there is nothing of the form, such as DICOM results of what was no DICOM.
        UsageError: there is no browser to print with.
    """
    opened = DESK.exam(params)
    if opened.at != params["at"]:
        if params["held"] is None:
            return {"needs": "held"}
        opened.hold(params["held"], params["at"])
    edits = Edits() if params["of"] == "automatic" else opened.edits
    target = Path(params["target"])
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as folder:
        config = ReportConfig(language=params["language"])
        analysis = config.completed(opened.exam.measured(edits))
        made = Path(folder) / target.name
        FORMS[params["form"]](_Wanted(opened, edits, analysis, config, made))
        made.replace(target)
    return {}


@dataclass(frozen=True)
class _Wanted:
    """What a file is made of, and where it is to be."""

    opened: OpenExam
    edits: Edits
    analysis: Analysis
    config: ReportConfig
    path: Path


def _page(wanted: _Wanted) -> None:
    wanted.path.write_text(wanted.analysis.report(wanted.config).page, "utf-8")


def _pdf(wanted: _Wanted) -> None:
    from cardiotrace.report.pdf import print_content

    print_content(wanted.analysis.report(wanted.config).page, wanted.path)


def _labels(wanted: _Wanted) -> None:
    from cardiotrace.workflows.services.label_maps import write_labels_of

    folder = wanted.path.with_name("labels")
    folder.mkdir()
    write_labels_of(wanted.analysis.exam.images, wanted.analysis.labels, folder, scheme=None)
    _zip(folder, wanted.path)


def _json(wanted: _Wanted) -> None:
    write_json(wanted.path, wanted.analysis.to_plain())


def _csv(wanted: _Wanted) -> None:
    wanted.path.write_text(csv_text(COLUMNS, wanted.analysis.measures.rows()), "utf-8")


def _segmentations(wanted: _Wanted) -> None:
    folder = _archive(wanted)
    for path in list(folder.iterdir()):
        if not path.name.endswith("_seg.dcm"):
            path.unlink()
    if not any(folder.iterdir()):
        raise InputError("nothing is outlined in its DICOM images")
    _zip(folder, wanted.path)


def _structured_report(wanted: _Wanted) -> None:
    from cardiotrace.workflows.services.archive import REPORT_FILE

    (_archive(wanted) / REPORT_FILE).replace(wanted.path)


def _segments(wanted: _Wanted) -> None:
    from cardiotrace.clinical.segment_outline import segment_outlines

    opened = wanted.opened
    exam, labels = wanted.edits.exam(opened.subject.exam), opened.exam.labels(wanted.edits)
    found = segment_outlines(exam, labels, known=opened.exam.known)
    plain = {
        name: [[[each.to_plain() for each in plane] for plane in frame] for frame in planes]
        for name, planes in found.items()
    }
    # Not indented: many small numbers, which a page fetches.
    wanted.path.write_text(json.dumps({"images": plain}, allow_nan=False, separators=(",", ":")), "utf-8")


def _archive(wanted: _Wanted) -> Path:
    from cardiotrace.workflows.services.archive import moment, require_dicom, write_archive

    require_dicom(wanted.analysis.exam)
    folder = wanted.path.with_name("dicom")
    report = wanted.analysis.report(wanted.config)
    write_archive(wanted.analysis, report, folder, made=moment())
    return folder


def _fhir(wanted: _Wanted) -> None:
    from cardiotrace.report.fhir import fhir_bundle
    from cardiotrace.workflows.services.archive import authors_of

    analysis = wanted.analysis
    write_json(wanted.path, fhir_bundle(analysis.exam, analysis.measures, authors_of(analysis)))


FORMS: Mapping[str, Callable[[_Wanted], None]] = {
    "report.html": _page,
    "report.pdf": _pdf,
    "labels.zip": _labels,
    "measures.json": _json,
    "measures.csv": _csv,
    "segments.json": _segments,
    "segmentations.zip": _segmentations,
    "structured-report.dcm": _structured_report,
    "fhir.json": _fhir,
}
"""By the name of the file."""


def _zip(folder: Path, target: Path) -> None:
    """Put a folder into an archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())


def export_table(params: Mapping[str, Any], _: ProgressReporter) -> str:
    """The values of several studies as one table.

    Args:
        params: `studies`, each with `id`, `name`, `version`, `signed` and `path` of its measures.
    """
    columns = ("exam", "study", "version", "signed_by", *COLUMNS)
    rows: list[dict[str, Any]] = []
    for study in params["studies"]:
        whose = {"exam": study["name"], "study": study["id"], "version": str(study["version"])}
        measures = read_record(Path(study["path"])).measures
        rows.extend({**whose, "signed_by": study["signed"], **row} for row in measures.rows())
    return csv_text(columns, rows)
