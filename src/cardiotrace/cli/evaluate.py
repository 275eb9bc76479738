"""cardiotrace evaluate PREDICTED REFERENCE."""

from dataclasses import dataclass

from cardiotrace.cli.output import say
from cardiotrace.cli.scores import (
    print_classes,
    print_intervals,
    print_phases,
    print_problems,
    print_scores,
    print_validity,
)
from cardiotrace.cli.terminal import Terminal
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.phase_table import PHASE_SCORES, phase_rows
from cardiotrace.evaluation.table import case_rows, to_text
from cardiotrace.workflows.evaluate import EvaluateConfig, evaluate


@dataclass(frozen=True)
class EvaluateOptions(EvaluateConfig):
    """Scores of label maps, or of a model, against a reference, and of a second observer where there is one."""

    json: bool = False
    """Print the table of cases as JSON, or that of phases with the layout of that name."""


def run(options: EvaluateOptions) -> None:
    """Score and print."""
    with Terminal() as terminal:
        done = evaluate(options, terminal)
    if options.json:
        is_phases = options.layout == "phases"
        rows = (
            phase_rows(done.table, scores=options.shown_scores or PHASE_SCORES) if is_phases else case_rows(done.table)
        )
        say(to_text(rows, "json"), end="")
        print_problems(done.table)
    else:
        _print(done.table, options)
        if done.observer is not None:
            _print(done.observer, options, of="second observer")


def _print(scored: CaseTable, options: EvaluateOptions, of: str = "") -> None:
    if options.layout == "phases":
        print_phases(scored, of=of, scores=options.shown_scores, quantities=options.quantities)
    else:
        print_scores(scored, by=options.by, of=of, scores=options.shown_scores, quantities=options.quantities)
    print_validity(scored)
    if options.clinical:
        print_classes(scored)
        print_intervals(scored)
