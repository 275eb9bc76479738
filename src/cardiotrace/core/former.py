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
        former: earlier dotted keys to their present ones, each in the same table as before.

    Raises:
        ConfigError: a table holds a key under both names.

    Example:
        >>> with_present_keys({"optimiser": {"rate": 0.1}}, {"optimiser.rate": "optimiser.learning_rate"})
        {'optimiser': {'learning_rate': 0.1}}
    """
    renamed = copy.deepcopy(dict(values))
    for before, now in former.items():
        *parents, old = before.split(".")
        new = now.rsplit(".", 1)[-1]
        table: Any = renamed
        for parent in parents:
            table = table.get(parent) if isinstance(table, Mapping) else None
        if not isinstance(table, dict) or old not in table:
            continue
        if new in table:
            raise ConfigError(f"holds both {now!r} and {before!r}, as it was called before", remedy=f"keep {now!r}.")
        table[new] = table.pop(old)
    return renamed
