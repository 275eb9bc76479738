"""A strip of tissue along a line, cut into cells that move with it, and a film in which it is looked at."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from cardiotrace.geometry.contour import resample_polyline
from cardiotrace.geometry.polygon import fill_polygon

Field = Float[np.ndarray, "*frames functions 2 2"]
"""How the cells of a strip have moved: of each function along it, even and sloping through its depth, (row, column)."""
Values = Float[np.ndarray, "along depth"]

_TANGENT_SHARE = 0.015
"""Length over which the direction of the line is smoothed, over that of the line: cells must not fan out at a bend."""
_DEGREE = 3
_STILL_PERCENT = 10
_HAZE_PERCENT = 90
"""Of the pixels before blood: the rest are strands of muscle and leaflets."""


@dataclass(frozen=True)
class StripSize:
    """How far a strip reaches and how finely it is cut, in the unit of the line.

    Args:
        beyond: by which it is longer than the line, at either end.
        inside: from the line to the side on which the line's middle lies.
        outside: from the line to the other side.
        cell: size of a cell.
        bend: distance between the functions along it, below which its motion does not vary.
    """

    beyond: float
    inside: float
    outside: float
    cell: float
    bend: float


@dataclass(frozen=True, eq=False)
class Strip:
    """Cells beside a line, and smooth functions that say how they move.

    Points are (row, column) in the unit of the line.
    """

    size: StripSize
    along: Float[np.ndarray, "along"]
    """Of each row of cells on the line, from its first point; negative and beyond its length outside of it."""
    depth: Float[np.ndarray, "depth"]
    """Of each layer of cells; 0 on the line, positive outside."""
    start: Float[np.ndarray, "along depth 2"]
    """Where the cells lie before they move."""
    along_functions: Float[np.ndarray, "along functions"]
    depth_functions: Float[np.ndarray, "depth 2"]

    @classmethod
    def beside(cls, line: Float[np.ndarray, "n 2"], size: StripSize) -> "Strip":
        """The strip along an open line.

        Example:
            >>> line = np.array([[40.0, 0.0], [0.0, 20.0], [40.0, 40.0]])
            >>> strip = Strip.beside(line, StripSize(beyond=5, inside=2, outside=6, cell=1, bend=15))
            >>> strip.start.shape, strip.functions
            ((100, 9, 2), 10)
        """
        length = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
        count = round((length + 2 * size.beyond) / size.cell) + 1
        along = np.linspace(-size.beyond, length + size.beyond, count)
        points = _extended(line, along, length)
        normals = _outward(points, _TANGENT_SHARE * length / (along[1] - along[0]))
        depth = np.arange(-size.inside, size.outside + size.cell / 2, size.cell)
        sloping = (depth - depth.mean()) * 2 / np.ptp(depth)
        return cls(
            size,
            along,
            depth,
            points[:, None] + depth[None, :, None] * normals[:, None],
            smooth_functions(np.linspace(0, 1, count), round((length + 2 * size.beyond) / size.bend) + _DEGREE),
            np.stack([np.ones_like(depth), sloping], axis=1),
        )

    @property
    def functions(self) -> int:
        """How many there are along it."""
        return int(self.along_functions.shape[1])

    @property
    def rest(self) -> Field:
        """No motion."""
        return np.zeros((self.functions, 2, 2))

    def moved(self, field: Field) -> Float[np.ndarray, "*frames along depth 2"]:
        """Where the cells lie after a motion."""
        through = np.tensordot(field, self.depth_functions, axes=([-2], [1]))  # ..., function, (row, column), depth
        shift = np.tensordot(through, self.along_functions, axes=([-3], [1]))  # ..., (row, column), depth, along
        return np.asarray(self.start + np.moveaxis(shift, (-1, -2, -3), (-3, -2, -1)))

    def line(self, field: Field) -> Float[np.ndarray, "*frames points 2"]:
        """The line that it was laid along, after a motion."""
        within = (self.along > -1e-6) & (self.along < self.along[-1] - self.size.beyond + 1e-6)
        return np.asarray(self.moved(field)[..., within, int(np.abs(self.depth).argmin()), :])


def smooth_functions(share: Float[np.ndarray, "points"], count: int) -> Float[np.ndarray, "points functions"]:
    """Cubic B-splines that are equally far apart, at places from 0 to 1; their sum is 1 everywhere.

    Example:
        >>> smooth_functions(np.array([0.0, 0.5, 1.0]), 7).sum(axis=1).round(6).tolist()
        [1.0, 1.0, 1.0]
    """
    from scipy.interpolate import BSpline  # slow to import, and only needed where something is followed

    knots = np.arange(-_DEGREE, count + 1) / (count - _DEGREE)
    inside = np.clip(share, 0, 1 - 1e-9)
    return np.asarray(BSpline.design_matrix(inside, knots, _DEGREE).toarray())


def _extended(
    line: Float[np.ndarray, "n 2"], along: Float[np.ndarray, "along"], length: float
) -> Float[np.ndarray, "along 2"]:
    """Points on a line by their way from its first point; beyond its ends it goes on as it ended."""
    even = resample_polyline(line, max(len(along), 2))
    ways = np.linspace(0, length, len(even))
    points = np.stack([np.interp(along, ways, axis) for axis in even.T], axis=1)
    back = max(1, len(even) // 30)
    for end, inner, over in ((even[0], even[back], -along), (even[-1], even[-1 - back], along - length)):
        ahead = (end - inner) / max(float(np.linalg.norm(end - inner)), 1e-9)
        points += np.maximum(over, 0)[:, None] * ahead
    return np.asarray(points)


def _outward(points: Float[np.ndarray, "along 2"], spread: float) -> Float[np.ndarray, "along 2"]:
    """Unit normals of a line, away from the side on which its middle lies."""
    from scipy.ndimage import gaussian_filter1d

    tangents = np.gradient(gaussian_filter1d(points, spread, axis=0, mode="nearest"), axis=0)
    normals = np.stack([-tangents[:, 1], tangents[:, 0]], axis=1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return np.asarray(normals if ((points - points.mean(axis=0)) * normals).sum() > 0 else -normals)


@dataclass(frozen=True, eq=False)
class StripFilm:
    """The part of a film in which a strip moves, coarser than the film itself."""

    frames: Float[np.ndarray, "time rows columns"]
    seen: Float[np.ndarray, "rows columns"]
    """1 where there is an image, 0 where nothing ever changes: outside of a sector."""
    origin: Float[np.ndarray, "2"]
    """Of its first pixel, in the unit of the strip."""
    pixel: Float[np.ndarray, "2"]

    @classmethod
    def around(
        cls,
        frames: NDArray[np.generic],
        pixel: tuple[float, float],
        strip: Strip,
        *,
        margin: float,
        blur: float,
        without_haze: bool,
    ) -> "StripFilm":
        """Crop, blur and thin out a film.

        Args:
            frames: (time, height, width), grey.
            pixel: its height and width, in the unit of the strip.
            strip: where it begins.
            margin: how far it may move.
            blur: standard deviation, in the unit of the strip; pixels are thinned out to about the same size.
            without_haze: take out what stands still before the tissue, see `_haze`.
        """
        from scipy.ndimage import gaussian_filter

        size, places = np.asarray(pixel), strip.start.reshape(-1, 2)
        low = np.maximum((places.min(axis=0) - margin) / size, 0).astype(int)
        high = np.minimum((places.max(axis=0) + margin) / size, np.asarray(frames.shape[1:]) - 1).astype(int) + 1
        cut = frames[:, low[0] : high[0], low[1] : high[1]].astype(np.float32)
        changes = np.ptp(cut, axis=0) > 0
        step = np.maximum(np.floor(blur / size + 0.5), 1).astype(int)
        thin = (slice(None, None, step[0]), slice(None, None, step[1]))
        spread = tuple(blur / size)
        kept = np.stack([gaussian_filter(frame, spread, truncate=3.0)[thin] for frame in cut])
        if without_haze:
            kept -= _haze(kept, (strip.line(strip.rest) - low * size) / (step * size))
        seen = gaussian_filter(changes.astype(np.float32), spread)[thin]
        return cls(kept, (seen > 0.99).astype(np.float32), low * size, step * size)

    def at(self, frame: int, places: Float[np.ndarray, "along depth 2"]) -> tuple[Values, Values]:
        """Grey values at some places, and 1 where there is an image."""
        from scipy.ndimage import map_coordinates

        where = np.moveaxis((places - self.origin) / self.pixel, -1, 0)
        values = map_coordinates(self.frames[frame], where, order=1, mode="nearest")
        return values, map_coordinates(self.seen, where, order=0, mode="constant")

    def blurred(self, blur: float) -> "StripFilm":
        """The film blurred further, by a standard deviation in the unit of the strip."""
        from scipy.ndimage import gaussian_filter

        frames = np.stack([gaussian_filter(frame, blur / self.pixel, truncate=3.0) for frame in self.frames])
        return replace(self, frames=frames)


def _haze(
    frames: Float[np.ndarray, "time rows columns"], line: Float[np.ndarray, "points 2"]
) -> Float[np.ndarray, "rows columns"]:
    """What stands still before moving tissue: haze and reverberation, which hold every estimate of motion back.

    The pattern of what moves passes, so that the darkest tenth of the instants of a pixel shows what does not. But
    muscle that hardly moves stands still as well: what is brighter than haze before the blood within the line is not
    taken for haze.

    Args:
        frames: grey.
        line: (row, column) of the line, around blood.
    """
    still = np.percentile(frames, _STILL_PERCENT, axis=0)
    within = still[fill_polygon(line, still.shape)]
    if not len(within):
        return np.zeros(still.shape, np.float32)
    return np.asarray(np.minimum(still, np.percentile(within, _HAZE_PERCENT)), np.float32)
