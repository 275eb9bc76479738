"""Images that a model must not be trusted on: corrupted ones, other views, other ways of making images."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO

import numpy as np
from jaxtyping import Float
from PIL import Image as Canvas
from scipy import ndimage

from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.io import as_grey

Plane = Float[np.ndarray, "height width"]
Change = Callable[[Plane, np.random.Generator], Plane]


def _noisy(plane: Plane, rng: np.random.Generator) -> Plane:
    return np.clip(plane + rng.normal(0, 0.15, plane.shape), 0, 1)


def _blurred(plane: Plane, rng: np.random.Generator) -> Plane:
    return np.asarray(ndimage.gaussian_filter(plane, 0.015 * min(plane.shape)))


def _half_blank(plane: Plane, rng: np.random.Generator) -> Plane:
    """One of its four halves is black."""
    plane, turns = plane.copy(), int(rng.integers(4))
    turned = np.rot90(plane, turns)
    turned[len(turned) // 2 :] = 0
    return plane


def _gained(plane: Plane, rng: np.random.Generator) -> Plane:
    return np.clip(3 * plane, 0, 1)


def _gamma(plane: Plane, rng: np.random.Generator) -> Plane:
    return np.asarray(plane**0.35)


def _shuffled(plane: Plane, rng: np.random.Generator) -> Plane:
    """Sixteen parts in another order."""
    height, width = (side // 4 * 4 for side in plane.shape)
    rows, columns = height // 4, width // 4
    parts = plane[:height, :width].reshape(4, rows, 4, columns).swapaxes(1, 2).reshape(16, rows, columns)
    mixed = parts[rng.permutation(16)].reshape(4, 4, rows, columns).swapaxes(1, 2).reshape(height, width)
    return np.asarray(mixed)


def _compressed(plane: Plane, rng: np.random.Generator) -> Plane:
    """JPEG of quality 3."""
    file = BytesIO()
    Canvas.fromarray(np.rint(plane * 255).astype(np.uint8)).save(file, "JPEG", quality=3)
    return np.asarray(Canvas.open(file), np.float32) / 255


CORRUPTIONS: Mapping[str, Change] = {
    "noise": _noisy,
    "blur": _blurred,
    "half is black": _half_blank,
    "gain x 3": _gained,
    "gamma 0.35": _gamma,
    "turned by 90 degrees": lambda plane, rng: np.rot90(plane),
    "upside down": lambda plane, rng: plane[::-1],
    "16 parts mixed": _shuffled,
    "JPEG of quality 3": _compressed,
}


def corrupted(image: Image, change: Change, seed: int) -> Image:
    """The image with all its planes changed alike: of one draw for all."""
    frames = as_grey(image).frames.astype(np.float32)
    low, high = np.percentile(frames, (0.1, 99.9))
    unit = np.clip((frames - low) / max(high - low, 1e-6), 0, 1)
    planes = [change(plane, np.random.default_rng(seed)) for plane in unit.reshape(-1, *unit.shape[2:])]
    made = np.stack(planes).reshape(*frames.shape[:2], *planes[0].shape)
    geometry, sizes = image.geometry, image.spacing_mm
    if made.shape != frames.shape and sizes is not None:
        geometry = Geometry.of_spacing((sizes[0], sizes[2], sizes[1]))
    return replace(image, frames=np.rint(made * 255).astype(np.uint8), geometry=geometry, source=None)
