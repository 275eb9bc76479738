"""What is in an exam, before anything is done with it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cardiotrace.core.errors import CardioTraceError
from cardiotrace.core.exam import ExamImage
from cardiotrace.datasets.exam_discovery import FoundExam
from cardiotrace.workflows.services.batch import Failure, attempt
from cardiotrace.workflows.services.exams import ReadingConfig
from cardiotrace.workflows.services.provenance import reading_flags


@dataclass(frozen=True)
class ExamSummary:
    """One exam: what is known of it, a row per image, or why it cannot be read."""

    name: str
    facts: dict[str, Any]
    images: tuple[dict[str, Any], ...]
    problem: CardioTraceError | None = None
    notes: tuple[str, ...] = ()
    """What was assumed or changed in reading the images."""
    left_out: tuple[str, ...] = ()
    """Files beside the images that are none of the exam's, with the reason."""


def show(config: ReadingConfig) -> list[ExamSummary]:
    """Describe every exam at the paths; one that cannot be read is listed with its problem."""
    shown = []
    for found in config.find():
        result = attempt(found, _describe)
        shown.append(ExamSummary(found.name, {}, (), result.error) if isinstance(result, Failure) else result)
    return shown


def _describe(found: FoundExam) -> ExamSummary:
    exam = found.read()
    patient = exam.patient
    facts = {
        "sex": patient.sex,
        "age_years": patient.age_years,
        "height_cm": patient.height_cm,
        "weight_kg": patient.weight_kg,
        "frame_rate_hz": exam.frame_rate_hz,
        **exam.facts,
    }
    images = tuple(_row(image) for image in exam.images)
    notes = [flag.text for flag in reading_flags(exam) if flag.rule != "left-out"]
    notes += [f"{image.name}: a frame of {image.shown_in} too" for image in exam.images if image.shown_in]
    plain = {key: value for key, value in facts.items() if value is not None}
    return ExamSummary(found.name, plain, images, notes=tuple(notes), left_out=exam.left_out)


def _row(image: ExamImage) -> dict[str, Any]:
    """What a table says of one image."""
    cine = image.image
    time, depth, height, width = cine.grid_shape
    return {
        "image": image.name,
        "view": cine.view_name,
        "modality": cine.modality.value,
        "frames": time,
        "slices": depth,
        "height": height,
        "width": width,
        "spacing_mm": "unknown" if cine.spacing_mm is None else " x ".join(_size(value) for value in cine.spacing_mm),
        "type": f"{cine.frames.dtype}{' colour' if cine.is_colour else ''}",
        "values": f"{np.min(cine.frames):g}..{np.max(cine.frames):g}",
        "phases": ", ".join(f"{phase}={frame}" for phase, frame in image.phases.items()),
    }


def _size(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{value:.3g}"
