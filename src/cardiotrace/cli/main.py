"""`cardiotrace VERB ...`: find the verb, read its options, run it, turn errors into one line and a status.

Nothing but the chosen verb is imported, so that help is quick.
"""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from cardiotrace import __version__
from cardiotrace.core.errors import CardioTraceError

INTERRUPTED = 130


@dataclass(frozen=True)
class Verb:
    """A verb of the command line: its module in `cardiotrace.cli` offers `Options` and `run(options)`."""

    name: str
    module: str
    summary: str
    example: str
    tunes_memory: bool = False
    """Whether the C library is to keep freed memory, which must be said before torch is loaded."""


VERBS = (
    Verb("train", "train", "Train a network as a recipe says.", "train recipes/camus-unet1.toml --data camus", True),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        return _run(words)
    except CardioTraceError as error:
        if debug:
            raise
        print(f"cardiotrace: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        if debug:
            raise
        print("cardiotrace: interrupted; nothing is left half-written", file=sys.stderr)
        return INTERRUPTED


def _run(words: list[str]) -> int:
    verb, rest = _find(words)
    if verb is None:
        return _general(words)
    if verb.tunes_memory:
        from cardiotrace.learning.allocator import keep_freed_memory

        keep_freed_memory()
    import tyro

    module = importlib.import_module(f"cardiotrace.cli.{verb.module}")
    options = tyro.cli(
        module.Options,
        prog=f"cardiotrace {verb.name}",
        description=f"{module.Options.__doc__}\n\nExample: cardiotrace {verb.example}",
        args=rest,
    )
    status = module.run(options)
    return int(status or 0)


def _find(words: list[str]) -> tuple[Verb | None, list[str]]:
    """The verb that the first words name (one or two), and the words after it."""
    for count in (2, 1):
        name = " ".join(words[:count])
        for verb in VERBS:
            if len(words) >= count and verb.name == name:
                return verb, words[count:]
    return None, words


def _general(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"cardiotrace {__version__}")
        return 0
    family = [verb for verb in VERBS if words and verb.name.startswith(f"{words[0]} ")]
    if family or not words or words[0] in ("-h", "--help", "help"):
        print(_overview(family or list(VERBS)))
        return 0
    print(f"cardiotrace: there is no verb {words[0]!r}\nrun `cardiotrace --help` for the list.", file=sys.stderr)
    return 2


def _overview(verbs: Sequence[Verb]) -> str:
    width = max(len(verb.name) for verb in verbs)
    lines = [f"  {verb.name:<{width}}  {verb.summary}" for verb in verbs]
    return "\n".join(
        [
            "usage: cardiotrace VERB [OPTIONS]      cardiotrace VERB --help      cardiotrace --version",
            "",
            "Trace the chambers of the heart in echo and cine-MRI, and measure what the traces mean.",
            "Research software, not a medical device.",
            "",
            *lines,
            "",
            f"Example: cardiotrace {verbs[0].example}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
