"""What a caller knows better than a file that is read."""

from dataclasses import dataclass, replace
from typing import Literal, TypedDict, Unpack

from cardiotrace.core.geometry import Known
from cardiotrace.core.terms import Modality, View
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.io.stored import ThirdAxis


@dataclass(frozen=True)
class ReadOptions:
    """How a file is to be read."""

    view: View = View.UNKNOWN
    """The anatomical plane."""
    modality: Modality = Modality.UNKNOWN
    """How the image was made."""
    spacing_mm: GivenSpacing | None = None
    """In place of what the file says."""
    third_axis: ThirdAxis = "auto"
    """What the third of three axes is; "auto" goes by format, name, view and header, see `third_axis.axes_of`, and asks
    where these do not tell."""
    channels: Literal[1, 3] | None = None
    """1 for grey values and 3 for colour, whatever the image shows; of no account for labels."""
    as_shown: Known = Known.UNKNOWN
    """How it is known that rows and columns run as the scanner showed them; files that do not tell their place in the
    patient may have been mirrored."""


AS_STORED = ReadOptions()
"""Nothing is known better."""


class KnownOption(TypedDict, total=False):
    """Single fields of `ReadOptions`, as keywords."""

    view: View
    modality: Modality
    spacing_mm: GivenSpacing | None
    third_axis: ThirdAxis
    channels: Literal[1, 3] | None
    as_shown: Known


def with_known(options: ReadOptions, **known: Unpack[KnownOption]) -> ReadOptions:
    """The options with some of them replaced.

    Example:
        >>> with_known(AS_STORED, third_axis="time").third_axis
        'time'
    """
    return replace(options, **known)
