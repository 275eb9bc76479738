"""Random changes of ultrasound sectors: turns and stretches about the apex, which leave the image a sector."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cardiotrace.geometry.sector import Apex, SectorChange, before_change, find_sector
from cardiotrace.inference.tta import SectorTransforms
from cardiotrace.learning.augmentation.draw import Draw, drawn
from cardiotrace.learning.transfer import sent

Sectors = Float[Tensor, "planes 3"]
"""(x, y) of each apex in coordinates from -1 to 1 from edge to edge, and the aspect of the pixels."""


@dataclass(frozen=True)
class SectorAugmentation:
    """How sectors are changed: as if the probe had been tilted in the plane, or its angle or depth set otherwise.

    Source:
        After the idea of Sfakianakis et al. 2023, Biomed Signal Process Control 82:104557 (GUDU).
    """

    apex: Apex = "found"
    """Where each sector turns: where its own edges meet, or ("top") the middle of the plane's first row."""
    turn_degrees: Draw = field(default_factory=Draw)
    """Counter-clockwise as displayed, about the apex."""
    opening: Draw = field(default_factory=Draw)
    """Factor on the angle from the vertical through the apex."""
    depth: Draw = field(default_factory=Draw)
    """Factor on the distance from the apex; above 1 enlarges what is shown, as a smaller depth setting does."""

    def __post_init__(self) -> None:
        for name in ("opening", "depth"):
            draw: Draw = getattr(self, name)
            if draw.probability > 0 and draw.low <= 0:
                raise ValueError(f"{name} must be above 0, got low = {draw.low}")

    def typical_changes(self) -> tuple[SectorChange, ...]:
        """Changes to average over in use: none, and each one alone, half way to either end of its range.

        Example:
            >>> [change.depth for change in SectorAugmentation(depth=Draw(0.5, 0.8, 1.0)).typical_changes()]
            [1.0, 0.9]
        """
        neutral = {"turn_degrees": 0.0, "opening": 1.0, "depth": 1.0}
        # Half way: the ends are the rarest of what training has shown, and what is averaged should be as sure as the
        # rest.
        halves = [
            {name: round((end + value) / 2, 6)}
            for name, value in neutral.items()
            if (draw := getattr(self, name)).probability > 0
            for end in (draw.low, draw.high)
            if end != value
        ]
        return (SectorChange(), *(SectorChange(**half) for half in halves))

    def variants(self) -> SectorTransforms | None:
        """What a model file says of it; None where nothing is ever changed."""
        changes = self.typical_changes()
        return SectorTransforms(changes, self.apex) if len(changes) > 1 else None


def find_sectors(planes: Iterable[np.ndarray], apex: Apex) -> Sectors:
    """Where the sectors of planes (channels, height, width) lie; colours count by their brightest channel.

    Args:
        planes: of one size.
        apex: see `SectorAugmentation`.
    """
    rows = []
    for plane in planes:
        height, width = plane.shape[-2:]
        sector = find_sector(plane.max(axis=0), apex=apex)
        rows.append((2 * sector.column / width - 1, 2 * sector.row / height - 1, sector.aspect))
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 3)


def sample_sector(
    config: SectorAugmentation | None, sectors: Sectors | None, count: int, generator: torch.Generator
) -> Float[Tensor, "batch numbers"]:
    """Draw the change of each sector: (count, 6) of apex, aspect, turn in radians, opening and depth.

    Returns:
        No columns where no change is wanted.

    Raises:
        ValueError: a change is wanted and it is not said where the sectors lie.
    """
    if config is None:
        return torch.zeros(count, 0)
    if sectors is None or len(sectors) != count:
        raise ValueError(f"a change of {count} sectors needs to know where each of them lies")
    turn = torch.deg2rad(drawn(config.turn_degrees, count, 0.0, generator))
    opening = drawn(config.opening, count, 1.0, generator)
    depth = drawn(config.depth, count, 1.0, generator)
    return torch.cat([sectors, torch.stack([turn, opening, depth], dim=1)], dim=1)


def is_sector_moved(numbers: Float[Tensor, "batch numbers"]) -> Tensor:
    """Which sectors a change moves."""
    if not numbers.shape[1]:
        return torch.zeros(len(numbers), dtype=torch.bool)
    return (numbers[:, 3:] != torch.tensor([0.0, 1.0, 1.0])).any(dim=1)


def through_sector(
    where: Float[Tensor, "batch 2 height width"], numbers: Float[Tensor, "batch numbers"], shape: tuple[int, int]
) -> Float[Tensor, "batch 2 height width"]:
    """Where places (x, y) of the changed sectors lay before, both from -1 to 1 from edge to edge.

    Args:
        where: places that are asked for.
        numbers: from `sample_sector`; without columns nothing is changed.
        shape: height and width of the images, pixels.
    """
    # As they are, to the bit: to angles and back would round.
    if not is_sector_moved(numbers).any():
        return where
    x, y, aspect, turn, opening, depth = (column[:, None, None] for column in sent(numbers, where.device).unbind(dim=1))
    # Lengths are counted in half heights of the image.
    across = aspect * (shape[1] / shape[0])
    right, down = before_change(
        (where[:, 0] - x) * across, where[:, 1] - y, turn=turn, opening=opening, depth=depth, library=torch
    )
    return torch.stack([right / across + x, down + y], dim=1)
