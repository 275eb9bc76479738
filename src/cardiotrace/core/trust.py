"""How far the labels of an image may be trusted, frame by frame, as the model that made them tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from cardiotrace.core.terms import Structure

ErrorMap = Float[np.ndarray, "depth height width"]
"""Probability that the label of each pixel of a frame is wrong."""
ErrorMaps = Mapping[tuple[str, int], ErrorMap]
"""By name of the image and frame."""


@dataclass(frozen=True)
class ImageTrust:
    """What is to be expected of the labels of one image; NaN in frames of which nothing can be told.

    Example:
        >>> trust = ImageTrust({Structure.LV: np.array([0.9, np.nan])}, np.array([0.5, np.nan]))
        >>> trust.to_plain()
        {'expected_dice': {'LV': [0.9, None]}, 'unlikeness': [0.5, None]}
    """

    expected_dice: Mapping[Structure, Float[np.ndarray, "time"]]
    """Dice that a reader's outline of a structure is expected to have with the model's."""
    unlikeness: Float[np.ndarray, "time"]
    """How unlike a frame is to the images that the model was tried on; 1 is the limit."""

    @property
    def is_known(self) -> bool:
        """Whether anything is told of any frame."""
        return any(np.isfinite(values).any() for values in (*self.expected_dice.values(), self.unlikeness))

    def expected_in(self, frames: Sequence[int]) -> dict[Structure, float]:
        """Mean expected Dice over frames, of structures that are seen in any; over all frames where none is named."""
        chosen = {name: values[list(frames)] if frames else values for name, values in self.expected_dice.items()}
        return {name: float(np.nanmean(values)) for name, values in chosen.items() if np.isfinite(values).any()}

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it: null where nothing is told."""
        dice = {str(name): _plain(values) for name, values in self.expected_dice.items()}
        return {"expected_dice": dice, "unlikeness": _plain(self.unlikeness)}


def _plain(values: Float[np.ndarray, "time"]) -> list[float | None]:
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]
