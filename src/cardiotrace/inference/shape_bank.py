"""What a corrector of labels knows of valid shapes, as its model file holds it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.terms import View
from cardiotrace.inference.unlikeness import Table, unpacked


@dataclass(frozen=True)
class ShapeBank:
    """Codes of shapes that pass the anatomical criteria, and how near a corrected map must be.

    Raises:
        ModelFileError: it says of no view, or its numbers cannot be.
    """

    views: tuple[View, ...]
    """Views whose shapes it knows."""
    side: int
    """Rows and columns of the grid that label maps are framed on, see `shape_frame`."""
    code: int
    """Numbers that describe a shape."""
    limits: str
    """The set of anatomical limits by which a shape is valid."""
    lowest_dice: float
    """Dice of the labels before and after, mean over the structures, below which they are left as they are."""
    known: str = ""
    """Codes of valid shapes, see `unlikeness.packed`; without any, only what is drawn of a map's own code is tried."""
    count: int = 0
    """How many those are."""

    def __post_init__(self) -> None:
        if not self.views or min(self.side, self.code) < 1 or not 0 <= self.lowest_dice <= 1:
            raise ModelFileError("the model's bank of shapes is damaged", remedy="make the corrector again.")

    @cached_property
    def codes(self) -> Table:
        """Of the valid shapes, (count, code)."""
        codes = unpacked(self.known, self.code)
        if len(codes) != self.count:
            raise ModelFileError("the model's bank of shapes is damaged", remedy="make the corrector again.")
        return codes

    def nearest(self, code: Float[np.ndarray, " code"], count: int) -> Table:
        """The codes of valid shapes nearest to another, the nearest first."""
        distances = ((self.codes - code) ** 2).sum(axis=1)
        return self.codes[np.argsort(distances, kind="stable")[:count]]
