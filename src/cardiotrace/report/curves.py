"""The curves of all moving images of an exam on one time axis."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.curve import Curve
from cardiotrace.clinical.key_frames import KeyFrame
from cardiotrace.core.terms import Phase
from cardiotrace.report.colour import LINES
from cardiotrace.report.drawing import Drawing, Lettering, Stroke
from cardiotrace.report.words import ENGLISH, Words, sign_of

_KINDS = ("volume", "strain", "area")
"""Panels from the top, by a word of what runs in them."""
_CHAMBERS = ("left_ventricular", "right_ventricular", "left_atrial", "right_atrial")
_DASHES = {"left_ventricular": 0.0, "right_ventricular": 7.0, "left_atrial": 3.0, "right_atrial": 2.0}
_WIDTH, _PANEL, _TITLE, _FOOT, _LEFT, _RIGHT = 820, 118, 26, 34, 46, 14
"""Of the drawing, of a panel's plot, of the line above it, of what stands below the last, and beside all."""
_INK, _GRID, _TEXT = "#33404d", "#e3e8ee", 11.5
_MOST_IMAGES = len(LINES)


@dataclass(frozen=True)
class _Line:
    """One series of one image on the shared axis."""

    words: str
    colour: str
    dash: float
    along: tuple[float, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class _Panel:
    """Lines of one kind and unit."""

    kind: str
    unit: str
    lines: tuple[_Line, ...]


@dataclass(frozen=True)
class _Axis:
    """The shared time axis: where an image's frames lie on it."""

    is_timed: bool
    is_from_diastole: bool
    """Whether end-diastole is 0 in every image; else the first frame is."""

    @classmethod
    def of(cls, curves: Sequence[Curve], diastoles: dict[str, int]) -> "_Axis":
        return cls(all(curve.times_ms for curve in curves), all(curve.image in diastoles for curve in curves))

    def along(self, curve: Curve, diastoles: dict[str, int]) -> tuple[float, ...]:
        """Instants, ms, or numbers of frames."""
        count = len(next(iter(curve.series.values())))
        times = curve.times_ms if self.is_timed and curve.times_ms else tuple(float(frame) for frame in range(count))
        start = times[diastoles[curve.image]] if self.is_from_diastole else times[0]
        return tuple(time - start for time in times)

    @property
    def key(self) -> str:
        """Of its label in the table of strings."""
        return f"curve.{'ms' if self.is_timed else 'frames'}{'' if self.is_from_diastole else '_start'}"


def draw_exam_curves(
    curves: Sequence[Curve], key_frames: Sequence[KeyFrame], beats: Sequence[Beat] = (), words: Words = ENGLISH
) -> Drawing:
    """Draw volumes, strains and areas over time, all views on one axis, each kind in a panel of its own.

    End-diastole is 0 where it is known of every image, so that the beats of several films lie on one another. Where
    the times of one are not known, all run over frames. An area of the left ventricle is left out where its volume is
    there. Dotted lines mark end-systole, or both phases where the first frame is 0; ticks below, the beats.

    Args:
        curves: of the moving images; of more than six the first are drawn.
        key_frames: the measured frames; those of other images are not drawn.
        beats: those of the images.
        words: the language.
    """
    drawn = [curve for curve in curves if any(curve.series.values())][:_MOST_IMAGES]
    diastoles = {found.image: found.frame for found in reversed(key_frames) if found.phase is Phase.ED}
    axis = _Axis.of(drawn, diastoles)
    instants = {curve.image: axis.along(curve, diastoles) for curve in drawn}
    panels = list(_panels(drawn, instants, words))
    low = min((times[0] for times in instants.values()), default=0.0)
    high = max((times[-1] for times in instants.values()), default=1.0)
    drawing = Drawing(_WIDTH, len(panels) * (_PANEL + _TITLE) + _FOOT)
    across = _scale((low, max(high, low + 1)), (_LEFT, _WIDTH - _RIGHT))
    for number, panel in enumerate(panels):
        top = number * (_PANEL + _TITLE) + _TITLE
        _draw_panel(drawing, panel, top, across, words)
    bottom = len(panels) * (_PANEL + _TITLE)
    _draw_times(drawing, (low, high), across, bottom, words(axis.key))
    colours = {curve.image: LINES[place] for place, curve in enumerate(drawn)}
    for image, phase, frame in _marks(drawn, key_frames, beats):
        if phase is Phase.ED and axis.is_from_diastole and frame == diastoles[image]:
            continue  # it is 0
        x = across(instants[image][frame])
        drawing.add(Stroke([(x, _TITLE), (x, bottom)], colours[image], 1.0, dash=2.0))
        drawing.add(Lettering((x + 2, bottom - 4), words(f"phase.{phase}_short"), 10, colours[image]))
    return drawing


def _marks(
    curves: Sequence[Curve], key_frames: Sequence[KeyFrame], beats: Sequence[Beat]
) -> Iterator[tuple[str, Phase, int]]:
    """What is marked, each frame once: end-diastole and end-systole of every beat, or of the measured one."""
    names = {curve.image: len(next(iter(curve.series.values()))) for curve in curves}
    found: list[tuple[str, Phase, int]] = []
    for beat in beats:
        found += [(beat.image, Phase.ED, beat.end_diastole), (beat.image, Phase.ES, beat.end_systole)]
    of_beats = {image for image, _, _ in found}
    found += [(item.image, item.phase, item.frame) for item in key_frames if item.image not in of_beats]
    for image, phase, frame in dict.fromkeys(found):
        if phase is not Phase.OTHER and frame < names.get(image, 0):
            yield image, phase, frame


def _panels(curves: Sequence[Curve], instants: dict[str, tuple[float, ...]], words: Words) -> Iterator[_Panel]:
    """Series by kind and unit."""
    for kind in _KINDS:
        by_unit: dict[str, list[_Line]] = {}
        for place, curve in enumerate(curves):
            for name, values in curve.series.items():
                if _is_shown(name, kind, curve):
                    chamber = next((item for item in _CHAMBERS if name.startswith(item)), "")
                    told = " ".join(filter(None, (curve.view, words.found(f"curve.{chamber}"))))
                    line = _Line(told, LINES[place], _DASHES.get(chamber, 0.0), instants[curve.image], values)
                    by_unit.setdefault(name.rsplit("_", 1)[1], []).append(line)
        yield from (_Panel(kind, unit, tuple(lines)) for unit, lines in by_unit.items())


def _is_shown(name: str, kind: str, curve: Curve) -> bool:
    if kind not in name.split("_") or "midwall" in name:  # the line of the endocardium runs nearly the same way
        return False
    has_volume = any(other.startswith("left_ventricular_volume") for other in curve.series)
    return not (name.startswith("left_ventricular_area") and has_volume)


def _draw_panel(drawing: Drawing, panel: _Panel, top: float, across: Callable[[float], float], words: Words) -> None:
    """Grid, lines, and above them what they are."""
    known = [value for line in panel.lines for value in line.values if value is not None and math.isfinite(value)]
    low, high = min([0.0, *known]), max([0.0, *known])
    ticks = _ticks(low, high if high > low else low + 1, 4)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    down = _scale((low, high), (top + _PANEL, top + 4))
    for tick in ticks:
        drawing.add(Stroke([(_LEFT, down(tick)), (_WIDTH - _RIGHT, down(tick))], _GRID))
        digits = 0 if float(tick).is_integer() else 1
        drawing.add(Lettering((_LEFT - 5, down(tick) + 4), words.number(tick, digits), _TEXT, _INK, "end"))
    drawing.add(Stroke([(_LEFT, top), (_LEFT, top + _PANEL), (_WIDTH - _RIGHT, top + _PANEL)], _INK))
    title = f"{words('curve.' + panel.kind)}, {sign_of(panel.unit)}"
    drawing.add(Lettering((6, top - 9), title[0].upper() + title[1:], _TEXT + 0.5, _INK, is_bold=True))
    x = 150.0
    for line in panel.lines:
        drawing.add(Stroke([(x, top - 13), (x + 22, top - 13)], line.colour, 2.2, line.dash))
        drawing.add(Lettering((x + 27, top - 9), line.words, _TEXT, _INK))
        x += 27 + 7.2 * len(line.words) + 16
        for run in _runs(line):
            drawing.add(Stroke([(across(time), down(value)) for time, value in run], line.colour, 2.0, line.dash))


def _draw_times(
    drawing: Drawing, limits: tuple[float, float], across: Callable[[float], float], bottom: float, label: str
) -> None:
    for tick in _ticks(*limits, 8):
        if limits[0] <= tick <= limits[1]:
            drawing.add(Stroke([(across(tick), bottom), (across(tick), bottom + 4)], _INK))
            drawing.add(Lettering((across(tick), bottom + 16), f"{tick:g}".replace("-", "−"), _TEXT, _INK, "middle"))
    drawing.add(Lettering(((_LEFT + _WIDTH) / 2, bottom + 30), label, _TEXT, _INK, "middle"))


def _runs(line: _Line) -> Iterator[list[tuple[float, float]]]:
    """The line in pieces without gaps; a single value is a short dash."""
    run: list[tuple[float, float]] = []
    for time, value in (*zip(line.along, line.values, strict=True), (0.0, None)):
        if value is not None and math.isfinite(value):
            run.append((time, value))
            continue
        if run:
            yield run if len(run) > 1 else [run[0], (run[0][0] + 1, run[0][1])]
        run = []


def _scale(of: tuple[float, float], to: tuple[float, float]) -> Callable[[float], float]:
    """A linear map that takes one interval to another."""
    factor = (to[1] - to[0]) / (of[1] - of[0])
    return lambda value: to[0] + (value - of[0]) * factor


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers from at or below the low end to at or above the high one, about `count` steps of them.

    Example:
        >>> _ticks(0, 130, 4), _ticks(-21, 3, 4)
        ([0, 50, 100, 150], [-30, -20, -10, 0, 10])
    """
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return list(_rounded(number * step for number in range(first, last + 1)))


def _rounded(values: Iterable[float]) -> Iterator[float]:
    for value in values:
        near = round(value, 6)
        yield int(near) if float(near).is_integer() else near
