"""One rule for colour, in stills and videos: images of the heart are grey values, photographs keep their colours."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Shaped, UInt8
from numpy.typing import NDArray

from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View

STRONG_CHROMA = 64
"""Difference between the largest and the smallest of red, green and blue, of 255, from which a pixel counts as strongly
coloured. The noise of JPEG stays below 40, tinted grey scales of scanners below 60; Doppler and overlays exceed
100."""
STRONG_SHARE = 0.02
"""Share of strongly coloured pixels in a frame from which they are told. An ECG line and a logo take
about 1 % as JPEG smears them, a Doppler box 3 % or more."""


def luma(frames: Shaped[np.ndarray, "*grid 3"]) -> Shaped[np.ndarray, "*grid"]:
    """Y = 0.299 R + 0.587 G + 0.114 B, rounded; exactly the grey value where all three are one.

    Example:
        >>> luma(np.array([[7, 7, 7], [255, 0, 0]], np.uint8)).tolist()
        [7, 76]

    Source:
        ITU-R BT.601, as Pillow computes it.
    """
    grey = np.empty(frames.shape[:-1], frames.dtype)
    for index in np.ndindex(frames.shape[:-3]):  # plane by plane: the sums need several times the memory
        grey[index] = _plane_luma(frames[index])
    return grey


def _plane_luma(plane: NDArray[Any]) -> NDArray[Any]:
    red, green, blue = (plane[..., channel] for channel in range(3))
    if plane.dtype.kind == "f":
        mixed = green + 0.299 * (red - green.astype(np.float64)) + 0.114 * (blue - green.astype(np.float64))
    else:
        wide = np.int32 if plane.dtype.itemsize == 1 else np.int64
        base = green.astype(wide)
        mixed = base + ((19595 * (red - base) + 7471 * (blue - base) + 32768) >> 16)
    return np.asarray(mixed).astype(plane.dtype)


def strong_share(frames: Shaped[np.ndarray, "*grid 3"]) -> float:
    """Share of strongly coloured pixels in the frame (or slice) that has most of them."""
    largest = 255.0 if frames.dtype == np.uint8 else float(frames.max())
    limit, most = STRONG_CHROMA / 255 * largest, 0.0
    for index in np.ndindex(frames.shape[:-3]):
        plane = frames[index] if frames.dtype.kind == "f" else frames[index].astype(np.int32)
        chroma = plane.max(axis=-1) - plane.min(axis=-1)
        most = max(most, np.count_nonzero(chroma > limit) / chroma.size)
    return most


def strong_share_of_yuv(blue: UInt8[np.ndarray, "..."], red: UInt8[np.ndarray, "..."]) -> float:
    """As `strong_share`, from the two chroma planes of a video's frame."""
    least = 29  # a chroma of 64 needs one of the two this far from 128
    if all(int(plane.min()) > 128 - least and int(plane.max()) < 128 + least for plane in (blue, red)):
        return 0.0
    u, v = blue.astype(np.float32) - 128, red.astype(np.float32) - 128
    apart = (1.402 * v, -0.344 * u - 0.714 * v, 1.772 * u)  # red, green and blue less the luma
    chroma = np.maximum.reduce(apart) - np.minimum.reduce(apart)
    return float(np.count_nonzero(chroma > STRONG_CHROMA) / chroma.size)


def colour_doubt(share: float) -> tuple[str, ...]:
    """What to say of an image of the heart whose strong colour was dropped; nothing where there is hardly any."""
    if share <= STRONG_SHARE:
        return ()
    return (
        f"{100 * share:.0f} % of the pixels of a frame are strongly coloured (Doppler or an overlay); only their"
        " brightness was used",
    )


def is_photograph(view: View, modality: Modality) -> bool:
    """Whether colour belongs to the image."""
    return modality is Modality.PHOTOGRAPH or view is View.FUNDUS


def as_grey(image: Image) -> Image:
    """The image as grey values: as it is, or its luma, with a doubt where colour is strong.

    Example:
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> as_grey(Image(np.full((1, 1, 2, 2, 3), 7, np.uint8), NO_GEOMETRY)).frames.shape
        (1, 1, 2, 2)
    """
    if not image.is_colour:
        return image
    doubts = (*image.doubts, *colour_doubt(strong_share(image.frames)))
    return dataclasses.replace(image, frames=luma(image.frames), doubts=doubts)


def as_colour(image: Image) -> Image:
    """The image in three channels; grey values stand in each of them."""
    if image.is_colour:
        return image
    return dataclasses.replace(image, frames=np.repeat(image.frames[..., np.newaxis], 3, axis=-1))


def by_the_rule(image: Image) -> Image:
    """Grey values for the heart and for grey images stored as colour; colour for photographs.

    Where nothing says what was imaged, colour stays, and the model that is chosen decides.
    """
    if not image.is_colour or is_photograph(image.view, image.modality):
        return image
    is_heart = image.modality is not Modality.UNKNOWN or image.view is not View.UNKNOWN
    return as_grey(image) if is_heart or _is_grey(image.frames) else image


def _is_grey(frames: Shaped[np.ndarray, "*grid 3"]) -> bool:
    """Whether all three channels are one."""
    return all(bool((frames[..., channel] == frames[..., 0]).all()) for channel in (1, 2))
