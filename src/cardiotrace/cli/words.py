"""Options whose values are words of the field, read as a user types them: "A4C" or "4ch", "MRI" or "mr"."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from tyro.constructors import PrimitiveConstructorSpec

from cardiotrace.core.errors import UsageError
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.naming import plane_of

Word = TypeVar("Word", bound=StrEnum)


def _words(kind: type[Word], read: Callable[[str], Word], metavar: str) -> PrimitiveConstructorSpec[Any]:
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=lambda words: read(words[0]),  # its error ends the reading of options, and is clearer
        is_instance=lambda value: isinstance(value, kind),
        str_from_instance=lambda value: [str(value.value)],
    )


def modality_of(word: str) -> Modality:
    """The modality that a word names.

    Raises:
        UsageError: it is no word for a modality.

    Example:
        >>> modality_of("mri"), modality_of("Photograph")
        (<Modality.MR: 'MR'>, <Modality.PHOTOGRAPH: 'photograph'>)
    """
    try:
        return Modality(word)
    except ValueError:
        raise UsageError(f"{word!r} is no word for a modality", remedy="choose from: US, MR, photograph.") from None


ViewWord = Annotated[View, _words(View, lambda word: plane_of(word)[0], "VIEW")]
"""A view, such as A4C."""
ModalityWord = Annotated[Modality, _words(Modality, modality_of, "US|MR|photograph")]
"""A modality, such as MR."""
