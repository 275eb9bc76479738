"""What a run was made with: versions, commit and seed; nothing that names the machine."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

from cardiotrace.core.contract import ENVIRONMENT
from cardiotrace.core.errors import InputError
from cardiotrace.core.plain import read_json

_PACKAGES = ("cardiotrace", "torch", "numpy", "lightning-fabric", "onnx", "onnxruntime")


def environment(seed: int) -> dict[str, Any]:
    """Versions, commit and seed of this run; nothing that names the machine."""
    versions = {package: _version(package) for package in _PACKAGES}
    return {"python": platform.python_version(), "packages": versions, "commit": commit(), "seed": seed}


def read_environment(path: Path) -> dict[str, Any]:
    """What a run wrote down of itself.

    Raises:
        InputError: the file is missing or damaged.
    """
    told = read_json(path)
    if not isinstance(told, dict) or not {"packages", "commit"} <= told.keys():
        raise InputError("is not what a run writes of itself", where=path)
    return ENVIRONMENT.read(told, where=path)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def commit() -> str:
    """Commit of the source tree that runs, with "+" if it has changes; empty outside a checkout."""
    here = Path(__file__).parent
    try:
        described = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return described.stdout.strip()
