"""Where labels of a frame are probably wrong, as a colour over the image, and how many pixels that makes."""

from typing import TYPE_CHECKING

import numpy as np

from cardiotrace.core.exam import ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.trust import ErrorMap
from cardiotrace.report.framing import LabelledFrame, box_to_show
from cardiotrace.report.overlay import OverlayStyle, draw_overlay
from cardiotrace.report.words import Words

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

_STYLE = OverlayStyle(width=640, height=520, fill=0.0)


def error_picture(
    image: ExamImage, labels: LabelMap, frame: int, error: ErrorMap, *, caption: str, words: Words
) -> tuple["PilImage", str]:
    """A frame with its outlines and where they are probably wrong; of stacks the slice that is probably the worst.

    Args:
        image: with grey values for the screen.
        labels: of the image.
        frame: which.
        error: probability of an error at each of its pixels.
        caption: words for the corner of the picture.
        words: the language.

    Returns:
        The picture, and what it shows in words.
    """
    depth = int(error.sum(axis=(1, 2)).argmax())
    shown = LabelledFrame(image.image, labels, frame, depth, error=error[depth]).cropped(
        box_to_show(image.image, [labels])
    )
    style = OverlayStyle(_STYLE.width, _STYLE.height, fill=_STYLE.fill, words=words)
    where = [words("correction.slice", slice=depth)] if len(error) > 1 else []
    note = words("error.note", share=words.number(100 * expected_share(error, labels, frame), 1))
    return draw_overlay(shown, caption=caption, style=style), ", ".join([image.name, *where, note])


def expected_share(error: ErrorMap, labels: LabelMap, frame: int) -> float:
    """Pixels of a frame that are expected to be wrong, as a share of those that are labelled; 0 where none is.

    Example:
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.label import CAMUS
        >>> array = np.zeros((1, 1, 2, 4), np.uint8)
        >>> array[..., 1:] = 1
        >>> expected_share(np.full((1, 2, 4), 0.15), LabelMap(array, CAMUS, NO_GEOMETRY), 0)
        0.2
    """
    labelled = int(np.count_nonzero(labels.array[frame]))
    return round(float(error.sum()) / labelled, 6) if labelled else 0.0
