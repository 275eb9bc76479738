"""What a corrector did to labels that can be no heart's, frame by frame, and how far that moved what is measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.label import LabelMap


class Outcome(StrEnum):
    """What came of a plane of labels."""

    VALID = "valid"
    """It passes all criteria: not touched."""
    CORRECTED = "corrected"
    FAR = "no valid shape is near"
    """It fails, and so does all that is near: not touched."""


@dataclass(frozen=True)
class PlaneCorrection:
    """One plane that fails the criteria, and what was done."""

    frame: int
    depth: int
    outcome: Outcome
    failed: tuple[str, ...]
    """Criteria that it failed, each in words with the value."""
    dice: float | None
    """Between the labels before and after, or those that were tried last; mean over the structures. None where nothing
    could be tried."""

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        dice = None if self.dice is None else round(self.dice, 4)
        return {
            "frame": self.frame,
            "slice": self.depth,
            "outcome": self.outcome.value,
            "failed": list(self.failed),
            "dice": dice,
        }


@dataclass(frozen=True)
class ImageCorrection:
    """All planes of one image that fail."""

    corrector: str
    """Name of the model; "" where there was none for the image."""
    before: LabelMap
    """The labels as they were found, nothing corrected."""
    planes: tuple[PlaneCorrection, ...]
    why_not: str = ""
    """Why nothing was looked at, in words."""

    @property
    def corrected(self) -> tuple[PlaneCorrection, ...]:
        """Those that are other ones now."""
        return tuple(plane for plane in self.planes if plane.outcome is Outcome.CORRECTED)

    @property
    def left(self) -> tuple[PlaneCorrection, ...]:
        """Those that fail still."""
        return tuple(plane for plane in self.planes if plane.outcome is Outcome.FAR)


@dataclass(frozen=True)
class Moved:
    """A quantity before and after the labels were changed; None where it could not be measured."""

    name: str
    unit: str
    method: Method
    view: str
    before: float | None
    after: float | None

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "method": self.method.value,
            "view": self.view,
            "before": _rounded(self.before),
            "after": _rounded(self.after),
        }


@dataclass(frozen=True)
class Correction:
    """What the corrector did to an exam."""

    images: Mapping[str, ImageCorrection]
    """By name of the image."""
    moved: tuple[Moved, ...] = ()
    """Quantities that are other ones than without it."""

    @property
    def has_corrected(self) -> bool:
        """Whether any plane is another one now."""
        return any(image.corrected for image in self.images.values())

    def to_plain(self) -> dict[str, Any]:
        """What `measures.json` holds of it."""
        return {
            "images": [
                {
                    "image": name,
                    "corrector": image.corrector,
                    **({"why_not": image.why_not} if image.why_not else {}),
                    "planes": [plane.to_plain() for plane in image.planes],
                }
                for name, image in self.images.items()
            ],
            "moved": [each.to_plain() for each in self.moved],
        }


def moved(before: Measures, after: Measures) -> tuple[Moved, ...]:
    """The quantities of which two measurements of the same exam differ, in the order of the second.

    Args:
        before: of the labels as they were found.
        after: of those that were corrected, or made by an adapted model.
    """
    first, second = _by_key(before), _by_key(after)
    return tuple(
        Moved(*place, _value(first.get(place)), _value(second.get(place)))
        for place in dict.fromkeys([*second, *first])
        if _value(first.get(place)) != _value(second.get(place))
    )


def _by_key(quantities: Iterable[Quantity]) -> dict[tuple[str, str, Method, str], Quantity]:
    found: dict[tuple[str, str, Method, str], Quantity] = {}
    for item in quantities:
        found.setdefault((item.name, item.unit, item.method, item.view), item)
    return found


def _value(quantity: Quantity | None) -> float | None:
    return None if quantity is None else quantity.value


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
