"""cardiotrace queue LIST."""

from dataclasses import dataclass

from cardiotrace.cli.output import say
from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.configs import QueueConfig


@dataclass(frozen=True, kw_only=True)
class QueueOptions(QueueConfig):
    """Train the recipes of a list by priority, in the time there is; or pack them for a machine with a GPU."""


def run(options: QueueOptions) -> None:
    """Work through the queue, print how far it is."""
    from cardiotrace.workflows.queue.run import run_queue
    from cardiotrace.workflows.queue.work import table_text

    with Terminal() as terminal:
        report = run_queue(options, terminal)
    say(table_text(report.rows))
