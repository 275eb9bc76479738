"""What the name of an image file tells: patient, view, modality, phase, number, and whether it holds labels.

A name is read as words. Words that can mean but one thing (`A4C`, `end-diastole`, `bSSFP`) are evidence wherever they
stand. Two letters (`SA`, `ED`, `US`) are initials, sites and atria as well: they count by where they stand, and only
where no clear word says otherwise. Words that contradict each other are no evidence.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from cardiotrace.core.errors import UsageError
from cardiotrace.core.terms import Modality, Phase, View, modality_meant
from cardiotrace.io.vocabulary import Counting, Kind, Word, read_words

_VIEW_WORDS = (
    *("2ch", "a2c", "3ch", "a3c", "4ch", "a4c", "5ch", "a5c"),
    *("plax", "psax", "sax", "lax", "rvot", "fundus"),
)


@dataclass(frozen=True)
class FileName:
    """What a name tells; what it does not tell, or only in doubt, is unknown, OTHER, empty or None."""

    image: str
    """The image's own name: the stem without the mark of a label file."""
    patient: str = ""
    """The words that are left: whose image it is. Empty where no word is."""
    view: View = View.UNKNOWN
    modality: Modality = Modality.UNKNOWN
    is_modality_sure: bool = False
    """Whether a clear word says it; "cine", which is said of echo as well, is none."""
    phase: Phase = Phase.OTHER
    is_labels: bool = False
    index: int | None = None
    """The number of a frame, slice, series or image."""
    counting: Counting = Counting.UNSAID
    """What `index` counts."""
    doubts: tuple[str, ...] = ()
    """In words, what was not taken for evidence, and why."""


def read_name(stem: str) -> FileName:
    """Read a file's name, without its suffix.

    Example:
        >>> name = read_name("ES-012_4CH_ED_gt")
        >>> name.patient, name.view.value, name.phase.value, name.is_labels
        ('ES_012', '4CH', 'ED', True)
        >>> read_name("p7_A4C_A2C").view, read_name("p7_A4C_A2C").doubts
        (<View.UNKNOWN: 'unknown'>, ('the name says 4CH and 2CH',))
    """
    image = image_name(stem)
    words = read_words(image)
    view, view_doubts = _view(words)
    modality, is_sure, modality_doubts = _modality(words, view)
    phase, phase_doubts = _phase(words)
    index, counting = _number(words)
    return FileName(
        image=image,
        patient="_".join(word.text for word in words if word.kind is Kind.PATIENT),
        view=view,
        modality=modality,
        is_modality_sure=is_sure,
        phase=phase,
        is_labels=image != stem,
        index=index,
        counting=counting,
        doubts=(*view_doubts, *modality_doubts, *phase_doubts),
    )


def plane_of(word: str) -> tuple[View, Modality]:
    """The plane that a word for a view names, and the modality that it implies.

    Raises:
        UsageError: it is no word for a view.

    Example:
        >>> plane_of("A4C"), plane_of("4ch")
        ((<View.FOUR_CHAMBER: '4CH'>, <Modality.US: 'US'>), (<View.FOUR_CHAMBER: '4CH'>, <Modality.UNKNOWN: 'unknown'>))
    """
    try:
        return View(word), modality_meant(word)
    except ValueError:
        raise UsageError(
            f"{word!r} is no word for a view",
            remedy=f"choose from: {', '.join(known.upper() for known in _VIEW_WORDS)}, unknown.",
        ) from None


def view_in(name: str) -> View:
    """The view that a name states, UNKNOWN if none.

    Example:
        >>> view_in("patient0100_4CH_ED"), view_in("photo")
        (<View.FOUR_CHAMBER: '4CH'>, <View.UNKNOWN: 'unknown'>)
    """
    return read_name(name).view


def phase_in(name: str) -> Phase:
    """The phase that a name states, OTHER if none.

    Example:
        >>> phase_in("patient0100_4CH_ED"), phase_in("p1_A4C_end-systole")
        (<Phase.ED: 'ED'>, <Phase.ES: 'ES'>)
    """
    return read_name(name).phase


def patient_in(name: str) -> str:
    """The name without view, phase and number of a frame; images of one patient share it.

    Example:
        >>> patient_in("patient0100_4CH_ED"), patient_in("patient101_frame01")
        ('patient0100', 'patient101')
    """
    read = read_name(name)
    return read.patient or read.image


def image_name(stem: str) -> str:
    """Name of the image that a label file belongs to; an image's own name stays.

    Example:
        >>> image_name("patient0100_4CH_ED_labels"), image_name("patient0100_4CH_ED-GT")
        ('patient0100_4CH_ED', 'patient0100_4CH_ED')
    """
    match = _LABEL_END.fullmatch(stem)
    return stem if match is None else match[1]


_LABEL_END = re.compile(r"(.+)[_\-. ](?:labels?|gt|ground_?truth|seg|segmentation|masks?)", re.IGNORECASE)


def _view(words: Sequence[Word]) -> tuple[View, tuple[str, ...]]:
    views = _evidence(words, lambda word: word.view if word.kind is Kind.VIEW else View.UNKNOWN, View.UNKNOWN)
    if len(views) > 1:
        return View.UNKNOWN, (f"the name says {' and '.join(views)}",)
    if views:
        return views[0], ()
    long = next((word.text for word in words if word.kind is Kind.LONG_AXIS), None)
    return View.UNKNOWN, () if long is None else (f"{long} does not say which long axis",)


def _modality(words: Sequence[Word], view: View) -> tuple[Modality, bool, tuple[str, ...]]:
    """What the words say, and whether they are clear; a word for another view than the one that counts says nothing."""
    telling = [word for word in words if word.kind is not Kind.VIEW or view in (word.view, View.UNKNOWN)]
    found = _evidence(telling, lambda word: word.modality, Modality.UNKNOWN)
    if len(found) > 1:
        return Modality.UNKNOWN, False, (f"the name says {' and '.join(found)}",)
    modality = found[0] if found else Modality.UNKNOWN
    is_sure = any(word.modality is modality and word.kind is not Kind.MOVING for word in telling)
    return modality, is_sure and modality is not Modality.UNKNOWN, ()


def _phase(words: Sequence[Word]) -> tuple[Phase, tuple[str, ...]]:
    """The last word for a phase, clear ones first; two different ones in a row: a video from one to the other."""
    saying = [word for word in words if word.kind is not Kind.NOISE]
    for one, other in pairwise(saying):
        if one.kind is other.kind is Kind.PHASE and one.phase is not other.phase:
            return Phase.OTHER, (f"the name says {one.phase} and {other.phase}",)
    last = {word.is_clear: word.phase for word in saying if word.kind is Kind.PHASE}
    return last.get(True, last.get(False, Phase.OTHER)), ()


_Term = TypeVar("_Term", View, Modality)


def _evidence(words: Sequence[Word], said: Callable[[Word], _Term], nothing: _Term) -> list[_Term]:
    """What the clear words say, or, where none says anything, the doubtful ones; each once."""
    clear = dict.fromkeys(said(word) for word in words if word.is_clear and said(word) is not nothing)
    doubtful = dict.fromkeys(said(word) for word in words if said(word) is not nothing)
    return list(clear or doubtful)


def _number(words: Sequence[Word]) -> tuple[int | None, Counting]:
    """The number of a frame, else of a slice, else the last one."""
    numbered = [word for word in words if word.kind is Kind.NUMBERED]
    for counting in (Counting.FRAME, Counting.SLICE, Counting.UNSAID):
        for word in reversed(numbered):
            if word.counting is counting:
                return word.index, counting
    return None, Counting.UNSAID
