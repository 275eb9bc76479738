"""Exams of any kind to NIfTI files and one record of what is known, which are an exam again."""

from dataclasses import dataclass
from pathlib import Path

from cardiotrace.core.flag import Flag
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.converted import RECORD, write_exam
from cardiotrace.datasets.exam_discovery import FoundExam
from cardiotrace.io.results import HOLDS, IMAGES, read_manifest
from cardiotrace.workflows.services.batch import BatchResult, ExamTask, Tell, for_each_exam, tell_nobody
from cardiotrace.workflows.services.exams import ExamConfig
from cardiotrace.workflows.services.identity import IdentityConfig, identity_settings, kept_identity
from cardiotrace.workflows.services.label_maps import spare_images
from cardiotrace.workflows.services.provenance import reading_flags


@dataclass(frozen=True, kw_only=True)
class ConvertConfig(IdentityConfig, ExamConfig):
    """Which exams, and to where."""

    @property
    def proposes_views(self) -> bool:
        """Not: what is written is read again as known."""
        return False


@dataclass(frozen=True)
class Converted:
    """The images and the record of one exam, written."""

    name: str
    folder: Path
    files: tuple[str, ...]
    """Names of the images in the folder, and of the record."""
    flags: tuple[Flag, ...] = ()
    """What was assumed or left out in reading it; of an earlier run, none."""
    is_new: bool = True
    """Whether this run made them, and not an earlier one."""


def convert(
    config: ConvertConfig, reporter: ProgressReporter = SILENT, tell: Tell = tell_nobody
) -> BatchResult[Converted]:
    """Write all exams as NIfTI, a folder for each, with a record of what is known.

    Args:
        config: which exams, and to where.
        reporter: told how far the work is.
        tell: called with each result or failure as soon as an exam ends.

    Returns:
        What was done, and what failed and why; a failed exam leaves nothing behind.

    Raises:
        UsageError: age, height or weight are given for several exams.
    """
    settings = {"given": config.given, **identity_settings(config)}
    task = ExamTask("convert", config.out, settings, config.overwrite, certain=(RECORD,))

    def one(found: FoundExam) -> Converted:
        folder = task.folder(found.name)
        if task.is_done(found):
            return Converted(found.name, folder, tuple(read_manifest(folder).files), is_new=False)
        with task.results(found) as staging:
            exam = found.read()
            spare_images(staging, exam)
            staging.made[HOLDS] = IMAGES
            identity, flags = kept_identity(config, exam)
            files = write_exam(exam, staging.folder, identity)
        return Converted(found.name, folder, files, (*reading_flags(exam), *flags))

    return for_each_exam(config.find(), one, reporter, title="converting", tell=tell)
