"""The rules that raise flags, with their limits, read from `rules.toml`."""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from cardiotrace.core.flag import Flag, Grade

KINDS = ("ejection", "volume", "size", "atrium", "mass", "strain", "wall", "output")
"""What a flag may doubt: ejection fraction and stroke volume, volumes, areas and lengths, the left atrium, mass,
longitudinal strain and the excursion of the valve planes, thickness and short-axis strain, cardiac output."""


@dataclass(frozen=True)
class Rule:
    """One check.

    Example:
        >>> RULES["annulus-width"].breaks(60.0), RULES["annulus-width"].breaks(30.0)
        (True, False)
    """

    name: str
    grade: Grade
    when: str
    """When it speaks, in words that name its limits as {low} and {high}."""
    of: tuple[str, ...]
    """Of `KINDS`: the quantities that carry its flag; empty where it concerns the exam as a whole."""
    about: str = "LV"
    low: float = -math.inf
    high: float = math.inf
    references: str = ""
    """What reference masks reach."""
    spoke: tuple[int, int] | None = None
    """In how many of 449 patients of CAMUS and of 60 of ACDC it spoke against reference masks; None where it cannot."""

    @property
    def words(self) -> str:
        """When the flag is raised, in words with the limits."""
        return self.when.format(low=self.low, high=self.high)

    @property
    def alarms(self) -> str:
        """How often the flag was raised on reference masks, in words; "" where it cannot be."""
        return "" if self.spoke is None else f"{self.spoke[0]} of 449, {self.spoke[1]} of 60"

    def breaks(self, value: float) -> bool:
        """Whether a value lies outside the limits."""
        return not self.low <= value <= self.high

    def flag(self, text: str, *, about: str | None = None) -> Flag:
        """The flag that it raises, in a sentence about the case at hand."""
        return Flag(self.grade, text, self.name, self.about if about is None else about)


def _read() -> Mapping[str, Rule]:
    tables = tomllib.loads(files("cardiotrace.clinical").joinpath("rules.toml").read_text("utf-8"))
    rules = {}
    for name, table in tables.items():
        values = table | {"grade": Grade(table["grade"]), "of": tuple(table["of"])}
        values |= {"spoke": tuple(table["spoke"])} if "spoke" in table else {}
        rules[name] = Rule(name, **values)
    return rules


RULES: Mapping[str, Rule] = _read()
"""Every rule by name."""


def flag(rule: str, text: str, *, about: str | None = None) -> Flag:
    """A flag of a rule by its name.

    Example:
        >>> flag("ejection-impossible", "an ejection fraction of -3 % cannot be", about="RV").grade
        <Grade.NOT_USABLE: 'not usable'>
    """
    return RULES[rule].flag(text, about=about)


def doubting(flags: Iterable[Flag], kind: str) -> tuple[Flag, ...]:
    """The flags that concern quantities of a kind, each once.

    Example:
        >>> found = (flag("atrium-cut", "the left atrium is cut off"), flag("jump", "the area jumps"))
        >>> [str(item) for item in doubting(found, "atrium")]
        ['the left atrium is cut off']
    """
    return tuple(dict.fromkeys(item for item in flags if item.rule in RULES and kind in RULES[item.rule].of))
