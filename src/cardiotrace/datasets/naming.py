"""What the name of an image file tells: its view, its phase, whose it is, and whether it holds labels."""

import re
from collections.abc import Mapping

from cardiotrace.core.terms import Phase, View

LABEL_MARKS = ("_labels", "_gt", "_seg", "_mask")
"""Ends of a label file's name that the image's name lacks."""

_VIEWS: Mapping[str, View] = {
    "2ch": View.A2C, "a2c": View.A2C, "3ch": View.A3C, "a3c": View.A3C, "4ch": View.A4C, "a4c": View.A4C,
    "plax": View.PLAX, "psax": View.PSAX, "sax": View.SAX, "sa": View.SAX, "lax": View.LAX, "la": View.LAX,
    "fundus": View.FUNDUS,
}  # fmt: skip
_PHASES: Mapping[str, Phase] = {"ed": Phase.ED, "es": Phase.ES}


def view_in(name: str) -> View:
    """The view that a name states, UNKNOWN if none.

    Example:
        >>> view_in("patient0100_4CH_ED"), view_in("photo")
        (<View.A4C: 'A4C'>, <View.UNKNOWN: 'unknown'>)
    """
    return next((_VIEWS[word] for word in _words(name.lower()) if word in _VIEWS), View.UNKNOWN)


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
