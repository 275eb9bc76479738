"""cardiotrace convert EXAM..."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cardiotrace.cli.analyse import flag_lines
from cardiotrace.cli.exams import list_failures
from cardiotrace.cli.teller import Teller
from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.convert import ConvertConfig, Converted, convert


@dataclass(frozen=True, kw_only=True)
class ConvertOptions(ConvertConfig):
    """Write exams as NIfTI, a file per image, with one exam.json of all that is known; the folder is an exam again."""

    json: bool = False
    """Print results as JSON."""


def run(options: ConvertOptions) -> int:
    """Convert, and say where the images are."""
    with Terminal() as terminal:
        teller = Teller(terminal, options.json, _lines, _plain)
        batch = convert(options, terminal, teller)
        teller.end()
    return list_failures(batch)


def _lines(done: Converted) -> Iterator[str]:
    again = "" if done.is_new else " (were made from the same files; --overwrite makes them again)"
    yield f"{done.folder}: {', '.join(done.files)}{again}"
    yield from flag_lines(done.flags)


def _plain(done: Converted) -> dict[str, Any]:
    return {
        "exam": done.name,
        "status": "done" if done.is_new else "skipped",
        "folder": str(done.folder),
        "files": list(done.files),
        "flags": [flag.to_plain() for flag in done.flags],
    }
