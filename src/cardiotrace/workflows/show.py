"""What is in an exam, before anything is done with it: in words, and as images and cines."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.core.errors import CardioTraceError
from cardiotrace.core.exam import ExamImage
from cardiotrace.datasets.exam_discovery import FoundExam
from cardiotrace.workflows.services.batch import Failure, attempt
from cardiotrace.workflows.services.exams import ReadingConfig
from cardiotrace.workflows.services.figure_folder import figures_in, require_ours
from cardiotrace.workflows.services.provenance import reading_flags


@dataclass(frozen=True, kw_only=True)
class ShowConfig(ReadingConfig):
    """Which exams, and where images of them go."""

    figures: Path | None = None
    """Write images to this folder: of each stack all slices at ED and ES, of each cine an animation (.gif)."""


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


def show(config: ShowConfig) -> list[ExamSummary]:
    """Describe every exam at the paths; one that cannot be read is listed with its problem.

    Raises:
        UsageError: images of somebody else's would be replaced.
        WorkError: nothing can be written.
    """
    if config.figures is None:
        return [_shown(found, None) for found in config.find()]
    require_ours(config.figures, option="--figures")
    with figures_in(config.figures, option="--figures") as folder:
        return [_shown(found, folder) for found in config.find()]


def _shown(found: FoundExam, folder: Path | None) -> ExamSummary:
    result = attempt(found, partial(_describe, folder=folder))
    return ExamSummary(found.name, {}, (), result.error) if isinstance(result, Failure) else result


def _describe(found: FoundExam, folder: Path | None) -> ExamSummary:
    exam = found.read()
    if folder is not None:
        from cardiotrace.workflows.services.unlabelled import write_images

        write_images(exam, folder)
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
        "phases": ", ".join(f"{phase}={frame}" for phase, frame in sorted(image.phases.items())),
    }


def _size(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{value:.3g}"
