"""Echoes damaged in ten ways, each from hardly to badly, for what must be known of all degrees between."""

from collections.abc import Callable, Mapping
from io import BytesIO

import numpy as np
from jaxtyping import Float
from PIL import Image as Canvas
from scipy import ndimage

from benchmarks.unlike_images import corrupted
from cardiotrace.core.image import Image

Plane = Float[np.ndarray, "height width"]
Damage = Callable[[Plane, float, np.random.Generator], Plane]
"""A plane of grey values from 0 to 1, how much from 0 to 1, and what is drawn."""


def _between(low: float, high: float, share: float) -> float:
    """From the one to the other in equal steps of a factor."""
    return float(low * (high / low) ** share)


def _noisy(plane: Plane, share: float, rng: np.random.Generator) -> Plane:
    return np.asarray(plane + rng.normal(0, _between(0.02, 0.5, share), plane.shape))


def _speckled(plane: Plane, share: float, rng: np.random.Generator) -> Plane:
    grain = ndimage.gaussian_filter(rng.normal(0, 1, plane.shape), 1.5)
    return np.asarray(plane * (1 + _between(0.1, 2, share) * grain / grain.std()))


def _blurred(plane: Plane, share: float, rng: np.random.Generator) -> Plane:
    return np.asarray(ndimage.gaussian_filter(plane, _between(0.002, 0.03, share) * min(plane.shape)))


def _coarse(plane: Plane, share: float, rng: np.random.Generator) -> Plane:
    step = _between(2, 16, share)
    height, width = plane.shape
    rows, columns = (np.arange(side) // step * step for side in (height, width))
    return np.asarray(plane[np.ix_(rows.astype(int), columns.astype(int))])


def _gained(plane: Plane, share: float, rng: np.random.Generator) -> Plane:
    return np.asarray(_between(1.2, 8, share) * plane)


def _bent(plane: Plane, share: float, rng: np.random.Generator) -> Plane:
    power = _between(1.2, 5, share)
    return np.asarray(plane ** (power if rng.random() < 0.5 else 1 / power))


def _compressed(plane: Plane, share: float, rng: np.random.Generator) -> Plane:
    file = BytesIO()
    Canvas.fromarray(np.rint(plane * 255).astype(np.uint8)).save(file, "JPEG", quality=round(_between(30, 1, share)))
    return np.asarray(Canvas.open(file), np.float32) / 255


def _shadowed(plane: Plane, share: float, rng: np.random.Generator) -> Plane:
    """A wedge from the probe downwards is dark."""
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    angle = np.degrees(np.arctan2(columns - plane.shape[1] / 2, rows + 1))
    middle, half = rng.uniform(-30, 30), _between(2, 25, share)
    return np.asarray(plane * (0.05 + 0.95 * np.clip((np.abs(angle - middle) - half) / 3, 0, 1)))


def _turned(plane: Plane, share: float, rng: np.random.Generator) -> Plane:
    angle = _between(5, 90, share) * (1 if rng.random() < 0.5 else -1)
    return np.asarray(ndimage.rotate(plane, angle, reshape=False, order=1))


def _hazed(plane: Plane, share: float, rng: np.random.Generator) -> Plane:
    cloud = ndimage.gaussian_filter(rng.normal(0, 1, plane.shape), 0.1 * min(plane.shape), mode="nearest")
    cloud = (cloud - cloud.min()) / np.ptp(cloud)
    part = _between(0.1, 0.9, share)
    return np.asarray((1 - part) * plane + part * cloud * (plane > 0))


DAMAGES: Mapping[str, Damage] = {
    "noise": _noisy,
    "speckle": _speckled,
    "blur": _blurred,
    "coarse pixels": _coarse,
    "gain": _gained,
    "gamma": _bent,
    "JPEG": _compressed,
    "shadow": _shadowed,
    "turned": _turned,
    "haze": _hazed,
}


def damaged(image: Image, kind: str, share: float, seed: int) -> Image:
    """The image with all its planes damaged alike.

    Args:
        image: any.
        kind: of `DAMAGES`.
        share: how much, from 0 (hardly) to 1 (badly).
        seed: of what is drawn; the same for the images of one exam.
    """
    return corrupted(image, lambda plane, rng: np.clip(DAMAGES[kind](plane, share, rng), 0, 1), seed)
