"""The command line as its users run it: in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

LONGEST_SECONDS = 600


def command_line(*words: object) -> list[str]:
    """The words of a process that runs a verb."""
    return [sys.executable, "-m", "cardiotrace", *map(str, words)]


def environment(**variables: object) -> dict[str, str]:
    """One thread for each process: tests run side by side."""
    names = ("CARDIOTRACE_DATA", "CARDIOTRACE_MODELS", "CARDIOTRACE_CACHE")
    own = {key: value for key, value in os.environ.items() if key not in names}
    return {**own, "OMP_NUM_THREADS": "1", **{key: str(value) for key, value in variables.items()}}


def cardiotrace(*words: object, cwd: Path | None = None, **variables: object) -> "subprocess.CompletedProcess[str]":
    """Run a verb to its end; further keywords are environment variables."""
    return subprocess.run(
        command_line(*words),
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )


_SEVERAL = """
import contextlib, io, json, sys
from cardiotrace.cli.main import main
answers = []
for words in json.load(sys.stdin):
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        status = main(words)
    answers.append([status, out.getvalue(), error.getvalue()])
heavy = [name for name in ("torch", "matplotlib", "lightning_fabric", "onnx") if name in sys.modules]
json.dump({"answers": answers, "heavy": heavy}, sys.stdout)
"""


def one_after_another(*commands: Sequence[object]) -> tuple[list[tuple[int, str, str]], list[str]]:
    """Run several verbs in one fresh process, which loads libraries once.

    Returns:
        Exit status, output and errors of each, and which heavy libraries were loaded in the end.
    """
    words = json.dumps([list(map(str, command)) for command in commands])
    done = subprocess.run(
        [sys.executable, "-c", _SEVERAL], input=words, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    plain = json.loads(done.stdout)
    return [(status, out, error) for status, out, error in plain["answers"]], plain["heavy"]
