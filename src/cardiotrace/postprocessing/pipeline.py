"""Post-processing steps in a row, as a recipe or a model file lists them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray

from cardiotrace.core.catalog import Choice, choices_from_plain
from cardiotrace.core.config import to_plain
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.box import bounding_box
from cardiotrace.postprocessing.catalog import STEPS
from cardiotrace.postprocessing.film import DecideAnew, SteadyFrames


@dataclass(frozen=True)
class Processed:
    """Labels after post-processing, and how many pixels of each structure came and went in each frame."""

    labels: LabelMap
    removed: Mapping[Structure, NDArray[np.int64]]
    """(time,) pixels that held the structure before and do not now."""
    added: Mapping[Structure, NDArray[np.int64]]
    """(time,) pixels that hold the structure now and did not before."""
    decided_anew: tuple[int, ...] = ()
    """Frames that jumped and were decided anew."""


class Postprocessing:
    """Steps applied in order to every frame of a label map.

    Args:
        choices: names and options of the steps, as a recipe or a model file holds them.

    Raises:
        ConfigError: unknown step or option.

    Example:
        >>> clean = Postprocessing([Choice("largest-component", {"structures": ["LV"]}), Choice("fill-holes")])
        >>> [choice.name for choice in clean.choices]
        ['largest-component', 'fill-holes']
    """

    def __init__(self, choices: Sequence[Choice] = (), *, path: str = "postprocessing") -> None:
        self.choices = tuple(STEPS.resolve(choice, path=f"{path}[{index}]") for index, choice in enumerate(choices))

    @classmethod
    def __from_plain__(cls, value: Any, path: str) -> "Postprocessing":
        """Read a list of steps from a recipe or a model file."""
        return cls(choices_from_plain(value, path), path=path)

    def __to_plain__(self) -> list[Any]:
        """The list of steps, every option written out."""
        return [to_plain(choice) for choice in self.choices]

    def apply(
        self,
        labels: LabelMap,
        *,
        blank: Bool[np.ndarray, "time depth"] | None = None,
        decide_anew: DecideAnew | None = None,
    ) -> Processed:
        """Run all steps on every frame and count what they changed; the input is left as it is.

        Frames that jump are looked for in what all other steps have left, wherever in the list that step stands, and
        what is decided anew goes through the other steps as well.

        Args:
            labels: what to clean.
            blank: planes that show no image. Steps do not see them, so that a dark slice between base and apex does not
                cut the heart in two, of which one half would be removed. None where all show one.
            decide_anew: gives other labels of a frame that jumps; None where nothing but labels is there: then frames
                that jump stay as they are.

        Raises:
            InputError: a step names a structure that the label scheme lacks.
        """
        shown = np.ones(labels.array.shape[:2], bool) if blank is None else ~blank
        after = LabelMap(self._cleaned(labels, shown), labels.scheme, labels.geometry, labels.source)
        frames: tuple[int, ...] = ()
        if decide_anew is not None:
            frames = self._jumping(after, np.asarray(shown.any(axis=1)))
            for frame in frames:
                here = slice(frame, frame + 1)
                anew = LabelMap(decide_anew(frame)[None], labels.scheme, labels.geometry, labels.source)
                after.array[here] = self._cleaned(anew, shown[here])
        # Nothing outside this box has changed: most of an image is background.
        box = (slice(None), *bounding_box(np.asarray(labels.array.any(axis=0) | after.array.any(axis=0))))
        removed, added = _changes(labels.array[box], after.array[box], labels.scheme)
        return Processed(after, removed, added, frames)

    def _jumping(self, labels: LabelMap, shown: Bool[np.ndarray, "time"]) -> tuple[int, ...]:
        configs = [STEPS.config(choice) for choice in self.choices]
        found = [config.jumping(labels, shown) for config in configs if isinstance(config, SteadyFrames)]
        return tuple(sorted({frame for frames in found for frame in frames}))

    def _cleaned(self, labels: LabelMap, shown: Bool[np.ndarray, "time depth"]) -> UInt8[np.ndarray, "time depth h w"]:
        """Every frame by itself after all steps."""
        steps = [(STEPS.entry(choice), STEPS.config(choice)) for choice in self.choices]
        after = labels.array.copy()
        # No step labels anything outside the box of what is labelled, but some look there.
        depth, *plane = bounding_box(np.asarray(labels.array.any(axis=0)))
        reach = max((getattr(config, "reach", 0) for _, config in steps), default=0)
        box = (slice(None), depth, *(slice(max(side.start - reach, 0), side.stop + reach) for side in plane))
        for frame, planes in zip(after[box], shown[:, box[1]], strict=True) if after[box].size else ():
            cleaned = frame[planes]
            for entry, config in steps if planes.any() else ():
                cleaned = entry.make(config, cleaned, labels.scheme)
            frame[planes] = cleaned
        return after


def _changes(
    before: NDArray[np.uint8], after: NDArray[np.uint8], scheme: LabelScheme
) -> tuple[dict[Structure, NDArray[np.int64]], dict[Structure, NDArray[np.int64]]]:
    differs = before != after
    removed, added = {}, {}
    for structure, value in scheme.values.items():
        removed[structure] = _count(differs & (before == value))
        added[structure] = _count(differs & (after == value))
    return removed, added


def _count(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.asarray(np.count_nonzero(mask, axis=(1, 2, 3)), np.int64)
