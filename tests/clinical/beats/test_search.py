"""Beats of curves whose instants are known. Larger tables: `python -m benchmarks.beats`."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical.beats.search import SizeCurve, Turn, find_turns
from cardiotrace.phantoms.heart.heart import Heart
from tests.clinical.beats.curves import Known, curve_of, nearest

HEARTS = (
    Heart(ejection_fraction_percent=62, heart_rate_bpm=60),
    Heart(ejection_fraction_percent=35, heart_rate_bpm=75),
    Heart(ejection_fraction_percent=50, heart_rate_bpm=90),
)


@pytest.mark.parametrize("noise", [0.03, 0.05])
@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 80.0])
@pytest.mark.parametrize("beats", [1, 3, 8])
def test_instants_within_a_frame_and_no_bias(beats: int, rate_hz: float, noise: float) -> None:
    late: list[float] = []
    early: list[float] = []
    bias: list[float] = []
    of_extremes: list[float] = []
    counts: list[int] = []
    for heart in HEARTS:
        known = Known(heart, rate_hz, beats + 0.1 if beats > 1 else 1)
        for seed in range(12):
            curve = curve_of(known, noise, seed)
            turns = find_turns(curve).turns
            late += [nearest(turn.end_systole, known.end_systoles) for turn in turns]
            early += [nearest(turn.end_diastole, known.end_diastoles) for turn in turns]
            ratios = [curve.sizes[turn.end_systole] / curve.sizes[turn.end_diastole] for turn in turns]
            bias.append(100 * (1 - float(np.mean(ratios))) - heart.ejection_fraction_percent)
            of_extremes.append(100 * (1 - curve.sizes.min() / curve.sizes.max()) - heart.ejection_fraction_percent)
            counts.append(len(turns))
    assert np.mean(np.array(counts) == beats) > 0.94  # a film of three may lose its last, cut beat
    assert np.median(late) < 1.3
    assert np.median(early) < 1.3
    # The mean over films, within what chance leaves of it.
    assert abs(np.mean(bias)) < 0.5 + 2.5 * np.std(bias) / np.sqrt(len(bias))
    assert np.mean(of_extremes) > 2 * abs(np.mean(bias))


@pytest.mark.parametrize("begin", [0.0, 0.02, 0.2, 0.5, 0.95, 0.99])
def test_one_gathered_beat_may_begin_anywhere(begin: float) -> None:
    known = Known(rate_hz=32.5, start=begin)
    (turn,) = find_turns(curve_of(known, is_round=True)).turns
    assert turn.stop == turn.end_diastole
    count, period = len(known.times_ms), known.period_ms * known.rate_hz / 1000
    # The ventricle stays full for 50 ms, which is a frame and a half.
    assert nearest(turn.end_diastole, np.concatenate([known.end_diastoles, known.end_diastoles + period])) <= 1.7
    assert known.volumes_ml[turn.end_diastole] == pytest.approx(known.heart.end_diastolic_ml, rel=0.005)
    assert nearest(turn.end_systole, known.end_systoles) <= 1.1
    assert turn.end_diastole < count


def test_a_beat_cut_in_the_middle_is_no_beat_and_says_so() -> None:
    # From the middle of ejection to that of the next one: the end-systole of one beat, the end-diastole of the other.
    found = find_turns(curve_of(Known(start=0.2)))
    assert found.turns == ()
    assert found.pair is not None
    diastole, systole = found.pair
    assert systole < diastole
    assert "shows no ejection from its beginning to its end" in found.cut


def test_a_film_that_begins_or_ends_while_the_ventricle_ejects() -> None:
    begins = find_turns(curve_of(Known(start=0.2, beats=0.35)))
    assert begins.turns == ()
    assert "begins while the ventricle ejects" in begins.cut
    ends = find_turns(curve_of(Known(start=0.7, beats=0.5)))
    assert ends.turns == ()
    assert "ends while the ventricle ejects" in ends.cut


def test_a_noisy_film_that_is_at_end_systole_too_soon_begins_within_the_ejection() -> None:
    """Its noise hides how fast the ventricle empties at first; how long it takes does not."""
    told = {}
    for start in (0.0, 0.15):
        films = [Known(heart, 25.0, start=start, beats=0.95 - start) for heart in HEARTS]
        curves = [curve_of(film, 0.05, seed) for film in films for seed in range(12)]
        told[start] = [bool(find_turns(curve).cut) for curve in curves]
        told[start, "without times"] = [bool(find_turns(replace(curve, times_ms=None)).cut) for curve in curves]
    assert np.mean(told[0.0]) < 0.05
    assert np.mean(told[0.15]) > 0.6
    assert np.mean(told[0.15, "without times"]) < np.mean(told[0.15]) - 0.15


def test_half_beats_at_both_ends_are_left_out_where_there_are_whole_ones() -> None:
    known = Known(beats=2.4, start=0.2)
    turns = find_turns(curve_of(known, 0.03)).turns
    assert [turn.stop is not None for turn in turns] == [True, False]
    assert all(nearest(turn.end_diastole, known.end_diastoles) <= 3 for turn in turns)


def test_an_unfinished_beat_has_no_end() -> None:
    (turn,) = find_turns(curve_of(Known(beats=0.6))).turns
    assert turn.end_diastole <= 1
    assert turn.stop is None


def test_irregular_beats_are_each_found() -> None:
    lengths = [0.75, 1.3, 0.9, 1.2, 0.8, 1.1]
    parts = [Known(heart=replace(Heart(), heart_rate_bpm=65 / length)).volumes_ml for length in lengths]
    sizes = np.concatenate(parts) * (1 + 0.03 * np.random.default_rng(2).standard_normal(sum(map(len, parts))))
    turns = find_turns(SizeCurve(sizes, sizes < 0, np.arange(len(sizes)) * 20.0)).turns
    starts = np.cumsum([0, *map(len, parts[:-1])])
    assert len(turns) == len(lengths)
    assert all(abs(turn.end_diastole - start) <= 3 for turn, start in zip(turns, starts, strict=True))


def test_blank_and_foreshortened_frames_are_never_chosen() -> None:
    known = Known(beats=3)
    curve = curve_of(known)
    sizes = curve.sizes.copy()
    systole = round(known.end_systoles[1])
    sizes[systole], sizes[0], sizes[systole + 15] = 0.0, 0.0, 0.5 * sizes[systole + 15]
    found = find_turns(replace(curve, sizes=sizes, odd=np.arange(len(sizes)) == systole + 15)).turns
    chosen = {frame for turn in found for frame in (turn.end_diastole, turn.end_systole)}
    assert not chosen & {0, systole, systole + 15}
    assert len(found) == 3


def test_r_waves_part_the_beats_where_they_lie_in_the_film_and_the_ventricle_is_full_there() -> None:
    known = Known(beats=3.3, start=0.9)
    waves = tuple(known.period_ms * (0.1 + np.arange(4)))
    curve = curve_of(known, 0.03)
    with_waves = find_turns(replace(curve, r_waves_ms=waves))
    assert with_waves.follows_r_waves
    assert [turn.end_diastole for turn in with_waves.turns] == [turn.end_diastole for turn in find_turns(curve).turns]
    # On another clock, or at another phase of the beat, they are none.
    for shift in (1e6, 0.35 * known.period_ms):
        odd = find_turns(replace(curve, r_waves_ms=tuple(wave + shift for wave in waves)))
        assert not odd.follows_r_waves
        assert len(odd.turns) == len(with_waves.turns)


@pytest.mark.parametrize(
    ("sizes", "pair"),
    [((30.0, 18.0), (0, 1)), ((18.0, 30.0), (1, 0)), ((30.0, 25, 18, 22), (0, 2)), ((30.0,), (0, 0))],
)
def test_few_frames_are_told_by_size(sizes: tuple[float, ...], pair: tuple[int, int]) -> None:
    found = find_turns(SizeCurve(np.array(sizes), np.zeros(len(sizes), bool)))
    assert (found.turns, found.pair) == ((), pair)


@pytest.mark.parametrize("is_round", [False, True])
@pytest.mark.parametrize(("count", "size"), [(40, 30.0), (35, 1.0), (99, 0.1)])
def test_a_film_that_does_not_move_has_no_beat(count: int, size: float, is_round: bool) -> None:
    """The rounding of numbers is no motion, and a film that goes round shows one beat only where it shows any."""
    sizes, odd = np.full(count, size), np.zeros(count, bool)
    sizes[0] = 0.0
    still = find_turns(SizeCurve(sizes, odd, np.arange(count) * 20.0, is_round=is_round))
    assert (still.turns, still.pair, still.cut) == ((), (1, 1), "")


def test_times_are_not_needed() -> None:
    curve = curve_of(Known(beats=2.1), 0.03)
    assert find_turns(replace(curve, times_ms=None)).turns == find_turns(curve).turns
    assert Turn(0, 5, None) == Turn(0, 5, None)


def test_a_few_frames_from_the_midst_of_an_ejection_are_told() -> None:
    """Seven frames between end-diastole and end-systole show neither; from one to the other they show both."""
    sizes = 100 + 30 * np.cos(np.pi * np.arange(17) / 16)
    within, whole = (
        SizeCurve(part, np.zeros(len(part), bool), np.arange(len(part)) * 33.0) for part in (sizes[5:12], sizes[::2])
    )
    assert find_turns(within).pair == (0, 6)
    assert find_turns(within).cut.startswith("begins while the ventricle ejects")
    assert (find_turns(whole).pair, find_turns(whole).cut) == ((0, 8), "")


@pytest.mark.parametrize("turned", [0, 1, 5, 11])
def test_where_frames_are_far_apart_none_past_the_fullest_is_end_diastole(turned: int) -> None:
    """Twelve frames of a beat: the second has begun to eject, however near to the smoothed curve its own size is."""
    beat = np.array([100, 99.4, 90.7, 78.5, 67.3, 60.9, 60.9, 66.2, 81.5, 88.6, 89.7, 93.9])
    (turn,) = find_turns(SizeCurve(np.roll(beat, turned), np.zeros(12, bool), is_round=True)).turns
    assert turn.end_diastole == turned
    assert turn.end_systole in {(5 + turned) % 12, (6 + turned) % 12}


@pytest.mark.parametrize(
    ("sizes", "cut", "doubt"),
    [
        ((28.0, 25.0, 21.0, 18.0), "", "is its first and the emptiest frame of the film is its last: too few"),
        ((30.0, 28.0, 22.0, 18.0, 20.0), "", "the fullest frame of the film is its first: too few"),
        ((29.5, 30.0, 24.0, 19.0), "", "the emptiest frame of the film is its last: too few"),
        # Full again at the end: that is how full it becomes.
        ((30.0, 28.0, 18.0, 22.0, 29.5), "", ""),
        ((22.0, 18.0, 20.0, 28.0, 30.0), "shows no ejection from its beginning to its end", ""),
        # A pair, picked by somebody.
        ((30.0, 18.0), "", ""),
        ((18.0, 30.0), "", ""),
    ],
)
def test_films_of_a_few_frames_say_what_cannot_be_told(sizes: tuple[float, ...], cut: str, doubt: str) -> None:
    found = find_turns(SizeCurve(np.array(sizes), np.zeros(len(sizes), bool)))
    assert (found.cut.startswith(cut), bool(found.cut)) == (True, bool(cut))
    assert (doubt in found.doubt, bool(found.doubt)) == (True, bool(doubt))
    gathered = find_turns(SizeCurve(np.array(sizes), np.zeros(len(sizes), bool), is_round=True))
    assert (gathered.cut, gathered.doubt) == ("", "")
