"""cardiotrace show EXAM..."""

import dataclasses
import json
from dataclasses import dataclass

from cardiotrace.cli.exams import Exams, plane_given, require_exams
from cardiotrace.cli.output import complain, say
from cardiotrace.cli.terminal import table
from cardiotrace.cli.words import ModalityWord
from cardiotrace.datasets.found import Reading
from cardiotrace.workflows.show import show


@dataclass(frozen=True)
class Options:
    """Say what is in exams: images, views, frames, pixel sizes, named phases."""

    exams: Exams
    """Files, patient folders, or folders of those."""
    view: str | None = None
    """View of all images, whatever their names say: A4C, 4CH, A2C, SAX, ..."""
    modality: ModalityWord | None = None
    """How all images were made: US, MR or photograph."""
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
        say(json.dumps(plain, indent=2))
    else:
        for exam in shown:
            facts = ", ".join(f"{key} {value}" for key, value in exam.facts.items())
            if exam.images:
                table(list(exam.images[0]), exam.images, title=f"{exam.name}  {facts}")
    for problem in problems:
        complain(f"cardiotrace: {problem}")
    return problems[0].exit_status if problems else 0
