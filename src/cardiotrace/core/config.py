"""Plain data (TOML, JSON) to frozen dataclass trees and back, with messages that name the dotted key."""

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from cardiotrace.core.errors import ConfigError

Config = TypeVar("Config")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ConfigError: the file is missing, is not text or not TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError("no such file", where=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=path) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not valid TOML: {error}", where=path) from None


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
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path or kind.__name__}: {error}") from None


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
    return f"{type(value).__name__} {value!r}"


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
            raise ConfigError(f"{path}: {value!r} is not one of {', '.join(map(repr, choices))}")
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
            raise ConfigError(f"{path}: {value!r} is not one of {choices}") from None
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{path}: expected {hint.__name__}, got {_shown(value)}")
    return value
