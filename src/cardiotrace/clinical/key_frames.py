"""Which frames are end-diastole and end-systole."""

import statistics
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.axis import LongAxis
from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.beats.gating import is_one_beat
from cardiotrace.clinical.beats.search import Found, SizeCurve, find_turns, frame_interval_ms
from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Phase, View

PHASE_WORD = {Phase.ED: "end_diastolic", Phase.ES: "end_systolic"}
"""What names of quantities call the phases."""


@dataclass(frozen=True)
class KeyFrame:
    """One frame of the beat that is measured."""

    view: View
    view_name: str
    """What a cardiologist calls the view, such as "A4C"."""
    phase: Phase
    image: str
    frame: int
    is_named: bool
    """Whether the exam says that this is the phase; else it was found from the size of the ventricle."""
    trace: LongAxisTrace | None = None
    """Left ventricle there as it was measured, in a long-axis view."""

    @property
    def axis(self) -> LongAxis | None:
        """Long axis of the left ventricle there."""
        return None if self.trace is None else self.trace.axis

    @property
    def ref(self) -> FrameRef:
        """Image and frame."""
        return FrameRef(self.image, self.frame)

    def to_plain(self) -> dict[str, Any]:
        """The key frame as JSON holds it; points in pixels are called so."""
        plain: dict[str, Any] = {
            "view": self.view_name,
            "phase": str(self.phase),
            "image": self.image,
            "frame": self.frame,
            "chosen": "named in the exam" if self.is_named else f"{_SIZE[self.phase]} left ventricle",
        }
        if self.trace is not None and self.trace.axis is not None:
            axis, unit = self.trace.axis, self.trace.scale.unit
            plain[f"annulus_{unit}"] = axis.annulus.round(3).tolist()
            plain[f"apex_{unit}"] = axis.apex.round(3).tolist()
        return plain


_SIZE = {Phase.ED: "largest", Phase.ES: "smallest", Phase.OTHER: "unspecified"}


@dataclass(frozen=True)
class KeyFrames:
    """End-diastole and end-systole of one view; None where the exam shows only one of them.

    Going through them yields those that there are, end-diastole first.
    """

    view: View
    view_name: str
    """What a cardiologist calls the view, such as "A4C"."""
    end_diastole: KeyFrame | None
    end_systole: KeyFrame | None
    duration_ms: float | None = None
    """From this end-diastole to the next; None where that is not shown or times are not known."""

    def __iter__(self) -> Iterator[KeyFrame]:
        return (found for found in (self.end_diastole, self.end_systole) if found is not None)

    @property
    def are_both(self) -> bool:
        """Whether the exam shows both, so that an ejection fraction can be had."""
        return self.end_diastole is not None and self.end_systole is not None

    def refs(self, *phases: Phase) -> tuple[FrameRef, ...]:
        """Image and frame of some phases, as far as they are there."""
        return tuple(found.ref for found in self if found.phase in phases)

    def with_traces(self, traces: Mapping[Phase, LongAxisTrace]) -> tuple[KeyFrame, ...]:
        """The key frames that were found, each with what was traced in it."""
        return tuple(replace(found, trace=traces.get(found.phase)) for found in self)


class SizedImage(Protocol):
    """An image of which the size of the left ventricle is known in every frame."""

    @property
    def image(self) -> ExamImage:
        """The image, with the phases that the exam names."""

    @property
    def sizes(self) -> Float[np.ndarray, "frames"]:
        """Area or volume in each frame, in any unit; 0 where there is no ventricle."""

    @property
    def odd(self) -> Bool[np.ndarray, "frames"]:
        """Frames whose size or length stands out of their neighbours: foreshortened, or badly traced."""


@dataclass(frozen=True)
class ViewBeats:
    """All beats of one view that are measured."""

    beats: tuple[KeyFrames, ...]
    """End-diastole and end-systole of each, in order of time; one where the exam names them or shows stills."""
    flags: tuple[Flag, ...] = ()
    """What is odd about them."""
    usual: int = 0
    """Number of the beat that is shown for all: that of the middle ejection by size."""


def find_key_frames(images: Sequence[SizedImage]) -> KeyFrames | None:
    """End-diastole and end-systole of the usual beat of one view, see `find_view_beats`.

    Example:
        >>> from types import SimpleNamespace
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.image import Image
        >>> image = ExamImage("loop", Image(np.zeros((4, 1, 2, 2), np.uint8), NO_GEOMETRY, view=View.FOUR_CHAMBER))
        >>> sizes = np.array([30.0, 25.0, 18.0, 22.0])
        >>> found = find_key_frames([SimpleNamespace(image=image, sizes=sizes, odd=sizes < 0)])
        >>> [(item.phase.value, item.frame) for item in found]
        [('ED', 0), ('ES', 2)]
    """
    found = find_view_beats(images)
    return None if found is None else found.beats[found.usual]


def find_view_beats(images: Sequence[SizedImage]) -> ViewBeats | None:
    """End-diastole and end-systole of every beat of one view.

    What the exam names is taken, and is one beat. What it does not name is found on the curve of sizes of the longest
    image of the view where it moves, see `find_turns`; among all stills where none does, by size.

    Args:
        images: the images of one view, in the exam's order.

    Returns:
        The beats; None if no frame shows a ventricle and none is named.
    """
    shown = [item for item in images if np.any(item.sizes > 0)]
    named = _named(images)
    if not shown and not named:
        return None
    first = (shown or list(images))[0].image.image
    if len(named) == len(PHASE_WORD):
        beats, flags = [_Beat(named[Phase.ED], named[Phase.ES])], _order_flags(named, images)
    else:
        # Both phases from one recording where there is one: extremes of two beats would make an ejection fraction of
        # neither.
        pool = _pool_of_unnamed(shown, named)
        is_moving = bool(pool) and len(pool[0].sizes) > 1
        beats, flags = _of_film(pool[0], named) if is_moving else ([_of_stills(pool, named)], [])
    found = [
        KeyFrames(first.view, first.view_name, *_one_phase_each(beat.diastole, beat.systole), beat.duration_ms)
        for beat in beats
    ]
    return ViewBeats(tuple(found), (*flags, *_lost_flags(found, images)), _usual_of(found, images))


def size_curve(item: SizedImage) -> SizeCurve:
    """The sizes of an image with what is known of their instants."""
    image = item.image.image
    return SizeCurve(item.sizes, item.odd, image.times_ms, image.acquisition.r_waves_ms, is_one_beat(image))


def image_beats(item: SizedImage) -> tuple[Beat, ...]:
    """All beats of one image; that which the exam names, where it names phases there."""
    name, view, phases = item.image.name, item.image.image.view_name, item.image.phases
    if len(item.sizes) < 2 or not np.any(item.sizes > 0):
        return ()
    turns = find_turns(size_curve(item)).turns
    if Phase.ED in phases or Phase.ES in phases:
        # What is measured, be it named or found beside the named one, is the beat: no other may speak for it.
        key_frames = find_key_frames([item])
        pair = () if key_frames is None else tuple(found.frame for found in key_frames)
        if len(pair) < len(PHASE_WORD):
            return ()
        diastole, systole = pair
        if is_one_beat(item.image.image):
            return (Beat(name, view, diastole, systole, diastole),)
        if systole < diastole:
            return ()
        stops = [turn.stop for turn in turns if turn.stop is not None and turn.stop > systole]
        return (Beat(name, view, diastole, systole, min(stops, default=None)),)
    return tuple(Beat(name, view, turn.end_diastole, turn.end_systole, turn.stop) for turn in turns)


@dataclass(frozen=True)
class _Beat:
    """Key frames of one beat."""

    diastole: KeyFrame | None
    systole: KeyFrame | None
    duration_ms: float | None = None


def _of_film(item: SizedImage, named: Mapping[Phase, KeyFrame]) -> tuple[list[_Beat], list[Flag]]:
    """Beats of a moving image, of which one phase at most is named, with what is odd about them."""
    curve = size_curve(item)
    found = find_turns(curve)
    if named:
        return [_completed(item, found, named)], []
    frames = [(turn.end_diastole, turn.end_systole, curve.duration_ms(turn)) for turn in found.turns]
    words = {"beat-cut": found.cut and f"the film {found.cut}", "beat-few": found.doubt}
    flags = [flag(rule, text) for rule, text in words.items() if text]
    if not frames and found.pair is not None:
        frames = [(*found.pair, None)]
    beats = [
        _Beat(
            _key_frame(item.image, Phase.ED, diastole, is_named=False),
            _key_frame(item.image, Phase.ES, systole, is_named=False),
            duration_ms,
        )
        for diastole, systole, duration_ms in frames
    ]
    return beats, flags


def _completed(item: SizedImage, found: Found, named: Mapping[Phase, KeyFrame]) -> _Beat:
    """The named phase with the other one of its beat."""
    missing = Phase.ES if Phase.ED in named else Phase.ED
    known = next(iter(named.values()))
    pairs = [(turn.end_diastole, turn.end_systole) for turn in found.turns] or [found.pair or (0, 0)]
    if known.image == item.image.name:
        place = 0 if missing is Phase.ES else 1
        nearest = min(pairs, key=lambda pair: abs(pair[place] - known.frame))
    else:
        nearest = pairs[len(pairs) // 2]
    frame = nearest[1 if missing is Phase.ES else 0]
    other = _key_frame(item.image, missing, frame, is_named=False)
    return _Beat(known, other) if missing is Phase.ES else _Beat(other, known)


def _of_stills(pool: Sequence[SizedImage], named: Mapping[Phase, KeyFrame]) -> _Beat:
    return _Beat(named.get(Phase.ED) or _extreme(pool, Phase.ED), named.get(Phase.ES) or _extreme(pool, Phase.ES))


def _order_flags(named: Mapping[Phase, KeyFrame], images: Sequence[SizedImage]) -> list[Flag]:
    """Whether the named instants are of two beats of one film."""
    diastole, systole = named[Phase.ED], named[Phase.ES]
    if diastole.image != systole.image or diastole.frame <= systole.frame:
        return []
    if any(is_one_beat(item.image.image) for item in images if item.image.name == diastole.image):
        return []
    text = f"the named end-diastole (frame {diastole.frame}) comes after the end-systole (frame {systole.frame})"
    return [flag("phases-order", f"{text}: they are of two beats")]


def _lost_flags(beats: Sequence[KeyFrames], images: Sequence[SizedImage]) -> Iterator[Flag]:
    """Films of the beats whose times show that frames are missing in between."""
    used = {ref.image for beat in beats for ref in beat.refs(*Phase)}
    for item in images:
        times_ms, interval_ms = item.image.image.times_ms, frame_interval_ms(item.image.image.times_ms)
        if item.image.name not in used or times_ms is None or interval_ms is None:
            continue
        steps_ms = np.diff(times_ms)
        wide = np.flatnonzero([RULES["frames-lost"].breaks(step / interval_ms) for step in steps_ms])
        if len(wide):
            widest = int(wide[steps_ms[wide].argmax()])
            where = f"between frames {widest} and {widest + 1} lie {steps_ms[widest]:.0f} ms"
            places = "" if len(wide) == 1 else f", and at {len(wide) - 1} more places"
            yield flag("frames-lost", f"{where}, elsewhere {interval_ms:.0f} ms: frames are missing there{places}")


def _usual_of(beats: Sequence[KeyFrames], images: Sequence[SizedImage]) -> int:
    """Number of the beat whose ejection, by size, is the middle one; of two the earlier."""
    if len(beats) < 2:
        return 0
    sizes = {item.image.name: item.sizes for item in images}
    ratios = [_ratio(beat, sizes) for beat in beats]
    middle = statistics.median_low(ratios)
    return ratios.index(middle)


def _ratio(beat: KeyFrames, sizes: Mapping[str, Float[np.ndarray, "frames"]]) -> float:
    diastole, systole = beat.end_diastole, beat.end_systole
    if diastole is None or systole is None:
        return 1.0
    return float(sizes[systole.image][systole.frame] / sizes[diastole.image][diastole.frame])


def _one_phase_each(diastole: KeyFrame | None, systole: KeyFrame | None) -> tuple[KeyFrame | None, KeyFrame | None]:
    """One frame cannot be both: kept is the one that is named, end-diastole if neither is."""
    if diastole is None or systole is None or diastole.ref != systole.ref:
        return diastole, systole
    return (None, systole) if systole.is_named and not diastole.is_named else (diastole, None)


def _key_frame(image: ExamImage, phase: Phase, frame: int, *, is_named: bool) -> KeyFrame:
    return KeyFrame(image.image.view, image.image.view_name, phase, image.name, frame, is_named)


def _named(images: Sequence[SizedImage]) -> dict[Phase, KeyFrame]:
    """The first image that names each phase."""
    named: dict[Phase, KeyFrame] = {}
    for item in images:
        for phase, frame in item.image.phases.items():
            named.setdefault(phase, _key_frame(item.image, phase, int(frame), is_named=True))
    return named


def _pool_of_unnamed(shown: Sequence[SizedImage], named: Mapping[Phase, KeyFrame]) -> list[SizedImage]:
    """Images in which phases that no image names are looked for."""
    taken = {found.ref for found in named.values()}
    moving = [item for item in shown if len(item.sizes) > 1]
    return _of_same_beat(moving, {ref.image for ref in taken}) if moving else _others(shown, taken)


def _of_same_beat(moving: Sequence[SizedImage], names: Set[str]) -> list[SizedImage]:
    """Videos that name the other phase, for two of one view need not be of one beat; the longest where none does."""
    same = [item for item in moving if item.image.name in names]
    return same or [max(moving, key=lambda item: len(item.sizes))]


def _others(stills: Sequence[SizedImage], taken: Set[FrameRef]) -> list[SizedImage]:
    """Stills that are no phase yet."""
    return [item for item in stills if FrameRef(item.image.name, 0) not in taken]


def _extreme(pool: Sequence[SizedImage], phase: Phase) -> KeyFrame | None:
    """The still with the largest (ED) or smallest non-empty (ES) ventricle; the first of several that are equal."""
    # An empty frame would always be the smallest.
    frames = [(float(size), item, frame) for item in pool for frame, size in enumerate(item.sizes) if size > 0]
    if not frames:
        return None
    choose = max if phase is Phase.ED else min
    # By size alone: where sizes are equal, whole tuples would compare images, which have no order.
    _, item, frame = choose(frames, key=lambda entry: entry[0])
    return _key_frame(item.image, phase, frame, is_named=False)
