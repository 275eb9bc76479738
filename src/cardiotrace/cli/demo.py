"""cardiotrace demo."""

from collections.abc import Iterator
from dataclasses import dataclass

from cardiotrace.cli.analyse import flag_lines
from cardiotrace.cli.output import say
from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.demo import DemoConfig, DemoResult, demo

_SHOWN = (
    ("echo, biplane", "biplane method of disks", "A4C+A2C"),
    ("echo, four-chamber", "method of disks, single plane", "A4C"),
    ("cine-MRI", "sum of slices", "SAX"),
)
_ROWS = (
    ("ejection fraction", "left_ventricular_ejection_fraction", "percent", "%"),
    ("end-diastolic volume", "left_ventricular_end_diastolic_volume", "ml", "ml"),
    ("end-systolic volume", "left_ventricular_end_systolic_volume", "ml", "ml"),
    ("myocardial mass", "left_ventricular_mass", "g", "g"),
    ("RV ejection fraction", "right_ventricular_ejection_fraction", "percent", "%"),
    ("RV end-diastolic volume", "right_ventricular_end_diastolic_volume", "ml", "ml"),
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
    for words, name, unit, sign in _ROWS:
        cells = []
        for _, method, view in _SHOWN:
            found = result.analysed.measures.find(name, view=view, method=method)
            cells.append("" if found is None else f"{found.value:.1f} {sign}")
        yield f"  {words:<25}{result.truth[f'{name}_{unit}']:>8.1f}" + "".join(f"{cell:>20}" for cell in cells)
