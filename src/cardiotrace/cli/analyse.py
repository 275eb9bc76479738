"""cardiotrace analyse EXAM..."""

import json
from dataclasses import dataclass

from cardiotrace.cli.exams import ExamOptions, list_failures
from cardiotrace.cli.terminal import Terminal
from cardiotrace.clinical.quantity import Measures
from cardiotrace.workflows.analyse import analyse


@dataclass(frozen=True)
class Options(ExamOptions):
    """Label maps, volumes, ejection fraction, pictures and a report of exams."""


def run(options: Options) -> int:
    """Analyse, print the headline of each exam and where its report is."""
    with Terminal() as terminal:
        batch = analyse(options.config(), terminal)
    if options.json:
        print(json.dumps([done.measures.to_plain() for done in batch.done], indent=2))
    else:
        for done in batch.done:
            print(f"{done.name}: {headline(done.measures)}")
            for flag in done.measures.flags:
                print(f"  warning: {flag}")
            print(f"  report: {done.report}")
    return list_failures(batch)


def headline(measures: Measures) -> str:
    """The preferred ejection fraction and volumes in one line."""
    parts = (
        ("EF", measures.ejection_fraction_percent, "%"),
        ("EDV", measures.end_diastolic_volume_ml, "ml"),
        ("ESV", measures.end_systolic_volume_ml, "ml"),
    )
    known = [f"{name} {value:.0f} {unit}" for name, value, unit in parts if value is not None]
    return ", ".join(known) or "nothing could be measured"
