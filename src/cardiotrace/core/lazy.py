"""Names of a package that are loaded from their places when they are first used (PEP 562)."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(package: str, places: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """What a package assigns to `__getattr__` and `__dir__`.

    Args:
        package: its full name.
        places: each public name to the module that holds it, below cardiotrace; to "" where it is a module itself.

    Example:
        >>> load, names = lazy_names("cardiotrace", {"Flag": "core.flag"})
        >>> load("Flag").__name__, names()
        ('Flag', ['Flag'])
    """

    def load(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        place = places[name]
        if not place:
            return importlib.import_module(f"cardiotrace.{name}")
        value = getattr(importlib.import_module(f"cardiotrace.{place}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted(places)

    return load, names
