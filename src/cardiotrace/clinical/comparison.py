"""What changed since an earlier exam, and whether it is more than measuring twice would show."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Any

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity

_SMALLEST = 1.96 * 2**0.5
"""The difference of two measurements exceeds so many standard deviations of one in 5 % of unchanged hearts."""


class Verdict(StrEnum):
    """How a change compares with the repeatability."""

    WITHIN = "within the repeatability"
    NEAR = "at the limit of the repeatability"
    BEYOND = "beyond the repeatability"


class Obstacle(StrEnum):
    """Why a quantity of both exams is not compared."""

    METHOD = "another method"
    VIEW = "another view"
    OUTLINES = "papillary muscles were traced otherwise"
    NOT_USABLE = "not usable in one of the exams"


@dataclass(frozen=True)
class Repeatability:
    """How far two measurements of an unchanged heart lie apart."""

    source: str
    seen: str
    """Where its numbers were read."""
    views: tuple[str, ...]
    methods: tuple[Method, ...] = ()
    """Empty where any will do."""
    variation_percent: float | None = None
    """Within-subject standard deviation over the mean."""
    change: tuple[float, ...] = ()
    """Smallest change that counts, or from where it may and from where it does."""

    def is_of(self, quantity: Quantity) -> bool:
        """Whether it was found for values of this method and view."""
        seen = any(fnmatchcase(quantity.view, pattern) for pattern in self.views)
        return seen and (not self.methods or quantity.method in self.methods)

    def limits(self, before: float, now: float) -> tuple[float, float]:
        """From where a change may count and from where it does, in the unit of the values.

        Example:
            >>> twice = Repeatability("", "", (), variation_percent=4.2)
            >>> [round(limit, 1) for limit in twice.limits(58.0, 62.0)]
            [7.0, 7.0]
        """
        if self.variation_percent is None:
            return min(self.change), max(self.change)
        limit = _SMALLEST * self.variation_percent / 100 * abs(before + now) / 2
        return limit, limit

    def verdict(self, before: float, now: float) -> Verdict:
        """How the change from one value to the other compares with it."""
        low, high = self.limits(before, now)
        change = abs(now - before)
        return Verdict.BEYOND if change > high else Verdict.NEAR if change > low else Verdict.WITHIN


def _read() -> Iterator[tuple[str, Repeatability]]:
    tables = tomllib.loads(files("cardiotrace.clinical").joinpath("repeatability.toml").read_text("utf-8"))
    for table in tables.values():
        methods = tuple(map(Method, table.get("methods", ())))
        found = Repeatability(table["source"], table["seen"], tuple(table["views"]), methods)
        for key, percent in table.get("variation_percent", {}).items():
            yield key, replace(found, variation_percent=percent)
        for key, change in table.get("change", {}).items():
            yield key, replace(found, change=tuple(map(float, change)))


REPEATABILITIES: tuple[tuple[str, Repeatability], ...] = tuple(_read())
"""With name and unit of the quantity, of those whose numbers could be read."""


@dataclass(frozen=True)
class Change:
    """One quantity then and now."""

    before: Quantity
    now: Quantity
    obstacle: Obstacle | None = None
    """Why they are not compared."""
    repeatability: Repeatability | None = None
    """What the change is held against; None where nobody's numbers are known, or another model drew the outlines."""

    @property
    def difference(self) -> float | None:
        """Now less before, in the unit of the quantity; None where they are not compared.

        Of six digits each, as files hold them: an unchanged value has not changed.
        """
        return None if self.obstacle else _rounded(_rounded(self.now.value) - _rounded(self.before.value))

    @property
    def verdict(self) -> Verdict | None:
        """How the difference compares with the repeatability; None where nothing tells."""
        if self.obstacle or self.repeatability is None:
            return None
        return self.repeatability.verdict(self.before.value, self.now.value)

    def to_plain(self) -> dict[str, Any]:
        """The change as JSON holds it."""
        plain: dict[str, Any] = {
            "name": self.now.name,
            "unit": self.now.unit,
            **{
                when: {"value": _rounded(item.value), "method": item.method.value, "view": item.view}
                for when, item in (("before", self.before), ("now", self.now))
            },
        }
        if self.obstacle or self.difference is None:
            return plain | {"not_compared": str(self.obstacle)}
        plain["change"] = _rounded(self.difference)
        if self.repeatability is None or self.verdict is None:
            return plain
        limits = self.repeatability.limits(self.before.value, self.now.value)
        told = {"limits": [_rounded(limit) for limit in limits], "source": self.repeatability.source}
        return plain | {"verdict": self.verdict.value, "repeatability": told}


@dataclass(frozen=True)
class EarlierExam:
    """Measures of an earlier exam, and what they rest on."""

    measures: Measures
    models: Mapping[str, str] = field(default_factory=dict)
    """What drew its outlines, digests by name; empty where a person did, or nobody knows."""
    papillaries: str = "cavity"
    """Where its outlines of a short axis leave the papillary muscles."""
    version: str = ""
    """Of the program that measured it."""


@dataclass(frozen=True)
class Comparison:
    """An exam against an earlier one."""

    earlier: EarlierExam
    changes: tuple[Change, ...]
    """In the order of today's quantities, each name once."""
    is_same_model: bool
    """Whether the very same models drew the outlines of both; False where a person drew any."""

    def of(self, quantity: Quantity) -> Change | None:
        """The change of this very value; None where it is not compared."""
        return next((item for item in self.changes if item.now is quantity and not item.obstacle), None)

    def to_plain(self) -> dict[str, Any]:
        """The comparison as JSON holds it."""
        return {
            "exam": self.earlier.measures.exam,
            "models": list(self.earlier.models),
            "is_same_model": self.is_same_model,
            "changes": [change.to_plain() for change in self.changes],
        }


def compare_exams(
    now: Measures, earlier: EarlierExam, *, models: Mapping[str, str] | None = None, papillaries: str = "cavity"
) -> Comparison:
    """Compare the values of an exam with those of an earlier one of the same patient.

    A value is compared with one of the same name, unit, method and view, and with no other. Where other models drew
    the outlines, the change is told and not judged: it holds the difference of the models.

    Args:
        now: what was measured in this exam.
        earlier: the exam before.
        models: what drew the outlines of this exam, digests by name; None where a person did.
        papillaries: where they leave the papillary muscles in a short axis.
    """
    is_same = bool(models) and models == dict(earlier.models)
    found: dict[str, Change] = {}
    for quantity in now:
        candidates = [item for item in earlier.measures if item.key == quantity.key]
        if not candidates:
            continue
        change = _change(quantity, candidates, is_same_outlines=papillaries == earlier.papillaries)
        if is_same and not change.obstacle:
            change = Change(change.before, change.now, repeatability=_repeatability(quantity))
        kept = found.get(quantity.key)
        if kept is None or (kept.obstacle and not change.obstacle):
            found[quantity.key] = change
    return Comparison(earlier, tuple(found.values()), is_same)


def _change(now: Quantity, candidates: Sequence[Quantity], *, is_same_outlines: bool) -> Change:
    """Against the value of the same method and view; where there is none, against none, with what differs."""
    alike = [item for item in candidates if (item.method, item.view) == (now.method, now.view)]
    if not alike:
        before = next((item for item in candidates if item.method is now.method), candidates[0])
        return Change(before, now, Obstacle.VIEW if before.method is now.method else Obstacle.METHOD)
    before = alike[0]
    if not (before.is_usable and now.is_usable):
        return Change(before, now, Obstacle.NOT_USABLE)
    if now.method is Method.SUM_OF_SLICES and now.name.startswith("left_") and not is_same_outlines:
        return Change(before, now, Obstacle.OUTLINES)
    return Change(before, now)


def _repeatability(quantity: Quantity) -> Repeatability | None:
    return next((item for key, item in REPEATABILITIES if key == quantity.key and item.is_of(quantity)), None)


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def earlier_exam(measures: Measures, provenance: Mapping[str, Any]) -> EarlierExam:
    """An earlier exam from what its `measures.json` holds.

    Args:
        measures: as they were read.
        provenance: of the same file; empty in files of version 1.
    """
    models, given = provenance.get("models"), provenance.get("given")
    listed = [item for item in models if isinstance(item, dict)] if isinstance(models, list) else []
    told = given.get("papillaries") if isinstance(given, dict) else None
    return EarlierExam(
        measures,
        {str(item.get("name", "")): str(item.get("sha256", "")) for item in listed},
        str(told or "cavity"),
        str(provenance.get("version", "")),
    )
