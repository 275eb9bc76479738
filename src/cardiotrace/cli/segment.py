"""cardiotrace segment EXAM..."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cardiotrace.cli.analyse import flag_lines
from cardiotrace.cli.exams import list_failures
from cardiotrace.cli.teller import Teller
from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.segment import SegmentConfig, Segmented, segment


@dataclass(frozen=True, kw_only=True)
class SegmentOptions(SegmentConfig):
    """Write label maps of exams: same grid, same format, one folder per exam."""

    json: bool = False
    """Print results as JSON."""


def run(options: SegmentOptions) -> int:
    """Segment, and say where the label maps are."""
    with Terminal() as terminal:
        teller = Teller(terminal, options.json, _lines, _plain)
        batch = segment(options, terminal, teller)
        teller.end()
    return list_failures(batch)


def _lines(done: Segmented) -> Iterator[str]:
    again = "" if done.is_new else " (were made with the same files and settings; --overwrite makes them again)"
    yield f"{done.folder}: {', '.join(done.files)}{again}"
    yield from flag_lines(done.flags)
    if done.removed:
        yield f"  removed: {', '.join(done.removed)}, which told of the label maps that lay there before"


def _plain(done: Segmented) -> dict[str, Any]:
    return {
        "exam": done.name,
        "status": "done" if done.is_new else "skipped",
        "folder": str(done.folder),
        "files": list(done.files),
        "removed": list(done.removed),
        "flags": [flag.to_plain() for flag in done.flags],
    }
