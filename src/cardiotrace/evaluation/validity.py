"""How many predicted and how many reference labels are no heart's: planes by anatomy, films by consistency in time."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cardiotrace.clinical.anatomy.criterion import CRITERIA, Axis, Measured
from cardiotrace.clinical.anatomy.film import ATTRIBUTES, FEWEST_FRAMES, FILM_PRESETS, Film
from cardiotrace.clinical.anatomy.limits import PRESETS
from cardiotrace.clinical.anatomy.plane import Plane
from cardiotrace.core.exam import Case
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Structure

Whose = Literal["predicted", "reference"]
WHOSE: tuple[Whose, ...] = ("predicted", "reference")
ANY = "any"
"""What rates call the planes, frames or films in which at least one thing fails."""
LITERATURE = "published"
"""The limits whose failures are listed with each row of a table of cases."""


@dataclass(frozen=True)
class PlaneValidity:
    """What one labelled plane fails."""

    case: str
    patient: str
    axis: Axis
    frame: int
    whose: Whose
    failed: dict[str, tuple[str, ...]]
    """Names of the criteria that it fails, by set of limits; sets without limits for its axis are left out."""
    depth: int | None = None
    """Which slice of a stack; None of a single plane, of which files say nothing."""


@dataclass(frozen=True)
class FilmValidity:
    """In which frames one film departs from its neighbours."""

    case: str
    patient: str
    frames: int
    whose: Whose
    inconsistent: dict[str, dict[str, tuple[int, ...]]]
    """Frames by attribute, by set of limits; attributes that the labels cannot tell are left out."""


@dataclass(frozen=True)
class Validity:
    """Of every labelled plane, and of every long-axis film of three or more frames, predicted and reference."""

    planes: tuple[PlaneValidity, ...] = ()
    films: tuple[FilmValidity, ...] = ()

    def where(self, frames: set[tuple[str, int]]) -> "Validity":
        """Only some frames, by case and number; films of which any is kept."""
        cases = {case for case, _ in frames}
        return Validity(
            tuple(plane for plane in self.planes if (plane.case, plane.frame) in frames),
            tuple(film for film in self.films if film.case in cases),
        )

    def failed(self) -> Mapping[tuple[str, int, Whose], str]:
        """Criteria that any plane of a frame fails by the published limits, in one line, by case, frame and side."""
        names: dict[tuple[str, int, Whose], set[str]] = {}
        for plane in self.planes:
            names.setdefault((plane.case, plane.frame, plane.whose), set()).update(plane.failed.get(LITERATURE, ()))
        return {key: " ".join(sorted(found)) for key, found in names.items()}


@dataclass(frozen=True)
class ValidityRate:
    """How often one thing fails."""

    of: str
    """What is counted: "planes", "slices", "stacks", "films" or "frames"."""
    criterion: str
    """A criterion, an attribute, or `ANY`."""
    limits: str
    """Name of the set of limits."""
    whose: Whose
    failed: int
    total: int

    @property
    def percent(self) -> float:
        """Share that fails; NaN of nothing."""
        return 100 * self.failed / self.total if self.total else float("nan")


def validity_of(case: Case, predicted: LabelMap, reference: LabelMap) -> Validity:
    """The validity of both labels of a case; empty where criteria speak of no view like its own.

    Args:
        case: says view and modality.
        predicted: of a model.
        reference: on the same grid.
    """
    axis = Axis.of(case.view)
    if axis is None:
        return Validity()
    both: Mapping[Whose, LabelMap] = {"predicted": predicted, "reference": reference}
    return Validity(
        tuple(plane for whose, labels in both.items() for plane in _planes(case, labels, axis, whose)),
        tuple(film for whose, labels in both.items() for film in _films(case, labels, axis, whose)),
    )


def joined(parts: Iterable[Validity]) -> Validity:
    """That of many cases as one."""
    found = list(parts)
    return Validity(
        tuple(plane for part in found for plane in part.planes), tuple(film for part in found for film in part.films)
    )


def validity_rates(validity: Validity) -> tuple[ValidityRate, ...]:
    """How many planes, stacks, frames and films fail each criterion, and any.

    Returns:
        In the order of the criteria, `ANY` first; those that nothing fails are told too.

    Source:
        Painchaud et al. 2020, IEEE Trans Med Imaging 39:3703 (images with at least one anatomical error); Painchaud et
        al. 2022, IEEE Trans Med Imaging 41:2867 (frames and sequences that are inconsistent in time).
    """
    return (*_plane_rates(validity.planes), *_film_rates(validity.films))


def _planes(case: Case, labels: LabelMap, axis: Axis, whose: Whose) -> Iterator[PlaneValidity]:
    is_upright = axis is Axis.LONG and case.modality is Modality.US
    frames, depths = labels.array.shape[:2]
    for frame, depth in np.ndindex(frames, depths):
        plane = Plane.of(labels, frame, depth, is_upright=is_upright)
        # Slices beyond the heart hold nothing, and are right to.
        if plane.is_empty:
            continue
        measured = Measured.of(plane, axis)
        failed = {
            name: tuple(item.criterion.name for item in limits.failures(measured, axis))
            for name, limits in PRESETS.items()
            if axis in limits.axes
        }
        yield PlaneValidity(case.name, case.patient, axis, frame, whose, failed, depth if depths > 1 else None)


def _films(case: Case, labels: LabelMap, axis: Axis, whose: Whose) -> Iterator[FilmValidity]:
    frames, depths = labels.array.shape[:2]
    is_traced = Structure.LV in labels.scheme.values and bool(labels.array.any())
    # Widths and tilts are those of a view with its apex at the top.
    is_upright = axis is Axis.LONG and case.modality is Modality.US
    if frames < FEWEST_FRAMES or depths > 1 or not is_traced or not is_upright:
        return
    film = Film(labels)
    found = {
        name: {attribute: tuple(np.flatnonzero(odd).tolist()) for attribute, odd in limits.inconsistent(film).items()}
        for name, limits in FILM_PRESETS.items()
    }
    yield FilmValidity(case.name, case.patient, frames, whose, found)


def _plane_rates(planes: Sequence[PlaneValidity]) -> Iterator[ValidityRate]:
    for axis in Axis:
        mine = [plane for plane in planes if plane.axis is axis]
        of = "planes" if axis is Axis.LONG else "slices"
        for limits in dict.fromkeys(name for plane in mine for name in plane.failed):
            asked = [item.name for item in CRITERIA[axis] if item.name in PRESETS[limits].axes[axis].criteria]
            single = {whose: [plane.failed[limits] for plane in mine if plane.whose == whose] for whose in WHOSE}
            yield from _rates(of, [ANY, *asked], limits, single)
            if any(plane.depth is not None for plane in mine):
                yield from _rates("stacks", [ANY], limits, {whose: _by_stack(mine, limits, whose) for whose in WHOSE})


def _by_stack(planes: Sequence[PlaneValidity], limits: str, whose: Whose) -> list[list[str]]:
    """What the slices of each frame of a stack fail together."""
    frames: dict[tuple[str, int], list[str]] = {}
    for plane in planes:
        if plane.whose == whose and plane.depth is not None:
            frames.setdefault((plane.case, plane.frame), []).extend(plane.failed[limits])
    return list(frames.values())


def _film_rates(films: Sequence[FilmValidity]) -> Iterator[ValidityRate]:
    for limits in dict.fromkeys(name for film in films for name in film.inconsistent):
        asked = [name for name in ATTRIBUTES if any(name in film.inconsistent[limits] for film in films)]
        by_film: dict[Whose, list[list[str]]] = {whose: [] for whose in WHOSE}
        by_frame: dict[Whose, list[list[str]]] = {whose: [] for whose in WHOSE}
        for film in films:
            found = film.inconsistent[limits]
            by_film[film.whose].append([name for name, frames in found.items() if frames])
            by_frame[film.whose].extend(
                [name for name, frames in found.items() if frame in frames] for frame in range(film.frames)
            )
        yield from _rates("films", [ANY, *asked], limits, by_film)
        yield from _rates("frames", [ANY, *asked], limits, by_frame)


def _rates(
    of: str, names: Sequence[str], limits: str, failed: Mapping[Whose, Sequence[Iterable[str]]]
) -> Iterator[ValidityRate]:
    """Rates of names among what each of many planes, stacks, films or frames fails."""
    counts = {whose: Counter(name for each in found for name in set(each)) for whose, found in failed.items()}
    for whose, found in failed.items():
        counts[whose][ANY] = sum(any(True for _ in each) for each in found)
    for name in names:
        for whose, found in failed.items():
            yield ValidityRate(of, name, limits, whose, counts[whose][name], len(found))
