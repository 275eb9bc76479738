"""The motion of a strip of tissue through a film: dense registration with a smooth field, frame by frame, then of all.

A cell looks the same wherever it has gone to, but for gain, noise and what decorrelates. So grey values of cells, made
independent of gain by the mean and spread around them, are compared between frames, and the smooth field that makes
them most alike is found by Gauss-Newton steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from cardiotrace.geometry.strip import Field, Strip, StripFilm, Values

_RIDGE = 1e-3
"""Over the mean of the diagonal: what nothing in the image tells stays as it is."""
_LEAST_WEIGHT = 0.05
_LEAST_SPREAD = 0.1
"""Of the spread of grey values over the strip: below it there is nothing but noise to be seen."""


@dataclass(frozen=True)
class MotionSettings:
    """How the motion of a strip is sought; lengths are in the unit of the strip.

    Args:
        blurs: of the film, standard deviations; one after another, so that large steps are found first.
        tries: Gauss-Newton steps at each of them, from frame to frame.
        around: length and depth over which grey values are made independent of gain.
        without_haze: whether what stands still before the tissue is taken out of the film.
        margin: how far the strip may move.
        smooth: weight of the bending of the field along the strip.
        even: weight of differences through its depth.
        volume: weight of what does not keep the volume of the tissue.
        lags: numbers of frames between those that are compared once all are roughly known.
        rounds: how many times they are compared.
        calm: weight of bends of the motion over time.
    """

    blurs: tuple[float, ...]
    tries: int
    around: tuple[float, float]
    without_haze: bool
    margin: float
    smooth: float
    even: float
    volume: float
    lags: tuple[int, ...]
    rounds: int
    calm: float


@dataclass(frozen=True, eq=False)
class Look:
    """What the cells of a strip show in one frame."""

    values: Values
    """Grey, free of gain."""
    gradient: Float[np.ndarray, "along depth 2"]
    """Change of the values with place, (row, column)."""
    seen: Values
    """1 where there is an image."""


class MotionSearch:
    """How one strip moves in one film.

    Args:
        frames: (time, height, width), grey.
        pixel: height and width of a pixel, in the unit of the strip.
        strip: where the tissue lies in the frame that it is followed from.
        settings: how.
    """

    def __init__(
        self, frames: NDArray[np.generic], pixel: tuple[float, float], strip: Strip, settings: MotionSettings
    ) -> None:
        self.strip, self._settings = strip, settings
        finest = min(settings.blurs)
        film = StripFilm.around(
            frames, pixel, strip, margin=settings.margin, blur=finest, without_haze=settings.without_haze
        )
        # Blurs add up by their squares: what is thinned out is blurred further at a fraction of the cost.
        self._films = [film.blurred((blur**2 - finest**2) ** 0.5) if blur > finest else film for blur in settings.blurs]
        along, depth = strip.along_functions, strip.depth_functions
        self._functions = np.einsum("sk,de->sdke", along, depth).reshape(-1, strip.functions * 2).astype(np.float32)
        self._rules = self._smoothness() + settings.volume * self._volume()
        self._least: float | None = None

    def look(self, frame: int, field: Field, level: int = -1) -> Look:
        """What the cells show in one frame, once they have moved."""
        places = self.strip.moved(field)
        values, seen = self._films[level].at(frame, places)
        even = self._even(values, seen)
        return Look(even, _gradient(even, places), seen)

    def follow(self, frames: Sequence[int]) -> Field:
        """The motion from the first of some frames to each of them, step by step.

        Args:
            frames: numbers of the frames in the order in which they are gone through.
        """
        motion, speed = [self.strip.rest], self.strip.rest
        for before, now in pairwise(frames):
            known = motion[-1]
            # Half of the last step: a guess of a whole one runs past the turn at end-systole.
            field = known + speed / 2
            for level in range(len(self._films)):
                model = self.look(before, known, level)
                for _ in range(self._settings.tries):
                    field = field + self._step(model, self.look(now, field, level))
            speed = field - known
            motion.append(field)
        return np.array(motion)

    def joined(self, frames: Sequence[int], motion: Field, *, closed: bool) -> Field:
        """The motion that agrees best with comparisons of many pairs of frames, near to each other and far apart.

        Args:
            frames: numbers of the frames.
            motion: of each of them, roughly.
            closed: whether the last frame shows the strip where it was in the first.
        """
        for _ in range(self._settings.rounds):
            motion = motion + self._correction(frames, motion, closed=closed)
        return motion

    def _correction(self, frames: Sequence[int], motion: Field, *, closed: bool) -> Field:
        """By which the motion agrees better with what is seen between all pairs of frames: least squares over time."""
        looks = [self.look(frame, field) for frame, field in zip(frames, motion, strict=True)]
        last = len(frames) - 1
        pairs = [(first, first + lag) for lag in self._settings.lags for first in range(last + 1 - lag)]
        steps = np.array([self._step(looks[first], looks[second]).ravel() for first, second in pairs])
        weights = np.array([max(alikeness(looks[i], looks[j]), _LEAST_WEIGHT) ** 2 for i, j in pairs])
        difference = np.zeros((len(pairs), last + 1))
        difference[np.arange(len(pairs)), [second for _, second in pairs]] = 1
        difference[np.arange(len(pairs)), [first for first, _ in pairs]] = -1
        bends = self._settings.calm * _bending(last + 1)
        flat = motion.reshape(last + 1, -1)
        matrix = difference.T @ (weights[:, None] * difference) + bends
        right = difference.T @ (weights[:, None] * steps) - bends @ flat
        free = slice(1, last if closed else last + 1)
        change = np.zeros_like(flat)
        change[free] = np.linalg.solve(matrix[free, free], right[free])
        return np.asarray(change.reshape(motion.shape))

    def _step(self, model: Look, now: Look) -> Field:
        """How much further the cells have gone in a frame, for it to look like another one."""
        weight = np.sqrt(model.seen * now.seen)[..., None]
        gradient = (weight * (model.gradient + now.gradient) / 2).reshape(-1, 2).astype(np.float32)
        missing = (weight[..., 0] * (model.values - now.values)).ravel().astype(np.float32)
        count = self._functions.shape[1]
        rows = (self._functions[:, :, None] * gradient[:, None]).reshape(-1, 2 * count)
        matrix = (rows.T @ rows).astype(float)
        scale = float(np.trace(matrix)) / len(matrix)
        if scale <= 0:
            return self.strip.rest
        matrix += scale * (self._rules + _RIDGE * np.eye(len(matrix)))
        return np.linalg.solve(matrix, (rows.T @ missing).astype(float)).reshape(-1, 2, 2)

    def _even(self, values: Values, seen: Values) -> Values:
        """Grey values less their mean around, over their spread around."""
        from scipy.ndimage import gaussian_filter

        strip, (length, depth) = self.strip, self._settings.around
        sigma = (length / (strip.along[1] - strip.along[0]), depth / (strip.depth[1] - strip.depth[0]))

        def around(what: Values) -> Values:
            return np.asarray(gaussian_filter(what, sigma, mode="nearest", truncate=2.0))

        share = np.maximum(around(seen), 1e-3)
        mean = around(values * seen) / share
        spread = np.maximum(around(values * values * seen) / share - mean * mean, 0)
        if self._least is None:
            self._least = max(_LEAST_SPREAD * float(values.std()), 1e-6) ** 2
        return np.asarray((values - mean) / np.sqrt(spread + self._least) * seen)

    def _smoothness(self) -> Float[np.ndarray, "unknowns unknowns"]:
        """Weights of bending along the strip, and of differences through its depth."""
        bending, count = _bending(self.strip.functions), self.strip.functions
        sloping = np.diag([0.0, self._settings.even])
        both = self._settings.smooth * np.kron(bending, np.eye(2)) + np.kron(np.eye(count), sloping)
        return np.kron(both, np.eye(2))

    def _volume(self) -> Float[np.ndarray, "unknowns unknowns"]:
        """Weight of tissue that does not thicken across the strip by twice as much as it shortens along it.

        Muscle keeps its volume: what it loses along the strip and across the image it gains in thickness. How much it
        shortens across the image is not seen, and taken to be as much as along the strip.
        """
        strip = self.strip
        along = np.gradient(strip.along_functions, strip.along, axis=0)
        across = np.gradient(strip.depth_functions, strip.depth, axis=0)
        tangents = np.gradient(strip.start[:, 0], axis=0)
        tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
        normals = strip.start[:, -1] - strip.start[:, 0]
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        shortened = np.einsum("sk,de,sc->sdkec", along, strip.depth_functions, tangents)
        thickened = np.einsum("sk,de,sc->sdkec", strip.along_functions, across, normals)
        rows = (2 * shortened + thickened).reshape(-1, strip.functions * 4)
        matrix = rows.T @ rows
        return np.asarray(matrix * (len(matrix) / np.trace(matrix)))


def alikeness(first: Look, second: Look, part: slice = slice(None)) -> float:
    """Correlation of what the cells show in two frames.

    Args:
        first: the cells in one of them.
        second: the same cells in the other.
        part: of the strip, rows of cells along it.
    """
    one, other = first.values[part], second.values[part]
    scale = np.sqrt(float((one * one).sum()) * float((other * other).sum()))
    return float((one * other).sum()) / scale if scale > 0 else 0.0


def _bending(count: int) -> Float[np.ndarray, "count count"]:
    """Sum of the squares of second differences, as a matrix."""
    second = np.diff(np.eye(count), n=2, axis=0)
    return np.asarray(second.T @ second)


def _gradient(values: Values, places: Float[np.ndarray, "along depth 2"]) -> Float[np.ndarray, "along depth 2"]:
    """Change of values with (row, column), of cells that lie where they have moved to."""
    value_along, value_across = np.gradient(values)
    along, across = np.gradient(places, axis=(0, 1))
    area = along[..., 0] * across[..., 1] - along[..., 1] * across[..., 0]
    # Cells that a wild step has folded over have no gradient.
    inverse = np.where(np.abs(area) > 1e-6, 1 / np.where(area == 0, 1, area), 0)
    row = (across[..., 1] * value_along - along[..., 1] * value_across) * inverse
    column = (along[..., 0] * value_across - across[..., 0] * value_along) * inverse
    return np.stack([row, column], axis=-1)
