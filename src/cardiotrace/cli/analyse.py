"""cardiotrace analyse EXAM..."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cardiotrace.cli.exams import list_failures
from cardiotrace.cli.output import say
from cardiotrace.cli.teller import Teller
from cardiotrace.cli.terminal import Terminal
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.clinical.term import terms
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.workflows.analyse import AnalyseConfig, analyse
from cardiotrace.workflows.services.analysis import Analysed
from cardiotrace.workflows.services.batch import BatchResult, Tell

_HEADLINE = terms(
    (
        *("left_ventricular_ejection_fraction", "left_ventricular_end_diastolic_volume"),
        *("left_ventricular_end_systolic_volume", "vessel_density"),
    )
)

_EJECTION = _HEADLINE[0].short
_INTERVAL = "{:.0f} to {:.0f}"


@dataclass(frozen=True, kw_only=True)
class AnalyseOptions(AnalyseConfig):
    """Label maps, volumes, ejection fraction, images and a report of exams."""

    json: bool = False
    """Print results as JSON."""


def run(options: AnalyseOptions) -> int:
    """Analyse, print the headline of each exam and where its report is."""
    return run_and_tell(lambda terminal, tell: analyse(options, terminal, tell), as_json=options.json)


def run_and_tell(work: Callable[[Terminal, Tell], BatchResult[Analysed]], *, as_json: bool) -> int:
    """Do the work, telling of each exam as it ends, then of the summary and of what failed; gives the exit status."""
    with Terminal() as terminal:
        teller = Teller(terminal, as_json, lines, plain)
        batch = work(terminal, teller)
        teller.end()
    if batch.summary is not None and not as_json:
        say(f"all exams: {batch.summary}")
    return list_failures(batch)


def lines(done: Analysed) -> Iterator[str]:
    """The headline of an exam, its flags, the gravest first, and where its report is."""
    yield f"{done.name}: {headline(done.measures)}"
    yield from flag_lines(done.measures.flags)
    if done.is_new:
        yield f"  report: {done.report}"
    else:
        yield f"  report: {done.report} (was done with the same files and settings; --overwrite does it again)"


def flag_lines(flags: tuple[Flag, ...]) -> Iterator[str]:
    """Flags with their grades, the gravest first."""
    for grade in Grade:
        yield from (f"  {grade}: {flag.text}" for flag in flags if flag.grade is grade)


def plain(done: Analysed) -> dict[str, Any]:
    """An exam as `--json` prints it: the content of `measures.json`, and whether this run made it."""
    status = "done" if done.is_new else "skipped"
    return {"exam": done.name, "status": status, "report": str(done.report), **done.plain}


def headline(measures: Measures) -> str:
    """The preferred ejection fraction and volumes, or the vessel density, in one line.

    Values that are not usable are named without a number; the flags below say why. The ejection fraction has its
    interval behind it where the model that traced was calibrated; those of volumes are in the report.

    Example:
        >>> from cardiotrace.clinical.method import Method
        >>> name = "left_ventricular_ejection_fraction"
        >>> found = Quantity(name, 55.2, "percent", Method.SINGLE_PLANE_DISKS, "A4C", ())
        >>> headline(Measures("p1", (found,)))
        'EF 55 % (single plane)'
        >>> found = Quantity(name, 55.2, "percent", Method.SUM_OF_SLICES, "SAX", (), (47.6, 61.2))
        >>> headline(Measures("p1", (found,)))
        'EF 55 % (48 to 61)'
    """
    preferred = {item.key: item for item in reversed(list(measures))}  # the first of each key counts
    known = [(term.short, preferred[term.key], term.sign) for term in _HEADLINE if term.key in preferred]
    single = {item.method.is_single_plane for _, item, _ in known if item.is_usable}
    parts = [_part(name, item, unit, told=len(single) == 2) for name, item, unit in known]
    together = " (single plane)" if single == {True} else ""
    return ", ".join(parts) + together or _without_volumes(measures)


def _without_volumes(measures: Measures) -> str:
    """What there is where neither ejection fraction nor volumes are: a single slice, a still without a pixel size."""
    usable = [item for item in measures if item.is_usable]
    change = next((item for item in usable if item.name == "left_ventricular_fractional_area_change"), None)
    if change is not None:
        return f"fractional area change {change.value:.0f} %"
    return "neither volumes nor EF; sizes are in the report" if usable else "nothing could be measured"


def _part(name: str, quantity: Quantity, unit: str, *, told: bool) -> str:
    """One value in words; `told`: whether to say that it is of a single plane."""
    if not quantity.is_usable:
        return f"{name} not usable"
    said = [_INTERVAL.format(*quantity.interval)] if quantity.interval is not None and name == _EJECTION else []
    said += ["single plane"] if told and quantity.method.is_single_plane else []
    return f"{name} {quantity.value:.0f} {unit}" + (f" ({', '.join(said)})" if said else "")
