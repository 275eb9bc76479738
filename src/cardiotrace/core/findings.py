"""What was found in planes and films, kept for as long as they stay the same: only what changed is looked at again."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Shaped, UInt8

from cardiotrace.core.label import LabelMap

T = TypeVar("T")


class Findings:
    """Answers to questions about one thing that does not change, each found when it is first asked for.

    Example:
        >>> findings = Findings()
        >>> findings.get("sum", lambda: 1 + 1), findings.get("sum", lambda: 3), findings.get("sum", lambda: 4, given=2)
        (2, 2, 4)
    """

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[Hashable, Any]] = {}

    def get(self, question: Hashable, find: Callable[[], T], *, given: Hashable = None) -> T:
        """The answer to a question.

        Args:
            question: names what is asked.
            find: finds the answer.
            given: what the answer depends on beside the thing itself. Where this changes, the answer is found anew in
                place of the one before: there is one of each question, however often somebody asks.
        """
        known = self._found.get(question)
        if known is None or known[0] != given:
            known = self._found[question] = given, find()
        found: T = known[1]
        return found


@dataclass(frozen=True)
class ImageFindings:
    """Findings of one labelled image."""

    image: Findings
    """Of its frames as a whole, whatever their labels."""
    planes: Sequence[Findings]
    """Of its labels, frame by frame, slice after slice."""
    depth: int = 1
    """Slices of a frame."""

    @classmethod
    def none(cls, labels: LabelMap) -> "ImageFindings":
        """Of an image of which nothing is known yet."""
        return cls(Findings(), tuple(Findings() for _ in _planes(labels)), labels.array.shape[1])

    def plane(self, frame: int, depth: int = 0) -> Findings:
        """Findings of one plane of labels.

        Args:
            frame: from 0.
            depth: number of the slice, from 0.
        """
        return self.planes[frame * self.depth + depth]


class ExamFindings:
    """Findings of an exam's images, by name, for whoever measures it more than once.

    A plane of labels is known by its values, which are copied: an editor may change its array in place. An image is
    known by being the same array: images are not edited. For one thread at a time.

    Example:
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.label import LV_ONLY
        >>> array, known = np.zeros((3, 1, 4, 4), np.uint8), ExamFindings()
        >>> before = known.of("a", array, LabelMap(array, LV_ONLY, NO_GEOMETRY)).planes
        >>> edited = array.copy()
        >>> edited[1, 0, 2, 2] = 1
        >>> after = known.of("a", array, LabelMap(edited, LV_ONLY, NO_GEOMETRY)).planes
        >>> [one is other for one, other in zip(before, after)]
        [True, False, True]
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def of(self, name: str, frames: Shaped[np.ndarray, "..."], labels: LabelMap) -> ImageFindings:
        """Findings of an image: those of before, as far as it and its labels are what they were.

        Args:
            name: of the image.
            frames: its frames.
            labels: its labels by now.
        """
        known = self._known.get(name)
        found = ImageFindings.none(labels)
        if known is not None and known.frames is frames:
            found = replace(found, image=known.found.image)
        if known is not None and _mean_the_same(known.labels, labels):
            kept = known.labels
            planes = zip(found.planes, known.found.planes, _planes(kept), _planes(labels), strict=True)
            found = replace(found, planes=tuple(old if _taken_over(a, b) else new for new, old, a, b in planes))
        else:
            kept = replace(labels, array=labels.array.copy())
        self._known[name] = _Known(frames, kept, found)
        return found


@dataclass(frozen=True)
class _Known:
    """An image as it was last measured."""

    frames: Shaped[np.ndarray, "..."]
    labels: LabelMap
    """A copy."""
    found: ImageFindings


def _mean_the_same(first: LabelMap, second: LabelMap) -> bool:
    """Whether equal values of two label maps are equal structures in equal places."""
    one, other = first.geometry, second.geometry
    return (
        first.array.shape == second.array.shape
        and first.scheme == second.scheme
        and (one.pixel_size, one.slice_distance) == (other.pixel_size, other.slice_distance)
        and np.array_equal(one.affine, other.affine)
    )


def _planes(labels: LabelMap) -> UInt8[np.ndarray, "planes height width"]:
    return labels.array.reshape(-1, *labels.array.shape[2:])


def _taken_over(kept: UInt8[np.ndarray, "height width"], plane: UInt8[np.ndarray, "height width"]) -> bool:
    """Whether a plane is what was kept; if not, it is kept from now on."""
    if np.array_equal(kept, plane):
        return True
    kept[...] = plane
    return False
