"""Plain data (TOML, JSON) to frozen dataclass trees and back, with messages that name the dotted key."""

import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from cardiotrace.core.errors import ConfigError

Config = TypeVar("Config")

_LONGEST_SHOWN = 60
"""Characters of a value that a message quotes."""


def from_plain(kind: type[Config], values: Any, *, path: str = "") -> Config:
    """Build the dataclass `kind` from nested dictionaries.

    Raises:
        ConfigError: unknown key, wrong type or bad value, naming the dotted key and the nearest known one.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Optimiser:
        ...     rate: float = 1e-3
        >>> from_plain(Optimiser, {"rate": 1})
        Optimiser(rate=1.0)
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path or kind.__name__}: expected a table, got {_shown(values)}")
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}  # type: ignore[arg-type]
    _check_keys(values, fields, path)
    hints = _hints(kind)  # type: ignore[arg-type]
    read = {name: _value(hints[name], values[name], _join(path, name)) for name in fields if name in values}
    try:
        return kind(**read)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ConfigError(f"{path or kind.__name__}: {error}") from None


@functools.cache
def _hints(kind: Any) -> Mapping[str, Any]:
    """Types of a class's fields: they are words until somebody asks, and many files hold the same classes."""
    return typing.get_type_hints(kind)


def _check_keys(values: Mapping[str, Any], fields: "Mapping[str, dataclasses.Field[Any]]", path: str) -> None:
    """Refuse keys that are no fields, and the lack of any that has no default."""
    for key in values:
        if key not in fields:
            raise ConfigError(f"unknown key {_join(path, str(key))!r}", remedy=_suggestion(str(key), fields))
    missing = next((name for name, field in fields.items() if name not in values and _is_required(field)), None)
    if missing is not None:
        raise ConfigError(f"missing key {_join(path, missing)!r}")


def known_only(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without keys that the dataclass `kind`, and the dataclasses that its fields are, do not have.

    For files of newer versions that know more facts; options of choices stay as they are, for those change results.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Optimiser:
        ...     rate: float = 1e-3
        >>> known_only(Optimiser, {"rate": 1.0, "colour": "red"})
        {'rate': 1.0}
    """
    hints = _hints(kind)
    names = {field.name for field in dataclasses.fields(kind) if field.init}
    known = {key: value for key, value in values.items() if key in names}
    for name, value in known.items():
        hint = hints[name]
        known[name] = _known_within(hint, value)
    return known


def _known_within(hint: Any, value: Any) -> Any:
    """A value, or each of a list of them, without keys that its dataclass does not have."""
    if typing.get_origin(hint) is tuple and isinstance(value, list | tuple):
        return [_known_within(typing.get_args(hint)[0], each) for each in value]
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping) and not hasattr(hint, "__from_plain__"):
        return known_only(hint, value)  # type: ignore[arg-type]
    return value


def to_plain(config: Any, *, with_none: bool = False) -> Any:
    """Nested dictionaries, lists and scalars of a dataclass tree.

    Args:
        config: a dataclass, or what its fields may hold.
        with_none: whether entries of None are kept, as JSON can hold them; TOML has none.
    """
    if hasattr(config, "__to_plain__"):
        return config.__to_plain__()
    if isinstance(config, Enum):
        return config.value
    if isinstance(config, Path):
        return str(config)
    if isinstance(config, tuple | list):
        return [to_plain(value, with_none=with_none) for value in config]
    pairs = _entries(config)
    if pairs is None:
        return config
    return {key: to_plain(value, with_none=with_none) for key, value in pairs if with_none or value is not None}


def _entries(config: Any) -> list[tuple[str, Any]] | None:
    """Names and values of a dataclass or a mapping; None of anything else."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return [(field.name, getattr(config, field.name)) for field in dataclasses.fields(config)]
    return [(str(key), value) for key, value in config.items()] if isinstance(config, Mapping) else None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _suggestion(key: str, known: Mapping[str, Any]) -> str:
    if not known:
        return "it has no keys."
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}."


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {brief(value)}"


def brief(value: Any) -> str:
    """A value in a message: as Python writes it, a long one cut short.

    Example:
        >>> brief("4CH"), brief(10**99)
        ("'4CH'", '100000000000000000000000000000000000000000000000000000000...')
    """
    try:
        text = repr(value)
    except ValueError:  # whole numbers of thousands of digits cannot be written
        text = "a number of thousands of digits"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def _value(hint: Any, value: Any, path: str) -> Any:
    """Check one value against a type hint and convert what converts without loss."""
    if hint is Any:
        return value
    if hasattr(hint, "__from_plain__"):
        return value if isinstance(value, hint) else hint.__from_plain__(value, path)
    read = _READERS.get(typing.get_origin(hint))
    if read is not None:
        return read(typing.get_args(hint), value, path)
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, hint) else from_plain(hint, value, path=path)  # type: ignore[arg-type]
    return _scalar(hint, value, path)


def _literal(choices: tuple[Any, ...], value: Any, path: str) -> Any:
    if value not in choices:
        raise ConfigError(f"{path}: {brief(value)} is not one of {', '.join(map(repr, choices))}")
    return value


def _mapping(items: tuple[Any, ...], value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{path}: expected a table, got {_shown(value)}")
    return {str(key): _value(items[1], entry, _join(path, str(key))) for key, entry in value.items()}


def _union(choices: tuple[Any, ...], value: Any, path: str) -> Any:
    if value is None and type(None) in choices:
        return None
    problems = []
    for choice in choices:
        if choice is type(None):
            continue
        try:
            return _value(choice, value, path)
        except ConfigError as error:
            problems.append(error)
    raise problems[0]


def _tuple(items: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{path}: expected a list, got {_shown(value)}")
    if len(items) == 2 and items[1] is Ellipsis:
        return tuple(_value(items[0], entry, f"{path}[{index}]") for index, entry in enumerate(value))
    if len(items) != len(value):
        raise ConfigError(f"{path}: expected {len(items)} values, got {len(value)}")
    return tuple(
        _value(item, entry, f"{path}[{index}]") for index, (item, entry) in enumerate(zip(items, value, strict=True))
    )


_READERS: Mapping[Any, Callable[[tuple[Any, ...], Any, str], Any]] = {
    typing.Union: _union,
    types.UnionType: _union,
    typing.Literal: _literal,
    tuple: _tuple,
    dict: _mapping,
    Mapping: _mapping,
}
"""What reads a value whose hint has arguments, by the hint's origin."""


def _scalar(hint: Any, value: Any, path: str) -> Any:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _member(hint, value, path)
    # To Python a truth value is a number.
    is_truth = isinstance(value, bool)
    if hint is float and isinstance(value, int) and not is_truth:
        return _as_float(value, path)
    if hint is Path and isinstance(value, str):
        return _as_path(value, path)
    if not isinstance(value, hint) or is_truth is not (hint is bool):
        raise ConfigError(f"{path}: expected {hint.__name__}, got {_shown(value)}")
    return value


def _member(kind: type[Enum], value: Any, path: str) -> Enum:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(repr(member.value) for member in kind)
        raise ConfigError(f"{path}: {brief(value)} is not one of {choices}") from None


def _as_float(value: int, path: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ConfigError(f"{path}: {brief(value)} is too large a number") from None


def _as_path(value: str, path: str) -> Path:
    if "\0" in value:
        raise ConfigError(f"{path}: no path holds a null character")
    return Path(value)
