"""Echoes of a phantom heart over one beat, in apical and parasternal views, with their truth."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.phantoms.echo.phantom import EchoPhantom
from cardiotrace.phantoms.echo.plane import EchoView, fit_pose, view_plane
from cardiotrace.phantoms.echo.scanner import Scanner
from cardiotrace.phantoms.echo.sector import BeamSector
from cardiotrace.phantoms.echo.truth import EchoTruth, Labeller, echo_truth
from cardiotrace.phantoms.echo.vendor import VENDORS
from cardiotrace.phantoms.heart.heart import HeartState
from cardiotrace.phantoms.heart.truth import PhantomExam

IMAGE_NAMES: Mapping[View, str] = {
    View.FOUR_CHAMBER: "phantom_4CH",
    View.TWO_CHAMBER: "phantom_2CH",
    View.THREE_CHAMBER: "phantom_3CH",
    View.PLAX: "phantom_PLAX",
    View.SAX: "phantom_PSAX",
}
IMAGE_NAME = IMAGE_NAMES[View.FOUR_CHAMBER]
BELOW_ATRIUM_MM = 9.0
"""Image below the lowest contour where the shape is not given."""


@dataclass(frozen=True)
class EchoExam(PhantomExam[EchoTruth]):
    """One heart in several views; `truth` is of the first."""

    truths: Mapping[str, EchoTruth]
    """Of every view, by image name."""


def echo_exam(config: EchoPhantom, *, views: Sequence[View] = (View.FOUR_CHAMBER,)) -> EchoExam:
    """Image a phantom heart over one beat, in one view after another.

    Args:
        config: the heart and how it is seen.
        views: apical (A4C, A2C, A3C) or parasternal (PLAX, PSAX), each once.

    Raises:
        InputError: the heart does not fit into the image that was asked for, or a view is unknown.

    Example:
        >>> made = echo_exam(EchoPhantom(frame_count=12, spacing_mm=1.0))
        >>> round(made.truth.ejection_fraction_percent, 6)
        60.0
        >>> made.labels["phantom_4CH"].array.shape == made.exam.images[0].image.frames.shape
        True
    """
    if not views or not set(views) <= IMAGE_NAMES.keys() or len(set(views)) < len(views):
        known = ", ".join(IMAGE_NAMES)
        raise InputError(f"cannot image the views {list(views)}", remedy=f"give some of {known}, each once.")
    times_ms = config.cycle.times_ms(config.frame_count)
    states = config.at(times_ms)
    made = {IMAGE_NAMES[view]: view_image(config, states, view) for view in views}
    exam = Exam(
        f"phantom{config.seed:04d}",
        tuple(image for image, _, _ in made.values()),
        frame_rate_hz=1000 * config.frame_count / config.cycle.duration_ms,
        facts={"quality": config.quality, "source": "phantom"},
    )
    truths = {name: truth for name, (_, _, truth) in made.items()}
    first = truths[IMAGE_NAMES[views[0]]]
    return EchoExam(exam, {name: labels for name, (_, labels, _) in made.items()}, first, truths)


def biplane_exam(config: EchoPhantom) -> EchoExam:
    """Image the same heart in the four- and the two-chamber view, as Simpson's biplane method needs it."""
    return echo_exam(config, views=(View.FOUR_CHAMBER, View.TWO_CHAMBER))


def view_image(
    config: EchoPhantom, states: tuple[HeartState, ...], view: View
) -> tuple[ExamImage, LabelMap, EchoTruth]:
    """One view of some instants of a beat with its labels and its truth; the first should be end-diastole."""
    seen = view_of(config, states, view)
    labels, truth = labelled_view(config, states, seen)
    scanner = Scanner(config, states, seen)
    frames = np.stack([scanner.image(state) for state in states])[:, None]
    spacing = (1.0, config.spacing_mm, config.spacing_mm)
    phases = {Phase.ED: truth.end_diastolic_frame, Phase.ES: truth.end_systolic_frame}
    image = ExamImage(
        IMAGE_NAMES[view],
        Image(frames, Geometry.of_spacing(spacing, Known.DATA_SET), truth.times_ms, view, modality=Modality.US),
        phases,
    )
    return image, labels, truth


def view_of(config: EchoPhantom, states: tuple[HeartState, ...], view: View) -> EchoView:
    """How one view sees the instants of a beat, the first of which should be end-diastole."""
    vendor = VENDORS[config.vendor]
    half_angle = math.radians(vendor.half_angle_deg)
    plane = view_plane(view, states[0], config.short_axis)
    pose, reach_mm = fit_pose(plane, states, config.tilt_deg, _apex_depth_mm(config), half_angle)
    sector = BeamSector(
        _shape(config, reach_mm, half_angle), config.spacing_mm, vendor.beam_count, half_angle_rad=half_angle
    )
    return EchoView(plane, pose, sector)


def labelled_view(config: EchoPhantom, states: tuple[HeartState, ...], seen: EchoView) -> tuple[LabelMap, EchoTruth]:
    """The labels of one view and its truth, without the image, which takes a hundred times as long.

    Example:
        >>> config = EchoPhantom(frame_count=12, spacing_mm=1.0)
        >>> states = config.at(config.cycle.times_ms(12))
        >>> labels, truth = labelled_view(config, states, view_of(config, states, View.FOUR_CHAMBER))
        >>> len(labels.array), round(truth.ejection_fraction_percent, 6)
        (12, 60.0)
    """
    labeller = Labeller(seen)
    labels = np.stack([labeller.frame(state) for state in states])[:, None]
    place = Geometry.of_spacing((1.0, config.spacing_mm, config.spacing_mm))
    return LabelMap(labels, CAMUS, place), echo_truth(config, states, seen)


def _apex_depth_mm(config: EchoPhantom) -> float:
    """Distance from the probe to the epicardial apex if nothing is in the way, mm."""
    return float(np.random.default_rng([config.seed, 1]).uniform(14, 21))


def _shape(config: EchoPhantom, reach_mm: float, half_angle_rad: float) -> tuple[int, int]:
    """The image's shape: as asked for, or as deep as the heart needs and as wide as the sector is."""
    sine = math.sin(half_angle_rad)
    if config.shape is None:
        height = int(np.ceil((reach_mm + BELOW_ATRIUM_MM) / config.spacing_mm)) + 1
        return height, 2 * int(np.ceil(sine * (height - 1))) + 1
    height, width = config.shape
    needed = int(np.ceil(reach_mm / config.spacing_mm)) + 1
    if height < needed or width < 2 * sine * (height - 1):
        raise InputError(
            f"the heart does not fit into {height} x {width} pixels of {config.spacing_mm} mm",
            remedy=f"it needs {needed} rows, and {2 * sine:.2f} times as many columns as rows; or leave the shape out.",
        )
    return height, width
