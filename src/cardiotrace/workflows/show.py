"""What is in an exam, before anything is done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.core.errors import CardioTraceError
from cardiotrace.datasets.found import AS_IT_IS, FoundExam, Reading, find_exams
from cardiotrace.workflows.batch import Failure, attempt


@dataclass(frozen=True)
class Shown:
    """One exam: what is known of it, a row per image, or why it cannot be read."""

    name: str
    facts: dict[str, Any]
    images: tuple[dict[str, Any], ...]
    problem: CardioTraceError | None = None


def show(paths: Sequence[Path], reading: Reading = AS_IT_IS) -> list[Shown]:
    """Describe every exam at the paths; one that cannot be read is listed with its problem."""
    shown = []
    for found in find_exams(paths, reading):
        result = attempt(found, _describe)
        shown.append(Shown(found.name, {}, (), result.error) if isinstance(result, Failure) else result)
    return shown


def _describe(found: FoundExam) -> Shown:
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
    images = []
    for image in exam.images:
        cine = image.cine
        time, depth, height, width = cine.grid_shape
        spacing = "unknown" if cine.spacing_mm is None else " x ".join(f"{value:.3g}" for value in cine.spacing_mm)
        images.append(
            {
                "image": image.name,
                "view": cine.view_name,
                "frames": time,
                "slices": depth,
                "height": height,
                "width": width,
                "spacing_mm": spacing,
                "type": f"{cine.frames.dtype}{' colour' if cine.is_colour else ''}",
                "values": f"{np.min(cine.frames):g}..{np.max(cine.frames):g}",
                "phases": ", ".join(f"{phase}={frame}" for phase, frame in image.phases.items()),
            }
        )
    return Shown(found.name, {key: value for key, value in facts.items() if value is not None}, tuple(images))
