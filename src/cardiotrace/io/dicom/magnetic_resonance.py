"""Cine-MRI of one study: its files put together to short-axis stacks and long-axis planes, by where they lie.

What is put together is decided by place, direction and time alone; names of series are only asked which view they show,
and where they disagree with the place it is said. What is no cine is left out with the reason.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Modality, View
from cardiotrace.io.dicom.cine_slice import CineSlice, by_place, cine_slice
from cardiotrace.io.dicom.enhanced import enhanced_planes
from cardiotrace.io.dicom.fact import number, text
from cardiotrace.io.dicom.heart_axis import (
    TYPICAL_AXIS,
    Direction,
    between_degrees,
    is_short_axis,
    long_axis_views,
    towards_apex,
)
from cardiotrace.io.dicom.mr_image import MrCine, cine_order, names_of
from cardiotrace.io.dicom.plane import Plane, SeriesFacts, classic_planes, series_facts, series_key
from cardiotrace.io.dicom.series_kind import TELLING_KINDS, told_view, why_left_out
from cardiotrace.io.dicom.slice_stack import (
    FAR_MM,
    MIN_SLICES,
    SliceStack,
    are_parallel,
    parallel_groups,
    stacks_of_slices,
)
from cardiotrace.io.dicom.source import DicomFile, DicomImage, Images

CLASSIC = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED = ("1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4")
"""Enhanced MR, and classic MR that was converted to it."""

_ACROSS = 45.0
"""Degrees to the axis of the ventricle below which a plane lies across the heart and not along it."""
_DOUBTFUL = 60.0
"""Degrees off where short axes lie, beyond which the name alone says that a stack is one."""
_PARALLEL = 5.0
"""Degrees between planes that cut the heart alike."""
_SAME_MM = 1.0
"""By which slices lie apart at most that show the same of the heart."""


def stacks_of(files: Sequence[DicomFile]) -> Images:
    """The cines among the magnetic resonance files of one study.

    Args:
        files: of one patient and study, in any order; others than of magnetic resonance are left out.

    Returns:
        Short-axis stacks first, then long axes; and what was left out, by series, with the reason.
    """
    left_out = _LeftOut()
    cines = sorted(_cines(_slices(_distinct(_planes(files, left_out), left_out), left_out), left_out), key=cine_order)
    images = tuple(
        DicomImage(name, cine.view, Modality.MR, cine.read, cine.files)
        for name, cine in zip(names_of(cines), cines, strict=True)
    )
    return Images(images, left_out.lines)


@dataclass
class _LeftOut:
    """Lines on what is no image, one for each series and reason."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, series: SeriesFacts, reason: str, count: int = 1) -> None:
        self.counts[series.name, reason] += count

    def add_slices(self, slices: Iterable[CineSlice], reason: str) -> None:
        for each in slices:
            self.add(each.planes[0].series, reason, len(each.planes))

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(
            f"{series}: {reason} ({count} image{'s' if count > 1 else ''})"
            for (series, reason), count in self.counts.items()
        )


def _planes(files: Sequence[DicomFile], left_out: _LeftOut) -> Iterator[Plane]:
    """All planes of all files that state where they lie."""
    known: dict[tuple[str, ...], SeriesFacts] = {}
    for file in files:
        key = series_key(file.header)
        series = known.setdefault(key, known.get(key) or series_facts(file))
        try:
            yield from list(_reader(file)(file, series))
        except InputError as error:
            left_out.add(series, error.what)


def _reader(file: DicomFile) -> Callable[[DicomFile, SeriesFacts], Iterator[Plane]]:
    kind = text(file.header, "SOPClassUID")
    if kind != CLASSIC and kind not in ENHANCED:
        raise InputError("no magnetic resonance image")
    if (number(file.header, "SamplesPerPixel") or 1) > 1:
        raise InputError("in colour, no grey values of a scanner")
    return classic_planes if kind == CLASSIC else enhanced_planes


def _distinct(planes: Iterable[Plane], left_out: _LeftOut) -> list[Plane]:
    """The planes without copies of one object; objects of one identifier that differ are no copies."""
    found: dict[tuple[object, ...], Plane] = {}
    for plane in planes:
        key = (plane.uid or id(plane), plane.frame.number, plane.place.corner.tobytes(), plane.clock)
        if key in found:
            left_out.add(plane.series, "a copy of another file")
        else:
            found[key] = plane
    return list(found.values())


def _slices(planes: Sequence[Plane], left_out: _LeftOut) -> list[CineSlice]:
    """The cines of single slices, in order of their series."""
    frames = _frames_of_reference(planes)
    slices = []
    for part in _parts(planes):
        places = by_place(part)
        series = part[0].series
        reason = why_left_out(part, places)
        if reason:
            left_out.add(series, reason, len(part))
        else:
            frame = frames[series.key]
            found = [cine_slice(members, frame.uid) for members in places]
            slices += [replace(each, notes=(*each.notes, *frame.notes)) for each in found]
    return slices


@dataclass(frozen=True)
class _Frame:
    """The coordinates that the places of a series stand in."""

    uid: str
    notes: tuple[str, ...] = ()
    """What was assumed of them."""

    @classmethod
    def of(cls, stated: Set[str], place: int) -> "_Frame":
        """What the files of a series state; several, as some anonymisers write, or none are one of its own.

        Args:
            stated: by its files.
            place: of the series among all.
        """
        if len(stated) == 1 and "" not in stated:
            return cls(next(iter(stated)))
        what = "several frames of reference" if len(stated - {""}) > 1 else "no frame of reference, or not all of them"
        note = f"the files of a series state {what}: their places were taken to stand in one, that of the series alone"
        return cls(f"of its own, {place}", (note,))


def _frames_of_reference(planes: Sequence[Plane]) -> dict[tuple[str, ...], _Frame]:
    """That of each series."""
    stated: dict[tuple[str, ...], set[str]] = {}
    for plane in planes:
        stated.setdefault(plane.series.key, set()).add(plane.frame_of_reference)
    return {key: _Frame.of(found, place) for place, (key, found) in enumerate(stated.items())}


def _parts(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Planes of one series, one kind of image, one size and one direction."""
    alike: dict[tuple[object, ...], list[list[Plane]]] = {}
    for plane in planes:
        place, kinds = plane.place, TELLING_KINDS.intersection(plane.contrast.kinds)
        groups = alike.setdefault((plane.series.key, kinds, place.shape, place.pixel_mm), [])
        group = next((group for group in groups if are_parallel(group[0].place, place)), None)
        if group is None:
            groups.append([plane])
        else:
            group.append(plane)
    return [group for groups in alike.values() for group in groups]


@dataclass(frozen=True, eq=False)
class _Group:
    """Parallel slices, and what their series call them."""

    slices: tuple[CineSlice, ...]
    named: View

    @classmethod
    def of(cls, slices: Sequence[CineSlice]) -> "_Group":
        """The group with the name that most of its slices have."""
        names = Counter(told_view(each.planes[0].series.words) for each in slices)
        names.pop(View.UNKNOWN, None)
        return cls(tuple(slices), names.most_common(1)[0][0] if names else View.UNKNOWN)

    @property
    def normal(self) -> Direction:
        return self.slices[0].place.normal

    @property
    def place_count(self) -> int:
        """Slices that lie apart from each other."""
        along = np.sort([each.along_mm(self.normal) for each in self.slices])
        return 1 + int(np.count_nonzero(np.diff(along) > _SAME_MM))

    @property
    def is_short_axis(self) -> bool:
        """Whether it is called one; a stack also where it lies as one, whatever it is called."""
        return self.named is View.SAX or (self.place_count >= MIN_SLICES and is_short_axis(self.normal))


def _cines(slices: Sequence[CineSlice], left_out: _LeftOut) -> list[MrCine]:
    groups = [_Group.of(members) for members in parallel_groups(slices)]
    short = [cine for group in groups if group.is_short_axis for cine in _short_axes(group, left_out)]
    others = [group for group in groups if not group.is_short_axis]
    main = max(short, key=lambda cine: len(cine.stack.slices), default=None)
    axis = None if main is None else towards_apex(main.stack.place.normal)
    told = [_with_doubts(cine, short, is_main=cine is main) for cine in short]
    return [*told, *_single_planes(others, axis, left_out)]


def _with_doubts(cine: MrCine, short: Sequence[MrCine], *, is_main: bool) -> MrCine:
    """The stack, with a doubt where slices beyond its ends are another image.

    Args:
        cine: the stack.
        short: all short axes.
        is_main: whether it has the most slices: of others, those just beyond their ends are its own.
    """
    away = sorted(_beyond_mm(cine.stack, short))
    near, far = [mm for mm in away if mm <= FAR_MM], [mm for mm in away if mm > FAR_MM]
    doubts = list(cine.doubts)
    if near and is_main:
        what = f"{len(near)} slice{'s' if len(near) > 1 else ''} beyond its ends"
        doubts.append(
            f"{what}, parallel to it, of other pixels or directions, and no part of it: its volumes may lack them"
        )
    if far:
        doubts.append(
            f"another stack parallel to it lies {far[0]:.0f} mm beyond its ends, further than a heart is long: look"
            " which of them shows the heart"
        )
    return replace(cine, doubts=tuple(doubts))


def _beyond_mm(stack: SliceStack, short: Sequence[MrCine]) -> Iterator[float]:
    """How far beyond the ends of a stack slices of short axes lie that are parallel to it."""
    normal, frame = stack.place.normal, stack.slices[0].frame_of_reference
    heights = [each.place.middle @ normal for each in stack.slices]
    for cine in short:
        for each in cine.stack.slices:
            height = each.place.middle @ normal
            beyond = float(max(min(heights) - height, height - max(heights)))
            is_parallel = between_degrees(each.place.normal, normal) < _PARALLEL
            if beyond > _SAME_MM and each.frame_of_reference == frame and is_parallel:
                yield beyond


def _short_axes(group: _Group, left_out: _LeftOut) -> Iterator[MrCine]:
    """The stacks of a group, from base to apex."""
    stacks, refusals = stacks_of_slices(group.slices, towards_apex(group.normal))
    for refusal in refusals:
        left_out.add_slices(refusal.slices, refusal.reason)
    off = between_degrees(group.normal, TYPICAL_AXIS)
    notes = () if group.named is View.SAX else (f"taken for a short axis: {_called(group.named)}it lies as one does",)
    doubts = (f"called a short axis, and lies {off:.0f} degrees off where they lie",) if off > _DOUBTFUL else ()
    for stack in stacks:
        yield MrCine(stack, View.SAX, notes, doubts)


def _called(view: View) -> str:
    return "" if view is View.UNKNOWN else f"called {view.value}, "


def _single_planes(groups: Sequence[_Group], axis: Direction | None, left_out: _LeftOut) -> list[MrCine]:
    """Each slice of groups that are no short axis as an image of its own."""
    kept = []
    for group in groups:
        reason = _why_no_long_axis(group, axis)
        if reason:
            left_out.add_slices(group.slices, reason)
        else:
            kept += [(stack, group.named) for stack in _each(group)]
    verdicts = long_axis_views([view for _, view in kept], [stack.place.normal for stack, _ in kept], axis)
    return [
        MrCine(stack, verdict.view, tuple(filter(None, [verdict.note])), tuple(filter(None, [verdict.doubt])))
        for (stack, _), verdict in zip(kept, verdicts, strict=True)
    ]


def _why_no_long_axis(group: _Group, axis: Direction | None) -> str:
    """Why slices without a name are no image of the heart that could be measured; empty where they may be."""
    if group.named is not View.UNKNOWN:
        return ""
    if axis is not None and (off := between_degrees(group.normal, axis)) < _ACROSS:
        return f"is turned by {off:.0f} degrees against the short-axis stack" if off > 1 else "lies in no stack"
    if group.place_count >= MIN_SLICES:
        off = between_degrees(group.normal, TYPICAL_AXIS)
        return f"a stack without a name that lies {off:.0f} degrees off a short axis"
    if axis is None and is_short_axis(group.normal):
        return "lies across the heart, and is no stack"
    return ""


def _each(group: _Group) -> list[SliceStack]:
    """The slices of a group one by one; of one that was acquired twice the later."""
    normal = group.normal
    ordered = sorted(group.slices, key=lambda each: each.along_mm(normal))
    places: list[list[CineSlice]] = []
    for each in ordered:
        if places and each.along_mm(normal) - places[-1][0].along_mm(normal) <= _SAME_MM:
            places[-1].append(each)
        else:
            places.append([each])
    single = [stacks_of_slices(members, normal)[0] for members in places]
    return [replace(stack) for stacks in single for stack in stacks]
