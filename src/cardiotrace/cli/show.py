"""cardiotrace show EXAM..."""

import dataclasses
import json
from dataclasses import dataclass

from cardiotrace.cli.exams import ReadingOptions
from cardiotrace.cli.output import complain, say
from cardiotrace.cli.terminal import table
from cardiotrace.datasets.found import Reading
from cardiotrace.workflows.segment import given_spacing
from cardiotrace.workflows.show import show


@dataclass(frozen=True, kw_only=True)
class Options(ReadingOptions):
    """Say what is in exams: images, views, frames, pixel sizes, named phases."""

    json: bool = False
    """Print as JSON."""


def run(options: Options) -> int:
    """Describe the exams; the status is that of the first one that cannot be read."""
    spacing_mm = given_spacing(options.spacing_mm)
    reading = Reading(*options.plane, spacing_mm, options.third_axis, options.pictures, options.patient)
    shown = show(options.exams, reading)
    problems = [exam.problem for exam in shown if exam.problem is not None]
    if options.json:
        plain = [{**dataclasses.asdict(exam), "problem": str(exam.problem or "")} for exam in shown]
        say(json.dumps(plain, indent=2))
    else:
        for exam in shown:
            facts = ", ".join(f"{key} {value}" for key, value in exam.facts.items())
            if exam.images:
                table(list(exam.images[0]), exam.images, title=f"{exam.name}  {facts}")
            for line in exam.notes:
                say(f"  note: {line}")
            for line in exam.left_out:
                say(f"  left out: {line}")
    for problem in problems:
        complain(f"cardiotrace: {problem}")
    return problems[0].exit_status if problems else 0
