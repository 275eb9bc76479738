"""KEY=VALUE and KEY=GROUP,... words of the command line."""

import tomllib
from collections.abc import Sequence
from typing import Any

from cardiotrace.core.errors import UsageError


def settings(words: Sequence[str]) -> dict[str, Any]:
    """Read KEY=VALUE words, each value as TOML or as bare text.

    Raises:
        UsageError: a word has no "=", or nothing before it.

    Example:
        >>> settings(["training.epochs=2", "architecture=unet2", 'data.dataset.views=["4CH"]'])
        {'training.epochs': 2, 'architecture': 'unet2', 'data.dataset.views': ['4CH']}
    """
    return dict(map(_setting, words))


def groups(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read KEY=GROUP,GROUP,... words.

    Raises:
        UsageError: a word has no "=", or nothing before or after it.

    Example:
        >>> groups(["quality=good,medium", "phase=ED"])
        {'quality': ('good', 'medium'), 'phase': ('ED',)}
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        key, _, names = word.partition("=")
        if not key or not names.strip(","):
            raise UsageError(f"{word}: expected KEY=GROUP,...")
        found[key] = tuple(name for name in names.split(",") if name)
    return found


def _setting(word: str) -> tuple[str, Any]:
    key, equals, value = word.partition("=")
    if not equals or not key:
        raise UsageError(f"{word}: expected KEY=VALUE")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value
