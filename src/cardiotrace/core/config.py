"""Plain data (TOML, JSON) to frozen dataclass trees and back, with messages that name the dotted key."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
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
    hints = typing.get_type_hints(kind)
    for key in values:
        if key not in fields:
            raise ConfigError(f"unknown key {_join(path, str(key))!r}", remedy=_suggestion(str(key), fields))
    read = {name: _value(hints[name], values[name], _join(path, name)) for name in fields if name in values}
    missing = [name for name, field in fields.items() if name not in read and _is_required(field)]
    if missing:
        raise ConfigError(f"missing key {_join(path, missing[0])!r}")
    try:
        return kind(**read)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ConfigError(f"{path or kind.__name__}: {error}") from None


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
    hints = typing.get_type_hints(kind)
    names = {field.name for field in dataclasses.fields(kind) if field.init}
    known = {key: value for key, value in values.items() if key in names}
    for name, value in known.items():
        hint = hints[name]
        if dataclasses.is_dataclass(hint) and isinstance(value, Mapping) and not hasattr(hint, "__from_plain__"):
            known[name] = known_only(hint, value)  # type: ignore[arg-type]
    return known


def to_plain(config: Any) -> Any:
    """Nested dictionaries, lists and scalars of a dataclass tree; None is left out, as TOML has none."""
    if hasattr(config, "__to_plain__"):
        return config.__to_plain__()
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        pairs = ((field.name, getattr(config, field.name)) for field in dataclasses.fields(config))
        return {name: to_plain(value) for name, value in pairs if value is not None}
    if isinstance(config, Mapping):
        return {str(key): to_plain(value) for key, value in config.items() if value is not None}
    if isinstance(config, tuple | list):
        return [to_plain(value) for value in config]
    if isinstance(config, Enum):
        return config.value
    return str(config) if isinstance(config, Path) else config


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _suggestion(key: str, known: Mapping[str, Any]) -> str:
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
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if hasattr(hint, "__from_plain__"):
        return value if isinstance(value, hint) else hint.__from_plain__(value, path)
    if origin in (typing.Union, types.UnionType):
        return _union(typing.get_args(hint), value, path)
    if origin is typing.Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            raise ConfigError(f"{path}: {brief(value)} is not one of {', '.join(map(repr, choices))}")
        return value
    if origin is tuple:
        return _tuple(typing.get_args(hint), value, path)
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{path}: expected a table, got {_shown(value)}")
        item = typing.get_args(hint)[1]
        return {str(key): _value(item, entry, _join(path, str(key))) for key, entry in value.items()}
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, hint) else from_plain(hint, value, path=path)  # type: ignore[arg-type]
    return _scalar(hint, value, path)


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


def _scalar(hint: Any, value: Any, path: str) -> Any:
    if isinstance(hint, type) and issubclass(hint, Enum):
        try:
            return hint(value)
        except ValueError:
            choices = ", ".join(repr(member.value) for member in hint)
            raise ConfigError(f"{path}: {brief(value)} is not one of {choices}") from None
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return _as_float(value, path)
    if hint is Path and isinstance(value, str):
        return _as_path(value, path)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{path}: expected {hint.__name__}, got {_shown(value)}")
    return value


def _as_float(value: int, path: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ConfigError(f"{path}: {brief(value)} is too large a number") from None


def _as_path(value: str, path: str) -> Path:
    if "\0" in value:
        raise ConfigError(f"{path}: no path holds a null character")
    return Path(value)
