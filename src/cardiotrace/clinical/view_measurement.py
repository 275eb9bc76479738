"""One long-axis view over the beat, and two of them together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cardiotrace.clinical.ejection import ejection_fraction, stroke_volume_ml
from cardiotrace.clinical.expected import Doubt, error_flags
from cardiotrace.clinical.films.average import alike, matched_beats, over_beats
from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.key_frames import PHASE_WORD, KeyFrame, KeyFrames, find_view_beats
from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.right_ventricle import right_flags, right_quantities
from cardiotrace.clinical.rule import doubting, flag
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.validity import (
    agreement_flags,
    atrium_flags,
    biplane_flags,
    change_flags,
    ejection_flags,
    geometry_flags,
    length_flags,
    same_size_flags,
    trace_flags,
    volume_flags,
)
from cardiotrace.clinical.volume import (
    Disks,
    area_length_volume,
    biplane_area_length_ml,
    biplane_lengths_mm,
    disk_volume,
)
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Modality, Phase, Structure, View


@dataclass(frozen=True)
class Atrium:
    """The left atrium at end-systole, in the unit of the view's outlines."""

    area: float
    length: float | None
    """From the midpoint of the mitral annulus to the farthest point of its outline."""
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class ViewMeasurement:
    """What was traced in one long-axis view: in its usual beat, and in each of its `beats`."""

    key_frames: KeyFrames
    cines: Mapping[Phase, TracedCine]
    """The image that each key frame lies in."""
    atrium: Atrium | None
    flags: tuple[Flag, ...]
    """What is odd about the frames, each with its view and phase."""
    right_flags: tuple[Flag, ...] = ()
    """What is odd about the right ventricle in them."""
    beats: "tuple[ViewMeasurement, ...]" = ()
    """Every beat by itself, in order of time; empty of a single beat."""

    @property
    def view(self) -> View:
        """The anatomical plane."""
        return self.key_frames.view

    @property
    def modality(self) -> Modality:
        """How its images were made."""
        return next(iter(self.cines.values())).image.image.modality

    @property
    def view_name(self) -> str:
        """What a cardiologist calls the view."""
        return self.key_frames.view_name

    @property
    def traces(self) -> Mapping[Phase, LongAxisTrace]:
        """The left ventricle in each key frame."""
        return _traces(self.key_frames, self.cines)

    @property
    def is_scaled(self) -> bool:
        """Whether the pixel size of every image of it is known."""
        return _is_scaled(self.cines)

    def disks(self, phase: Phase) -> Disks | None:
        """The left ventricle's disks in a phase; None where it or its base is not shown."""
        found = self.traces.get(phase)
        return None if found is None else found.disks

    @property
    def ejection_percent(self) -> float | None:
        """Ejection fraction by round disks, percent; None where one of the volumes is missing."""
        return _ejection_percent(_known({phase: found.disk_volume for phase, found in self.traces.items()}))

    @property
    def atrium_flags(self) -> tuple[Flag, ...]:
        """What is odd about the left atrium."""
        return () if self.atrium is None else self.atrium.flags

    @property
    def has_one_unit(self) -> bool:
        """Whether ratios between its images mean anything: all have a pixel size, or none has."""
        return len({cine.scale.unit for cine in self.cines.values()}) == 1

    @property
    def traced_key_frames(self) -> tuple[KeyFrame, ...]:
        """End-diastole and end-systole with what was traced there."""
        return self.key_frames.with_traces(self.traces)


def measure_views(
    groups: Iterable[Sequence[TracedCine]], doubts: Mapping[str, Doubt] | None = None
) -> list[ViewMeasurement]:
    """Every view in which something can be measured, see `measure_view`."""
    return [found for cines in groups if (found := measure_view(cines, doubts)) is not None]


def measure_view(cines: Sequence[TracedCine], doubts: Mapping[str, Doubt] | None = None) -> ViewMeasurement | None:
    """Find the key frames of one view and what was traced in them.

    Args:
        cines: planar images of one long-axis view.
        doubts: how unsure the model was of each frame, by image name; none where a person drew.

    Returns:
        The measured view; None if no frame shows a left ventricle and none is named.
    """
    found = find_view_beats(cines)
    if found is None:
        return None
    by_name = {cine.name: cine for cine in cines}
    beats = [_measure_beat(key_frames, by_name, doubts) for key_frames in found.beats]
    usual = beats[found.usual]
    of_film = [item.of(usual.view_name) for item in found.flags]
    beats = [replace(beat, flags=(*of_film, *beat.flags)) for beat in beats]
    flags = alike(item for beat in beats for item in beat.flags)
    return replace(usual, flags=flags, beats=tuple(beats))


def _measure_beat(
    key_frames: KeyFrames, by_name: Mapping[str, TracedCine], doubts: Mapping[str, Doubt] | None
) -> ViewMeasurement:
    """What was traced in one beat."""
    used = {found.phase: by_name[found.image] for found in key_frames}
    flags = [*_frame_flags(key_frames, used), *_beat_flags(key_frames, used, doubts)]
    of_right = right_flags(key_frames, used)
    return ViewMeasurement(key_frames, used, _atrium(key_frames, used), tuple(dict.fromkeys(flags)), of_right)


def view_quantities(measured: ViewMeasurement) -> list[Quantity]:
    """Everything that one view tells, as the mean over its beats: by disks first, then by area and length."""
    return over_beats([_beat_quantities(beat) for beat in measured.beats or (measured,)])


def _beat_quantities(measured: ViewMeasurement) -> list[Quantity]:
    return [
        *_view_volumes(measured, Method.SINGLE_PLANE_DISKS, lambda found: found.disk_volume),
        *_view_volumes(measured, Method.AREA_LENGTH, lambda found: found.area_length_volume),
        *_sizes(measured),
        *_atrium_quantities(measured),
        *right_quantities(measured.key_frames, measured.cines, measured.right_flags),
    ]


def biplane_quantities(views: Sequence[ViewMeasurement]) -> list[Quantity]:
    """Volumes and ejection fraction from the four- and the two-chamber view together; empty without both.

    Each value is of one beat of each plane, at the same phase: see `matched_beats`.
    """
    # Without millimetres two planes have no common unit: a pixel of one is none of the other.
    by_view = {found.view: found for found in views if found.is_scaled}
    if View.FOUR_CHAMBER not in by_view or View.TWO_CHAMBER not in by_view:
        return []
    four, two = by_view[View.FOUR_CHAMBER], by_view[View.TWO_CHAMBER]
    first, second = ([*(view.beats or (view,))] for view in (four, two))
    pairs = matched_beats(*([beat.key_frames.duration_ms for beat in beats] for beats in (first, second)))
    chosen = [(first[one], second[other]) for one, other in pairs]
    return over_beats([[*_biplane_volumes(*pair), *_biplane_atrium(*pair)] for pair in chosen])


def _traces(key_frames: KeyFrames, cines: Mapping[Phase, TracedCine]) -> dict[Phase, LongAxisTrace]:
    return {found.phase: cines[found.phase].traces[found.frame] for found in key_frames}


def _is_scaled(cines: Mapping[Phase, TracedCine]) -> bool:
    return all(cine.scale.is_known for cine in cines.values())


def _biplane_volumes(four: ViewMeasurement, two: ViewMeasurement) -> list[Quantity]:
    """By elliptic disks, where both views show both phases."""
    volumes: dict[Phase, float] = {}
    flags: list[Flag] = [*four.flags, *two.flags]
    # Both heights are cut into as many disks, so that the n-th of one plane meets the n-th of the other.
    for phase in PHASE_WORD:
        # Both planes at both phases or nothing: one plane at one of them would add a change that no heart made.
        first, second = four.disks(phase), two.disks(phase)
        if first is None or second is None:
            return []
        (length_mm,) = biplane_lengths_mm([first.length], [second.length])
        volumes[phase] = disk_volume(first.diameters, second.diameters, length_mm) / 1000
        flags.extend(biplane_flags(first.length / 10, second.length / 10, phase=phase))
    flags.extend(_agreement_of_views(four, two))
    flags.extend(item.of("biplane") for item in _value_flags(volumes, volumes))
    refs = {phase: (*four.key_frames.refs(phase), *two.key_frames.refs(phase)) for phase in volumes}
    return _ejection(_Volumes(volumes, refs, Method.BIPLANE_DISKS, f"{four.view_name}+{two.view_name}"), flags)


def _agreement_of_views(four: ViewMeasurement, two: ViewMeasurement) -> tuple[Flag, ...]:
    first, second = four.ejection_percent, two.ejection_percent
    if first is None or second is None:
        return ()
    return agreement_flags("planes-disagree", first, second, between=f"{four.view_name} and {two.view_name}")


def _biplane_atrium(four: ViewMeasurement, two: ViewMeasurement) -> list[Quantity]:
    """Volume of the left atrium from both planes, as high as the shorter of its two lengths."""
    first, second = four.atrium, two.atrium
    if first is None or second is None or not first.length or not second.length:
        return []
    value = biplane_area_length_ml(first.area / 100, second.area / 100, min(first.length, second.length) / 10)
    flags = doubting((*four.flags, *two.flags, *first.flags, *second.flags), "atrium")
    view = f"{four.view_name}+{two.view_name}"
    refs = (*four.key_frames.refs(Phase.ES), *two.key_frames.refs(Phase.ES))
    return [Quantity("left_atrial_volume", value, "ml", Method.BIPLANE_AREA_LENGTH, view, refs, flags=flags)]


def _frame_flags(key_frames: KeyFrames, cines: Mapping[Phase, TracedCine]) -> list[Flag]:
    """What is odd in each key frame, and about the files that they lie in."""
    flags: list[Flag] = []
    for found in key_frames:
        cine = cines[found.phase]
        flags.extend(item.of(f"{key_frames.view_name} {found.phase}") for item in trace_flags(cine, found.frame))
        flags.extend(geometry_flags(cine.image, cine.labels))
    if key_frames.are_both:
        both = same_size_flags(cines[Phase.ED].labels, cines[Phase.ES].labels)
        flags.extend(item.of(key_frames.view_name) for item in both)
    return flags


def _beat_flags(
    key_frames: KeyFrames, cines: Mapping[Phase, TracedCine], doubts: Mapping[str, Doubt] | None
) -> list[Flag]:
    """What is odd about the change from end-diastole to end-systole."""
    if key_frames.are_both:
        flags = [*_motion_flags(_traces(key_frames, cines)), *_error_flags(key_frames, cines, doubts)]
    else:
        missing = "end-diastole" if key_frames.end_diastole is None else "end-systole"
        flags = [flag("one-instant", f"the exam shows no {missing}: no ejection fraction")]
    return [item.of(key_frames.view_name) for item in flags]


def _motion_flags(traces: Mapping[Phase, LongAxisTrace]) -> list[Flag]:
    diastole, systole = traces[Phase.ED], traces[Phase.ES]
    flags: list[Flag] = []
    # Millimetres against pixels: nothing that compares the two means anything.
    if diastole.scale.unit != systole.scale.unit:
        return flags
    if diastole.area < systole.area:
        text = "the left ventricle is smaller at the named end-diastole than at end-systole: are they swapped?"
        flags.append(flag("swapped", text))
    flags.extend([*length_flags(diastole, systole), *change_flags(diastole, systole)])
    volumes = _known({phase: found.disk_volume for phase, found in traces.items()})
    flags.extend(_value_flags(volumes, _in_ml(volumes) if diastole.scale.is_known else {}))
    return [*flags, *_agreement_of_methods(traces)]


def _agreement_of_methods(traces: Mapping[Phase, LongAxisTrace]) -> tuple[Flag, ...]:
    by_disks = _ejection_percent(_known({phase: found.disk_volume for phase, found in traces.items()}))
    by_length = _ejection_percent(_known({phase: found.area_length_volume for phase, found in traces.items()}))
    if by_disks is None or by_length is None:
        return ()
    return agreement_flags("methods-disagree", by_disks, by_length, between="disks and area-length")


def _known(values: Mapping[Phase, float | None]) -> dict[Phase, float]:
    return {phase: value for phase, value in values.items() if value is not None}


def _in_ml(volumes: Mapping[Phase, float]) -> dict[Phase, float]:
    """Volumes of outlines in mm, in ml."""
    return {phase: volume / 1000 for phase, volume in volumes.items()}


def _value_flags(volumes: Mapping[Phase, float], volumes_ml: Mapping[Phase, float]) -> list[Flag]:
    """Whether an ejection fraction and volumes can be; `volumes` in any unit, `volumes_ml` empty where not known."""
    percent = _ejection_percent(volumes)
    flags = [] if percent is None else [*ejection_flags(percent)]
    return [*flags, *volume_flags(volumes_ml.get(Phase.ED), volumes_ml.get(Phase.ES))]


def _error_flags(
    key_frames: KeyFrames, cines: Mapping[Phase, TracedCine], doubts: Mapping[str, Doubt] | None
) -> tuple[Flag, ...]:
    """Whether the model's labels make an error of the ejection fraction likely; nothing of labels drawn by hand."""
    systole = key_frames.end_systole
    # The error model was fitted on the mistakes of networks; people make others.
    if systole is None or doubts is None or systole.image not in doubts:
        return ()
    # And on echo: of a long axis of MRI it knows nothing.
    if cines[Phase.ES].image.image.modality is Modality.MR:
        return ()
    traces = _traces(key_frames, cines)
    return error_flags(traces[Phase.ED], traces[Phase.ES], float(doubts[systole.image][systole.frame]))


def _ejection_percent(volumes: Mapping[Phase, float]) -> float | None:
    """Ejection fraction of volumes in any unit; None where one is missing or there is nothing to eject."""
    if not volumes.get(Phase.ED) or Phase.ES not in volumes:
        return None
    return ejection_fraction(volumes[Phase.ED], volumes[Phase.ES])


def _view_volumes(
    measured: ViewMeasurement, method: Method, volume: Callable[[LongAxisTrace], float | None]
) -> list[Quantity]:
    volumes = _in_ml(_known({phase: volume(found) for phase, found in measured.traces.items()}))
    refs = {phase: measured.key_frames.refs(phase) for phase in volumes}
    quantities = _ejection(_Volumes(volumes, refs, method, measured.view_name), measured.flags)
    if measured.is_scaled:
        return quantities
    # Of pixels only the ratio means anything.
    return [item for item in quantities if item.unit == "percent" and measured.has_one_unit]


@dataclass(frozen=True)
class _Volumes:
    """Volumes of the left ventricle by one method."""

    volumes_ml: Mapping[Phase, float]
    refs: Mapping[Phase, tuple[FrameRef, ...]]
    method: Method
    view: str

    def quantity(
        self, name: str, value: float, unit: str, refs: tuple[FrameRef, ...], flags: Sequence[Flag]
    ) -> Quantity:
        """One of them, or what follows from them."""
        name = f"left_ventricular_{name}"
        return Quantity(name, value, unit, self.method, self.view, refs, flags=tuple(dict.fromkeys(flags)))


def _ejection(found: _Volumes, flags: Sequence[Flag]) -> list[Quantity]:
    """Ejection fraction, volumes and stroke volume by one method."""
    of_volume, of_ejection = doubting(flags, "volume"), doubting(flags, "ejection")
    quantities = [
        found.quantity(f"{PHASE_WORD[phase]}_volume", value, "ml", found.refs[phase], of_volume)
        for phase, value in found.volumes_ml.items()
    ]
    percent = _ejection_percent(found.volumes_ml)
    if percent is None:
        return quantities
    refs = (*found.refs[Phase.ED], *found.refs[Phase.ES])
    stroke_ml = stroke_volume_ml(found.volumes_ml[Phase.ED], found.volumes_ml[Phase.ES])
    return [
        found.quantity("ejection_fraction", percent, "percent", refs, of_ejection),
        *quantities,
        found.quantity("stroke_volume", stroke_ml, "ml", refs, (*of_ejection, *of_volume)),
    ]


def _sizes(measured: ViewMeasurement) -> list[Quantity]:
    """Areas, lengths and the change of area; of a frame without a ventricle there are none."""
    quantities = []
    view, flags = measured.view_name, doubting(measured.flags, "size")
    shown = {phase: found for phase, found in measured.traces.items() if found.area > 0}
    for phase, found in shown.items():
        name, refs = f"left_ventricular_{PHASE_WORD[phase]}", measured.key_frames.refs(phase)
        area, unit = found.scale.area_to_report(found.area)
        quantities.append(Quantity(f"{name}_area", area, unit, Method.TRACED, view, refs, flags=flags))
        if found.length_cm is not None:
            length = Quantity(f"{name}_length", found.length_cm, "cm", Method.TRACED, view, refs, flags=flags)
            quantities.append(length)
    change = _ejection_percent({phase: found.area for phase, found in shown.items()})
    if change is not None and measured.has_one_unit:
        name, refs = "left_ventricular_fractional_area_change", measured.key_frames.refs(Phase.ED, Phase.ES)
        doubted = doubting(measured.flags, "ejection")
        quantities.append(Quantity(name, change, "percent", Method.TRACED, view, refs, flags=doubted))
    return quantities


def _atrium(key_frames: KeyFrames, cines: Mapping[Phase, TracedCine]) -> Atrium | None:
    """The left atrium at end-systole, where it is labelled and shown."""
    systole = key_frames.end_systole
    if systole is None or Structure.LA not in cines[Phase.ES].labels.scheme.values:
        return None
    cine = cines[Phase.ES]
    found, ring = cine.traces[systole.frame], cine.outline(Structure.LA, systole.frame)
    flags = tuple(item.of(f"{key_frames.view_name} {systole.phase}") for item in atrium_flags(cine, systole.frame))
    # Its length counts from the annulus that both chambers share: the atrium's own outline does not tell where its
    # floor is.
    if found.axis is None or not len(ring):
        return Atrium(found.atrium_area, None, flags)
    return Atrium(found.atrium_area, float(np.linalg.norm(ring - found.axis.base, axis=1).max()), flags)


def _atrium_quantities(measured: ViewMeasurement) -> list[Quantity]:
    atrium = measured.atrium
    if atrium is None or not atrium.area:
        return []
    view, refs = measured.view_name, measured.key_frames.refs(Phase.ES)
    flags, scale = doubting((*measured.flags, *atrium.flags), "atrium"), measured.cines[Phase.ES].scale
    area, unit = scale.area_to_report(atrium.area)
    quantities = [Quantity("left_atrial_area", area, unit, Method.TRACED, view, refs, flags=flags)]
    if atrium.length and scale.is_known:
        length_cm, volume_ml = atrium.length / 10, area_length_volume(area, atrium.length / 10)
        quantities.append(Quantity("left_atrial_length", length_cm, "cm", Method.TRACED, view, refs, flags=flags))
        quantities.append(Quantity("left_atrial_volume", volume_ml, "ml", Method.AREA_LENGTH, view, refs, flags=flags))
    return quantities
