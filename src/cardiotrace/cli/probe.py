"""cardiotrace probe RUN..."""

from dataclasses import dataclass

from cardiotrace.cli.terminal import Terminal, print_text, table
from cardiotrace.core.number import fixed
from cardiotrace.workflows.configs import ProbeConfig

WORDS = (
    "Fresh probes on frozen features, learned on the runs' training patients and tested on all others: balanced"
    " accuracy, 95 % intervals with patients drawn anew. Where the interval holds chance, the domains cannot be told."
)


@dataclass(frozen=True, kw_only=True)
class ProbeOptions(ProbeConfig):
    """Ask whether domains can be told from the features of adapted networks, before and after."""


def run(options: ProbeOptions) -> None:
    """Probe and print."""
    from cardiotrace.workflows.probe import probe_runs

    with Terminal() as terminal:
        probed = probe_runs(options, terminal)
    rows = [
        {
            "run": one.name,
            "features": each.level,
            "probe": each.kind,
            "accuracy": f"{fixed(each.accuracy, 3)} [{fixed(each.interval[0], 3)}, {fixed(each.interval[1], 3)}]",
            "chance": fixed(each.chance, 3),
            "images": each.images,
            "patients": each.patients,
        }
        for one in probed
        for each in one.results
    ]
    table(rows, title="", keys=3)
    print_text(WORDS)
