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
    """A verb of the command line, of one word or two.

    Its module in `cardiotrace.cli` offers `Options` and `run(options)`; for the second word of two, such as
    "list", `ListOptions` and `run_list(options)`.
    """

    name: str
    module: str
    summary: str
    example: str
    tunes_memory: bool = False
    """Whether the C library is to keep freed memory, which must be said before torch is loaded."""


_CAMUS = "recipes/camus-unet1.toml"
VERBS = (
    Verb("demo", "demo", "A phantom heart of known volumes: traced, measured, reported.", "demo"),
    Verb(
        "analyse",
        "analyse",
        "Label maps, volumes, EF, pictures and a report of exams.",
        "analyse patient0001 --out out",
    ),
    Verb("segment", "segment", "Label maps only.", "segment patient0001 --out labels"),
    Verb("show", "show", "What is in an exam.", "show patient0001"),
    Verb("data list", "data", "The data sets that are known by name.", "data list"),
    Verb("data lint", "data", "What would spoil training silently.", "data lint camus PATH"),
    Verb(
        "data split", "data", "Published splits, or folds by patient.", "data split camus PATH --folds 5 --out splits"
    ),
    Verb("data pack", "data", "A memory-mapped cache of prepared images.", "data pack camus PATH"),
    Verb("phantom echo", "phantom", "Phantom hearts in echo, as CAMUS stores them.", "phantom echo --out echo -n 50"),
    Verb("phantom cmr", "phantom", "Phantom hearts in cine-MRI, as ACDC stores them.", "phantom cmr --out cmr -n 50"),
    Verb("phantom fundus", "phantom", "Phantom eyes: photographs and their vessels.", "phantom fundus --out eyes -n 9"),
    Verb("train", "train", "Train a network as a recipe says.", f"train {_CAMUS} --data PATH", tunes_memory=True),
    Verb("crossval", "crossval", "Train and test every fold.", f"crossval {_CAMUS} --data PATH", tunes_memory=True),
    Verb(
        "evaluate", "evaluate", "Score label maps or a model.", "evaluate MODEL PATH --dataset camus --part validation"
    ),
    Verb("compare", "compare", "Compare methods, paired by patient.", "compare runs/a runs/b --score hausdorff_mm"),
    Verb("export", "export", "A run to one sealed ONNX file.", "export runs/camus-4ch-unet1 --data PATH"),
    Verb("models list", "models", "The models that can be named.", "models list"),
    Verb("models show", "models", "All that a model says of itself.", "models show camus-4ch-unet1"),
    Verb("models verify", "models", "Check that model files are undamaged.", "models verify"),
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
    second = verb.name.partition(" ")[2]
    kind = getattr(module, f"{second.capitalize()}Options")
    options = tyro.cli(
        kind,
        prog=f"cardiotrace {verb.name}",
        description=f"{kind.__doc__}\n\nExample: cardiotrace {verb.example}",
        args=rest,
    )
    status = getattr(module, f"run_{second}" if second else "run")(options)
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
