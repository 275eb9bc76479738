"""What adapting a model to the images did, on the page: how far labels and numbers moved, and what was taken back."""

import math
from collections.abc import Iterator

from cardiotrace.clinical.adaptation import Adaptation
from cardiotrace.report.correction import moved_sentences
from cardiotrace.report.words import Words


def adaptation_sentences(adaptation: Adaptation, words: Words) -> Iterator[str]:
    """What the page says of it, sentence by sentence.

    Args:
        adaptation: of the exam.
        words: the language.
    """
    for name, done in adaptation.images.items():
        way = words(f"adaptation.{done.method}")
        if not done.is_adapted:
            yield words("adaptation.undone", image=name, way=way)
            continue
        known = {structure: value for structure, value in done.dice.items() if not math.isnan(value)}
        moved = [f"{structure} {words.number(value, 3)}" for structure, value in known.items()]
        yield words("adaptation.done", image=name, way=way, dice=", ".join(moved) or "-")
    yield from moved_sentences(adaptation.moved, words)
    if adaptation.has_adapted:
        yield words("adaptation.kept")
