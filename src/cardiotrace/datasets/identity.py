"""Whose an exam is, by the files that it was read from: asked for where results are to say it, carried by nothing."""

from cardiotrace.core.exam import Exam
from cardiotrace.core.identity import Identity
from cardiotrace.datasets.converted import is_converted, recorded_identity
from cardiotrace.io.dicom.identity import stated_identity
from cardiotrace.io.dicom.source import dicom_source


def identity_of(exam: Exam) -> Identity | None:
    """What the files of an exam state of whose it is; None where they state nothing, as most formats do.

    Args:
        exam: as it was read, from DICOM or from what `convert` made of it.

    Raises:
        InputError: the record of a converted exam cannot be understood.
    """
    sources = [source for image in exam.images if (source := dicom_source(image.image)) is not None]
    if sources:
        return stated_identity([frame.file.header for source in sources for row in source.frames for frame in row])
    folders = {image.image.source.path.parent for image in exam.images if image.image.source is not None}
    told = [recorded_identity(folder) for folder in folders if is_converted(folder)]
    return told[0] if len(told) == 1 else None
