"""Smooth noise in space that is the same wherever it is looked at from."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

SIDE = 64
"""Cells of a block along each axis, after which it repeats."""


@dataclass(frozen=True)
class Texture:
    """A block of smooth noise of mean 0 and spread 1, repeated over all space.

    Args:
        seed: of the noise.
        smoothing: standard deviation of the smoothing, cells.
    """

    seed: tuple[int, ...]
    smoothing: float = 4.0

    def at(
        self,
        x: Float[np.ndarray, "*points"],
        y: Float[np.ndarray, "*points"],
        z: Float[np.ndarray, "*points"],
        cell: float,
    ) -> Float[np.ndarray, "*points"]:
        """Noise at points, of the cell that each lies in.

        Args:
            x: coordinates, of any unit.
            y: likewise.
            z: likewise.
            cell: size of a cell in that unit.

        Example:
            >>> texture = Texture((1,))
            >>> here = np.zeros(1, np.float32)
            >>> bool(texture.at(here, here, here, 0.5) == texture.at(here + 32, here, here, 0.5))
            True
        """
        scale = np.float32(1 / cell)
        i, j, k = (np.floor(value * scale).astype(np.int32) & (SIDE - 1) for value in (x, y, z))
        return np.asarray(_block(self.seed, self.smoothing)[(i * SIDE + j) * SIDE + k])


@lru_cache(maxsize=16)
def _block(seed: tuple[int, ...], smoothing: float) -> Float[np.ndarray, " cells"]:
    """The cells of a block, of 1 MiB; all planes of an exam look at the same few."""
    from scipy import ndimage  # slow to import, so only when needed

    noise = np.random.default_rng(seed).standard_normal((SIDE, SIDE, SIDE), np.float32)
    made = ndimage.gaussian_filter(noise, smoothing, mode="wrap")
    made -= made.mean()
    return np.asarray(made / made.std()).ravel()
