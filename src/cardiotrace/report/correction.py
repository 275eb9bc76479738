"""What a corrector did to labels, on the page: pictures of before and after, and how far the numbers moved."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from cardiotrace.clinical.correction import Correction, ImageCorrection, Moved, PlaneCorrection
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.report.framing import LabelledFrame, box_to_show
from cardiotrace.report.overlay import OverlayStyle, draw_overlay
from cardiotrace.report.words import Words, sign_of

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

MOST_SHOWN = 4
"""Planes with a picture; the others are told in words alone."""
_MOST_MOVED = 8
"""Quantities that are told with both values; measures.json holds all."""
_STYLE = OverlayStyle(width=450, height=360)


def correction_sentences(correction: Correction, words: Words) -> Iterator[str]:
    """What the page says of it, sentence by sentence.

    Args:
        correction: of the exam.
        words: the language.
    """
    for name, done in correction.images.items():
        if done.why_not:
            yield words("correction.unseen", image=name)
        elif not done.planes:
            yield words("correction.valid", image=name, corrector=done.corrector)
        for plane in done.corrected:
            yield words("correction.corrected", image=name, where=_where(plane, words), dice=_dice(plane, words))
        for plane in done.left:
            yield words("correction.left", image=name, where=_where(plane, words), dice=_dice(plane, words))
    yield from moved_sentences(correction.moved, words)
    if correction.has_corrected:
        yield words("correction.kept")


def moved_sentences(moved: Sequence[Moved], words: Words) -> Iterator[str]:
    """Quantities that are other ones since labels were changed, the first of many."""
    for each in moved[:_MOST_MOVED]:
        yield words("correction.moved", quantity=words.term(each.name), **_values(each, words))
    if len(moved) > _MOST_MOVED:
        yield words("correction.more", count=len(moved) - _MOST_MOVED)


def correction_pictures(
    image: ExamImage, labels: LabelMap, done: ImageCorrection, words: Words
) -> Iterator[tuple[str, "PilImage"]]:
    """A picture for each of the first corrected planes, before beside after, with its title.

    Args:
        image: with grey values for the screen.
        labels: as they were corrected.
        done: what was done to them.
        words: the language.
    """
    box = box_to_show(image.image, [done.before, labels])
    for plane in islice(done.corrected, MOST_SHOWN):
        halves = [
            draw_overlay(
                LabelledFrame(image.image, each, plane.frame, plane.depth).cropped(box),
                caption=words(caption),
                style=replace(_STYLE, words=words),
            )
            for each, caption in ((done.before, "correction.before"), (labels, "correction.after"))
        ]
        yield words("correction.picture", image=image.name, where=_where(plane, words)), _side_by_side(*halves)


def _side_by_side(first: "PilImage", second: "PilImage") -> "PilImage":
    from PIL import Image

    both = Image.new("RGB", (first.width + second.width + 4, first.height), (255, 255, 255))
    both.paste(first, (0, 0))
    both.paste(second, (first.width + 4, 0))
    return both


def _where(plane: PlaneCorrection, words: Words) -> str:
    frame = words("figure.frame", frame=plane.frame)
    return f"{frame}, {words('correction.slice', slice=plane.depth)}" if plane.depth else frame


def _dice(plane: PlaneCorrection, words: Words) -> str:
    return "-" if plane.dice is None else words.number(plane.dice, 2)


def _values(each: Moved, words: Words) -> dict[str, str]:
    """Both values as words, with unit, method and view."""
    before, after = (
        words("page.not_measured") if value is None else words.value(value, each.unit, each.name)
        for value in (each.before, each.after)
    )
    said = {"view": each.view, "method": words.method(each.method), "unit": sign_of(each.unit)}
    return {**said, "before": before, "after": after}
