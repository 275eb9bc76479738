"""Exams in; label maps, numbers, images and a report out."""

from cardiotrace.datasets.exam_discovery import FoundExam
from cardiotrace.workflows.segment import SegmentConfig
from cardiotrace.workflows.services.analysis import Analysed
from cardiotrace.workflows.services.batch import BatchResult, Tell, for_each_exam, tell_nobody
from cardiotrace.workflows.services.cohort import with_summary
from cardiotrace.workflows.services.label_maps import spare_images, write_labels_of
from cardiotrace.workflows.services.progress import SILENT, ProgressReporter


def analyse(
    config: SegmentConfig, reporter: ProgressReporter = SILENT, tell: Tell = tell_nobody
) -> BatchResult[Analysed]:
    """Segment, measure and report every exam into a folder of its own below `config.out`.

    What an earlier run did with the same files and settings is not done again. Where there are several exams, a
    summary of all of them is written beside their folders.

    Args:
        config: which exams, how, and to where.
        reporter: told how far the work is.
        tell: called with each result or failure as soon as an exam ends.

    Returns:
        What was done, and what failed and why; a failed exam leaves nothing behind.

    Raises:
        UsageError: there is no such label scheme.
        InputError: there is no such model.
        ModelFileError: the named model file is damaged.
    """
    analyser = config.analyser("analyse")
    task = config.task(analyser)

    def one(found: FoundExam) -> Analysed:
        folder = task.folder(found.name)
        if task.is_done(found):
            return Analysed.stored(found.name, folder)
        with task.results(found) as staging:
            exam = found.read()
            spare_images(staging, exam)
            analysis = analyser.analyse(exam)
            write_labels_of(analysis.exam.images, analysis.labels, staging.folder, scheme=config.scheme)
            page = analysis.write(staging.folder)
        return Analysed.written(folder / page.name, analysis)

    batch = for_each_exam(config.find(), one, reporter, title="analysing", tell=tell)
    return with_summary(batch, config.out, overwrite=config.overwrite)
