"""A study analysed: what `Analyser` finds, written for the page into the folder `automatic`."""

import hashlib
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.clinical.editing.outline import outline_names
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.config import from_plain
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.flag import Grade, worst
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.core.terms import Modality, Phase, Structure
from cardiotrace.io.colour import luma
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.work.container import write_array
from cardiotrace.server.work.opening import AnalysisOptions, StudyFiles, modalities_of
from cardiotrace.workflows.services.analysis import Analyser, Analysis
from cardiotrace.workflows.services.stored_tracing import write_tracing
from cardiotrace.workflows.services.tracing import Models

EXAM, MEASURES, THUMBNAIL = "exam.json", "measures.json", "thumbnail.png"
FRAMES, LABELS = "frames", "labels"
VERSION = 1
"""Of `exam.json`."""
EJECTION_FRACTION = "left_ventricular_ejection_fraction"
GRADES = (None, Grade.NOTE, Grade.LOOK_TWICE, Grade.NOT_USABLE)
"""From none to the gravest: as numbers they sort."""
_DARK, _BRIGHT = 0.5, 99.5
"""Percentiles between which grey values are shown that have no scale of their own."""


def analyse_study(params: Mapping[str, Any], reporter: ProgressReporter) -> dict[str, Any]:
    """Analyse a study and write what the page shows.

    Args:
        params: `data`, `study`, `name`, `within`, `part`, and `options` (see `AnalysisOptions`).
        reporter: told how many planes are traced.

    Returns:
        What the list of studies shows; see `summary_of`.
    """
    folder = DataFolder(Path(params["data"])).study(params["study"])
    options = from_plain(AnalysisOptions, params["options"], path="options")
    files = StudyFiles(folder.files, params["name"], params["within"], params["part"])
    with reporter.stage("reading"):
        exam = files.read(options)
    with reporter.stage("tracing") as on_progress:
        using = analyser(options.model)
        tracing = using.trace(exam, on_progress)
        analysis = using.measured(tracing)
    with reporter.stage("writing"), folder.renewed() as fresh:
        write_tracing(tracing, fresh)
        write_automatic(analysis, fresh)
    return summary_of(analysis.measures, [image.image for image in analysis.exam.images])


@lru_cache(maxsize=2)
def analyser(model: str | None) -> Analyser:
    """The analyser with its models, kept while the process is."""
    return Analyser(Models(model).ready(), verb="serve")


def write_automatic(analysis: Analysis, folder: Path) -> None:
    """Write images, labels, measures and a small picture of an analysis.

    Args:
        analysis: of the exam.
        folder: an empty folder.
    """
    images = [described(image, analysis) for image in analysis.exam.images]
    for image in analysis.exam.images:
        place = folder / file_stem(image.name)
        pixels, facts = shown_pixels(image.image)
        write_array(place.with_name(f"{place.name}.{FRAMES}"), pixels, facts)
        if image.name in analysis.labels:
            labels = analysis.labels[image.name]
            write_array(
                place.with_name(f"{place.name}.{LABELS}"), labels.array, {"scheme": plain_scheme(labels.scheme)}
            )
    _write_json(folder / MEASURES, analysis.to_plain())
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    exam = {"version": VERSION, "name": analysis.exam.name, "images": images, "digests": digests}
    _write_json(folder / EXAM, {**exam, "left_out": list(analysis.exam.left_out)})
    if analysis.exam.images:
        _write_thumbnail(analysis, folder / THUMBNAIL)


def file_stem(image: str) -> str:
    """The name under which files of an image lie: its own where that is harmless.

    Example:
        >>> file_stem("patient0001_4CH"), file_stem("../A4C")
        ('patient0001_4CH', '_-18ccb748656d')
    """
    if image and all(each.isalnum() or each in "_- ." for each in image) and image[0] not in ". " and len(image) < 100:
        return image
    return f"_-{hashlib.sha256(image.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def described(image: ExamImage, analysis: Analysis) -> dict[str, Any]:
    """What the page is told of an image."""
    cine, labels = image.image, analysis.labels.get(image.name)
    time, depth, height, width = cine.grid_shape
    structures = [] if labels is None else list(labels.scheme.structures)
    return {
        "name": image.name,
        "file": file_stem(image.name),
        "view": cine.view_name,
        "modality": cine.modality.value,
        "frames": time,
        "slices": depth,
        "height": height,
        "width": width,
        **_sizes(cine),
        "region": None if cine.acquisition.region is None else list(cine.acquisition.region),
        "times_ms": _times(cine),
        "phases": phases_of(image, analysis.measures),
        "named_phases": named_phases(image),
        "structures": [structure.value for structure in structures],
        "contours": [] if labels is None else list(outline_names(labels.scheme)),
    }


def phases_of(image: ExamImage, measures: Measures) -> dict[str, int]:
    """The frames that were measured in an image as end-diastole and end-systole; else those that the exam names."""
    measured: dict[str, int] = {}
    for found in measures.key_frames:
        if found.image == image.name:
            measured.setdefault(found.phase.value, found.frame)
    return {**named_phases(image), **measured}


def named_phases(image: ExamImage) -> dict[str, int]:
    """The frames that the exam itself names: by its files, not by what was found in them."""
    return {phase.value: frame for phase, frame in image.phases.items() if phase is not Phase.OTHER}


def shown_pixels(cine: Image) -> tuple[NDArray[Any], dict[str, Any]]:
    """Pixels as they are sent, and the header's facts; of colour only photographs keep it."""
    pixels = cine.frames
    if cine.is_colour and cine.modality is not Modality.PHOTOGRAPH:
        pixels = luma(pixels)
    if pixels.dtype.name not in ("uint8", "uint16", "int16", "float32"):
        pixels = pixels.astype(np.float32)
    rate = cine.acquisition.heart_rate_bpm
    facts = {"window": _window(pixels), **_sizes(cine), "times_ms": _times(cine), "heart_rate": rate}
    return pixels, facts


def plain_scheme(scheme: LabelScheme) -> dict[str, int]:
    """Values of structures by name."""
    return {structure.value: value for structure, value in scheme.values.items()}


def read_labels(folder: Path, image: ExamImage) -> LabelMap | None:
    """The labels that an analysis wrote of an image; None where it has none."""
    from cardiotrace.core.label import scheme_from_mapping
    from cardiotrace.server.work.container import read_array

    path = folder / f"{file_stem(image.name)}.{LABELS}"
    if not path.exists():
        return None
    array, facts = read_array(path)
    return LabelMap(array, scheme_from_mapping("stored", facts["scheme"]), image.image.geometry, image.image.source)


def summary_of(measures: Measures, images: list[Image]) -> dict[str, Any]:
    """What the list of studies shows of measures.

    Returns:
        `views`, `modalities`, `grade` (a number, see `GRADES`), and `ejection_fraction` with `value`, `low`, `high` and
        `method`, or None where there is no usable one.
    """
    found = measures.find(EJECTION_FRACTION)
    fraction = None
    if found is not None and found.is_usable:
        low, high = found.interval or (None, None)
        fraction = {"value": found.value, "low": low, "high": high, "method": found.method.value}
    views = list(dict.fromkeys(image.view_name for image in images))
    modalities = list(modalities_of(images))
    grade = GRADES.index(worst(measures.flags))
    return {"views": views, "modalities": modalities, "grade": grade, "ejection_fraction": fraction}


def _sizes(cine: Image) -> dict[str, Any]:
    """Sizes of a voxel as far as they are known."""
    spacing = cine.spacing_mm
    depth = math.nan if spacing is None or cine.grid_shape[1] == 1 else spacing[0]
    return {
        "spacing_mm": None if spacing is None else [float(spacing[1]), float(spacing[2])],
        "slice_mm": None if math.isnan(depth) else float(depth),
    }


def _times(cine: Image) -> list[float] | None:
    return None if cine.times_ms is None else [round(float(time), 4) for time in cine.times_ms]


def _window(pixels: NDArray[Any]) -> list[float]:
    """Between which values an image is shown at first: bytes as they are, others without the few extremes."""
    if pixels.dtype == np.uint8:
        return [0.0, 255.0]
    low, high = np.percentile(pixels[:: max(1, len(pixels) // 8)], (_DARK, _BRIGHT))
    return [float(low), float(max(high, low + 1e-6))]


def _write_thumbnail(analysis: Analysis, path: Path) -> None:
    from cardiotrace.report.framing import LabelledFrame
    from cardiotrace.report.overlay import OverlayStyle, draw_overlay

    image = next((each for each in analysis.exam.images if each.name in analysis.labels), analysis.exam.images[0])
    cine = image.image
    labels = analysis.labels.get(image.name)
    if labels is None:
        array = np.zeros(cine.grid_shape, np.uint8)
        labels = LabelMap(array, LabelScheme("lv", {Structure.LV: 1}), cine.geometry)
    frame = phases_of(image, analysis.measures).get("ED", 0)
    shown = LabelledFrame(cine, labels, frame, cine.grid_shape[1] // 2)
    style = OverlayStyle(width=224, height=168, line=1.4, has_legend=False, has_scale=False)
    draw_overlay(shown, style=style).save(path, "PNG", optimize=True)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
