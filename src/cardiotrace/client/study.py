"""What the application tells of studies and of its work, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Fraction:
    """An ejection fraction, percent, with its interval where the model was calibrated."""

    value: float
    low: float | None
    high: float | None
    method: str | None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.0f} %"
        return f"{self.value:.0f} % ({self.low:.0f} to {self.high:.0f})"


@dataclass(frozen=True)
class StudySummary:
    """A study as the list shows it.

    Example:
        >>> told = {"value": 47.2, "low": 41.0, "high": 54.4, "method": "biplane"}
        >>> plain = {"id": "a", "name": "p1", "state": "done", "version": 1, "ejection_fraction": told}
        >>> str(StudySummary.of(plain).ejection_fraction)
        '47 % (41 to 54)'
    """

    id: str
    name: str
    state: str
    """queued, running, done, failed or cancelled."""
    version: int
    ejection_fraction: Fraction | None = None
    grade: str | None = None
    """Of the gravest flag; None where there is none."""
    views: tuple[str, ...] = ()
    problem: str = ""
    """Why it failed."""
    plain: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All that was told."""

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "StudySummary":
        """From what the application answers."""
        told = plain.get("ejection_fraction")
        keys = ("value", "low", "high", "method")
        return cls(
            id=plain["id"],
            name=plain["name"],
            state=plain["state"],
            version=plain["version"],
            ejection_fraction=None if told is None else Fraction(*(told.get(key) for key in keys)),
            grade=plain.get("grade"),
            views=tuple(plain.get("views", ())),
            problem=(plain.get("error") or {}).get("text", ""),
            plain=plain,
        )


@dataclass(frozen=True)
class Job:
    """A piece of work."""

    id: str
    kind: str
    state: str
    progress: Mapping[str, Any] | None
    result: Mapping[str, Any]
    problem: str
    """Why it failed."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ENDED

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Job":
        """From what the application answers."""
        return cls(
            id=plain["id"],
            kind=plain["kind"],
            state=plain["state"],
            progress=plain.get("progress"),
            result=plain.get("result") or {},
            problem=(plain.get("error") or {}).get("text", ""),
        )
