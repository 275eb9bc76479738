"""Which frames are end-diastole and end-systole."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.axis import LongAxis
from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.core.exam import ExamImage
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


def find_key_frames(images: Sequence[SizedImage]) -> KeyFrames | None:
    """End-diastole and end-systole of one view.

    What the exam names is taken; what it does not name is the frame with the largest or the smallest ventricle, in
    the longest image of the view where it moves, among all stills where none does.

    Args:
        images: the images of one view, in the exam's order.

    Returns:
        The key frames; None if no frame shows a ventricle and none is named.

    Example:
        >>> from types import SimpleNamespace
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.image import Image
        >>> image = ExamImage("loop", Image(np.zeros((4, 1, 2, 2), np.uint8), NO_GEOMETRY, view=View.FOUR_CHAMBER))
        >>> found = find_key_frames([SimpleNamespace(image=image, sizes=np.array([30.0, 25.0, 18.0, 22.0]))])
        >>> [(item.phase.value, item.frame) for item in found]
        [('ED', 0), ('ES', 2)]
    """
    shown = [item for item in images if np.any(item.sizes > 0)]
    named = _named(images)
    if not shown and not named:
        return None
    # Both phases from one recording where there is one: extremes of two beats would make an ejection fraction of
    # neither.
    pool = _pool_of_unnamed(shown, named)
    diastole = named.get(Phase.ED) or _extreme(pool, Phase.ED)
    systole = named.get(Phase.ES) or _extreme(pool, Phase.ES)
    first = (shown or list(images))[0].image.image
    return KeyFrames(first.view, first.view_name, *_one_phase_each(diastole, systole))


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
    """The frame with the largest (ED) or smallest non-empty (ES) ventricle.

    The one place where sizes choose a frame; the first of several that are equal. Taking extremes of sizes that
    tremble from frame to frame makes the ejection fraction somewhat too large.
    """
    # An empty frame would always be the smallest.
    frames = [(float(size), item, frame) for item in pool for frame, size in enumerate(item.sizes) if size > 0]
    if not frames:
        return None
    choose = max if phase is Phase.ED else min
    # By size alone: where sizes are equal, whole tuples would compare images, which have no order.
    _, item, frame = choose(frames, key=lambda entry: entry[0])
    return _key_frame(item.image, phase, frame, is_named=False)
