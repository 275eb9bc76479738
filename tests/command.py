"""The command line as its users run it: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

LONGEST_SECONDS = 600


def command_line(*words: object) -> list[str]:
    """The words of a process that runs a verb."""
    return [sys.executable, "-m", "cardiotrace.cli.main", *map(str, words)]


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
