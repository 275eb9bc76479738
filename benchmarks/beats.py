"""Key frames and ejection fraction from noisy curves of known beats: beats of the smoothed curve against extremes.

    python -m benchmarks.beats [--hearts 3] [--repeats 4] [--seed 0] [--cut]

The curves are the volumes of phantom hearts of every pathology, whose instants are known: the beat is repeated one to
eight times, sampled at 25, 50 and 80 frames a second, and each frame's size is wrong
by 3 or 5 % of itself, independently of the others. A film of one beat begins at its end-diastole; one that goes round,
as gated cine-MRI does, begins anywhere in it. In atrial fibrillation each diastole is shorter or longer by chance, and
the beat after it fills and ejects less or more. `--cut` makes films of less than a beat that begin where a share of the
stroke volume is ejected already, and counts in how many of them that is told.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cardiotrace.clinical.beats.search import Found, SizeCurve, find_turns
from cardiotrace.clinical.beats.smoothing import stands_out
from cardiotrace.phantoms.heart.heart import Heart
from cardiotrace.phantoms.heart.population import Pathology, sample_patient

RATES_HZ, NOISES, BEATS = (25.0, 50.0, 80.0), (0.03, 0.05), (1, 2, 4, 8)
CUTS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7)
"""Shares of the stroke volume."""
JITTER = 0.2
"""Standard deviation of the length of beats in atrial fibrillation, as a share of it."""

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Film:
    """A curve with its truth."""

    times_ms: Curve
    volumes_ml: Curve
    """Without noise."""
    starts_ms: Curve
    """End-diastoles."""
    ends_ms: Curve
    """End-systoles."""
    ejection_percent: float
    """Mean over its beats."""
    period_ms: float
    is_round: bool = False


@dataclass
class Errors:
    """What was off, over many films of one kind."""

    diastole: list[float] = field(default_factory=list)
    systole: list[float] = field(default_factory=list)
    ejection: list[float] = field(default_factory=list)
    of_extremes: list[float] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)


def film(heart: Heart, rate_hz: float, beats: int, rng: np.random.Generator, *, jitter: float = 0.0) -> Film:
    """Beats of a heart from an end-diastole on, with three frames of the next beat."""
    cycle = heart.cycle
    lengths = cycle.duration_ms * (1 + jitter * np.clip(rng.standard_normal(beats + 1), -2, 2))
    lengths = np.maximum(lengths, cycle.bounds_ms[2] + 100.0)
    starts = np.concatenate([[0.0], np.cumsum(lengths)])
    interval = 1000 / rate_hz
    times = np.arange(0, starts[beats] + (3 * interval if beats > 1 else 0), interval)
    number = np.searchsorted(starts, times, side="right") - 1
    phase = times - starts[number]
    # Only diastole is longer or shorter: what comes after the relaxation is stretched.
    quiet, end = cycle.bounds_ms[2], cycle.duration_ms
    stretched = quiet + (phase - quiet) * (end - quiet) / (lengths[number] - quiet)
    full = np.concatenate([[1.0], 1 + 0.5 * (lengths / cycle.duration_ms - 1)])
    filling = cycle.filling(np.where(phase < quiet, phase, np.minimum(stretched, end * (1 - 1e-9))))
    empty_ml = heart.end_systolic_ml
    # Ejection begins where the diastole before has filled to; filling goes on to what this diastole's length allows.
    stroke_ml = heart.end_diastolic_ml - empty_ml
    volumes = empty_ml + filling * stroke_ml * np.where(phase < cycle.end_systole_ms, full[number], full[number + 1])
    tops = empty_ml + stroke_ml * full[:beats]
    percent = float(np.mean(100 * (1 - empty_ml / tops)))
    return Film(times, volumes, starts[: beats + 1], starts[:beats] + cycle.end_systole_ms, percent, cycle.duration_ms)


def round_film(heart: Heart, rate_hz: float, rng: np.random.Generator) -> Film:
    """One gathered beat that begins anywhere."""
    cycle, count = heart.cycle, round(heart.cycle.duration_ms * rate_hz / 1000)
    times = np.arange(count) * cycle.duration_ms / count
    begin = rng.random() * cycle.duration_ms
    volumes = heart.end_systolic_ml + cycle.filling(times + begin) * (heart.end_diastolic_ml - heart.end_systolic_ml)
    first, last = (np.array([(instant - begin) % cycle.duration_ms]) for instant in (0.0, cycle.end_systole_ms))
    return Film(times, volumes, first, last, heart.ejection_fraction_percent, cycle.duration_ms, is_round=True)


def cut_film(heart: Heart, rate_hz: float, share: float, rng: np.random.Generator) -> Film:
    """A film that begins when a share of the stroke volume is ejected, and ends in the last quarter of the beat."""
    cycle = heart.cycle
    instants = np.arange(0.0, cycle.end_systole_ms, 1.0)
    begin = float(instants[np.argmax(cycle.filling(instants) <= 1 - share)]) if share else 0.0
    times = np.arange(begin, cycle.duration_ms * rng.uniform(0.75, 1.0), 1000 / rate_hz)
    volumes = heart.end_systolic_ml + cycle.filling(times) * (heart.end_diastolic_ml - heart.end_systolic_ml)
    first, last = np.zeros(1), np.array([cycle.end_systole_ms])
    return Film(times, volumes, first, last, heart.ejection_fraction_percent, cycle.duration_ms)


def cut_rows(hearts: Sequence[Heart], repeats: int, seed: int) -> Iterator[str]:
    """How many films are told to be cut, by the share of the stroke volume that they do not show."""
    for share in CUTS:
        for noise in NOISES:
            found = [_told(hearts, repeats, np.random.default_rng(seed), (rate, share, noise)) for rate in RATES_HZ]
            told, off = ([each[number] for each in found] for number in (0, 1))
            yield f"| {' | '.join((f'{100 * share:.0f} %', f'{100 * noise:.0f} %', *told, *off))} |"


def _told(
    hearts: Sequence[Heart], repeats: int, rng: np.random.Generator, kind: tuple[float, float, float]
) -> tuple[str, str]:
    """Share of films of a rate, a share and a noise that are told to be cut; how far off the others are, points."""
    rate, share, noise = kind
    told, off = [], []
    for heart in hearts:
        for _ in range(repeats):
            errors = Errors()
            found = measure(cut_film(heart, rate, share, rng), noise, rng, errors)
            told.append(bool(found.cut))
            off.extend(() if found.cut else errors.ejection)
    return f"{100 * np.mean(told):.0f} %", f"{np.mean(off):+.1f}" if off else ""


def measure(film: Film, noise: float, rng: np.random.Generator, errors: Errors) -> Found:
    """Find the beats of a noisy film and note what is off."""
    sizes = film.volumes_ml * (1 + noise * rng.standard_normal(len(film.times_ms)))
    interval = float(np.median(np.diff(film.times_ms)))
    odd = stands_out(sizes, interval_ms=interval, is_round=film.is_round)
    found = find_turns(SizeCurve(sizes, odd, film.times_ms, is_round=film.is_round))
    pairs = [(turn.end_diastole, turn.end_systole) for turn in found.turns] or _pairs(found)
    for full, empty in pairs:
        errors.diastole.append(_nearest(film.times_ms[full], film.starts_ms, film) / interval)
        errors.systole.append(_nearest(film.times_ms[empty], film.ends_ms, film) / interval)
    percent = float(np.mean([100 * (1 - sizes[empty] / sizes[full]) for full, empty in pairs]))
    errors.ejection.append(percent - film.ejection_percent)
    errors.of_extremes.append(100 * (1 - sizes.min() / sizes.max()) - film.ejection_percent)
    errors.beats.append(len(found.turns))
    return found


def _pairs(found: Found) -> list[tuple[int, int]]:
    return [] if found.pair is None else [found.pair]


def _nearest(time_ms: float, known_ms: Curve, film: Film) -> float:
    apart = time_ms - known_ms
    if film.is_round:
        apart = (apart + film.period_ms / 2) % film.period_ms - film.period_ms / 2
    return float(apart[np.abs(apart).argmin()])


def hearts(count: int) -> list[Heart]:
    """Hearts of every pathology."""
    return [sample_patient(pathology, seed).heart for pathology in Pathology for seed in range(count)]


def rows(hearts: Sequence[Heart], repeats: int, seed: int) -> Iterator[str]:
    """Lines of the table."""
    kinds = [*((f"{beats}", beats, 0.0) for beats in BEATS), ("1, round", 0, 0.0), ("8, fibrillation", 8, JITTER)]
    for name, beats, jitter in kinds:
        for rate in RATES_HZ:
            for noise in NOISES:
                rng, errors = np.random.default_rng(seed), Errors()
                for heart in hearts:
                    for _ in range(repeats):
                        made = film(heart, rate, beats, rng, jitter=jitter) if beats else round_film(heart, rate, rng)
                        measure(made, noise, rng, errors)
                yield _line(name, rate, noise, errors)


def _line(name: str, rate: float, noise: float, errors: Errors) -> str:
    late = [f"{np.median(np.abs(values)):.1f}" for values in (errors.diastole, errors.systole)]
    bias = [f"{np.mean(values):+.2f} ± {np.std(values):.1f}" for values in (errors.ejection, errors.of_extremes)]
    cells = (name, f"{rate:.0f}", f"{100 * noise:.0f} %", *late, *bias, f"{np.mean(errors.beats):.2f}")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hearts", type=int, default=3, help="of each pathology")
    parser.add_argument("--repeats", type=int, default=4, help="films of each heart")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cut", action="store_true", help="films that begin in the midst of ejection")
    options = parser.parse_args()
    if options.cut:
        rates = [f"{rate:.0f} Hz" for rate in RATES_HZ]
        print(f"| ejected before | noise | told: {' | '.join(rates)} | EF of the others: {' | '.join(rates)} |")
        print(f"|---|---|{'---:|' * 2 * len(rates)}")
        for row in cut_rows(hearts(options.hearts), options.repeats, options.seed):
            print(row, flush=True)
        return
    print("| beats | Hz | noise | ED, frames | ES, frames | EF, points | EF of extremes | beats found |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows(hearts(options.hearts), options.repeats, options.seed):
        print(row, flush=True)


if __name__ == "__main__":
    main()
