"""The public interface as text: `python -m tests.api.snapshot` writes it anew, which must be a decision."""

import dataclasses
import enum
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cardiotrace.core.public import FUNCTIONS, PACKAGES

PATH = Path(__file__).with_name("public.txt")


def text() -> str:
    """One line for each name, with what it takes; below a class its public attributes."""
    return "".join(f"{line}\n" for line in lines())


def lines() -> Iterator[str]:
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in sorted(module.__all__):
            yield from described(f"{package}.{name}", getattr(module, name))
    for path in FUNCTIONS:
        module, _, name = path.rpartition(".")
        yield from described(path, getattr(importlib.import_module(module), name))


def described(path: str, item: Any) -> Iterator[str]:
    if not isinstance(item, type):
        yield f"{path}{taken(item)}"
        return
    if issubclass(item, enum.Enum):
        yield f"{path}: {', '.join(member.name for member in item)}"
        return
    yield f"{path}{taken(item)}"
    fields = {field.name for field in dataclasses.fields(item)} if dataclasses.is_dataclass(item) else set()
    own = {name for kind in item.__mro__ if kind.__module__.startswith("cardiotrace") for name in vars(kind)}
    for name in sorted(own - fields):
        if not name.startswith("_"):
            yield f"    .{name}{taken(inspect.getattr_static(item, name))}"


def taken(item: Any) -> str:
    """The parameters of something that can be called, those with a default marked; empty for the rest."""
    item = getattr(item, "__func__", item)
    if not callable(item):
        return ""
    try:
        parameters = inspect.signature(item).parameters.values()
    except (TypeError, ValueError):
        return "(...)"
    return str(
        inspect.Signature(
            [
                parameter.replace(annotation=inspect.Parameter.empty, default=_mark(parameter))
                for parameter in parameters
            ]
        )
    )


class _Default:
    def __repr__(self) -> str:
        return "..."


def _mark(parameter: inspect.Parameter) -> Any:
    return parameter.default if parameter.default is inspect.Parameter.empty else _Default()


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
