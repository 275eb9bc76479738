"""cardiotrace show EXAM..."""

import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cardiotrace.cli.exams import Exams, plane_given, require_exams
from cardiotrace.cli.terminal import table
from cardiotrace.core.terms import Modality
from cardiotrace.datasets.found import Reading
from cardiotrace.workflows.show import show


@dataclass(frozen=True)
class Options:
    """Say what is in exams: images, views, frames, pixel sizes, named phases."""

    exams: Exams
    """Files, patient folders, or folders of those."""
    view: str | None = None
    """View of all images, whatever their names say: A4C, 4CH, A2C, SAX, ..."""
    modality: Modality | None = None
    """How all images were made: US, MR or PHOTOGRAPH."""
    json: bool = False
    """Print as JSON."""

    def __post_init__(self) -> None:
        require_exams(self.exams)


def run(options: Options) -> int:
    """Describe the exams; the status is that of the first one that cannot be read."""
    shown = show(options.exams, Reading(*plane_given(options.view, options.modality)))
    problems = [exam.problem for exam in shown if exam.problem is not None]
    if options.json:
        plain = [{**dataclasses.asdict(exam), "problem": str(exam.problem or "")} for exam in shown]
        print(json.dumps(plain, indent=2))
    else:
        for exam in shown:
            facts = ", ".join(f"{key} {value}" for key, value in exam.facts.items())
            table([_read(image) for image in exam.images], title=f"{exam.name}  {facts}".strip())
    for problem in problems:
        print(f"cardiotrace: {problem}", file=sys.stderr)
    return problems[0].exit_status if problems else 0


def _read(image: Mapping[str, Any]) -> dict[str, Any]:
    """An image as it is read: its pixels in one cell, without the type of its values."""
    row = {key: value for key, value in image.items() if key not in ("height", "width", "type")}
    pixels = f"{image['height']} x {image['width']}" + (" colour" if "colour" in image["type"] else "")
    spacing = str(image["spacing_mm"])
    if image["slices"] == 1:  # the distance of slices says nothing of one
        spacing = spacing.split(" x ", 1)[-1]
    wanted = ("image", "view", "frames", "slices", "pixels", "spacing_mm", "values", "phases")
    cells = {**image, "pixels": pixels, "spacing_mm": spacing}
    return {key: cells[key] for key in wanted} | {key: value for key, value in row.items() if key not in wanted}
