"""What adapting a model to an image did to its labels, and how far that moved what is measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cardiotrace.clinical.correction import Moved
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure


@dataclass(frozen=True)
class ImageAdaptation:
    """One image: what was done, and what came of it."""

    method: str
    model: str
    before: LabelMap
    """The labels of the model as it is."""
    dice: Mapping[Structure, float]
    """Between the labels before and after, over all of the image; NaN where there are neither."""
    area: Mapping[Structure, float]
    """Pixels after, as a share of those before; NaN where there were none."""
    entropy: tuple[float, float]
    """Mean over pixels of what the network sees, before and after, nats."""
    why_not: str = ""
    """Why the labels are still those of the model as it is, in words."""
    rule: str = ""
    """That spoke against the adapted labels; empty where none did."""

    @property
    def is_adapted(self) -> bool:
        """Whether the labels are those of the adapted model."""
        return not self.why_not

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "method": self.method,
            "model": self.model,
            "adapted": self.is_adapted,
            **({"why_not": self.why_not} if self.why_not else {}),
            "dice": _plain(self.dice),
            "area": _plain(self.area),
            "entropy": [_rounded(value) for value in self.entropy],
        }


@dataclass(frozen=True)
class Adaptation:
    """What adapting did to an exam."""

    images: Mapping[str, ImageAdaptation]
    """By name of the image."""
    moved: tuple[Moved, ...] = ()
    """Quantities that are other ones than without it."""

    @property
    def has_adapted(self) -> bool:
        """Whether any label map is that of an adapted model."""
        return any(image.is_adapted for image in self.images.values())

    def to_plain(self) -> dict[str, Any]:
        """What `measures.json` holds of it."""
        return {
            "images": [{"image": name, **image.to_plain()} for name, image in self.images.items()],
            "moved": [each.to_plain() for each in self.moved],
        }


def _plain(values: Mapping[Structure, float]) -> dict[str, float | None]:
    return {str(structure): _rounded(value) for structure, value in values.items()}


def _rounded(value: float) -> float | None:
    """What JSON can say: a number that is none is null."""
    return round(value, 4) if abs(value) < float("inf") else None
