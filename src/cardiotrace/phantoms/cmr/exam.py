"""Cine-MRI of a phantom heart over one beat: a short-axis stack and long-axis planes, with their truth."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.phantoms.cmr.body import Axes
from cardiotrace.phantoms.cmr.layout import LONG_THICKNESS_MM, Layout
from cardiotrace.phantoms.cmr.phantom import LONG_AXIS_VIEWS, SCHEMES, CmrPhantom
from cardiotrace.phantoms.cmr.scan import CineScan
from cardiotrace.phantoms.cmr.slices import ImagingPlane
from cardiotrace.phantoms.cmr.style import CmrStyle
from cardiotrace.phantoms.cmr.truth import CmrTruth, cmr_truth
from cardiotrace.phantoms.heart.truth import PhantomExam, Series

CmrExam = PhantomExam[CmrTruth]
WORKERS = 2
_TO_RIGHT = np.array([-1.0, 1.0, 1.0])


class Part(NamedTuple):
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
        for part in parts_of(config, layout):
            made = list(pool.map(layout.video, part.planes.keys(), part.planes.values()))
            geometry = placed(layout.axes, tuple(part.planes.values()), part.depth_mm, scanner)
            cine, array = _stacked(made, geometry, part.view, times_ms)
            images.append(ExamImage(f"{name}_{part.suffix}", cine, phases))
            labels[f"{name}_{part.suffix}"] = LabelMap(array, SCHEMES[config.scheme], geometry)
    rate = 1000 * config.frame_count / config.cycle.duration_ms
    return CmrExam(Exam(name, tuple(images), frame_rate_hz=rate, facts=_facts(config)), labels, truth)


def parts_of(config: CmrPhantom, layout: Layout) -> Iterator[Part]:
    """The images of an exam: the stack, then the long-axis planes."""
    scanner = config.scanner
    if config.short_axis:
        yield Part("SA", View.SAX, scanner.thickness_mm + scanner.gap_mm, dict(enumerate(layout.stack)))
    for number, plane in enumerate(config.long_axis, start=len(layout.stack)):
        view = LONG_AXIS_VIEWS[plane]
        yield Part(f"LA_{plane}", view, LONG_THICKNESS_MM, {number: layout.long_axis(plane)})


def _stacked(
    made: Sequence[CineScan], geometry: Geometry, view: View, times_ms: Series
) -> tuple[Image, UInt8[np.ndarray, "time depth height width"]]:
    """Planes of one geometry as one image, and their labels."""
    frames = np.stack([one.frames for one in made], axis=1)
    cine = Image(frames, geometry, times_ms, view, modality=Modality.MR)
    return cine, np.stack([one.labels for one in made], axis=1)


def placed(axes: Axes, planes: Sequence[ImagingPlane], depth_mm: float, scanner: CmrStyle) -> Geometry:
    """Where planes lie in the patient, as whoever planned them meant it: of breath and of what moves nothing is known.

    Args:
        axes: how the heart lies in the chest.
        planes: of one image, at equal distances.
        depth_mm: that distance, or the thickness of a single plane.
        scanner: tells shape and size of its pixels.
    """
    first, size = planes[0], scanner.spacing_mm
    rows, columns = (np.array([(length - 1) / 2 * size]) for length in scanner.shape)
    across = first.normal if len(planes) == 1 else np.subtract(planes[1].middle_mm, first.middle_mm)
    steps = np.stack(
        [depth_mm * across / np.linalg.norm(across), size * np.array(first.down), size * np.array(first.right)]
    )
    affine = np.eye(4)
    # The chest counts to the person's left, patient coordinates to his right.
    affine[:3, :3] = (steps @ axes.matrix * _TO_RIGHT).T
    affine[:3, 3] = axes.to_chest(first.points(-rows, -columns)[0]) * _TO_RIGHT
    return Geometry(affine, Known.DATA_SET, Known.DATA_SET, Known.DATA_SET)


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
