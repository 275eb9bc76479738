"""Processor seconds of measuring and reporting a film, the network apart: what a report costs beside its labels.

    python -m benchmarks.report

Two made films with labels that a network need not draw: an echo exam of 60 frames in two views at 600 x 800, and a film
of 200 frames of 112 x 112. Seconds are those of this process on all its processors (`time.process_time`), so that a
busy machine tells the same; imports of what draws are among them, as they are from cold.
"""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.core.terms import Modality, Structure, View
from cardiotrace.workflows.services.analysis import Analysis, measured
from cardiotrace.workflows.services.provenance import provenance_of

BEAT = 40
"""Frames of a heart beat."""


def film(view: View, frames: int, shape: tuple[int, int], spacing_mm: float) -> tuple[Image, LabelMap]:
    """A beating half ellipse in its wall, with an atrium below, in speckle."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] * spacing_mm
    base, middle = 0.62 * shape[0] * spacing_mm, 0.5 * shape[1] * spacing_mm
    generator = np.random.default_rng(1)
    speckle = generator.rayleigh(30, shape)
    grey, labels = np.zeros((frames, 1, *shape), np.uint8), np.zeros((frames, 1, *shape), np.uint8)
    for frame in range(frames):
        share = 0.5 - 0.5 * np.cos(2 * np.pi * frame / BEAT)
        width, length = 24 * (1 - 0.25 * share), 82 * (1 - 0.14 * share)
        plane = labels[frame, 0]
        for structure, more in ((Structure.MYO, 9.0), (Structure.LV, 0.0)):
            inside = ((rows - base) / (length + more)) ** 2 + ((columns - middle) / (width + more)) ** 2 < 1
            plane[inside & (rows < base)] = CAMUS.value(structure)
        atrium = ((rows - base - 20) / 20) ** 2 + ((columns - middle) / 20) ** 2 < 1
        plane[atrium & (rows >= base)] = CAMUS.value(Structure.LA)
        grey[frame, 0] = np.clip(speckle * np.array([1.0, 0.25, 3.0, 0.3])[plane], 0, 255)
    geometry = Geometry.of_spacing((1.0, spacing_mm, spacing_mm))
    times_ms = np.arange(frames) * 20.0
    image = Image(grey, geometry, times_ms, view, modality=Modality.US)
    return image, LabelMap(labels, CAMUS, geometry)


def films() -> Mapping[str, tuple[Exam, dict[str, LabelMap]]]:
    """Both exams with their labels."""
    sizes = {
        "two views of 60 frames, 600 x 800": ((View.FOUR_CHAMBER, View.TWO_CHAMBER), 60, (600, 800), 0.25),
        "one view of 200 frames, 112 x 112": ((View.FOUR_CHAMBER,), 200, (112, 112), 1.3),
    }
    made = {}
    for name, (views, frames, shape, spacing_mm) in sizes.items():
        images = {f"film_{view}": film(view, frames, shape, spacing_mm) for view in views}
        exam = Exam("film", tuple(ExamImage(key, image) for key, (image, _) in images.items()), Patient(sex="F"))
        made[name] = (exam, {key: labels for key, (_, labels) in images.items()})
    return made


def main() -> None:
    """Print the seconds of measuring and of building and writing the report, film by film."""
    for name, (exam, labels) in films().items():
        begun = time.process_time()
        analysis: Analysis = measured(exam, labels, provenance_of(exam, {}))
        between = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            analysis.write(Path(folder))
            size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        print(
            f"{name}: measured {between - begun:.2f} s, report {time.process_time() - between:.2f} s, {size // 1000} kB"
        )


if __name__ == "__main__":
    main()
