"""What a network sees of each sample of an image."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Shaped

from cardiotrace.inference.sample import Position
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.preprocessing import ResamplingTransform, planes_around

Preparation = Callable[[Position], Float[np.ndarray, "channels *axes"]]
"""From the place of a sample to the input of the network."""


def preparation(
    spec: ModelSpec,
    frames: Shaped[np.ndarray, "time depth *channels_last"],
    transform: ResamplingTransform,
    *,
    at_once: int,
) -> Preparation:
    """What makes the network's input of a sample.

    Args:
        spec: of the model.
        frames: of the image, in the model's colours.
        transform: onto the network's grid.
        at_once: so many samples are in hand at any time.
    """
    # Windows are normalised one by one, as in training.
    prepare = spec.preprocessing.apply if spec.window is None else spec.preprocessing.unit

    def prepared(position: Position) -> Float[np.ndarray, "channels *axes"]:
        return prepare(frames[position], transform)

    if not spec.neighbours:
        return prepared
    # Samples come in order, slice by slice of a frame, so that the planes of those in hand, and the ones beside them,
    # are all that is kept.
    axis = 0 if spec.neighbours_of == "frames" else 1
    apart = frames.shape[1] if axis == 0 else 1
    plane = lru_cache(maxsize=at_once + 2 * spec.neighbours * apart)(prepared)

    def with_neighbours(position: Position) -> Float[np.ndarray, "channels *axes"]:
        around = planes_around(position[axis], frames.shape[axis], spec.neighbours)
        return np.concatenate([plane((*position[:axis], each, *position[axis + 1 :])) for each in around])

    return with_neighbours
