"""The images of an exam apart by how they were made: borders of ultrasound and of MRI are never put into one value."""

from dataclasses import replace

from cardiotrace.core.exam import Exam
from cardiotrace.core.terms import Modality

_ORDER = (Modality.MR, Modality.US, Modality.PHOTOGRAPH, Modality.UNKNOWN)
"""The one whose values stand first comes first: slices assume no shape."""
_UNSAID = (Modality.UNKNOWN, Modality.PHOTOGRAPH)


def by_modality(exam: Exam) -> list[Exam]:
    """The exam once for each way in which its images were made, each with those images alone.

    An image of which that is not said goes with the others where these are all of one kind. Where they are not, it
    stays by itself.

    Args:
        exam: of any images.

    Returns:
        The exam itself where all its images are of one kind; MRI stands before ultrasound.

    Example:
        >>> import numpy as np
        >>> from cardiotrace.core.exam import ExamImage
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.image import Image
        >>> def still(name, modality):
        ...     return ExamImage(name, Image(np.zeros((1, 1, 2, 2), np.uint8), NO_GEOMETRY, modality=modality))
        >>> images = still("echo", Modality.US), still("mri", Modality.MR), still("loop", Modality.UNKNOWN)
        >>> [[image.name for image in part.images] for part in by_modality(Exam("visit", images))]
        [['mri'], ['echo'], ['loop']]
        >>> len(by_modality(Exam("visit", images[1:])))
        1
    """
    kinds = {image.image.modality for image in exam.images}
    said = kinds.difference(_UNSAID)
    if len(said) < 2:
        return [exam]
    parts = [tuple(image for image in exam.images if image.image.modality is kind) for kind in _ORDER if kind in kinds]
    return [replace(exam, images=images) for images in parts]
