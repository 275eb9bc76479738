"""cardiotrace demo."""

from collections.abc import Iterator
from dataclasses import dataclass

from cardiotrace.cli.analyse import flag_lines
from cardiotrace.cli.output import say
from cardiotrace.cli.terminal import Terminal
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.term import terms
from cardiotrace.workflows.demo import DemoConfig, DemoResult, demo

_SHOWN = (
    ("echo, biplane", Method.BIPLANE_DISKS, "A4C+A2C"),
    ("echo, four-chamber", Method.SINGLE_PLANE_DISKS, "A4C"),
    ("cine-MRI", Method.SUM_OF_SLICES, "SAX"),
)
_ROWS = terms(
    (
        *("left_ventricular_ejection_fraction", "left_ventricular_end_diastolic_volume"),
        *("left_ventricular_end_systolic_volume", "left_ventricular_mass"),
        *("right_ventricular_ejection_fraction", "right_ventricular_end_diastolic_volume"),
    )
)


@dataclass(frozen=True)
class DemoOptions(DemoConfig):
    """A phantom heart whose every number is known: by echo and cine-MRI, traced, measured, reported."""


def run(options: DemoOptions) -> None:
    """Run it, print measured beside true."""
    with Terminal() as terminal:
        result = demo(options, terminal)
    say(f"A phantom heart over one beat, {result.frames} frames of two echo views and a stack of cine-MRI.")
    for line in _table(result):
        say(line)
    for line in flag_lines(result.analysed.measures.flags):
        say(line)
    say(f"Report: {result.analysed.report}")


def _table(result: DemoResult) -> Iterator[str]:
    """Measured by each method beside true, one quantity a line."""
    yield f"  {'':<25}{'true':>8}" + "".join(f"{title:>20}" for title, _, _ in _SHOWN)
    for term in _ROWS:
        cells = []
        for _, method, view in _SHOWN:
            found = result.analysed.measures.find(term.name, view=view, method=method)
            cells.append("" if found is None else f"{found.value:.1f} {term.sign}")
        yield f"  {term.in_sentence:<25}{result.truth[term.key]:>8.1f}" + "".join(f"{cell:>20}" for cell in cells)
