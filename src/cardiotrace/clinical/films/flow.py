"""How fast the ventricle empties and fills, and how the left atrium works: from curves over whole beats."""

from collections.abc import Sequence

import numpy as np

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.films.average import over_beats
from cardiotrace.clinical.films.film import BeatCurve, Film
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import RULES, doubting, flag
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.contour import polygon_perimeter

_VOLUME = "left_ventricular_volume_ml"
_RECOVERED = 0.8
_LATE = 0.6
"""Share of diastole after which the atrium contracts, if it does."""
_STEPS = 2.0
"""Width in points over which an outline of pixels is smoothed before it is measured."""
_APART = 0.5
"""Early and late filling are two where the rate between them falls below this share of the lower of both."""


def flow_quantities(film: Film, flags: Sequence[Flag] = ()) -> list[Quantity]:
    """Peak ejection and filling rates, their times, and how soon diastole regains the volume; means over whole beats.

    From the smoothed curve of volumes. DVR80 is the share of diastole after which 80 % of the stroke volume is back.

    Args:
        film: a moving image.
        flags: what speaks against its volumes.

    Returns:
        The quantities; none without volumes, times, a whole beat, or enough frames in it: see `flow_flags`.

    Source:
        Peak filling rate: Bonow et al. 1981, Circulation 64:787. Diastolic volume recovery: Maceira et al. 2006,
        J Cardiovasc Magn Reson 8:417 (of 80 %).
    """
    beats, volumes = [], film.curve.series.get(_VOLUME)
    for beat in _dense_beats(film) if volumes else ():
        curve = film.over(volumes or (), beat)
        if curve is not None:
            beats.append(_flow(film, beat, curve, doubting(flags, "volume")))
    return over_beats(beats) if beats else []


def flow_flags(film: Film) -> list[Flag]:
    """Why there are no rates, where volumes and beats are there."""
    if _VOLUME not in film.curve.series or not film.beats or _dense_beats(film):
        return []
    fewest = RULES["no-rates"].low
    if film.curve.times_ms is None:
        why = "the times of the frames are not known"
    elif not film.whole_beats:
        why = "no beat is shown from one end-diastole to the next"
    else:
        most = max(film.frame_count(beat) for beat in film.whole_beats)
        why = f"{most} frames a beat are fewer than {fewest:g}"
    return [flag("no-rates", f"{film.curve.view}: no rates of ejection and filling: {why}")]


def atrium_quantities(film: Film, flags: Sequence[Flag] = ()) -> list[Quantity]:
    """Strain of the left atrium's wall over the beat: reservoir, and conduit and pump where both can be told apart.

    The length L of its wall is the outline without the mitral annulus. Reservoir = 100 (L_max - L_ED) / L_ED, pump =
    100 (L before the atrium contracts - L_ED) / L_ED, conduit is the rest. When the atrium begins to contract is told
    by the rate at which the ventricle fills: it is lowest between early and late filling.

    Args:
        film: a moving long axis whose labels hold a left atrium.
        flags: what speaks against the atrium.

    Source:
        Badano et al. 2018, Eur Heart J Cardiovasc Imaging 19:591 (phases, zero at end-diastole).
    """
    if not isinstance(film.source, TracedCine) or Structure.LA not in film.source.labels.scheme.values:
        return []
    if not film.whole_beats or film.curve.times_ms is None:
        return []
    lengths = [_wall_length(film.source, frame) for frame in range(len(film.source.sizes))]
    dense = _dense_beats(film)
    beats = []
    for beat in film.whole_beats:
        wall, filling = film.over(lengths, beat), film.over(film.source.sizes.tolist(), beat)
        if wall is not None and filling is not None:
            kick = _atrial_kick(filling) if beat in dense else None
            beats.append(_atrium(film, beat, wall, kick, doubting(flags, "atrium")))
    return over_beats(beats) if beats else []


def _dense_beats(film: Film) -> tuple[Beat, ...]:
    """The whole beats with frames enough for rates."""
    if film.curve.times_ms is None:
        return ()
    return tuple(beat for beat in film.whole_beats if not RULES["no-rates"].breaks(film.frame_count(beat)))


def _flow(film: Film, beat: Beat, curve: BeatCurve, flags: tuple[Flag, ...]) -> list[Quantity]:
    method = Method.SINGLE_PLANE_DISKS if isinstance(film.source, TracedCine) else Method.SUM_OF_SLICES
    full_ml, empty_ml = float(curve.values[0]), float(curve.values[curve.end_systole])
    out, back = int(curve.rates[curve.systole].argmin()), curve.end_systole + int(curve.rates[curve.diastole].argmax())
    regained = np.flatnonzero(curve.values[curve.diastole] >= empty_ml + _RECOVERED * (full_ml - empty_ml))
    emptying, filling = -float(curve.rates[out]), float(curve.rates[back])
    diastole_ms = curve.times_ms[-1] - curve.times_ms[curve.end_systole]
    values = [
        ("peak_ejection_rate", emptying, "ml/s"),
        ("relative_peak_ejection_rate", emptying / full_ml, "1/s"),
        ("time_to_peak_ejection", float(curve.times_ms[out]), "ms"),
        ("peak_filling_rate", filling, "ml/s"),
        ("relative_peak_filling_rate", filling / full_ml, "1/s"),
        ("time_to_peak_filling", float(curve.times_ms[back] - curve.times_ms[curve.end_systole]), "ms"),
    ]
    if len(regained):
        recovered_ms = curve.times_ms[curve.end_systole + regained[0]] - curve.times_ms[curve.end_systole]
        values.append(("diastolic_volume_recovery", 100 * float(recovered_ms / diastole_ms), "percent"))
    view, refs = film.curve.view, film.refs(beat)
    return [
        Quantity(f"left_ventricular_{name}", value, unit, method, view, refs, flags=flags)
        for name, value, unit in values
    ]


def _wall_length(cine: TracedCine, frame: int) -> float | None:
    """Length of the left atrium's wall, in the unit of the outlines."""
    if cine.blank[frame]:
        return None
    return cine.findings.plane(frame).get("atrium", lambda: _found_length(cine, frame), given=cine.towards_base)


def _found_length(cine: TracedCine, frame: int) -> float | None:
    axis, ring = cine.traces[frame].axis, cine.outline(Structure.LA, frame)
    if axis is None or not len(ring):
        return None
    # The steps of the pixels would count as wall.
    from scipy.ndimage import gaussian_filter1d  # slow to import, so only when needed

    return polygon_perimeter(gaussian_filter1d(ring, _STEPS, axis=0, mode="wrap")) - axis.annulus_width


def _atrial_kick(filling: BeatCurve) -> int | None:
    """Number of the instant at which the atrium begins to contract; None where filling is of one piece."""
    rates, start = filling.rates, filling.end_systole
    late = start + int(_LATE * (len(rates) - start))
    early = start + int(rates[start:late].argmax())
    kick = late + int(rates[late:].argmax())
    between = early + int(rates[early : kick + 1].argmin())
    is_apart = rates[between] < _APART * min(rates[early], rates[kick])
    return between if is_apart and rates[kick] > 0 else None


def _atrium(film: Film, beat: Beat, wall: BeatCurve, kick: int | None, flags: tuple[Flag, ...]) -> list[Quantity]:
    view, refs, rest = film.curve.view, film.refs(beat), float(wall.values[0])
    reservoir = 100 * (float(wall.values.max()) - rest) / rest
    values = [("reservoir", reservoir)]
    if kick is not None:
        pump = 100 * (float(wall.values[kick]) - float(wall.values[-1])) / rest
        values += [("conduit", reservoir - pump), ("pump", pump)]
    return [
        Quantity(f"left_atrial_{name}_strain", value, "percent", Method.TRACED, view, refs, flags=flags)
        for name, value in values
    ]
