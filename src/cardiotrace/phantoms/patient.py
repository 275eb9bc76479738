"""A phantom patient's images of any kind, their labels, and the truth as one row of a table."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cardiotrace.core import label
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, View
from cardiotrace.phantoms.choice import VIEWS, SampledPatient, ViewName
from cardiotrace.phantoms.cmr import CmrPhantom, cmr_exam
from cardiotrace.phantoms.echo import IMAGE_NAMES, EchoPhantom, echo_exam
from cardiotrace.phantoms.fundus import FundusImage, FundusPhantom, fundus_image
from cardiotrace.phantoms.heart import Truth
from cardiotrace.phantoms.heart.truth import Series


@dataclass(frozen=True)
class RenderedPatient:
    """A patient's images, their labels by image name, and the truth as one row of a table."""

    drawn: SampledPatient
    exam: Exam
    labels: Mapping[str, LabelMap]
    truth: Mapping[str, float | str]
    curves: Mapping[str, tuple[float, ...]]
    """Truth at each frame, such as volume_ml."""
    photograph: FundusImage | None = None


def render_patient(drawn: SampledPatient, views: tuple[ViewName, ...] = ("4CH",)) -> RenderedPatient:
    """Render a patient.

    Args:
        drawn: from `draw_patient`.
        views: of an echo.
    """
    if isinstance(drawn.phantom, FundusPhantom):
        return _make_eye(drawn, drawn.phantom)
    if isinstance(drawn.phantom, CmrPhantom):
        return _make_cmr(drawn, drawn.phantom)
    return _make_echo(drawn, drawn.phantom, views)


def _make_echo(drawn: SampledPatient, phantom: EchoPhantom, views: tuple[ViewName, ...]) -> RenderedPatient:
    made = echo_exam(phantom, views=[VIEWS[name] for name in views])
    truth = made.truth
    row = {
        "quality": phantom.quality,
        "vendor": phantom.vendor,
        "heart_rate_bpm": phantom.heart_rate_bpm,
        "frame_rate_hz": made.exam.frame_rate_hz or 0.0,
        **_heart_row(truth),
        "global_longitudinal_strain_percent": truth.global_longitudinal_strain_percent,
    }
    for name in views:
        seen = made.truths[IMAGE_NAMES[VIEWS[name]]]
        for phase, frame in (("ed", seen.end_diastolic_frame), ("es", seen.end_systolic_frame)):
            row[f"{name.lower()}_area_{phase}_cm2"] = float(seen.area_cm2[frame])
            row[f"{name.lower()}_length_{phase}_mm"] = float(seen.length_mm[frame])
            row[f"{name.lower()}_simpson_{phase}_ml"] = float(seen.simpson_ml[frame])
    curves = {"time_ms": _curve(truth.times_ms), "volume_ml": _curve(truth.volume_ml)}
    return RenderedPatient(drawn, made.exam, made.labels, {**_patient_row(drawn), **row}, curves)


def _make_cmr(drawn: SampledPatient, phantom: CmrPhantom) -> RenderedPatient:
    made = cmr_exam(phantom)
    truth = made.truth
    first, last = truth.end_diastolic_frame, truth.end_systolic_frame
    row = {
        "quality": phantom.quality,
        "vendor": phantom.scanner.vendor,
        "style": phantom.style,
        "centre": str(phantom.scanner.centre),
        "field_t": phantom.scanner.sequence.field_t,
        "heart_rate_bpm": phantom.heart_rate_bpm,
        **_heart_row(truth),
        "right_end_diastolic_ml": float(truth.right_ml[first]),
        "right_end_systolic_ml": float(truth.right_ml[last]),
        "right_ejection_fraction_percent": truth.right_ejection_fraction_percent,
        "sliced_end_diastolic_ml": float(truth.sliced_volume_ml[first]),
        "sliced_end_systolic_ml": float(truth.sliced_volume_ml[last]),
        "sliced_mass_g": truth.sliced_mass_g,
    }
    curves = {
        "time_ms": _curve(truth.times_ms), "volume_ml": _curve(truth.volume_ml), "right_ml": _curve(truth.right_ml),
    }  # fmt: skip
    return RenderedPatient(drawn, made.exam, made.labels, {**_patient_row(drawn), **row}, curves)


def _make_eye(drawn: SampledPatient, phantom: FundusPhantom) -> RenderedPatient:
    photograph = fundus_image(phantom)
    name = f"phantom{phantom.seed:04d}"
    cine = Image(photograph.image[np.newaxis, np.newaxis], NO_GEOMETRY, view=View.FUNDUS, modality=Modality.PHOTOGRAPH)
    labels = LabelMap(photograph.vessels[np.newaxis, np.newaxis].astype(np.uint8), label.VESSEL, NO_GEOMETRY)
    truth = photograph.truth
    inside = float(photograph.field_of_view.sum())
    row: dict[str, float | str] = {
        "eye": phantom.eye,
        "camera": phantom.camera,
        "quality": phantom.quality,
        "vessel_share_percent": photograph.vessel_share_percent,
        "artery_share_percent": 100 * float(photograph.arteries.sum()) / inside,
        "vein_share_percent": 100 * float(photograph.veins.sum()) / inside,
        "lesion_share_percent": 100 * float(photograph.lesions.sum()) / inside,
        "artery_to_vein_ratio": phantom.artery_to_vein,
        "cup_to_disc_ratio": phantom.cup_to_disc,
        "disc_row": truth.disc_centre[0],
        "disc_column": truth.disc_centre[1],
        "disc_half_height": truth.disc_half_axes[0],
        "disc_half_width": truth.disc_half_axes[1],
        "macula_row": truth.macula_centre[0],
        "macula_column": truth.macula_centre[1],
        "pixels_per_mm": truth.px_per_mm,
    }
    exam = Exam(name, (ExamImage(name, cine),), facts={"source": "phantom", "quality": phantom.quality})
    return RenderedPatient(drawn, exam, {name: labels}, {**_patient_row(drawn), **row}, {}, photograph)


def _patient_row(drawn: SampledPatient) -> dict[str, float | str]:
    known = {"sex": drawn.patient.sex, "age_years": drawn.patient.age_years}
    known |= {"height_cm": drawn.patient.height_cm, "weight_kg": drawn.patient.weight_kg}
    row: dict[str, float | str] = {"seed": drawn.phantom.seed, "pathology": str(drawn.pathology)}
    return row | {name: value for name, value in known.items() if value is not None}


def _heart_row(truth: Truth) -> dict[str, float | str]:
    """What the truths of echo and cine-MRI have in common; frames count from zero."""
    return {
        "end_diastolic_frame": truth.end_diastolic_frame,
        "end_systolic_frame": truth.end_systolic_frame,
        "end_diastolic_ml": truth.end_diastolic_ml,
        "end_systolic_ml": truth.end_systolic_ml,
        "ejection_fraction_percent": truth.ejection_fraction_percent,
        "mass_g": truth.mass_g,
    }


def _curve(values: Series) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
