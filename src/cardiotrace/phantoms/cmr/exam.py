"""Cine-MRI of a phantom heart over one beat: a short-axis stack and long-axis planes, with their truth."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry, Known, Spacing
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.phantoms.cmr.layout import LONG_THICKNESS_MM, Layout
from cardiotrace.phantoms.cmr.phantom import LONG_AXIS_VIEWS, SCHEMES, CmrPhantom
from cardiotrace.phantoms.cmr.scan import CineScan
from cardiotrace.phantoms.cmr.slices import ImagingPlane
from cardiotrace.phantoms.cmr.truth import CmrTruth, cmr_truth
from cardiotrace.phantoms.heart.truth import PhantomExam, Series

CmrExam = PhantomExam[CmrTruth]
WORKERS = 2


class _Part(NamedTuple):
    """An image of the exam before it is made."""

    suffix: str
    view: View
    depth_mm: float
    """Distance between slices, or the thickness of a single one."""
    planes: Mapping[int, ImagingPlane]
    """By their number in the layout, from which all chance follows."""


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
    scanner, name = config.scanner, f"phantom{config.seed:04d}"
    truth = cmr_truth(states, times_ms, layout.heights_mm, scanner.thickness_mm + scanner.gap_mm)
    phases = {Phase.ED: truth.end_diastolic_frame, Phase.ES: truth.end_systolic_frame}
    images, labels = [], {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for part in _parts(config, layout):
            made = list(pool.map(layout.video, part.planes.keys(), part.planes.values()))
            spacing: Spacing = (part.depth_mm, scanner.spacing_mm, scanner.spacing_mm)
            cine, array = _stacked(made, spacing, part.view, times_ms)
            images.append(ExamImage(f"{name}_{part.suffix}", cine, phases))
            labels[f"{name}_{part.suffix}"] = LabelMap(array, SCHEMES[config.scheme], Geometry.of_spacing(spacing))
    rate = 1000 * config.frame_count / config.cycle.duration_ms
    return CmrExam(Exam(name, tuple(images), frame_rate_hz=rate, facts=_facts(config)), labels, truth)


def _parts(config: CmrPhantom, layout: Layout) -> Iterator[_Part]:
    """The stack, then the long-axis planes."""
    scanner = config.scanner
    if config.short_axis:
        yield _Part("SA", View.SAX, scanner.thickness_mm + scanner.gap_mm, dict(enumerate(layout.stack)))
    for number, plane in enumerate(config.long_axis, start=len(layout.stack)):
        view = LONG_AXIS_VIEWS[plane]
        yield _Part(f"LA_{plane}", view, LONG_THICKNESS_MM, {number: layout.long_axis(plane)})


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
