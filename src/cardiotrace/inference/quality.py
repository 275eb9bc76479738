"""The Dice that a reader's outlines are expected to have with a model's, told from its probabilities alone.

Of a frame and structure five signs are taken from sums over the probabilities (`evidence.SUMS`). The logarithm of what
is missing to a Dice of 1 is a weighted sum of them, fitted on predictions of patients that the network had not learned
from, see `evaluation.quality`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.core.terms import Structure
from cardiotrace.inference.evidence import Evidence, Sums

SIGNS = ("soft_dice", "certainty", "border", "share", "volume")
"""Of a structure with mask m and probability p: 2 sum(p m) / (sum(p) + sum(m)); the mean of p over m; the sum of
p (1 - p) for each pixel of the mask's side; the mask's share of all structures; sum(p) / sum(m)."""
OFFSET = 0.01
"""Added to what is missing to 1 before the logarithm: no tracing is perfect."""
_SMALL = 0.005
_WIDEST = 5.0
"""Standard deviations: beyond them a line that was fitted within two or three says nothing more."""


@dataclass(frozen=True)
class QualityModel:
    """Of one structure."""

    bias: float
    signs: dict[str, tuple[float, float, float]]
    """Mean, standard deviation and weight of each of `SIGNS`."""
    lowest: float
    """Expected Dice below which a frame is doubted: `flagged` of the frames it was fitted on lie below."""
    flagged: float
    error: float
    """Mean absolute error of the expected Dice, of patients that it was not fitted on."""
    frames: int
    """On which it was fitted."""

    def expected(self, signs: Float[np.ndarray, "signs"]) -> float:
        """Dice, 0 to 1; NaN where a sign is none."""
        rows = np.array([self.signs[name] for name in SIGNS])
        standard = np.clip((signs - rows[:, 0]) / rows[:, 1], -_WIDEST, _WIDEST)
        return float(np.clip(1 + OFFSET - np.exp(self.bias + standard @ rows[:, 2]), 0, 1))


def quality_signs(sums: Sums) -> Float[np.ndarray, "structures signs"]:
    """`SIGNS` of every structure of a frame, as logarithms; NaN for one that is not there.

    Example:
        >>> quality_signs(np.array([[100.0, 100.0, 100.0, 0.0]])).round(2).tolist()
        [[-5.3, -5.3, -2.4, 0.0, 0.0]]
    """
    probability, pixels, own, spread = sums.T
    all_pixels = pixels.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        signs = np.log(
            [
                1 - 2 * own / (probability + pixels) + _SMALL,
                1 - own / pixels + _SMALL,
                (spread + 1) / (np.sqrt(pixels) + 1),
                (pixels + 1) / (all_pixels + 1),
                (probability + 1) / (pixels + 1),
            ]
        ).T
    signs[pixels == 0] = np.nan
    return np.asarray(signs)


def expected_dice(
    models: Mapping[str, QualityModel], structures: Sequence[Structure], evidence: Sequence[Evidence | None]
) -> dict[Structure, Float[np.ndarray, "time"]]:
    """Expected Dice of each structure that there is a model for, frame by frame.

    Args:
        models: by structure.
        structures: in the order of the evidence's sums.
        evidence: of each frame; None where it shows no image.

    Returns:
        By structure; NaN in frames without an image, or where the network saw no pixel of it.
    """
    found = {name: np.full(len(evidence), np.nan) for name in structures if name in models}
    for frame, item in enumerate(evidence):
        if item is None or not found:
            continue
        signs = dict(zip(structures, quality_signs(item.sums), strict=True))
        for name, values in found.items():
            values[frame] = models[name].expected(signs[name])
    return found
