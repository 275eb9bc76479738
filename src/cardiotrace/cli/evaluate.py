"""cardiotrace evaluate PREDICTED REFERENCE."""

from dataclasses import dataclass

from cardiotrace.cli.output import say
from cardiotrace.cli.scores import print_problems, print_scores
from cardiotrace.cli.terminal import Terminal
from cardiotrace.evaluation.table import case_rows, to_text
from cardiotrace.workflows.evaluate import EvaluateConfig, evaluate


@dataclass(frozen=True)
class EvaluateOptions(EvaluateConfig):
    """Scores of label maps, or of a model, against a reference, and of a second observer where there is one."""

    json: bool = False
    """Print the table of cases as JSON."""


def run(options: EvaluateOptions) -> None:
    """Score and print."""
    with Terminal() as terminal:
        done = evaluate(options, terminal)
    if options.json:
        say(to_text(case_rows(done.table), "json"), end="")
        print_problems(done.table)
    else:
        print_scores(done.table, by=options.by)
        if done.observer is not None:
            print_scores(done.observer, by=options.by, of="second observer")
