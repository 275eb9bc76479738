"""What a person drew in one plane, carried to others and fitted to what is there.

A model's outline in another plane is right but for what it gets wrong everywhere. So the difference that the person
made is carried over, not the outline: it is laid onto the automatic outline of the other plane, at the same place of
the heart, and as large as the heart is there. How much of it holds in another frame the image tells: what was drawn is
followed through the film by its grey values, and where it comes to lie nearer to the automatic outline, less is
carried.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, UInt8

from cardiotrace.clinical.axis import outline_of
from cardiotrace.clinical.editing.composition import with_masks
from cardiotrace.clinical.editing.gesture import Reach
from cardiotrace.clinical.editing.outline import outlined
from cardiotrace.clinical.strain.tracking import SETTINGS_MM
from cardiotrace.core.errors import InputError
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality
from cardiotrace.geometry.box import bounding_box
from cardiotrace.geometry.contour import polygon_perimeter, resample_polyline
from cardiotrace.geometry.motion import MotionSearch
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.geometry.strip import Strip, StripSize

Mask = Bool[np.ndarray, "height width"]
Spot = tuple[int, int]
"""Frame and slice."""

_TOGETHER = ("lv", "epi")
"""Outlines of the heart, which share its base: one is not carried without the other."""
_RING = 190.0
"""Length of the outline that the sizes below are for: they grow and shrink with it."""
_STRIP = StripSize(beyond=0.0, inside=3.0, outside=6.0, cell=1.0, bend=16.0)
_SETTINGS = replace(SETTINGS_MM, lags=(1,), rounds=0)
"""As walls are followed for their strain; from frame to frame alone, since an outline is only to be carried on."""
_POINTS = 120
"""Of an outline that is followed."""
_ROOM = 16
"""Pixels around a structure within which its outline may come to lie."""
_BAND = 3
"""Pixels on both sides of the automatic outline within which it is seen how much of a difference holds."""


def reached(to: Reach, place: Spot, shape: tuple[int, int]) -> list[Spot]:
    """The planes that something is carried to from one.

    Args:
        to: how far.
        place: frame and slice that it is carried from.
        shape: how many frames and slices there are.

    Raises:
        InputError: there is none.

    Example:
        >>> reached(Reach.NEXT, (3, 0), (10, 1)), reached(Reach.BEAT, (1, 2), (3, 5))
        ([(4, 0)], [(0, 2), (2, 2)])
    """
    frame, depth = place
    if to is Reach.BEAT:
        found = [(number, depth) for number in range(shape[0]) if number != frame]
    else:
        steps = {Reach.NEXT: (1, 0), Reach.PREVIOUS: (-1, 0), Reach.SLICE_UP: (0, 1), Reach.SLICE_DOWN: (0, -1)}
        found = [(frame + steps[to][0], depth + steps[to][1])]
    found = [(number, slice_) for number, slice_ in found if 0 <= number < shape[0] and 0 <= slice_ < shape[1]]
    if not found:
        raise InputError(f"there is nothing to carry it to from frame {frame}, slice {depth} ({to})")
    return found


def carried(
    drawn: UInt8[np.ndarray, "height width"],
    place: Spot,
    there: Mapping[Spot, UInt8[np.ndarray, "_ _"]],
    automatic: LabelMap,
    image: Image,
    *,
    names: Collection[str],
) -> dict[Spot, UInt8[np.ndarray, "height width"]]:
    """Labels of other planes of an image with what a person changed in one.

    Between frames a difference is carried as far as it holds there; between slices, which no motion joins, as it is.

    Args:
        drawn: labels of the plane that is carried from.
        place: frame and slice of it.
        there: the planes that it is carried to, as they stand: what is not carried stays.
        automatic: labels of the image as the model made them.
        image: whose grey values tell what moved where.
        names: outlines that are carried; cavity and wall go together.

    Returns:
        The planes anew.

    Raises:
        InputError: the plane is as the model labelled it, so that there is nothing to carry.
    """
    wanted = [*names, *(name for name in _TOGETHER if set(names) & set(_TOGETHER))]
    former = automatic.array[place]
    changed = [
        name
        for name in dict.fromkeys(wanted)
        if _has(automatic, name)
        and not np.array_equal(outlined(drawn, automatic.scheme, name), outlined(former, automatic.scheme, name))
    ]
    if not changed:
        raise InputError("nothing was changed there: there is no difference to carry on")
    masks: dict[Spot, dict[str, Mask]] = {spot: {} for spot in there}
    for name in changed:
        edited, before = outlined(drawn, automatic.scheme, name), outlined(former, automatic.scheme, name)
        now = {spot: outlined(automatic.array[spot], automatic.scheme, name) for spot in there}
        difference = _Difference(edited, before, now.values())
        shown = dict(followed(image, place, list(there), edited))
        for spot in there:
            masks[spot][name] = difference.onto(now[spot], shown.get(spot))
    return {spot: with_masks(plane, automatic.scheme, masks[spot]) for spot, plane in there.items()}


def _has(labels: LabelMap, name: str) -> bool:
    return name != "epi" or any(structure.value == "MYO" for structure in labels.scheme.values)


def followed(image: Image, place: Spot, targets: Sequence[Spot], drawn: Mask) -> Iterator[tuple[Spot, Mask]]:
    """Where a structure comes to lie in other frames of its slice, by the motion of the grey values at its outline."""
    frame, depth = place
    ring = outline_of(drawn, image.geometry.pixel_mm)
    if len(ring) < _POINTS // 4:
        return
    pixel = np.asarray(image.geometry.pixel_mm)
    for step in (1, -1):
        wanted = [target for target, slice_ in targets if slice_ == depth and (target - frame) * step > 0]
        if not wanted:
            continue
        last = max(wanted) if step > 0 else min(wanted)
        way = list(range(frame, last + step, step))
        lines = _search(image, way, depth, ring)
        for target, line in zip(way[1:], lines[1:], strict=True):
            if target in wanted:
                yield (target, depth), fill_polygon(line / pixel, drawn.shape)


def _search(
    image: Image, way: Sequence[int], depth: int, ring: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "frames points 2"]:
    """A closed line in each of some frames that follow each other."""
    frames = image.frames[way, depth]
    if image.is_colour:
        frames = frames.mean(axis=-1, dtype=np.float32)
    line = resample_polyline(ring, _POINTS, closed=True)
    unit = polygon_perimeter(ring) / _RING
    size = StripSize(*(unit * length for length in vars(_STRIP).values()))
    settings = replace(
        _SETTINGS,
        blurs=tuple(unit * blur for blur in _SETTINGS.blurs),
        around=(unit * _SETTINGS.around[0], unit * _SETTINGS.around[1]),
        margin=unit * _SETTINGS.margin,
        without_haze=image.modality is not Modality.MR,
    )
    strip = Strip.beside(np.concatenate([line, line[:1]]), size)
    search = MotionSearch(frames, image.geometry.pixel_mm, strip, settings)
    return strip.line(search.follow(range(len(way))))


def carried_mask(drawn: Mask, automatic: Mask, there: Mask, *, share: float = 1.0) -> Mask:
    """A structure in another plane, with what a person changed of it in one.

    Args:
        drawn: the structure as it stands in the plane that it is carried from.
        automatic: as a model saw it there.
        there: as the model saw it in the other plane.
        share: of the difference that is laid onto it.

    Example:
        >>> rows, columns = np.mgrid[:40, :40]
        >>> far = np.hypot(rows - 20, columns - 20)
        >>> carried_mask(far < 12, far < 10, far < 8)[20].sum()  # a radius of 8 and the 2 that were missing
        np.int64(19)
    """
    return _Difference(drawn, automatic, [there]).onto(there, share=share)


class _Difference:
    """What a person changed of a structure in one plane, to be laid onto it in others.

    Args:
        drawn: the structure as they drew it.
        automatic: as the model saw it there.
        others: as the model saw it in the planes that it will be laid onto.
    """

    def __init__(self, drawn: Mask, automatic: Mask, others: Iterable[Mask]) -> None:
        self._drawn, self._automatic = drawn, automatic
        # Distances are asked for around the structure alone: it fills a small part of an image.
        held = np.any([drawn, automatic, *others], axis=0)
        low = np.maximum([part.start - _ROOM for part in bounding_box(held)], 0)
        high = [part.stop + _ROOM for part in bounding_box(held)]
        self._box = tuple(slice(int(first), int(last)) for first, last in zip(low, high, strict=True))
        self._change = _depth(drawn[self._box]) - _depth(automatic[self._box])

    def onto(self, there: Mask, shown: Mask | None = None, *, share: float = 1.0) -> Mask:
        """The structure in another plane, with as much of the difference as holds there.

        Args:
            there: as the model saw it.
            shown: where what was drawn is found by its grey values; None where that is not known.
            share: of the difference, where that is not known.
        """
        if np.array_equal(self._drawn, self._automatic):
            return there.copy()
        if not self._automatic.any() or not there.any():
            return self._drawn.copy() if shown is None or not shown.any() else shown
        now = _depth(there[self._box])
        moved = _at(self._change, *_onto(there[self._box], self._automatic[self._box]))
        if shown is not None and shown.any():
            near = np.abs(now) < _BAND
            wanted, found = moved[near], (_depth(shown[self._box]) - now)[near]
            size = float(wanted @ wanted)
            share = float(np.clip(wanted @ found / size, 0, 1)) if size > 0 else 0.0
        whole = np.zeros_like(there)
        whole[self._box] = now + share * moved < 0
        return whole


def _depth(mask: Mask) -> Float[np.ndarray, "height width"]:
    """Distance from the outline, negative inside, pixels; far from the mask no more than it needs to be."""
    from scipy.ndimage import distance_transform_edt  # slow to import, and only needed where something is carried

    return np.asarray(distance_transform_edt(~mask) - distance_transform_edt(mask) + np.where(mask, 0.5, -0.5))


def _onto(mask: Mask, other: Mask) -> tuple[Float[np.ndarray, "2 2"], Float[np.ndarray, "2"]]:
    """The stretch and shift that take one mask to another by their middles and spreads, without turning it."""
    middle, root = _spread(mask)
    other_middle, other_root = _spread(other)
    stretch = other_root @ np.linalg.inv(root)
    return stretch, other_middle - stretch @ middle


def _spread(mask: Mask) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2 2"]]:
    """Middle of a mask, and the square root of its second moments."""
    places = np.argwhere(mask)
    values, vectors = np.linalg.eigh(np.cov(places.T, bias=True) + np.eye(2) / 12)
    return places.mean(axis=0), vectors @ np.diag(np.sqrt(values)) @ vectors.T


def _at(
    values: Float[np.ndarray, "height width"], stretch: Float[np.ndarray, "2 2"], shift: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "height width"]:
    from scipy.ndimage import affine_transform

    return np.asarray(affine_transform(values, stretch, shift, order=1, mode="nearest"))
