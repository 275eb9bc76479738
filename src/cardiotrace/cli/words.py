"""Words of the field, read as people type them: "A4C" or "4ch", "MRI" or "mr"; and numbers."""

from collections.abc import Sequence

from cardiotrace.core.errors import UsageError
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.naming import plane_of


def read_plane(word: str) -> tuple[View, Modality]:
    """The view that a word names, and the modality that it implies.

    Raises:
        UsageError: it is no word for a view.
    """
    try:
        return plane_of(word)
    except UsageError as error:
        raise UsageError(f"--view: {error.what}", remedy=error.remedy) from None


def read_view(word: str) -> View:
    """The view that a word names.

    Raises:
        UsageError: it is no word for a view.

    Example:
        >>> read_view("a4c")
        <View.FOUR_CHAMBER: '4CH'>
    """
    return plane_of(word)[0]


def read_modality(word: str) -> Modality:
    """The modality that a word names.

    Raises:
        UsageError: it is no word for a modality.

    Example:
        >>> read_modality("mri"), read_modality("Photograph")
        (<Modality.MR: 'MR'>, <Modality.PHOTOGRAPH: 'photograph'>)
    """
    try:
        return Modality(word)
    except ValueError:
        raise UsageError(f"{word!r} is no word for a modality", remedy="choose from: US, MR, photograph.") from None


def read_numbers(words: Sequence[str]) -> tuple[float, ...]:
    """Numbers.

    Raises:
        ValueError: a word is none; whoever reads options says which.

    Example:
        >>> read_numbers(["1.4", "8"])
        (1.4, 8.0)
    """
    return tuple(map(float, words))
