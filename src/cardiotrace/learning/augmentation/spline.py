"""Cubic B-splines over a coarse grid of control points."""

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=32)  # few sizes, asked for in every batch
def spline_weights(side: int, points: int, device: torch.device) -> Tensor:
    """Cubic B-spline weights of every control point (columns) at every pixel centre (rows); rows sum to 1."""
    position = (torch.arange(side) + 0.5) / side * (points - 3)
    distance = (position[:, None] - torch.arange(-1, points - 1)).abs()
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = (2 - distance).clamp(min=0) ** 3 / 6
    return torch.where(distance < 1, near, far).to(device)
