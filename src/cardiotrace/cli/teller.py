"""Results of exams, told as soon as each exam ends."""

import json
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.services.batch import Failure


@dataclass
class Teller:
    """Prints lines for people or, item by item, one JSON array for machines; failures stand in the array as well.

    People are told of failures at the end, on standard error.
    """

    terminal: Terminal
    as_json: bool
    lines: Callable[[Any], Iterable[str]]
    """What to say of a result."""
    plain: Callable[[Any], dict[str, Any]]
    """The same as JSON."""
    _count: int = field(default=0, init=False)

    def __call__(self, result: Any) -> None:
        """Tell of one result or `Failure`."""
        if self.as_json:
            self._put(_failed(result) if isinstance(result, Failure) else self.plain(result))
        elif not isinstance(result, Failure):
            for line in self.lines(result):
                self.terminal.say(line)

    def end(self) -> None:
        """Close the array; without a result an empty one."""
        if self.as_json:
            self.terminal.say("\n]" if self._count else "[]")

    def _put(self, item: dict[str, Any]) -> None:
        text = json.dumps(item, indent=2, ensure_ascii=False, allow_nan=False)
        self.terminal.say(("," if self._count else "[") + "\n" + textwrap.indent(text, "  "))
        self._count += 1


def _failed(failure: Failure) -> dict[str, Any]:
    return {
        "exam": failure.name,
        "status": "failed",
        "reason": str(failure.error),
        "exit_status": failure.error.exit_status,
    }
