"""KEY=VALUE and KEY=GROUP,... words of the command line."""

from collections.abc import Sequence
from typing import Any

from cardiotrace.core.errors import ConfigError, UsageError
from cardiotrace.core.plain import NotThisLanguageError, parse_toml


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
        read = parse_toml(f"value = {value}")
    except NotThisLanguageError:
        return key, value
    except ConfigError as error:
        raise UsageError(f"{key}: the value {error.what}") from None
    return key, read["value"] if read.keys() == {"value"} else value
