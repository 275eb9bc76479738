"""Colours that people with any colour vision tell apart, on grey images and on paper."""

from cardiotrace.core.terms import Structure

Colour = tuple[int, int, int]

STRUCTURE_COLOURS: dict[Structure, Colour] = {
    Structure.LV: (86, 180, 233),
    Structure.MYO: (230, 159, 0),
    Structure.LA: (225, 120, 185),
    Structure.RV: (240, 228, 66),
    Structure.RA: (0, 178, 130),
    Structure.VESSEL: (86, 180, 233),
}
"""After Okabe and Ito 2008, purple and green a little lighter, for dark images."""

LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""For plots on white, in order."""


def hexadecimal(colour: Colour) -> str:
    """The colour as CSS writes it.

    Example:
        >>> hexadecimal((230, 159, 0))
        '#e69f00'
    """
    return f"#{colour[0]:02x}{colour[1]:02x}{colour[2]:02x}"
