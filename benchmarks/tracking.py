r"""How near tracked longitudinal strain comes to what is true of phantoms of every pathology.

    python -m benchmarks.tracking                   # 40 frames a beat, true labels
    python -m benchmarks.tracking --frames 20       # films of fewer frames

Errors are measured minus true, points of strain: of the mean of three apical views, of one view, of one segment's
muscle, which in the phantom moves along its own lines. Sizes and weights of the tracking were chosen on seeds 101 and
102.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Iterator

import numpy as np

from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures
from cardiotrace.clinical.strain.contour_strain import GLS, SEGMENTAL
from cardiotrace.clinical.strain.sides import WALLS
from cardiotrace.core.terms import Modality, View, view_name
from cardiotrace.evaluation.table import to_text
from cardiotrace.phantoms import Pathology, sample_heart
from cardiotrace.phantoms.echo.exam import IMAGE_NAMES, EchoExam, echo_exam
from cardiotrace.phantoms.echo.phantom import EchoPhantom
from cardiotrace.phantoms.echo.truth import EchoTruth

VIEWS = (View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER)
QUALITIES = ("good", "medium", "poor")


def phantom(pathology: str, seed: int, quality: str, frames: int) -> EchoExam:
    """A beat of a heart in three apical views."""
    heart = sample_heart(pathology, seed).as_keywords()
    config = EchoPhantom(**heart, frame_count=frames, quality=quality, seed=seed)
    return echo_exam(config, views=VIEWS)


def true_segments(truth: EchoTruth) -> list[float]:
    """Strain of the muscle of six arcs at end-systole: basal, mid, apical of the left wall, then of the right one."""
    first, last = (truth.endocardium[at] for at in (truth.end_diastolic_frame, truth.end_systolic_frame))
    steps = [np.linalg.norm(np.diff(line, axis=0), axis=1) for line in (first, last)]
    way, top = np.concatenate([[0.0], np.cumsum(steps[0])]), len(first) // 2
    thirds = np.arange(4) / 3
    ends = [way[top] * thirds, way[-1] - (way[-1] - way[top]) * thirds]
    found = []
    for wall in ends:
        bounds = np.searchsorted(way[:-1], np.clip(wall, 0, way[-1]))
        for start, stop in itertools.pairwise(bounds):
            low, high = sorted((start, stop))
            before, after = (step[low:high].sum() for step in steps)
            found.append(float(100 * (after / before - 1)))
    return found


def errors(made: EchoExam, measures: Measures) -> Iterator[tuple[str, float]]:
    """Measured minus true, by what it is of."""
    truths = {view: made.truths[IMAGE_NAMES[view]] for view in VIEWS}
    names = {view: view_name(view, Modality.US) for view in VIEWS}
    true = {view: truth.global_longitudinal_strain_percent for view, truth in truths.items()}
    for method in (Method.TRACKED, Method.ENDOCARDIAL_CONTOUR):
        word = method.value
        found = measures.find(GLS, view="+".join(names.values()), method=method.value)
        yield (
            f"GLS, mean of views, {word}",
            np.nan if found is None else found.value - float(np.mean(list(true.values()))),
        )
        for view in VIEWS:
            found = measures.find(GLS, view=names[view], method=method.value)
            yield f"GLS, one view, {word}", np.nan if found is None else found.value - true[view]
        for view, truth in truths.items():
            values = next(
                item for item in measures.segments
                if (item.name, item.method, item.view) == (SEGMENTAL, method, names[view])
            )  # fmt: skip
            numbers = [*WALLS[view][0].segments, *WALLS[view][1].segments]
            for number, strain in zip(numbers, true_segments(truth), strict=True):
                value = values.value(number)
                yield f"strain of a segment, {word}", np.nan if value is None else value - strain


def table(seeds: int, frames: int) -> str:
    """One row for each pathology and kind of value."""
    total: dict[tuple[str, str], list[float]] = {}
    seconds = []
    for seed in range(seeds):
        for turn, pathology in enumerate(Pathology, start=seed):
            made = phantom(pathology, seed, QUALITIES[turn % len(QUALITIES)], frames)
            start = time.process_time()
            measures = measure(made.exam, made.labels, tracking=True)
            spent = time.process_time() - start
            if seed == 0:
                measure(made.exam, made.labels)
                seconds.append((2 * spent + start - time.process_time()) / len(VIEWS))
            found = list(errors(made, measures))
            for what, error in found:
                total.setdefault((what, str(pathology)), []).append(error)
                total.setdefault((what, "all"), []).append(error)
            words = ", ".join(f"{error:+.1f}" for what, error in found if what.startswith("GLS"))
            sys.stderr.write(f"{pathology} {seed}: {words}; {seconds[-1]:.1f} s a film\n")
    rows = []
    for (what, group), values in sorted(total.items()):
        if group != "all" and not what.startswith("GLS, mean"):
            continue  # of one pathology and view there are too few for a spread
        known = np.array([value for value in values if np.isfinite(value)])
        rows.append({
            "of": what, "phantoms": group, "n": len(known), "missing": len(values) - len(known),
            "bias": f"{known.mean():+.2f}", "sd": f"{known.std():.2f}", "mean size": f"{np.abs(known).mean():.2f}",
            "largest": f"{np.abs(known).max():.2f}", "within 1": f"{(np.abs(known) <= 1).mean():.0%}",
        })  # fmt: skip
    return to_text(rows, "markdown") + f"\n\nprocessor time of tracking one film: {np.mean(seconds):.1f} s\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="phantoms of each pathology; their quality takes turns")
    parser.add_argument("--frames", type=int, default=40, help="frames a beat")
    options = parser.parse_args()
    print(table(options.seeds, options.frames))


if __name__ == "__main__":
    main()
