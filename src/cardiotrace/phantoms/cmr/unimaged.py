"""A cine-MRI whose labels are known and whose images nobody has made: all that measuring needs, in a moment."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase
from cardiotrace.phantoms.cmr.exam import CmrExam, parts_of, placed
from cardiotrace.phantoms.cmr.layout import Layout
from cardiotrace.phantoms.cmr.phantom import SCHEMES, CmrPhantom
from cardiotrace.phantoms.cmr.slices import ImagingPlane, label_table, pixel_places
from cardiotrace.phantoms.cmr.truth import cmr_truth
from cardiotrace.phantoms.heart.heart import HeartState


def unimaged_cmr(config: CmrPhantom, frames: Sequence[int] = ()) -> CmrExam:
    """The exam of `cmr_exam` with the labels it has, and frames of nothing: hundreds of times as quick.

    Args:
        config: the heart, and how it would be imaged.
        frames: those of the beat to keep; all where none is given. End-diastole and end-systole are named where kept.

    Example:
        >>> made = unimaged_cmr(CmrPhantom(frame_count=12, shape=(96, 96), spacing_mm=3.0, thickness_mm=15.0), [0, 4])
        >>> labels = made.labels["phantom0000_SA"]
        >>> labels.array.shape[0], labels.geometry.is_oriented
        (2, True)
    """
    times_ms = config.cycle.times_ms(config.frame_count)[list(frames) or slice(None)]
    states = config.at(times_ms)
    # The heart lies in the slices as it does at end-diastole, whichever frames are kept.
    layout = Layout(config, config.at(np.zeros(1)))
    scanner = config.scanner
    truth = cmr_truth(states, times_ms, layout.heights_mm, scanner.thickness_mm + scanner.gap_mm)
    phases = {Phase.ED: truth.end_diastolic_frame, Phase.ES: truth.end_systolic_frame}
    images, labels, name = [], {}, f"phantom{config.seed:04d}"
    for part in parts_of(config, layout):
        geometry = placed(layout.axes, tuple(part.planes.values()), part.depth_mm, scanner)
        planes = [plane.moved(-layout.breath(number)) for number, plane in part.planes.items()]
        array = np.stack([_labels(config, state, planes) for state in states])
        nothing = np.broadcast_to(np.uint8(0), array.shape)
        cine = Image(nothing, geometry, times_ms, part.view, modality=Modality.MR)
        images.append(ExamImage(f"{name}_{part.suffix}", cine, phases))
        labels[f"{name}_{part.suffix}"] = LabelMap(array, SCHEMES[config.scheme], geometry)
    return CmrExam(Exam(name, tuple(images)), labels, truth)


def _labels(
    config: CmrPhantom, state: HeartState, planes: Sequence[ImagingPlane]
) -> UInt8[np.ndarray, "depth height width"]:
    """What an observer would draw in every plane of one instant."""
    scanner, table = config.scanner, label_table(SCHEMES[config.scheme])
    places = pixel_places(scanner.shape, scanner.spacing_mm)
    drawn = []
    for plane in planes:
        points = plane.points(*places)
        points[..., 2] -= state.rise_mm
        drawn.append(table[state.tissue(points)])
    return np.stack(drawn)
