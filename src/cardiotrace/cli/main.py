"""`cardiotrace VERB ...`: find the verb, read its options, run it, turn errors into one line and a status.

Nothing but the chosen verb is imported, so that help is quick.
"""

import contextlib
import difflib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from cardiotrace import __version__
from cardiotrace.cli.output import complain, say, shown_log
from cardiotrace.core.errors import UsageError, explained
from cardiotrace.core.interruption import clean_interruption
from cardiotrace.core.loading import loading

INTERRUPTED, BROKEN_PIPE = 130, 141
_HELP = ("-h", "--help", "help")


@dataclass(frozen=True)
class Verb:
    """A verb of the command line, of one word or two.

    Its module in `cardiotrace.cli` offers `TrainOptions` and `run(options)` for "train"; for the second word of two,
    such as "export-nnunet", `ExportNnunetOptions` and `run_export_nnunet(options)`.
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
        "Label maps, volumes, EF, images and a report of exams.",
        "analyse patient0001 --out out",
    ),
    Verb("segment", "segment", "Label maps only.", "segment patient0001 --out labels"),
    Verb(
        "measure",
        "measure",
        "Volumes, EF, images and a report from given label maps.",
        "measure patient0001 --labels traced --out out",
    ),
    Verb("serve", "serve", "The application in the browser: exams in, reports out.", "serve --demo"),
    Verb("show", "show", "What is in an exam.", "show patient0001"),
    Verb(
        "convert", "convert", "Any exam to NIfTI and one record of what is known.", "convert study.zip --out converted"
    ),
    Verb(
        "anonymise",
        "anonymise",
        "A copy of DICOM without what tells whose it is.",
        "anonymise study.zip --out anonymous",
    ),
    Verb("data list", "data", "The data sets that are known by name.", "data list"),
    Verb(
        "data describe", "data", "Tables and a figure of what a data set holds.", "data describe acdc PATH --out acdc"
    ),
    Verb("data lint", "data", "What would spoil training silently.", "data lint camus PATH"),
    Verb(
        "data split", "data", "Published splits, or folds by patient.", "data split camus PATH --folds 5 --out splits"
    ),
    Verb("data pack", "data", "A memory-mapped cache of prepared images.", "data pack camus PATH"),
    Verb(
        "data export-nnunet",
        "data",
        "The data set as nnU-Net v2 reads it.",
        "data export-nnunet camus PATH --out nnUNet_raw/Dataset101_CAMUS",
    ),
    Verb("phantom echo", "phantom", "Phantom hearts in echo, as CAMUS stores them.", "phantom echo --out echo -n 50"),
    Verb("phantom cmr", "phantom", "Phantom hearts in cine-MRI, as ACDC stores them.", "phantom cmr --out cmr -n 50"),
    Verb("phantom fundus", "phantom", "Phantom eyes: photographs and their vessels.", "phantom fundus --out eyes -n 9"),
    Verb("plan", "plan", "A recipe for nnU-Net's network, fitted to a data set.", "plan --dataset camus --data PATH"),
    Verb("train", "train", "Train a network as a recipe says.", f"train {_CAMUS} --data PATH", tunes_memory=True),
    Verb(
        "adapt",
        "adapt",
        "Train for scanners without labels: DANN and simpler ways.",
        "adapt dann recipes/phantom-adaptation.toml",
        tunes_memory=True,
    ),
    Verb(
        "probe",
        "probe",
        "Whether scanners can be told from what a network sees.",
        "probe runs/phantom-adaptation-none runs/phantom-adaptation-dann",
    ),
    Verb("crossval", "crossval", "Train and test every fold.", f"crossval {_CAMUS} --data PATH", tunes_memory=True),
    Verb(
        "sweep",
        "sweep",
        "Train and test every combination of settings with several seeds.",
        "sweep recipes/retina-levels.toml --data PATH --jobs 2",
        tunes_memory=True,
    ),
    Verb(
        "queue",
        "queue",
        "Train the recipes of a list, by priority, in the time there is.",
        "queue recipes/queues/cine-mri.toml --data PATH --minutes 30",
        tunes_memory=True,
    ),
    Verb(
        "evaluate", "evaluate", "Score label maps or a model.", "evaluate MODEL PATH --dataset camus --part validation"
    ),
    Verb("compare", "compare", "Compare methods, paired by patient.", "compare runs/a runs/b --score hausdorff_mm"),
    Verb(
        "postprocess",
        "postprocess",
        "Choose post-processing by the folds of a cross-validation.",
        "postprocess runs/cine-mri --data PATH",
    ),
    Verb(
        "classify table",
        "classify",
        "Indices of every patient of a data set, with the group of each.",
        "classify table acdc PATH --out acdc.csv",
    ),
    Verb(
        "classify train",
        "classify",
        "Learn to tell groups apart from a table of indices.",
        "classify train acdc.csv --by pathology --out groups.json",
    ),
    Verb(
        "calibrate",
        "calibrate",
        "How sure a model's numbers are, by the folds of a cross-validation.",
        "calibrate runs/camus-4ch-small camus-4ch-small --data PATH --out calibrated.onnx",
    ),
    Verb("export", "export", "A run to one sealed ONNX file.", "export runs/camus-4ch-unet1 --data PATH"),
    Verb("models list", "models", "The models that can be named.", "models list"),
    Verb("models show", "models", "All that a model says of itself.", "models show camus-4ch-unet1"),
    Verb("models verify", "models", "Check that model files are undamaged.", "models verify"),
    Verb(
        "models join",
        "models",
        "Several models to one file: their mean.",
        "models join runs/a/model.onnx runs/b/model.onnx --name pair --data PATH",
    ),
)


_TRAINING = ("torch", "lightning_fabric", "safetensors", "onnx", "onnxscript", "sklearn")
"""What the `train` extra installs, as it is imported."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    _write_any_character()
    with shown_log() if debug else contextlib.nullcontext():
        return _status([word for word in words if word != "--debug"] if debug else words, debug=debug)


def _status(words: list[str], *, debug: bool) -> int:
    try:
        return _run_cleanly(words)
    except SystemExit as stop:  # from the reading of options: wrong use, or help
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BrokenPipeError:
        _give_up_output()
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        return _complain_of(error)


def _run_cleanly(words: list[str]) -> int:
    with clean_interruption():
        status = _run(words)
        if sys.stdout is not None:
            sys.stdout.flush()
    return status


def _complain_of(error: BaseException) -> int:
    """Say what is wrong; returns the exit status."""
    message, status = _explained(error)
    complain(f"cardiotrace: {message}")
    if isinstance(error, OSError) and error.filename is None:
        _give_up_output()  # most likely it was the output, such as on a full disk
    return status


def _write_any_character() -> None:
    """Names of files may hold what the terminal's encoding lacks, or bytes that are no text at all."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _give_up_output() -> None:
    """Whoever read the output has seen enough, or it has no room: nothing more can go there, not even at the end."""
    if sys.stdout is not None and hasattr(sys.stdout, "fileno"):
        with contextlib.suppress(OSError):  # a stand-in without a file
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explained(error: BaseException) -> tuple[str, int]:
    """What to say of an error, and the exit status."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; nothing is left half-written", getattr(error, "exit_status", INTERRUPTED)
    known = explained(error)
    return str(known), known.exit_status


def _run(words: list[str]) -> int:
    verb, rest = _find(words)
    if verb is None:
        return _general(words)
    if verb.tunes_memory:
        from cardiotrace.learning.allocator import keep_freed_memory

        keep_freed_memory()
    try:
        return _run_verb(verb, rest)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _TRAINING:
            raise
        raise UsageError(
            f"`{verb.name}` needs {error.name}, which comes with the extra for training",
            remedy="pip install -c constraints.txt torch 'cardiotrace[train]'",
        ) from error


def _run_verb(verb: Verb, words: list[str]) -> int:
    with loading():
        from cardiotrace.cli.fields import read_options

        module = importlib.import_module(f"cardiotrace.cli.{verb.module}")
    first, _, second = verb.name.partition(" ")
    words_of_name = (second or first).split("-")
    kind = getattr(module, f"{''.join(map(str.capitalize, words_of_name))}Options")
    description = f"{kind.__doc__}\n\nExample: cardiotrace {verb.example}"
    options = read_options(kind, words, program=f"cardiotrace {verb.name}", description=description)
    status = getattr(module, "_".join(["run", *(words_of_name if second else ())]))(options)
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
    """Requests without a verb: the version, or help on all verbs or on one group of them."""
    first = words[0] if words else "help"
    if first == "help" and len(words) > 1:
        return _run([*words[1:], "--help"])
    if first in ("--version", "-V"):
        say(f"cardiotrace {__version__}")
        return 0
    family = [verb for verb in VERBS if verb.name.startswith(f"{first} ")]
    if first in _HELP or (family and set(words[1:]) <= set(_HELP)):
        say(_overview(family or VERBS))
        return 0
    complain(f"cardiotrace: {_no_such_verb(words)}")
    return 2


def _no_such_verb(words: list[str]) -> str:
    families = {verb.name.partition(" ")[0] for verb in VERBS if " " in verb.name}
    given = " ".join(words[: 2 if words[0] in families else 1])
    near = difflib.get_close_matches(given.lower(), [verb.name for verb in VERBS], n=1)
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    return f"there is no verb {given!r}\n{suggestion}`cardiotrace --help` lists them."


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
