"""What networks say of patients whom they never saw: values with their truths and signs, and pixels."""

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import distance_transform_edt

from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.signs import SeenPhase, signs_of, signs_of_stack
from cardiotrace.clinical.key_frames import KeyFrame
from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case, Exam, ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase
from cardiotrace.evaluation.interval_fit import CalibrationCase, What
from cardiotrace.inference import Predictor
from cardiotrace.inference.segmentation import Segmentation

CALIBRATED = (
    "left_ventricular_ejection_fraction_percent",
    "left_ventricular_end_diastolic_volume_ml",
    "left_ventricular_end_systolic_volume_ml",
    "left_ventricular_mass_g",
    "left_ventricular_global_longitudinal_strain_percent",
    "right_ventricular_ejection_fraction_percent",
    "right_ventricular_end_diastolic_volume_ml",
    "right_ventricular_end_systolic_volume_ml",
)
"""Quantities that intervals are made for, by name and unit."""
BAND_MM = 3.0
"""How far from a border of the reference a pixel counts as being at it; in pixels where their size is not known."""
_PIXELS = 2000
"""Of an image, that are drawn from all of it, and as many from the band."""

Place = tuple[str, str, Method]
"""Key, view and method of a quantity."""


@dataclass(frozen=True)
class PixelSample:
    """Some pixels of an image: what was said of them, and what they are."""

    probabilities: Float[np.ndarray, "classes n"]
    labels: Int[np.ndarray, "n"]

    @classmethod
    def together(cls, parts: "Iterable[PixelSample]") -> "PixelSample":
        """All of several images."""
        found = list(parts)
        return cls(
            np.concatenate([part.probabilities for part in found], axis=1),
            np.concatenate([part.labels for part in found]),
        )


@dataclass(frozen=True)
class OutOfFold:
    """One patient, as a network saw him that had not learned from him."""

    patient: str
    fold: int
    quality: str
    """Of the images, as the data set states it; "" where it does not."""
    measured: Mapping[Place, float]
    """On predicted labels."""
    truths: Mapping[Error, Mapping[Place, float]]
    phases: Mapping[str, tuple[SeenPhase, SeenPhase]]
    """End-diastole and end-systole of each long-axis view."""
    whole: PixelSample
    """Pixels of all of the images."""
    band: PixelSample
    """Pixels at borders of the reference."""
    unlikeness: float = math.nan
    """The largest of his images, 1 at the limit; NaN where the network does not tell."""

    def case(self, what: What, correlation: float) -> CalibrationCase | None:
        """The patient as a calibration takes him; None where value or truth is missing."""
        place = (what.quantity, what.view, what.method)
        value, truth = self.measured.get(place, math.nan), self.truths[what.error].get(place, math.nan)
        if not (math.isfinite(value) and math.isfinite(truth)):
            return None
        if not what.quantity.endswith("_percent") and not (value > 0 and truth > 0):
            return None
        return CalibrationCase(self.patient, value, truth, self._signs(what, correlation), self.quality)

    def _signs(self, what: What, correlation: float) -> dict[str, float]:
        """Of a long axis what its outlines show, of a stack what was measured in it."""
        phases = self.phases.get(what.view)
        if phases is not None:
            return signs_of(*phases, correlation=correlation)
        if what.method is not Method.SUM_OF_SLICES:
            return {}
        ejection, diastolic_ml = (self.measured.get((key, what.view, what.method), math.nan) for key in CALIBRATED[:2])
        return signs_of_stack(ejection, diastolic_ml)


def predicted_patient(
    predictor: Predictor, cases: Sequence[Case], *, fold: int, test_time_augmentation: bool = False
) -> OutOfFold:
    """Let a network label the images of a patient, and measure what it labelled beside the references.

    Args:
        predictor: a network that has not seen him.
        cases: his stills or stacks with their references, each of one phase.
        fold: of the network.
        test_time_augmentation: average over slightly changed versions of each image.

    Raises:
        InputError: an image cannot be read or labelled.
    """
    found: dict[str, Segmentation] = {}
    references: dict[str, LabelMap] = {}
    images = []
    wholes, bands = [], []
    for case in cases:
        image = case.read_image()
        given = predictor.segment(image, test_time_augmentation=test_time_augmentation, keep_probabilities=True)
        references[case.name] = _reference(case)
        whole, band = _pixels(given, references[case.name], case.name)
        wholes.append(whole)
        bands.append(band)
        # Probabilities of a stack are larger than all else: they are not kept for longer than a case.
        found[case.name] = replace(given, probabilities=None)
        images.append(ExamImage(case.name, image, {} if case.phase is Phase.OTHER else {case.phase: 0}))
    exam = Exam(cases[0].patient, tuple(images))
    measures = measure(exam, {name: each.labels for name, each in found.items()})
    traced = _values(measure(exam, references))
    stated = {place: float(case.facts[place[0]]) for case in cases for place in traced if place[0] in case.facts}
    return OutOfFold(
        cases[0].patient,
        fold,
        cases[0].groups.get("quality", "").lower(),
        _values(measures),
        # Of a stack the data set's number is the same measurement again: nothing is in it that slices cannot show.
        {Error.READING: traced, Error.WHOLE: {place: value for place, value in stated.items() if _is_partial(place)}},
        _phases(measures, found),
        PixelSample.together(wholes),
        PixelSample.together(bands),
        max((float(each) for found_in in found.values() for each in _unlike(found_in)), default=math.nan),
    )


def _unlike(found: Segmentation) -> Float[np.ndarray, "known"]:
    """How unlike the frames are of which that is known."""
    return np.zeros(0) if found.unlikeness is None else found.unlikeness[np.isfinite(found.unlikeness)]


def _is_partial(place: Place) -> bool:
    """Whether a value rests on one plane alone."""
    return place[2] is Method.SINGLE_PLANE_DISKS


def _reference(case: Case) -> LabelMap:
    if case.read_labels is None:
        raise InputError(f"case {case.name} has no reference labels")
    return case.read_labels()


def _values(measures: Measures) -> dict[Place, float]:
    """The preferred value of each quantity in each view; values that are not usable count for nothing."""
    found: dict[tuple[str, str], tuple[Place, float]] = {}
    for item in measures:
        if item.key in CALIBRATED and item.is_usable:
            found.setdefault((item.key, item.view), ((item.key, item.view, item.method), item.value))
    return dict(found.values())


def _phases(measures: Measures, found: Mapping[str, Segmentation]) -> dict[str, tuple[SeenPhase, SeenPhase]]:
    """Both phases of each view that shows both."""
    views: dict[str, dict[Phase, SeenPhase]] = {}
    for frame in measures.key_frames:
        seen = seen_phase(frame, found[frame.image])
        if seen is not None:
            views.setdefault(frame.view_name, {})[frame.phase] = seen
    return {
        view: (phases[Phase.ED], phases[Phase.ES])
        for view, phases in views.items()
        if {Phase.ED, Phase.ES} <= {*phases}
    }


def seen_phase(frame: KeyFrame, found: Segmentation) -> SeenPhase | None:
    """A key frame with what the model said of it; None where no long axis was traced."""
    if frame.trace is None:
        return None
    soft = found.soft[frame.frame] if found.soft else None
    return SeenPhase(frame.trace, float(found.doubt[frame.frame]), soft)


def _pixels(found: Segmentation, reference: LabelMap, name: str) -> tuple[PixelSample, PixelSample]:
    """Some pixels of all of an image, and some at the borders of its reference."""
    assert found.probabilities is not None
    structures = list(found.probabilities)
    said = np.stack([found.probabilities[structure] for structure in structures])
    said = np.concatenate([1 - said.sum(axis=0, keepdims=True), said])
    labels = np.zeros(reference.array.shape, np.int64)
    for number, structure in enumerate(structures, start=1):
        labels[reference.mask(structure)] = number
    # The same pixels in every run, whatever the order of the cases.
    generator = np.random.default_rng(zlib.crc32(name.encode()))

    def drawn(inside: Int[np.ndarray, "pixels"]) -> PixelSample:
        chosen = generator.choice(inside, _PIXELS) if len(inside) else inside
        probabilities = said.reshape(len(said), -1)[:, chosen].astype(np.float32)
        return PixelSample(probabilities, labels.reshape(-1)[chosen])

    near = border_band(labels, found.labels.geometry.pixel_mm)
    return drawn(np.arange(labels.size)), drawn(np.flatnonzero(near))


def border_band(
    labels: Int[np.ndarray, "time depth height width"], pixel: Sequence[float]
) -> Bool[np.ndarray, "time depth height width"]:
    """Pixels that lie near a border between two classes, plane by plane.

    Args:
        labels: the class of each pixel.
        pixel: (height, width) of a pixel, mm; (1, 1) where it is not known.

    Example:
        >>> labels = np.zeros((1, 1, 1, 12), int)
        >>> labels[..., 6:] = 1
        >>> border_band(labels, (1.0, 1.0))[0, 0, 0].astype(int).tolist()
        [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0]
    """
    near = np.zeros(labels.shape, bool)
    for place in np.ndindex(labels.shape[:2]):
        plane = labels[place]
        edge = np.zeros(plane.shape, bool)
        for axis in (0, 1):
            moved = np.diff(plane, axis=axis) != 0
            first, second = [slice(None)] * 2, [slice(None)] * 2
            first[axis], second[axis] = slice(None, -1), slice(1, None)
            edge[tuple(first)] |= moved
            edge[tuple(second)] |= moved
        if edge.any():
            # To the border itself, which lies half a pixel beyond the pixels beside it.
            near[place] = distance_transform_edt(~edge, sampling=pixel) + 0.5 * min(pixel) <= BAND_MM
    return near


def phase_correlation(patients: Iterable[OutOfFold]) -> float:
    """How far errors of the outline at end-diastole and at end-systole go together, for sampled outlines.

    Of the errors of the logarithms of both volumes, each in units of its own spread over sampled outlines; 0 where
    fewer than three patients tell.
    """
    rows = []
    for patient in patients:
        for view, phases in patient.phases.items():
            errors = [_volume_error(patient, key, view) for key in CALIBRATED[1:3]]
            signs = signs_of(*phases, correlation=0.0)
            spreads = [math.exp(signs.get(name, math.nan)) for name in ("spread_diastole", "spread_systole")]
            rows.append([error / spread for error, spread in zip(errors, spreads, strict=True)])
    known = np.array([row for row in rows if np.isfinite(row).all()])
    if len(known) < 3:
        return 0.0
    # By ranks: one lost ventricle would decide alone.
    ranks = known.argsort(axis=0).argsort(axis=0)
    return round(float(np.asarray(np.corrcoef(ranks.T))[0, 1]), 3)


def _volume_error(patient: OutOfFold, key: str, view: str) -> float:
    place = (key, view, Method.SINGLE_PLANE_DISKS)
    measured, truth = patient.measured.get(place, math.nan), patient.truths[Error.READING].get(place, math.nan)
    return math.log(measured / truth) if measured > 0 and truth > 0 else math.nan
