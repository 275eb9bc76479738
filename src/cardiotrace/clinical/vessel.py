"""What can be measured in photographs of the retina."""

from collections.abc import Mapping

import numpy as np

from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.field_of_view import find_field_of_view


def vessel_quantities(exam: Exam, labels: Mapping[str, LabelMap]) -> list[Quantity]:
    """Vessel density of each labelled photograph: vessel pixels as a share of the field of view, percent.

    The field of view is found in the photograph itself, see `find_field_of_view`.

    Args:
        exam: its images.
        labels: labels by image name; those without vessels in their scheme are skipped.
    """
    labelled = [image for image in exam.images if image.name in labels]
    return [
        _density(image, labels[image.name])
        for image in labelled
        if Structure.VESSEL in labels[image.name].scheme.values and labels[image.name].array.shape[:2] == (1, 1)
    ]


def _density(image: ExamImage, labels: LabelMap) -> Quantity:
    inside = find_field_of_view(image.image.frames[0, 0])
    vessels = labels.mask(Structure.VESSEL)[0, 0] & inside
    percent = 100 * np.count_nonzero(vessels) / np.count_nonzero(inside)
    text = "the image has no dark surroundings: all of it was taken as the field of view"
    flags = (Flag(Grade.LOOK_TWICE, text, "no-surroundings"),) if inside.all() else ()
    view, ref = image.image.view_name, FrameRef(image.name, 0)
    return Quantity("vessel_density", percent, "percent", Method.FIELD_SHARE, view, (ref,), flags=flags)
