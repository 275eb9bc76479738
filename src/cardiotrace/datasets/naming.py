"""What the name of an image file tells: its view, its phase, whose it is, and whether it holds labels."""

import re
from collections.abc import Mapping

from cardiotrace.core.errors import UsageError
from cardiotrace.core.terms import Modality, Phase, View, modality_meant

LABEL_MARKS = ("_labels", "_gt", "_seg", "_mask")
"""Ends of a label file's name that the image's name lacks."""

_WORDS = (
    *("2ch", "a2c", "3ch", "a3c", "4ch", "a4c", "5ch", "a5c"),
    *("plax", "psax", "sax", "lax", "rvot", "fundus"),
)
_VIEWS: Mapping[str, View] = {word: View(word) for word in _WORDS} | {"sa": View.SAX, "la": View.FOUR_CHAMBER}
_PHASES: Mapping[str, Phase] = {"ed": Phase.ED, "es": Phase.ES}


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
            remedy=f"choose from: {', '.join(known.upper() for known in _WORDS)}, unknown.",
        ) from None


def view_in(name: str) -> View:
    """The view that a name states, UNKNOWN if none.

    Example:
        >>> view_in("patient0100_4CH_ED"), view_in("photo")
        (<View.FOUR_CHAMBER: '4CH'>, <View.UNKNOWN: 'unknown'>)
    """
    return next((_VIEWS[word] for word in _words(name.lower()) if word in _VIEWS), View.UNKNOWN)


def modality_in(name: str) -> Modality:
    """The modality that a name's word for a view implies, UNKNOWN if it implies none.

    Example:
        >>> modality_in("Smith_A4C_ED"), modality_in("patient0100_4CH_ED")
        (<Modality.US: 'US'>, <Modality.UNKNOWN: 'unknown'>)
    """
    return next((modality_meant(word) for word in _words(name) if word.lower() in _VIEWS), Modality.UNKNOWN)


def phase_in(name: str) -> Phase:
    """The phase that a name states, OTHER if none.

    Example:
        >>> phase_in("patient0100_4CH_ED")
        <Phase.ED: 'ED'>
    """
    return next((_PHASES[word] for word in _words(name.lower()) if word in _PHASES), Phase.OTHER)


def patient_in(name: str) -> str:
    """The name without view and phase; images of one patient share it.

    Example:
        >>> patient_in("patient0100_4CH_ED")
        'patient0100'
    """
    words = [word for word in _words(name) if word.lower() not in _VIEWS and word.lower() not in _PHASES]
    return "_".join(words) or name


def image_name(stem: str) -> str:
    """Name of the image that a label file belongs to; an image's own name stays.

    Example:
        >>> image_name("patient0100_4CH_ED_labels"), image_name("patient0100_4CH_ED_gt")
        ('patient0100_4CH_ED', 'patient0100_4CH_ED')
    """
    return next((stem.removesuffix(mark) for mark in LABEL_MARKS if stem.endswith(mark) and stem != mark), stem)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
