"""Cine-MRI of a phantom heart over one beat: a short-axis stack and long-axis planes, with their truth."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import UInt8

from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry, Known, Spacing
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.phantoms.cmr.layout import LONG_THICKNESS_MM, Layout
from cardiotrace.phantoms.cmr.phantom import SCHEMES, CmrPhantom
from cardiotrace.phantoms.cmr.scan import CineScan
from cardiotrace.phantoms.cmr.truth import CmrTruth, cmr_truth
from cardiotrace.phantoms.heart.truth import PhantomExam, Series

CmrExam = PhantomExam[CmrTruth]
WORKERS = 2


def cmr_exam(config: CmrPhantom) -> CmrExam:
    """Image a phantom heart over one beat by cine-MRI.

    The images are `phantomNNNN_SA`, slices from base to apex, and `phantomNNNN_LA_4CH` and so on, one slice each.
    In a short-axis image the right ventricle is on the left and the anterior wall on top.

    Example:
        >>> made = cmr_exam(CmrPhantom(frame_count=12, shape=(96, 96), spacing_mm=3.0, thickness_mm=15.0))
        >>> (first,) = made.exam.images
        >>> first.name, first.image.frames.shape == made.labels[first.name].array.shape
        ('phantom0000_SA', True)
        >>> round(made.truth.ejection_fraction_percent, 6)
        60.0
    """
    times_ms = config.cycle.times_ms(config.frame_count)
    states = config.at(times_ms)
    layout = Layout(config, states)
    planes = [*layout.stack, *(layout.long_axis(name) for name in config.long_axis)]
    with ThreadPoolExecutor(WORKERS) as pool:
        videos = list(pool.map(lambda item: layout.video(*item), enumerate(planes)))
    scanner, name = config.scanner, f"phantom{config.seed:04d}"
    truth = cmr_truth(states, times_ms, layout.heights_mm, scanner.thickness_mm + scanner.gap_mm)
    phases = {Phase.ED: truth.end_diastolic_frame, Phase.ES: truth.end_systolic_frame}
    count = len(layout.stack)
    parts = [("SA", videos[:count], View.SAX, scanner.thickness_mm + scanner.gap_mm)]
    parts += [
        (f"LA_{plane}", [made], View.FOUR_CHAMBER, LONG_THICKNESS_MM)
        for plane, made in zip(config.long_axis, videos[count:], strict=True)
    ]
    images, labels = [], {}
    for suffix, made, view, depth_mm in parts:
        spacing: Spacing = (depth_mm, scanner.spacing_mm, scanner.spacing_mm)
        cine, array = _stacked(made, spacing, view, times_ms)
        images.append(ExamImage(f"{name}_{suffix}", cine, phases))
        labels[f"{name}_{suffix}"] = LabelMap(array, SCHEMES[config.scheme], Geometry.of_spacing(spacing))
    rate = 1000 * config.frame_count / config.cycle.duration_ms
    return CmrExam(Exam(name, tuple(images), frame_rate_hz=rate, facts=_facts(config)), labels, truth)


def _stacked(
    made: Sequence[CineScan], spacing: Spacing, view: View, times_ms: Series
) -> tuple[Image, UInt8[np.ndarray, "time depth height width"]]:
    """Planes of one spacing as one image, and their labels."""
    frames = np.stack([one.frames for one in made], axis=1)
    cine = Image(frames, Geometry.of_spacing(spacing, Known.DATA_SET), times_ms, view, modality=Modality.MR)
    return cine, np.stack([one.labels for one in made], axis=1)


def _facts(config: CmrPhantom) -> dict[str, str]:
    """What a data set would say of the exam."""
    scanner = config.scanner
    return {
        "source": "phantom",
        "quality": config.quality,
        "vendor": scanner.vendor,
        "centre": str(scanner.centre),
        "field": f"{scanner.sequence.field_t:g}",
    }
