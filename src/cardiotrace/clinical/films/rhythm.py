"""How fast and how regularly the heart beats, and what the file says of it."""

from collections.abc import Sequence

import numpy as np

from cardiotrace.clinical.beats.search import frame_interval_ms
from cardiotrace.clinical.films.film import Film, lengths_apart
from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.flag import Flag

FEWEST_IRREGULAR = 5
"""Beats that are averaged where they are irregular.

Source:
    Mitchell et al. 2019, J Am Soc Echocardiogr 32:1 (at least five beats in atrial fibrillation).
"""


def heart_rate(images: Sequence[ExamImage], films: Sequence[Film]) -> Quantity | None:
    """Beats a minute: as the file states it, else from the whole beats of the films.

    Args:
        images: those that were measured.
        films: of them.

    Returns:
        The median of what is stated or measured; None where neither is known, or no heart can beat so.
    """
    views = "+".join(dict.fromkeys(image.image.view_name for image in images))
    stated = [rate for image in images if (rate := _stated(image)) is not None]
    if stated:
        refs = tuple(FrameRef(image.name, 0) for image in images if _stated(image) is not None)
        return Quantity("heart_rate", float(np.median(stated)), "bpm", Method.STATED, views, refs)
    lasting = [(film, beat, film.duration_ms(beat)) for film in films for beat in film.whole_beats]
    found = [(film, beat, 60_000 / length) for film, beat, length in lasting if length and _can_be(length)]
    if not found:
        return None
    rates = [rate for _, _, rate in found]
    refs = tuple(dict.fromkeys(ref for film, beat, _ in found for ref in film.refs(beat)))
    views = "+".join(dict.fromkeys(film.curve.view for film, _, _ in found))
    by_beat = tuple(rates) if len(rates) > 1 else ()
    return Quantity("heart_rate", float(np.median(rates)), "bpm", Method.BEAT_LENGTH, views, refs, by_beat=by_beat)


def rhythm_flags(images: Sequence[ExamImage], films: Sequence[Film]) -> list[Flag]:
    """What is odd about stated heart rates, stated R waves, and the lengths of beats."""
    flags = [item for image in images for item in _statement_flags(image)]
    for film in films:
        flags.extend(item.of(film.curve.view) for item in (*_r_wave_flags(film), *_length_flags(film)))
    return flags


def _stated(image: ExamImage) -> float | None:
    """The stated heart rate, if a heart can beat so."""
    rate = image.image.acquisition.heart_rate_bpm
    return None if rate is None or RULES["heart-rate"].breaks(rate) else float(rate)


def _can_be(length_ms: float) -> bool:
    """Whether a beat of a heart can last so long."""
    return not RULES["heart-rate"].breaks(60_000 / length_ms)


def _statement_flags(image: ExamImage) -> list[Flag]:
    rate = image.image.acquisition.heart_rate_bpm
    if rate is None or _stated(image) is not None:
        return []
    text = f"{image.image.view_name}: the file states a heart rate of {rate:g} /min, which none can be: it is not used"
    return [flag("heart-rate", text)]


def _r_wave_flags(film: Film) -> list[Flag]:
    waves, times = film.source.image.image.acquisition.r_waves_ms, film.times_ms
    interval = frame_interval_ms(times)
    if not waves or times is None or interval is None or film.is_round:
        return []
    outside = [wave for wave in waves if not times[0] - interval <= wave <= times[-1] + interval]
    if len(outside) < len(waves):
        return []
    text = f"all {len(waves)} R waves that the file states lie outside the film: beats were found from its sizes"
    return [flag("r-waves-outside", text)]


def _length_flags(film: Film) -> list[Flag]:
    lengths = [length for beat in film.whole_beats if (length := film.duration_ms(beat)) is not None]
    odd = [length for length in lengths if not _can_be(length)]
    if odd:
        text = f"beats of {min(odd):.0f} to {max(odd):.0f} ms are none of a heart: no heart rate is taken from them"
        return [flag("heart-rate", text)]
    if len(lengths) < 2:
        return _rate_flags(film, lengths)
    if not RULES["irregular"].breaks(lengths_apart(lengths)):
        return _rate_flags(film, lengths)
    text = f"beats last {min(lengths):.0f} to {max(lengths):.0f} ms"
    if len(film.beats) < FEWEST_IRREGULAR:
        text += f", and only {len(film.beats)} are shown: of an irregular heart average at least {FEWEST_IRREGULAR}"
    return [flag("irregular", text)]


def _rate_flags(film: Film, lengths_ms: Sequence[float]) -> list[Flag]:
    """Whether the stated rate is that of the film."""
    stated = _stated(film.source.image)
    if stated is None or not lengths_ms:
        return []
    measured = 60_000 / float(np.median(lengths_ms))
    if not RULES["heart-rate-differs"].breaks(abs(measured / stated - 1)):
        return []
    text = f"the file states {stated:.0f} beats a minute, the film shows {measured:.0f}"
    return [flag("heart-rate-differs", text)]
