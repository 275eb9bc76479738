"""cardiotrace anonymise EXAM..."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cardiotrace.cli.exams import list_failures
from cardiotrace.cli.teller import Teller
from cardiotrace.cli.terminal import Terminal
from cardiotrace.io.results import REMOVED
from cardiotrace.workflows.anonymise import AnonymiseConfig, Anonymised, anonymise


@dataclass(frozen=True, kw_only=True)
class AnonymiseOptions(AnonymiseConfig):
    """Copy DICOM without what tells whose it is: only what is known to be harmless is copied, under new names."""

    json: bool = False
    """Print results as JSON."""


def run(options: AnonymiseOptions) -> int:
    """Copy, and say what was copied and what was not."""
    with Terminal() as terminal:
        teller = Teller(terminal, options.json, _lines, _plain)
        batch = anonymise(options, terminal, teller)
        teller.end()
    return list_failures(batch)


def _lines(done: Anonymised) -> Iterator[str]:
    count = len(done.files)
    yield f"{done.folder}: {count} object{'s' * (count != 1)}; {REMOVED} lists {done.removed} elements they lack"
    if done.blackened:
        yield f"  black outside the region of tissue: {done.blackened}"
    if done.screens:
        yield f"  look at these, there may be names in their pixels: {done.screens}"
    if done.gone:
        yield f"  removed: {done.gone} copies of an earlier run that were not made again"
    yield from (f"  left out: {line}" for line in done.left_out)


def _plain(done: Anonymised) -> dict[str, Any]:
    return {
        "exam": done.name,
        "status": "done",
        "folder": str(done.folder),
        "files": list(done.files),
        "blackened": done.blackened,
        "screens": done.screens,
        "removed": done.removed,
        "gone": done.gone,
        "left_out": list(done.left_out),
    }
