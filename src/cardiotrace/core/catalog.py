"""Explicit tables of what can be chosen by name: architectures, losses, data sets, steps."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import ConfigError

Made = TypeVar("Made")


@dataclass(frozen=True)
class Choice:
    """A name from a catalog and the options that differ from its defaults; a table with `name` in TOML."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def __from_plain__(cls, value: Any, path: str) -> "Choice":
        """Read `"unet1"` or `{name = "unet1", norm = "batch"}`."""
        if isinstance(value, str):
            return cls(value)
        if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
            raise ConfigError(f"{path}: expected a name, or a table with a `name`, got {value!r}")
        return cls(value["name"], {key: option for key, option in value.items() if key != "name"})

    def __to_plain__(self) -> dict[str, Any]:
        """The table that reads back as this choice."""
        return {"name": self.name, **to_plain(self.options)}


def choices_from_plain(value: Any, path: str) -> tuple[Choice, ...]:
    """Read a list of choices, such as the steps of a preprocessing.

    Raises:
        ConfigError: not a list, or an item is no choice.
    """
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{path}: expected a list of steps, got {value!r}")
    return tuple(Choice.__from_plain__(item, f"{path}[{index}]") for index, item in enumerate(value))


@dataclass(frozen=True)
class Entry(Generic[Made]):
    """One choice: its name, the dataclass that configures it, what makes it, one line about it, its source."""

    name: str
    config: type
    make: Callable[..., Made]
    """Called with an instance of `config` first; what else it takes is the catalog's contract."""
    summary: str
    source: str = ""


class Catalog(Generic[Made]):
    """An ordered table of entries with unique names.

    Example:
        >>> losses: Catalog[float] = Catalog("loss", [Entry("zero", dict, lambda config: 0.0, "Nothing.")])
        >>> losses["zero"].summary
        'Nothing.'
        >>> losses.names
        ('zero',)
    """

    def __init__(self, kind: str, entries: list[Entry[Made]]) -> None:
        self.kind = kind
        self._entries = {entry.name: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise ValueError(f"a name stands twice in the catalog of {kind}s")

    @property
    def names(self) -> tuple[str, ...]:
        """Names in table order."""
        return tuple(self._entries)

    def __iter__(self) -> Iterator[Entry[Made]]:
        return iter(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> Entry[Made]:
        if name not in self._entries:
            raise ConfigError(f"there is no {self.kind} {name!r}", remedy=f"choose from: {', '.join(self.names)}.")
        return self._entries[name]

    def config(self, choice: Choice, *, path: str = "") -> Any:
        """The entry's configuration read from the choice's options; `path` is the dotted key for messages.

        Raises:
            ConfigError: no such name, unknown option, wrong type or bad value.
        """
        return from_plain(self[choice.name].config, choice.options, path=path or self.kind)

    def resolve(self, choice: Choice, *, path: str = "") -> Choice:
        """The same choice with every default written out."""
        return Choice(choice.name, to_plain(self.config(choice, path=path)))

    def make(self, choice: Choice, *arguments: Any, path: str = "", **options: Any) -> Made:
        """What the choice stands for; further arguments are the catalog's contract."""
        return self[choice.name].make(self.config(choice, path=path), *arguments, **options)
