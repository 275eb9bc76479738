"""Which frames are end-diastole and end-systole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.axis import LongAxis
from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.terms import Phase, View

PHASE_WORD = {Phase.ED: "end_diastolic", Phase.ES: "end_systolic"}
"""What names of quantities call the instants."""


@dataclass(frozen=True)
class KeyFrame:
    """One frame of the heart cycle that is measured."""

    view: View
    view_name: str
    """What a cardiologist calls the view, such as "A4C"."""
    phase: Phase
    image: str
    frame: int
    is_named: bool
    """Whether the exam says that this is the phase; else it was found from the size of the ventricle."""
    section: LongAxisTrace | None = None
    """Left ventricle there as it was measured, in a long-axis view; pixels instead of mm where there is no spacing."""

    @property
    def axis(self) -> LongAxis | None:
        """Long axis of the left ventricle there."""
        return None if self.section is None else self.section.axis

    @property
    def label(self) -> str:
        """Image and frame as "image:frame"."""
        return f"{self.image}:{self.frame}"

    def to_plain(self) -> dict[str, Any]:
        """The instant as JSON holds it."""
        plain: dict[str, Any] = {
            "view": self.view_name,
            "phase": str(self.phase),
            "image": self.image,
            "frame": self.frame,
            "chosen": "named in the exam" if self.is_named else f"{_SIZE[self.phase]} left ventricle",
        }
        if self.axis is not None:
            plain["annulus_mm"] = self.axis.annulus_mm.round(3).tolist()
            plain["apex_mm"] = self.axis.apex_mm.round(3).tolist()
        return plain


_SIZE = {Phase.ED: "largest", Phase.ES: "smallest", Phase.OTHER: "unspecified"}


@dataclass(frozen=True)
class KeyFrames:
    """End-diastole and end-systole of one view; None where the exam shows only one of them."""

    view: View
    view_name: str
    """What a cardiologist calls the view, such as "A4C"."""
    end_diastole: KeyFrame | None
    end_systole: KeyFrame | None

    @property
    def instants(self) -> tuple[KeyFrame, ...]:
        """Those that there are, end-diastole first."""
        return tuple(instant for instant in (self.end_diastole, self.end_systole) if instant is not None)

    def with_sections(self, traces: Mapping[Phase, LongAxisTrace]) -> tuple[KeyFrame, ...]:
        """The instants with what was traced there."""
        return tuple(replace(instant, section=traces.get(instant.phase)) for instant in self.instants)


def find_key_frames(images: Sequence[ExamImage], sizes: Mapping[str, Float[np.ndarray, "frames"]]) -> KeyFrames | None:
    """End-diastole and end-systole of one view.

    What the exam names is taken; what it does not name is the frame with the largest or the smallest ventricle, in
    the longest image of the view where it moves, among all stills where none does.

    Args:
        images: the images of one view, in the exam's order.
        sizes: area or volume of the left ventricle in each frame, by image name; images without are left out.

    Returns:
        The key_frames; None if no frame shows a ventricle.

    Example:
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.image import Image
        >>> image = ExamImage("loop", Image(np.zeros((4, 1, 2, 2), np.uint8), NO_GEOMETRY, view=View.FOUR_CHAMBER))
        >>> key_frames = find_key_frames([image], {"loop": np.array([30.0, 25.0, 18.0, 22.0])})
        >>> key_frames.end_diastole.frame, key_frames.end_systole.frame
        (0, 2)
    """
    shown = [image for image in images if image.name in sizes and np.any(sizes[image.name] > 0)]
    named = _named(images, sizes)
    if not shown and not named:
        return None
    first = (shown or list(images))[0].cine
    pool = _pool(shown, named)
    found = {phase: named.get(phase) or _extreme(pool, sizes, phase) for phase in (Phase.ED, Phase.ES)}
    end_diastole, end_systole = found[Phase.ED], found[Phase.ES]
    if end_diastole is not None and end_systole is not None and end_diastole.label == end_systole.label:
        # One frame cannot be both: keep the one that is named, end-diastole if neither is.
        keep_systole = end_systole.is_named and not end_diastole.is_named
        end_diastole, end_systole = (None, end_systole) if keep_systole else (end_diastole, None)
    return KeyFrames(first.view, first.view_name, end_diastole, end_systole)


def _named(images: Sequence[ExamImage], sizes: Mapping[str, Float[np.ndarray, "frames"]]) -> dict[Phase, KeyFrame]:
    """The first image that names each phase."""
    named: dict[Phase, KeyFrame] = {}
    for image in images:
        for phase, frame in image.phases.items():
            if image.name in sizes and phase not in named:
                named[phase] = KeyFrame(
                    image.cine.view, image.cine.view_name, phase, image.name, int(frame), is_named=True
                )
    return named


def _pool(shown: Sequence[ExamImage], named: Mapping[Phase, KeyFrame]) -> list[ExamImage]:
    """Where phases that are not named are looked for."""
    if not shown:
        return []
    longest = max(shown, key=lambda image: image.cine.grid_shape[0])
    if longest.cine.grid_shape[0] > 1:
        beside = {instant.image for instant in named.values()}
        same = [image for image in shown if image.name in beside and image.cine.grid_shape[0] > 1]
        return same or [longest]
    taken = {(instant.image, instant.frame) for instant in named.values()}
    return [image for image in shown if (image.name, 0) not in taken]


def _extreme(
    pool: Sequence[ExamImage], sizes: Mapping[str, Float[np.ndarray, "frames"]], phase: Phase
) -> KeyFrame | None:
    """The frame with the largest (ED) or smallest non-empty (ES) ventricle."""
    frames = [(float(size), image, frame) for image in pool for frame, size in enumerate(sizes[image.name]) if size > 0]
    if not frames:
        return None
    choose = max if phase is Phase.ED else min
    _, image, frame = choose(frames, key=lambda entry: entry[0])
    return KeyFrame(image.cine.view, image.cine.view_name, phase, image.name, frame, is_named=False)
