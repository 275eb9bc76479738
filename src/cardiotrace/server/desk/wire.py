"""Gestures as they are sent."""

import base64
import binascii
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.clinical.editing.gesture import (
    AnswerFlag,
    DrawOutline,
    Gesture,
    Judge,
    PaintPlane,
    PlaceLandmarks,
    Propagate,
    Reach,
    Restore,
    SetKeyFrame,
    Verdict,
)
from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase


def gesture_of(plain: Mapping[str, Any], shapes: Mapping[str, tuple[int, int]]) -> Gesture:
    """What a page sent, as a gesture.

    Args:
        plain: checked against the description of the interface already.
        shapes: height and width of the planes of each image that has labels.

    Raises:
        InputError: labels that are not those of a plane.
    """
    return _MADE[plain["kind"]](plain, shapes)


def unpacked_plane(text: str, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Labels of a plane: base64 of zlib of a byte for each pixel.

    Raises:
        InputError: they are something else, or more or fewer.
    """
    wanted = shape[0] * shape[1]
    try:
        packer = zlib.decompressobj()
        # No more than a plane is unpacked, whatever it would become.
        found = packer.decompress(base64.b64decode(text, validate=True), wanted + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise InputError("labels of a plane are sent as base64 of zlib of its bytes") from error
    if len(found) != wanted:
        raise InputError(f"labels of this plane are {shape[0]} x {shape[1]} bytes")
    return np.frombuffer(found, np.uint8).reshape(shape)


def packed_plane(labels: NDArray[np.uint8]) -> str:
    """What `unpacked_plane` takes."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(labels).tobytes(), 1)).decode()


def _painted(plain: Mapping[str, Any], shapes: Mapping[str, tuple[int, int]]) -> Gesture:
    image = plain["image"]
    if image not in shapes:
        raise InputError(f"there is no image {image!r} with labels")
    return PaintPlane(image, plain["frame"], plain["slice"], unpacked_plane(plain["labels"], shapes[image]))


def _place(plain: Mapping[str, Any]) -> tuple[str, int, int]:
    return plain["image"], plain["frame"], plain["slice"]


_MADE: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, tuple[int, int]]], Gesture]] = {
    "contour": lambda plain, _: DrawOutline(*_place(plain), plain["contour"], plain["points"]),
    "plane": _painted,
    "landmarks": lambda plain, _: PlaceLandmarks(plain["image"], plain["frame"], plain["apex"], plain["annulus"]),
    "key-frame": lambda plain, _: SetKeyFrame(plain["image"], Phase(plain["phase"]), plain["frame"]),
    "verdict": lambda plain, _: Judge(
        *_place(plain), None if plain["verdict"] is None else Verdict(plain["verdict"]), plain["reason"]
    ),
    "flag": lambda plain, _: AnswerFlag(
        plain["rule"], plain["about"], plain["text"], plain["accepted"], plain["reason"]
    ),
    "propagate": lambda plain, _: Propagate(*_place(plain), Reach(plain["to"]), plain["contour"]),
    "restore": lambda _, __: Restore(),
}
