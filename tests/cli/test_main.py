"""Finding verbs, help, and what is loaded for it."""

import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from cardiotrace import __version__
from cardiotrace.cli.fields import gathered
from cardiotrace.cli.main import VERBS
from cardiotrace.core.errors import InputError
from cardiotrace.core.interruption import Interrupted
from tests.command import command_line, environment, one_after_another
from tests.fake.heart import write_nifti

USING = (
    "analyse",
    "segment",
    "measure",
    "show",
    "demo",
    "evaluate",
    "compare",
    "data list",
    "data describe",
    "data lint",
    "models list",
)


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS if not verb.tunes_memory and verb.name != "export"])
def test_help_of_every_verb_shows_an_example(command, verb):
    status, out, error = command(*verb.split(), "--help")
    assert status == 0
    assert f"Example: cardiotrace {verb}" in " ".join(out.split())
    assert error == ""


def test_help_of_training_verbs():
    verbs = ("train", "crossval", "export")
    answers, _ = one_after_another(*((verb, "--help") for verb in verbs))
    for verb, (status, out, _) in zip(verbs, answers, strict=True):
        assert status == 0
        assert f"Example: cardiotrace {verb}" in " ".join(out.split())


def test_using_a_model_loads_neither_torch_nor_matplotlib(camus, model):
    """All of the using half in one process, at work and not only at its help."""
    patient = camus / "database_nifti" / "patient0001"
    work = [("show", patient), ("data", "lint", "camus", camus), ("evaluate", model, camus, "--dataset", "camus")]
    answers, heavy = one_after_another(*((*verb.split(), "--help") for verb in USING), *work)
    assert [status for status, _, _ in answers] == [0] * len(answers)
    assert heavy == []


def test_overview_names_every_verb(command):
    for words in ((), ("--help",), ("help",)):
        status, out, _ = command(*words)
        assert status == 0
        assert all(f"  {verb.name} " in out for verb in VERBS)


def test_a_family_shows_its_verbs(command):
    status, out, _ = command("data")
    assert status == 0
    assert "data export-nnunet" in out
    assert "analyse" not in out


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_version(command, word):
    assert command(word) == (0, f"cardiotrace {__version__}\n", "")


def test_help_of_a_verb_by_the_word(command):
    assert command("help", "models", "list") == command("models", "list", "--help")


@pytest.mark.parametrize("words", [("anaylse", "x"), ("data", "lintt"), ("models", "shwo")])
def test_wrong_verb(command, words):
    status, _, error = command(*words)
    assert status == 2
    assert error.startswith(
        f"cardiotrace: there is no verb {' '.join(words[:2]) if words[0] != 'anaylse' else 'anaylse'!r}"
    )
    assert "did you mean" in error


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("analyse", "x", "--modle", "y"), "--modle"),
        (("segment", "x", "--spacing-mm", "1"), "--spacing-mm"),
        (("show", "x", "--view", "A9C"), "--view"),
        (("measure", "x"), "--labels"),
        (("segment",), "EXAM"),
        (("data", "lint", "camus"), "PATH"),
        (("evaluate",), "PREDICTED"),
        (("models", "show"), "MODEL"),
    ],
)
def test_wrong_words_are_named(command, words, named):
    status, out, error = command(*words)
    assert status == 2
    assert named in error
    assert "Traceback" not in error
    assert out == ""


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("a --set x=1 y=2 --out o --set z=3", "a --set x=1 y=2 z=3 --out o"),
        ("a --set=x=1 --set=y=2", "a --set=x=1 y=2"),
        ("a --shift=-3 --out o -n 2", "a --shift=-3 --out o -n 2"),
        ("a --json --out o --json", "a --json --out o --json"),
        ("--out o --set x=1 --out p", "--out o --set x=1 --out p"),
        ("--set x=1 --json --set y=2 --out o a --set=z=3 w=4", "--set x=1 y=2 z=3 w=4 --json --out o a"),
    ],
)
def test_an_option_given_twice_loses_nothing(words, read):
    assert gathered(words.split(), {"--set"}) == read.split()


def test_options_of_several_values_are_known(command):
    """A second --set is read as the first one is: here its missing "=" is told."""
    status, _, error = command("train", "recipe.toml", "--set", "nothing", "--set", "seed=1")
    assert status == 2
    assert "nothing: expected KEY=VALUE" in error


class Verbs:
    """A verb that fails as it is told to."""

    def __init__(self, monkeypatch, error):
        def fail(words):
            raise error

        monkeypatch.setattr("cardiotrace.cli.main._run", fail)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InputError("holds no image", where="x", remedy="look."), 3, "cardiotrace: x: holds no image\nlook.\n"),
        (KeyboardInterrupt(), 130, "cardiotrace: interrupted; nothing is left half-written\n"),
        (Interrupted(signal.SIGTERM), 143, "cardiotrace: interrupted; nothing is left half-written\n"),
        (
            PermissionError(13, "Permission denied", "/x/\x1b[2J"),
            4,
            "cardiotrace: /x/\\u001b[2J: Permission denied\n"
            "the system refused: look at the name, the permissions and the free space.\n",
        ),
        (
            ZeroDivisionError("by zero"),
            4,
            "cardiotrace: unexpected ZeroDivisionError: by zero\n"
            "this is a fault of CardioTrace: please report it with what --debug prints.\n",
        ),
        (
            MemoryError(),
            4,
            "cardiotrace: this needs more memory than there is\nclose other programs, or work on less at once.\n",
        ),
    ],
)
def test_errors_are_a_line_or_two_and_a_status(command, monkeypatch, error, status, said):
    Verbs(monkeypatch, error)
    assert command("show") == (status, "", said)
    debugged = command("show", "--debug")
    assert debugged[0] == status
    assert "Traceback (most recent call last)" in debugged[2]
    assert debugged[2].endswith(said)


def test_a_reader_that_has_seen_enough():
    process = subprocess.Popen(
        command_line("models", "list", "--help"), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141  # as the shell tells of a broken pipe


def test_the_patient_is_given_in_plausible_numbers(command, tmp_path):
    status, _, error = command("analyse", str(tmp_path), "--height-cm", "1.82")
    assert (status, error) == (2, "cardiotrace: a height of 1.82 cm cannot be\ngive 20 to 260.\n")


def test_words_for_views_are_taken_by_default_for(command, tmp_path):
    status, _, error = command("export", str(tmp_path / "run"), "--default-for", "A4C", "sax")
    assert status == 3
    assert "--default-for" not in error
    status, _, error = command("export", str(tmp_path / "run"), "--default-for", "A9C")
    assert (status, "'A9C' is no word for a view" in error) == (2, True)


def test_what_is_left_out_is_shown(command, tmp_path):
    write_nifti(tmp_path / "p" / "p_4CH_ED.nii.gz", np.arange(48, dtype=np.uint8).reshape(6, 8), (0.5, 0.5))
    (tmp_path / "p" / "letter.pdf").write_text("")
    status, out, _ = command("show", str(tmp_path / "p"), "--sex", "F", "--third-axis", "depth")
    assert status == 0
    assert "left out: letter.pdf: no image, by its suffix" in out
    assert "note: p_4CH_ED: nothing says how it was made: taken for ultrasound" in out
    assert "sex F" in out


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="has no /dev/full")
def test_output_that_has_no_room():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            command_line("data", "list", "--json"), env=environment(), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 4
    assert done.stderr.startswith("cardiotrace: No space left on device\n")
    assert "Exception ignored" not in done.stderr


def test_no_output_at_all():
    words = " ".join(command_line("data", "list"))
    done = subprocess.run(f"{words} >&-", shell=True, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


NEED_TRAINING = (
    ("train", "recipe.toml"),
    ("crossval", "recipe.toml"),
    ("sweep", "recipe.toml"),
    ("export", "run"),
    ("plan", "--dataset", "camus"),
    ("models", "join", "a", "b"),
    ("models", "list", "--architectures"),
)
WITHOUT_TORCH = """
import json, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "onnx", "lightning_fabric", "safetensors", "onnxscript"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from cardiotrace.cli.main import main
for words in json.load(sys.stdin):
    print(main(words), file=sys.stderr)
"""


def test_the_base_installation_names_the_extra_for_training():
    helps = [(*verb[:2], "--help") if verb[0] == "models" else (verb[0], "--help") for verb in NEED_TRAINING]
    words = json.dumps([*NEED_TRAINING, ("models", "list"), ("compare",), *helps])
    program = [sys.executable, "-c", WITHOUT_TORCH]
    done = subprocess.run(program, input=words, env=environment(), capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    for verb in NEED_TRAINING:
        said, remedy, status, *lines = lines
        name = " ".join(verb[:2]) if verb[0] == "models" else verb[0]
        assert re.fullmatch(f"cardiotrace: `{name}` needs (torch|onnx), which comes with the extra for training", said)
        assert remedy == "pip install -c constraints.txt torch 'cardiotrace[train]'"
        assert status == "2"
    assert lines[:4] == ["0", "cardiotrace: a comparison needs at least two runs", *lines[2:3], "2"]
    assert lines[4:] == ["0"] * len(helps)
