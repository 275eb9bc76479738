"""cardiotrace segment EXAM..."""

from dataclasses import dataclass

from cardiotrace.cli.exams import SegmentOptions, list_failures, print_json
from cardiotrace.cli.output import say
from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.segment import segment


@dataclass(frozen=True, kw_only=True)
class Options(SegmentOptions):
    """Write label maps of exams: same grid, same format, one folder per exam."""


def run(options: Options) -> int:
    """Segment, and say where the label maps are."""
    with Terminal() as terminal:
        batch = segment(options.config(), terminal)
    files = {str(done.folder): sorted(file.name for file in done.folder.iterdir()) for done in batch.done}
    if options.json:
        print_json(files)
    else:
        for folder, names in files.items():
            say(f"{folder}: {', '.join(names)}")
    return list_failures(batch)
