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
    """Frame of the next end-diastole; None where the film ends before. It is the same end-diastole in a film that goes
    round: one beat gathered from many, as in gated cine-MRI, in which end-systole may have the lower number."""

    @property
    def is_whole(self) -> bool:
        """Whether its diastole is shown to the end."""
        return self.stop is not None

    def frames(self, count: int) -> tuple[int, ...]:
        """Its frames in order of time, the next end-diastole last; up to the film's end where that is not shown.

        Args:
            count: frames of the film.

        Example:
            >>> Beat("p1_A4C", "A4C", 2, 4, 6).frames(20), Beat("p1_SAX", "SAX", 3, 1, 3).frames(5)
            ((2, 3, 4, 5, 6), (3, 4, 0, 1, 2, 3))
        """
        if self.stop is None:
            return tuple(range(self.end_diastole, count))
        last = self.stop if self.stop > self.end_diastole else self.stop + count
        return tuple(frame % count for frame in range(self.end_diastole, last + 1))

    def to_plain(self) -> dict[str, Any]:
        """The beat as JSON holds it."""
        return {
            "image": self.image,
            "view": self.view,
            "end_diastole": self.end_diastole,
            "end_systole": self.end_systole,
            "stop": self.stop,
        }
