"""Random numbers of augmentation."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draw:
    """With `probability` a number uniform in [low, high]; otherwise the value that changes nothing."""

    probability: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be in 0..1, got {self.probability}")
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")


def require_share(name: str, draw: Draw) -> None:
    """Refuse shares beyond 0..1.

    Raises:
        ValueError: one end is no share.
    """
    if draw.low < 0 or draw.high > 1:
        raise ValueError(f"{name} must be in 0..1, got {draw.low} to {draw.high}")


def drawn(draw: Draw | None, count: int, neutral: float, generator: torch.Generator, axes: int = 0) -> Tensor:
    """(count) or (count, axes) values; always takes the same number of random numbers, and none where draw is None."""
    shape = (count, axes) if axes else (count,)
    if draw is None:
        return torch.full(shape, neutral)
    happens = torch.rand(count, generator=generator) < draw.probability
    # Drawn also where it does not happen: else a probability would change every number that is drawn after it.
    values = torch.rand(shape, generator=generator)
    values = draw.low + (draw.high - draw.low) * values
    return torch.where(happens.unsqueeze(1) if axes else happens, values, torch.tensor(neutral))
