"""Which frame of which image a value stands on."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class FrameRef:
    """A frame of an exam's image, written "image:frame".

    Example:
        >>> str(FrameRef("p1_A4C", 12)), FrameRef.of("scan:2:0")
        ('p1_A4C:12', FrameRef(image='scan:2', frame=0))
    """

    image: str
    """Name of the image; it may hold colons."""
    frame: int
    """From 0."""

    def __str__(self) -> str:
        return f"{self.image}:{self.frame}"

    @classmethod
    def of(cls, text: str) -> "FrameRef":
        """Read a reference that is written "image:frame".

        Raises:
            ValueError: the text does not end in a colon and a whole number.
        """
        image, _, frame = text.rpartition(":")
        return cls(image, int(frame))
