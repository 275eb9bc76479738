"""Transparency: it says nothing of tissue, unless the image itself was put into it."""

from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from cardiotrace.core.errors import InputError


def without_alpha(
    pixels: Shaped[np.ndarray, "*grid channels"], path: Path, *, as_labels: bool
) -> Shaped[np.ndarray, "..."]:
    """Pixels without their last channel; grey where one remains.

    Annotation programs paint a mask in black or white and leave the rest transparent: without the transparency it is
    empty. So labels are refused where pixels of one colour differ in transparency, and an image where it has one
    colour alone.

    Args:
        pixels: grey or colour, the last channel being the transparency.
        path: the file, for the message.
        as_labels: each value counts.

    Raises:
        InputError: what matters lies in the transparency.
    """
    visible, alpha = pixels[..., :-1], pixels[..., -1]
    # One transparency everywhere says nothing, whatever its value.
    is_even = alpha.size == 0 or bool((alpha == alpha.flat[0]).all())
    if not is_even and (_splits(visible, alpha) if as_labels else _is_one_colour(visible)):
        what = "the mask lies in the transparency" if as_labels else "the image lies in the transparency"
        raise InputError(
            f"{what} (alpha channel) and not in its colours",
            where=path,
            remedy="save it without transparency, each label as a grey value.",
        )
    return visible[..., 0] if visible.shape[-1] == 1 else visible


def _is_one_colour(visible: Shaped[np.ndarray, "*grid channels"]) -> bool:
    return bool((visible == visible.reshape(-1, visible.shape[-1])[0]).all())


def _splits(visible: Shaped[np.ndarray, "*grid channels"], alpha: Shaped[np.ndarray, "*grid"]) -> bool:
    """Whether pixels of one colour differ in transparency."""
    colours = visible.reshape(-1, visible.shape[-1])
    pairs = np.column_stack([colours, alpha.ravel()])
    return len(np.unique(pairs, axis=0)) > len(np.unique(colours, axis=0))
