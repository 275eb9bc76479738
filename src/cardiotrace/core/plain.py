"""TOML and JSON texts to plain data, within bounds: no text may overflow the stack or hold numbers that are none."""

import json
import math
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.file import read_text

DEEPEST = 32
"""Tables and lists within each other; recipes and descriptions need a handful."""
LARGEST_RECIPE = 4 * 2**20
"""Bytes."""
LARGEST_TABLE = 256 * 2**20
"""Bytes: scores of many thousand cases, or the patients of a large split."""


class NotThisLanguageError(ConfigError):
    """A text breaks the rules of TOML or JSON; one that keeps them may still hold what cannot be used."""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ConfigError: the file is missing, no regular file, too large, not text, or not TOML, see `parse_toml`.
    """
    values: dict[str, Any] = _read(path, LARGEST_RECIPE, parse_toml)
    return values


def read_json(path: Path, *, largest: int = LARGEST_TABLE) -> Any:
    """Read a JSON file.

    Raises:
        ConfigError: the file is missing, no regular file, too large, not text, or not JSON, see `parse_json`.
    """
    return _read(path, largest, parse_json)


def parse_toml(text: str) -> dict[str, Any]:
    """Read TOML.

    Raises:
        ConfigError: not TOML, nested deeper than `DEEPEST`, or with a number that is infinite or none.

    Example:
        >>> parse_toml("rate = nan")
        Traceback (most recent call last):
        cardiotrace.core.errors.ConfigError: cannot be used: nan is no number
    """
    values: dict[str, Any] = _bounded(tomllib.loads, text, "TOML")
    return values


def parse_json(text: str | bytes) -> Any:
    """Read JSON.

    Raises:
        ConfigError: not JSON, a key that stands twice in a table, nested deeper than `DEEPEST`, or with a number that
            is infinite or none.

    Example:
        >>> parse_json('{"a": 1, "a": 2}')
        Traceback (most recent call last):
        cardiotrace.core.errors.ConfigError: cannot be used: the key 'a' stands twice in one table
    """
    return _bounded(_loads, text, "JSON")


def _loads(text: str | bytes) -> Any:
    return json.loads(text, object_pairs_hook=_table)


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one table")
    return table


def _read(path: Path, largest: int, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(read_text(path, largest=largest))
    except InputError as error:
        raise ConfigError(error.what, where=path, remedy=error.remedy) from None


def _bounded(parse: Callable[[Any], Any], text: str | bytes, language: str) -> Any:
    try:
        values = parse(text)
    except RecursionError:
        raise ConfigError(f"cannot be used: its {language} is nested too deeply") from None
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise NotThisLanguageError(f"is not valid {language}: {error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"is not valid {language}: it is not UTF-8") from None
    except ValueError as error:
        known = str(error)
        what = "it holds a number of thousands of digits" if "integer string conversion" in known else known
        raise ConfigError(f"cannot be used: {what}") from None
    _check(values, language)
    return values


def _check(values: Any, language: str) -> None:
    """Refuse depth that would overflow the stack of whoever reads on, and numbers that are none."""
    level, depth = [values], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ConfigError(f"cannot be used: its {language} is nested more than {DEEPEST} levels deep")
        items = [item for holder in level for item in _held(holder)]
        wrong = next(filter(_is_no_number, items), None)
        if wrong is not None:
            raise ConfigError(f"cannot be used: {wrong} is no number")
        level = [item for item in items if isinstance(item, dict | list)]


def _held(holder: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return holder.values() if isinstance(holder, dict) else holder


def _is_no_number(item: Any) -> bool:
    return isinstance(item, float) and not math.isfinite(item)
