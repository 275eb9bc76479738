"""Explicit tables of what can be chosen by name: architectures, losses, data sets, steps.

Another package adds to a table through an entry point of its group, see `core.offer`. It is asked only when a name is
looked up that is not CardioTrace's own, or when all names are told.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import CardioTraceError, ConfigError
from cardiotrace.core.offer import Offer, offers_of

Made = TypeVar("Made")


@dataclass(frozen=True)
class Choice:
    """A name from a catalog and the options that differ from its defaults; a table with `name` in TOML."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    package: str = ""
    """The other package that offers it; empty for CardioTrace's own."""

    @classmethod
    def __from_plain__(cls, value: Any, path: str) -> "Choice":
        """Read `"unet1"` or `{name = "unet1", norm = "batch"}`; `package` says where a foreign one is from."""
        if isinstance(value, str):
            return cls(value)
        if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
            raise ConfigError(f"{path}: expected a name, or a table with a `name`, got {value!r}")
        package = value.get("package", "")
        if not isinstance(package, str):
            raise ConfigError(f"{path}.package: expected the name of a package, got {package!r}")
        return cls(value["name"], {key: value[key] for key in value if key not in ("name", "package")}, package)

    def __to_plain__(self) -> dict[str, Any]:
        """The table that reads back as this choice."""
        return {"name": self.name, **({"package": self.package} if self.package else {}), **to_plain(self.options)}


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
    package: str = ""
    """The other package that offers it, which the catalog fills in; empty for CardioTrace's own."""


class Catalog(Generic[Made]):
    """An ordered table of entries with unique names.

    Example:
        >>> losses: Catalog[float] = Catalog("loss", [Entry("zero", dict, lambda config: 0.0, "Nothing.")])
        >>> losses["zero"].summary
        'Nothing.'
        >>> losses.names
        ('zero',)
    """

    def __init__(self, kind: str, entries: list[Entry[Made]], *, group: str = "") -> None:
        self.kind = kind
        self.group = group
        """Of entry points through which other packages add entries; none may where it is empty."""
        self._entries = {entry.name: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise ValueError(f"a name stands twice in the catalog of {kind}s")

    @property
    def names(self) -> tuple[str, ...]:
        """Names in table order, those of other packages last."""
        return (*self._entries, *self._offers)

    def __iter__(self) -> Iterator[Entry[Made]]:
        """CardioTrace's own entries: what other packages offer is told by `names` and imported when it is chosen."""
        return iter(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._offers

    def __getitem__(self, name: str) -> Entry[Made]:
        return self.entry(Choice(name))

    def entry(self, choice: Choice) -> Entry[Made]:
        """The entry of a choice, from the very package that it names.

        Raises:
            ConfigError: there is none of that name, or of that package, or its package fails.
        """
        name, package = choice.name, choice.package
        if name in self._entries and not package:
            return self._entries[name]
        offer = self._offer(choice)
        place = (name, offer.package)
        if place not in self._loaded:
            self._loaded[place] = dataclasses.replace(offer.load(self.kind, Entry), package=offer.package)
        return self._loaded[place]

    def _offer(self, choice: Choice) -> Offer:
        """What another package offers under the name of a choice."""
        name, package = choice.name, choice.package
        offers = self._offers.get(name, {})
        if package and package not in offers:
            raise ConfigError(
                f"there is no {self.kind} {name!r} of the package {package}", remedy=f"install {package}."
            )
        if not offers:
            raise ConfigError(f"there is no {self.kind} {name!r}", remedy=f"choose from: {', '.join(self.names)}.")
        if not package and len(offers) > 1:
            said = f'{{ name = "{name}", package = "{next(iter(offers))}" }}'
            raise ConfigError(f"{' and '.join(offers)} offer a {self.kind} {name!r}", remedy=f"say which: {said}.")
        return offers[package] if package else next(iter(offers.values()))

    @cached_property
    def _offers(self) -> Mapping[str, Mapping[str, Offer]]:
        return offers_of(self.group, self.kind, own=self._entries) if self.group else {}

    @cached_property
    def _loaded(self) -> dict[tuple[str, str], Entry[Made]]:
        return {}

    def config(self, choice: Choice, *, path: str = "") -> Any:
        """The entry's configuration read from the choice's options; `path` is the dotted key for messages.

        Raises:
            ConfigError: no such name, unknown option, wrong type or bad value.
        """
        return from_plain(self.entry(choice).config, choice.options, path=path or self.kind)

    def resolve(self, choice: Choice, *, path: str = "") -> Choice:
        """The same choice with every default written out, and the package that it is from."""
        return Choice(choice.name, to_plain(self.config(choice, path=path)), self.entry(choice).package)

    def make(self, choice: Choice, *arguments: Any, path: str = "", **options: Any) -> Made:
        """What the choice stands for; further arguments are the catalog's contract.

        Raises:
            ConfigError: see `config`; or the code of another package failed.
        """
        entry, config = self.entry(choice), self.config(choice, path=path)
        try:
            return entry.make(config, *arguments, **options)
        except Exception as error:
            if not entry.package or isinstance(error, CardioTraceError):
                raise
            failed = f"the {self.kind} {entry.name!r} of the package {entry.package} failed"
            raise ConfigError(
                f"{failed}: {type(error).__name__}: {error}", remedy=f"report it to the authors of {entry.package}."
            ) from error
