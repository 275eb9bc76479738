"""One heart beat of a film."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Beat:
    """From one end-diastole to the next.

    Example:
        >>> Beat("p1_A4C", "A4C", 2, 14, 33).to_plain()["end_systole"]
        14
        >>> Beat("p1_A4C", "A4C", 2, 14, None).is_whole
        False
    """

    image: str
    """Name of the image."""
    view: str
    """What a cardiologist calls its view."""
    end_diastole: int
    """Frame in which it begins, from 0."""
    end_systole: int
    """Frame of the smallest ventricle after that."""
    stop: int | None
    """Frame of the next end-diastole; None where the film ends before."""

    @property
    def is_whole(self) -> bool:
        """Whether its diastole is shown to the end."""
        return self.stop is not None

    def to_plain(self) -> dict[str, Any]:
        """The beat as JSON holds it."""
        return {
            "image": self.image,
            "view": self.view,
            "end_diastole": self.end_diastole,
            "end_systole": self.end_systole,
            "stop": self.stop,
        }
