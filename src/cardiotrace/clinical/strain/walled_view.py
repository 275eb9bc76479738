"""One long-axis view with its wall traced: in both key frames, and in every frame where it moves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.rule import doubting, flag
from cardiotrace.clinical.strain.lagrange import Lengths
from cardiotrace.clinical.strain.sides import Sides, agreeing, find_sides
from cardiotrace.clinical.strain.wall import Wall, trace_wall, trace_walls
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.validity import FEWEST_MOVING
from cardiotrace.clinical.view_measurement import ViewMeasurement
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Phase


@dataclass(frozen=True, eq=False)
class WalledView:
    """A view whose wall is traced."""

    measured: ViewMeasurement
    walls: Mapping[Phase, Wall]
    """In the key frames that show it."""
    beats: tuple[Beat, ...]
    """Those in which strain is measured: of the film that shows both key frames; empty where they are stills."""
    sides: Sides | None = None
    """Which wall is which; None where that is not known."""
    side_flags: tuple[Flag, ...] = ()

    @property
    def name(self) -> str:
        """What a cardiologist calls the view."""
        return self.measured.view_name

    @property
    def exam_flags(self) -> tuple[Flag, ...]:
        """What the exam has to say of the sides; a convention is said with what rests on it."""
        return tuple(item for item in self.side_flags if item.rule != "walls-by-convention")

    @property
    def film(self) -> TracedCine | None:
        """The moving image that shows both key frames."""
        return self.measured.cines[Phase.ED] if self.beats else None

    @cached_property
    def film_walls(self) -> tuple[Wall | None, ...]:
        """The wall in every frame of the film; empty without one."""
        return () if self.film is None else trace_walls(self.film)

    @cached_property
    def by_beat(self) -> "tuple[WalledView, ...]":
        """The view in each of its beats alone, in order of time; itself where there is one."""
        if len(self.measured.beats) < 2:
            return (self,)
        found = []
        for beat in self.measured.beats:
            shown = {key.phase: wall for key in beat.key_frames if (wall := self.film_walls[key.frame]) is not None}
            frames = [key.frame for key in beat.key_frames]
            own = tuple(each for each in self.beats if [each.end_diastole, each.end_systole] == frames)
            if shown:
                found.append(replace(self, measured=beat, walls=shown, beats=own))
        return tuple(found)

    @property
    def refs(self) -> tuple[FrameRef, ...]:
        """Both key frames, or the end-diastoles and end-systoles of all beats."""
        if not self.beats:
            return self.measured.key_frames.refs(Phase.ED, Phase.ES)
        frames = [frame for beat in self.beats for frame in (beat.end_diastole, beat.end_systole)]
        return tuple(FrameRef(self.beats[0].image, frame) for frame in dict.fromkeys(frames))

    def flags(self, kind: str) -> tuple[Flag, ...]:
        """What was found odd about its frames and doubts a kind of quantity."""
        return doubting(self.measured.flags, kind)

    def lengths(self, of: Callable[[Wall], float | None]) -> Lengths:
        """Something of the wall in every frame of the film, or in end-diastole and end-systole; NaN where it is not."""
        walls = self.film_walls or tuple(self.walls.get(phase) for phase in (Phase.ED, Phase.ES))
        found = [None if wall is None else of(wall) for wall in walls]
        return np.array([np.nan if value is None else value for value in found], dtype=float)

    @property
    def counted(self) -> tuple[Beat, ...]:
        """The beats, in which `lengths` count; of stills one whose two frames are all that is shown."""
        image = self.measured.key_frames.refs(Phase.ED)[0].image
        return self.beats or (Beat(image, self.name, 0, 1, None),)


def walled_views(views: Sequence[ViewMeasurement], beats: Sequence[Beat] = ()) -> list[WalledView]:
    """The views of an exam whose wall could be traced in a key frame, with the sides of their walls.

    Args:
        views: measured long-axis views.
        beats: those found in the exam's films; where a film has none, it is the one from its end-diastole on.
    """
    found = [each for view in views if (each := _walled(view, beats)) is not None]
    told = [_sides_of(each) for each in found]
    kept = agreeing(sides for sides, _ in told)
    text = "another view is shown mirrored, so that no convention tells which wall is which: no segment is named"
    return [
        WalledView(
            each.measured,
            each.walls,
            each.beats,
            sides,
            (flag("walls-unknown", text).of(each.name),) if lost else flags,
        )
        for each, (sides, lost), (_, flags) in zip(found, kept, told, strict=True)
    ]


def _walled(view: ViewMeasurement, beats: Sequence[Beat]) -> WalledView | None:
    walls = {found.phase: trace_wall(view.cines[found.phase], found.frame) for found in view.key_frames}
    shown = {phase: wall for phase, wall in walls.items() if wall is not None}
    return WalledView(view, shown, _beats_of(view, beats)) if shown else None


def _sides_of(view: WalledView) -> tuple[Sides | None, tuple[Flag, ...]]:
    phase, wall = next(iter(view.walls.items()))
    return find_sides(view.measured.cines[phase], wall)


def _beats_of(view: ViewMeasurement, beats: Sequence[Beat]) -> tuple[Beat, ...]:
    """Beats of the film that shows both key frames; the one that its end-diastole begins where none was found."""
    diastole, systole = view.key_frames.end_diastole, view.key_frames.end_systole
    if diastole is None or systole is None or diastole.image != systole.image:
        return ()
    if len(view.cines[Phase.ED].traces) < FEWEST_MOVING:
        return ()
    found = tuple(beat for beat in beats if beat.image == diastole.image)
    own = tuple(beat for beat in found if beat.end_diastole == diastole.frame)
    # What the exam names is measured, and not what was found beside it.
    if found and (own or not diastole.is_named):
        return own if diastole.is_named else found
    return (Beat(diastole.image, view.view_name, diastole.frame, systole.frame, None),)
