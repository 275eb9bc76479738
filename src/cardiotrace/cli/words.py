"""Words of the field, read as people type them: "A4C" or "4ch", "MRI" or "mr"; and sizes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cardiotrace.core.errors import UsageError
from cardiotrace.core.terms import Modality, View

if TYPE_CHECKING:
    from cardiotrace.io.frames import GivenSpacing


def read_plane(word: str) -> tuple[View, Modality]:
    """The view that a word names, and the modality that it implies.

    Raises:
        UsageError: it is no word for a view.
    """
    from cardiotrace.datasets.naming import plane_of  # what reads files is loaded where a word is to be read

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
    from cardiotrace.datasets.naming import plane_of

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


def read_sizes(words: Sequence[str]) -> "GivenSpacing":
    """Sizes (height, width[, depth]) in mm as the readers take them.

    Raises:
        UsageError: a word is no number, or the sizes are none that an image has.

    Example:
        >>> read_sizes(["1.4", "1.4", "8"])
        (8.0, 1.4, 1.4)
    """
    from cardiotrace.workflows.services.exams import given_spacing

    try:
        sizes = tuple(map(float, words))
    except ValueError:
        raise UsageError(
            f"--spacing-mm takes numbers, got {' '.join(words)}", remedy="name exams before the options."
        ) from None
    return given_spacing(sizes)
