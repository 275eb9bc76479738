"""Names that keys of our files had before: what was written with them is still read."""

import copy
from collections.abc import Mapping
from typing import Any

from cardiotrace.core.errors import ConfigError


def present_key(dotted: str, former: Mapping[str, str]) -> str:
    """The present name of a dotted key; a key that was never renamed as it is.

    Args:
        dotted: such as "optimiser.rate".
        former: earlier dotted keys to their present ones.

    Example:
        >>> present_key("preparation.0.height", {"preparation": "preprocessing"})
        'preprocessing.0.height'
    """
    for before, now in former.items():
        if dotted == before or dotted.startswith(f"{before}."):
            return now + dotted.removeprefix(before)
    return dotted


def with_present_keys(values: Mapping[str, Any], former: Mapping[str, str]) -> dict[str, Any]:
    """Nested tables with every earlier key under its present name; the given ones stay as they are.

    Args:
        values: tables as a file holds them.
        former: earlier dotted keys to their present ones; a key may have moved into another table, which is made
            where it is not there.

    Raises:
        ConfigError: a key is there under both names, or what should hold it is no table.

    Example:
        >>> with_present_keys({"optimiser": {"rate": 0.1}}, {"optimiser.rate": "optimiser.learning_rate"})
        {'optimiser': {'learning_rate': 0.1}}
        >>> with_present_keys({"threshold": 0.4}, {"threshold": "calibration.threshold"})
        {'calibration': {'threshold': 0.4}}
    """
    if not any(_holder(values, before) for before in former):
        return dict(values)
    renamed = copy.deepcopy(dict(values))
    for before, now in former.items():
        table = _holder(renamed, before)
        if table is not None:
            _put(renamed, now, table.pop(before.split(".")[-1]), before)
    return renamed


def _holder(tables: Any, dotted: str) -> dict[str, Any] | None:
    """The table in which a dotted key stands; None where it does not."""
    *parents, last = dotted.split(".")
    table = tables
    for parent in parents:
        table = table.get(parent) if isinstance(table, Mapping) else None
    return table if isinstance(table, dict) and last in table else None


def _put(tables: dict[str, Any], now: str, value: Any, before: str) -> None:
    """Set a dotted key that is not there yet."""
    *parents, new = now.split(".")
    table: Any = tables
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{parent} should be a table, since it holds {now!r}")
    if new in table:
        raise ConfigError(f"holds both {now!r} and {before!r}, as it was called before", remedy=f"keep {now!r}.")
    table[new] = value
