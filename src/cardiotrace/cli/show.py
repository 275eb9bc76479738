"""cardiotrace show EXAM..."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cardiotrace.cli.output import complain, say
from cardiotrace.cli.terminal import print_text, table
from cardiotrace.workflows.show import ExamSummary, ShowConfig, show


@dataclass(frozen=True, kw_only=True)
class ShowOptions(ShowConfig):
    """Say what is in exams: images, views, frames, pixel sizes, named phases."""

    json: bool = False
    """Print as JSON."""


def run(options: ShowOptions) -> int:
    """Describe the exams; the status is that of the first one that cannot be read."""
    shown = show(options)
    if options.json:
        say(json.dumps([_plain(exam) for exam in shown], indent=2))
    else:
        for exam in shown:
            _print(exam)
    problems = [exam.problem for exam in shown if exam.problem is not None]
    for problem in problems:
        complain(f"cardiotrace: {problem}")
    return problems[0].exit_status if problems else 0


def _plain(exam: ExamSummary) -> dict[str, Any]:
    return {**dataclasses.asdict(exam), "problem": str(exam.problem or "")}


def _print(exam: ExamSummary) -> None:
    facts = ", ".join(f"{key} {value}" for key, value in exam.facts.items())
    table([_read(image) for image in exam.images], title=f"{exam.name}  {facts}".strip())
    for line in exam.notes:
        print_text(f"note: {line}")
    for line in exam.left_out:
        print_text(f"left out: {line}")


def _read(image: Mapping[str, Any]) -> dict[str, Any]:
    """An image as it is read: view and modality in one cell, pixels in one; of its values nothing is said."""
    pixels = f"{image['height']} x {image['width']}" + (" colour" if "colour" in image["type"] else "")
    spacing = str(image["spacing_mm"])
    if image["slices"] == 1:  # the distance of slices says nothing of one
        spacing = spacing.split(" x ", 1)[-1]
    view = image["view"] if image["modality"] == "unknown" else f"{image['view']} {image['modality']}"
    wanted = ("image", "view", "frames", "slices", "pixels", "spacing_mm", "phases")
    cells = {**image, "view": view, "pixels": pixels, "spacing_mm": spacing}
    return {key: cells[key] for key in wanted}
