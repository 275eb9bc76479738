"""Libraries that travel with a parcel, for a machine where nothing can be installed."""

import io
import re
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

from cardiotrace.io import write_bytes

WANTED = ("jaxtyping", "tyro", "rich", "tomli-w", "safetensors")
"""What training and the command line import besides PyTorch and numpy."""
_THERE = ("numpy", "torch")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_COMPILED = (".so", ".pyd", ".dll", ".dylib")
_ANY_PYTHON = ".abi3.so"
"""Compiled for every version of Python 3 on the same kind of machine."""


def write_packages(path: Path) -> list[str]:
    """Write the libraries, as they are installed here, into one zip file.

    Only what runs on every version of Python travels: pure Python, and what was compiled for the stable interface.

    Args:
        path: the zip file.

    Returns:
        A line for each library that cannot travel.

    Raises:
        WorkError: the file cannot be written.
    """
    content, remarks = io.BytesIO(), []
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for found in _needed(WANTED):
            files = {str(file): Path(str(file.locate())) for file in found.files or () if _travels(file)}
            if any(_is_bound(name) for name in files):
                remarks.append(f"{found.metadata['Name']} is compiled for this Python alone, and does not travel")
                continue
            for name, place in files.items():
                archive.write(place, name)
    write_bytes(path, content.getvalue())
    return remarks


def _needed(names: tuple[str, ...]) -> Iterator[Distribution]:
    """Distributions of these names and all that they need, each once; what is not installed is not needed here."""
    waiting, seen = list(names), {*_THERE}
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        seen.add(key)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        yield found
        needs = (need for need in found.requires or () if "extra ==" not in need)
        waiting += [match[0] for match in map(_NAME.match, needs) if match is not None]


def _travels(file: PurePosixPath) -> bool:
    return ".." not in file.parts and "__pycache__" not in file.parts and file.suffix != ".pyi"


def _is_bound(name: str) -> bool:
    return name.endswith(_COMPILED) and not name.endswith(_ANY_PYTHON)
