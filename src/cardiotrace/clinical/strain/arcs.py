"""Both walls of a long-axis view cut into a basal, a mid and an apical arc, and followed over the beat."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from cardiotrace.clinical.strain.wall_line import WallLine

ARCS = 3
"""Of each wall: basal, mid, apical."""


@dataclass(frozen=True)
class Arcs:
    """Where the arcs of both walls end, as shares of the long axis: what is kept from frame to frame.

    No border between muscle and blood shows which piece of muscle is where along it. So an arc is taken to keep its
    share of the height between mitral plane and apex, as a wall does that shortens evenly along the axis.
    """

    heights: Float[np.ndarray, "2 2"]
    """Of the ends of the basal and the mid arc of the left wall of the image, then of the right one."""

    @classmethod
    def of(cls, line: WallLine) -> "Arcs":
        """Three equal arcs of each wall of a line, which is that of end-diastole."""
        thirds = np.arange(1, ARCS) / ARCS
        return cls(np.array([np.interp(thirds * way[-1], way, height) for way, height in map(_rising, _walls(line))]))

    def lengths(self, line: WallLine) -> Float[np.ndarray, "2 3"]:
        """Of the basal, mid and apical arc of the left wall, then of the right one, in the unit of the line.

        Example:
            >>> angle = np.linspace(np.pi, 0, 721)
            >>> round_line = WallLine(np.stack([-30 * np.sin(angle), 30 * np.cos(angle)], axis=1))
            >>> Arcs.of(round_line).lengths(round_line).round(1).tolist()
            [[15.7, 15.7, 15.7], [15.7, 15.7, 15.7]]
        """
        found = []
        for wall, ends in zip(_walls(line), self.heights, strict=True):
            way, height = _rising(wall)
            found.append(np.diff([0.0, *np.interp(ends, height, way), way[-1]]))
        return np.array(found)

    def places(self, line: WallLine) -> Float[np.ndarray, "7"]:
        """Where the arcs meet, as places along the points of a line: from the first hinge over the apex to the other.

        Between two of them lies an arc: basal, mid and apical of the left wall, then apical, mid and basal of the right.

        Example:
            >>> angle = np.linspace(np.pi, 0, 182)
            >>> round_line = WallLine(np.stack([-30 * np.sin(angle), 30 * np.cos(angle)], axis=1))
            >>> Arcs.of(round_line).places(round_line).round(1).tolist()
            [0.0, 30.0, 60.0, 90.5, 121.0, 151.0, 181.0]
        """
        ends = []
        for wall, shares in zip(_walls(line), self.heights, strict=True):
            _, height = _rising(wall)
            ends.append(np.interp(shares, height, np.arange(len(height))))
        last, top = len(line.points) - 1, _split(line) - 0.5
        return np.concatenate([[0.0], ends[0], [top], last - ends[1][::-1], [last]])

    def numbers(self, line: WallLine) -> Int[np.ndarray, "n"]:
        """In which arc each point of a line lies: 0 to 2 of the left wall from its base up, 3 to 5 of the right one."""
        height, split = _heights(line), _split(line)
        left = np.searchsorted(self.heights[0], height[:split], side="right")
        right = np.searchsorted(self.heights[1], height[split:], side="right")
        return np.concatenate([left, ARCS + right])


def _axis(line: WallLine) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """From the middle between the hinges through the middle of the cavity: foot and unit direction.

    Not to the farthest point: of a blunt apex that leaps by centimetres from frame to frame.
    """
    foot = line.hinges.mean(axis=0)
    corners, after = line.points, np.roll(line.points, -1, axis=0)
    crosses = corners[:, 0] * after[:, 1] - after[:, 0] * corners[:, 1]
    middle = ((corners + after) * crosses[:, None]).sum(axis=0) / (3 * crosses.sum())
    return foot, (middle - foot) / np.linalg.norm(middle - foot)


def _split(line: WallLine) -> int:
    """The first point of the right wall: where the line crosses the axis at the apex."""
    foot, up = _axis(line)
    aside = (line.points - foot) @ np.array([-up[1], up[0]])
    crossed = np.flatnonzero((aside[:-1] > 0) != (aside[1:] > 0))
    highest = max(crossed, key=lambda index: float((line.points[index] - foot) @ up), default=len(aside) // 2)
    return int(highest) + 1


def _heights(line: WallLine) -> Float[np.ndarray, "n"]:
    """How far each point lies along the axis: 0 in the middle between the hinges, 1 where the axis ends."""
    foot, up = _axis(line)
    height, split = (line.points - foot) @ up, _split(line)
    return np.asarray(height / ((height[split - 1] + height[split]) / 2))


def _walls(line: WallLine) -> tuple[tuple[Float[np.ndarray, "m 2"], Float[np.ndarray, "m"]], ...]:
    """Points of each wall and their heights, from the hinge up."""
    split, height = _split(line), _heights(line)
    return (line.points[:split], height[:split]), (line.points[: split - 1 : -1], height[: split - 1 : -1])


def _rising(
    wall: tuple[Float[np.ndarray, "m 2"], Float[np.ndarray, "m"]],
) -> tuple[Float[np.ndarray, "m"], Float[np.ndarray, "m"]]:
    """The way from the hinge to each point of a wall, and its height, which does not fall on the way."""
    points, height = wall
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)]), np.maximum.accumulate(height)
