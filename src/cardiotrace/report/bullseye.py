"""The wall of the left ventricle seen from its apex: seventeen segments with a number and a colour each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cardiotrace.clinical.segment import SEGMENTS, Level, SegmentValues
from cardiotrace.core.flag import Grade, worst
from cardiotrace.report.colour import Colour, hexadecimal
from cardiotrace.report.drawing import Anchor, Area, Drawing, Lettering, Point, Stroke
from cardiotrace.report.words import ENGLISH, Words, sign_of

_WIDTH, _SIZE, _HEAD, _FOOT = 280, 236, 22, 30
_MIDDLE, _REACH = (_WIDTH / 2, _HEAD + _SIZE / 2), 102.0
_RINGS = {Level.BASAL: (0.75, 1.0), Level.MID: (0.5, 0.75), Level.APICAL: (0.24, 0.5), Level.CAP: (0.0, 0.24)}
"""From where to where a level lies, as shares of the reach."""
_INK, _PALE = "#22303c", "#eef1f4"
_WALLS = (("anterior", 0), ("septal", 90), ("inferior", 180), ("lateral", 270))
"""Words around the ring, by degrees counter-clockwise from the top."""
_ANCHORS: Mapping[int, Anchor] = {90: "end", 270: "start"}


@dataclass(frozen=True)
class _Colours:
    """Colours of values: from the first at `low` to the last at `high`, evenly between."""

    low: float
    high: float
    stops: tuple[Colour, ...]

    def at(self, value: float) -> Colour:
        share = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0) * (len(self.stops) - 1)
        place = min(int(share), len(self.stops) - 2)
        first, second = self.stops[place], self.stops[place + 1]
        red, green, blue = (round(a + (b - a) * (share - place)) for a, b in zip(first, second, strict=True))
        return red, green, blue


_BLUE, _ORANGE = ((8, 64, 129), (67, 147, 195), (209, 229, 240)), ((247, 247, 247), (244, 165, 60))
_EARTH = ((255, 247, 225), (233, 185, 110), (153, 88, 24))
_SCALES: Mapping[str, _Colours] = {
    **{name: _Colours(-24, 12, (*_BLUE, *_ORANGE)) for name in ("longitudinal_strain", "circumferential_strain")},
    "radial_strain": _Colours(-30, 60, (*_ORANGE[::-1], *_BLUE[::-1])),
    "wall_thickening": _Colours(-40, 80, (*_ORANGE[::-1], *_BLUE[::-1])),
    "end_diastolic_wall_thickness": _Colours(3, 20, _EARTH),
    "end_systolic_wall_thickness": _Colours(5, 26, _EARTH),
}
"""By name of the values, the same in every exam, so that two pictures can be compared. More shortening or thickening is
bluer, the other sign orange. A colour is a number and no judgement."""


_SHOWN = (
    *("longitudinal_strain", "circumferential_strain", "radial_strain"),
    *("end_diastolic_wall_thickness", "wall_thickening"),
)
"""Values that the page shows, in this order."""
_MOST_SHOWN = 3


def to_be_shown(found: Sequence[SegmentValues]) -> list[SegmentValues]:
    """Of each kind of value the one that knows the most segments, such as that of all views together; three at most."""
    chosen = []
    for name in _SHOWN:
        alike = [values for values in found if values.name == name and values.values]
        if alike:
            chosen.append(max(alike, key=lambda values: len(values.values)))
    return chosen[:_MOST_SHOWN]


def draw_bullseye(values: SegmentValues, words: Words = ENGLISH) -> Drawing:
    """Draw values of the seventeen segments: the anterior wall at the top, the septum on the left.

    A segment that was not measured has a dash; where the values are not usable, all have, and it is said.

    Args:
        values: by segment.
        words: the language.
    """
    drawing = Drawing(_WIDTH, _HEAD + _SIZE + _FOOT)
    is_usable = worst(values.flags) is not Grade.NOT_USABLE
    shown = values.values if is_usable else {}
    colours = _SCALES.get(values.name) or _fitting(list(shown.values()))
    for number, segment in SEGMENTS.items():
        ring, centre = _RINGS[segment.level], _place(number)
        known = shown.get(number)
        fill = _PALE if known is None else hexadecimal(colours.at(known))
        drawing.add(Area(_outline(number), fill, edge="#ffffff"))
        text = "–" if known is None else words.number(known)
        size = 11.5 if ring[1] > 0.5 else 11.0
        drawing.add(Lettering((centre[0], centre[1] + 4), text, size, _ink_on(fill), "middle", is_bold=True))
    for wall, degrees in _WALLS:
        x, y = _polar(1.07, degrees)
        drawing.add(Lettering((x, y + 4), words(f"segment.{wall}"), 10, _INK, _ANCHORS.get(degrees, "middle")))
    title = f"{words.segments(values)}, {sign_of(values.unit)}"
    drawing.add(Lettering((_WIDTH / 2, 14), title, 12, _INK, "middle", is_bold=True))
    _draw_foot(drawing, colours, words, values, is_usable=is_usable)
    return drawing


def _draw_foot(drawing: Drawing, colours: _Colours, words: Words, values: SegmentValues, *, is_usable: bool) -> None:
    """What the colours mean; or that nothing here is to be used."""
    top, left, width = _HEAD + _SIZE + 4, 70.0, _WIDTH - 140.0
    if not is_usable:
        drawing.add(Lettering((_WIDTH / 2, top + 12), words("page.not_usable"), 12, "#a11212", "middle", is_bold=True))
        return
    steps = 40
    for step in range(steps):
        value = colours.low + (colours.high - colours.low) * (step + 0.5) / steps
        x0, x1 = (left + width * (step + end) / steps for end in (0, 1.05))
        corners = [(x0, top), (x1, top), (x1, top + 8), (x0, top + 8)]
        drawing.add(Area(corners, hexadecimal(colours.at(value))))
    drawing.add(Lettering((left - 4, top + 8), words.number(colours.low), 10, _INK, "end"))
    drawing.add(Lettering((left + width + 4, top + 8), words.number(colours.high), 10, _INK))
    drawing.add(Stroke([(left, top + 8.5), (left + width, top + 8.5)], "#c9d2da", 0.6))
    drawing.add(Lettering((_WIDTH / 2, top + 21), values.view, 10, _INK, "middle"))


def _fitting(values: Sequence[float]) -> _Colours:
    """A scale from the least to the greatest, for values that have none of their own."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    return _Colours(low, high if high > low else low + 1, _EARTH)


def _arc(number: int) -> tuple[float, float]:
    """Where a segment begins and ends, degrees counter-clockwise from the top: the first is centred there."""
    if number == 17:
        return 0.0, 360.0
    first, count = (1, 6) if number <= 6 else (7, 6) if number <= 12 else (13, 4)
    width = 360 / count
    middle = (number - first) * width
    return middle - width / 2, middle + width / 2


def _outline(number: int) -> list[Point]:
    inner, outer = _RINGS[SEGMENTS[number].level]
    start, stop = _arc(number)
    steps = max(8, round((stop - start) / 4))
    degrees = [start + (stop - start) * step / steps for step in range(steps + 1)]
    outside = [_polar(outer, each) for each in degrees]
    return outside if inner == 0 else [*outside, *(_polar(inner, each) for each in reversed(degrees))]


def _place(number: int) -> Point:
    """Middle of a segment."""
    inner, outer = _RINGS[SEGMENTS[number].level]
    start, stop = _arc(number)
    return _MIDDLE if inner == 0 else _polar((inner + outer) / 2, (start + stop) / 2)


def _polar(share: float, degrees: float) -> Point:
    """A point at a share of the reach, counter-clockwise from the top."""
    angle = math.radians(degrees)
    return _MIDDLE[0] - share * _REACH * math.sin(angle), _MIDDLE[1] - share * _REACH * math.cos(angle)


def _ink_on(fill: str) -> str:
    """Dark letters on light ground, light ones on dark."""
    red, green, blue = (int(fill[place : place + 2], 16) for place in (1, 3, 5))
    return _INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"
