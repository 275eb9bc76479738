"""Fields of phantoms that must lie in a range or be one of several words."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from cardiotrace.core.errors import InputError

Ranges = Iterable[tuple[str, float, float]]
"""Name of a field, least and largest value; None passes, where a field may be left out."""


def check_ranges(config: Any, ranges: Ranges) -> None:
    """Refuse a field out of its range.

    Raises:
        InputError: naming the field and its range.
    """
    for name, low, high in ranges:
        value = getattr(config, name)
        if value is not None and not low <= value <= high:
            raise InputError(f"{name} = {value} is out of range", remedy=f"give {low} to {high}.")


def check_choices(config: Any, choices: Mapping[str, Collection[str]]) -> None:
    """Refuse a field that is none of the known words.

    Args:
        config: any dataclass.
        choices: name of a field to what it may be.

    Raises:
        InputError: naming what there is.
    """
    for name, known in choices.items():
        if (value := getattr(config, name)) not in known:
            raise InputError(f"unknown {name} {value!r}", remedy=f"give one of {', '.join(known)}.")
