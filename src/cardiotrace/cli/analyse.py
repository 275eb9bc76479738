"""cardiotrace analyse EXAM..."""

from dataclasses import dataclass

from cardiotrace.cli.exams import SegmentOptions, list_failures, print_json
from cardiotrace.cli.terminal import Terminal
from cardiotrace.clinical.quantity import Measures
from cardiotrace.workflows.analyse import Analysed, analyse
from cardiotrace.workflows.batch import Batch


@dataclass(frozen=True, kw_only=True)
class Options(SegmentOptions):
    """Label maps, volumes, ejection fraction, pictures and a report of exams."""


def run(options: Options) -> int:
    """Analyse, print the headline of each exam and where its report is."""
    with Terminal() as terminal:
        batch = analyse(options.config(), terminal)
    return print_analysed(batch, as_json=options.json)


def print_analysed(batch: Batch[Analysed], *, as_json: bool) -> int:
    """The headline of each exam, its flags and where its report is, then what failed; returns the exit status."""
    if as_json:
        print_json([done.measures.to_plain() for done in batch.done])
    else:
        for done in batch.done:
            print(f"{done.name}: {headline(done.measures)}")
            for flag in done.measures.flags:
                print(f"  {flag.grade}: {flag.text}")
            print(f"  report: {done.report}")
    return list_failures(batch)


def headline(measures: Measures) -> str:
    """The preferred ejection fraction and volumes, or the vessel density, in one line."""
    parts = (
        ("EF", measures.ejection_fraction_percent, "%"),
        ("EDV", measures.end_diastolic_volume_ml, "ml"),
        ("ESV", measures.end_systolic_volume_ml, "ml"),
        ("vessel density", measures.value("vessel_density_percent"), "%"),
    )
    known = [f"{name} {value:.0f} {unit}" for name, value, unit in parts if value is not None]
    return ", ".join(known) or "nothing could be measured"
