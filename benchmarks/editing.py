r"""What a corrected frame is worth in the other frames of a film: ways of carrying it on, on phantoms.

    python -m benchmarks.editing              # 24 frames a beat, two hearts
    python -m benchmarks.editing --seeds 1 2 3 4
    python -m benchmarks.editing --outlines DATA

A made error pushes the side of the cavity in: in all frames alike, or around one frame alone. That frame is corrected,
and carried to the others by each way. Errors are mean distances of the outline from the true one, mm, beyond the
distance that the true outline has from itself on a grid of pixels.
"""

import argparse
import sys
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from scipy.ndimage import distance_transform_edt

from cardiotrace.clinical.axis import outline_of
from cardiotrace.clinical.editing.outline import outlined, outlines_of
from cardiotrace.clinical.editing.propagation import carried, carried_mask, followed
from cardiotrace.core.catalog import Choice
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.evaluation.table import to_text
from cardiotrace.geometry.component import fill_holes, largest_component
from cardiotrace.geometry.spline import fill_curve
from cardiotrace.metrics.overlap import dice
from cardiotrace.phantoms import EchoPhantom, echo_exam

Mask = Bool[np.ndarray, "height width"]
LAGS = (1, 2, 4, 8)
SPACING_MM = 0.6
PUSH_MM, WIDTH_MM = 3.6, 8.4


def pushed(mask: Mask, share: float) -> Mask:
    """A cavity whose left side a model lost."""
    if share <= 0:
        return mask
    ring = outline_of(mask, (1.0, 1.0))
    side = ring[np.argmin(ring[:, 1] + 0.3 * np.abs(ring[:, 0] - ring[:, 0].mean()))]
    rows, columns = np.indices(mask.shape)
    near = np.exp(-((rows - side[0]) ** 2 + (columns - side[1]) ** 2) / (2 * (WIDTH_MM / SPACING_MM) ** 2))
    return np.asarray(distance_transform_edt(mask) > share * PUSH_MM / SPACING_MM * near) & mask


def distance_mm(mask: Mask, true: Mask) -> float:
    """Mean distance of an outline from another one, mm."""
    far = distance_transform_edt(true) + distance_transform_edt(~true) - 0.5
    places = np.clip(np.round(outline_of(mask, (1.0, 1.0))).astype(int), 0, np.array(mask.shape) - 1)
    return float(far[tuple(places.T)].mean()) * SPACING_MM


@cache
def film(seed: int, frames: int) -> tuple[Image, LabelMap]:
    """A beat in the four-chamber view, with its true labels."""
    made = echo_exam(EchoPhantom(frame_count=frames, spacing_mm=SPACING_MM, seed=seed))
    return made.exam.images[0].image, next(iter(made.labels.values()))


def errors(seed: int, start: int, width: float, frames: int) -> dict[tuple[str, int], float]:
    """Error of each way at each lag."""
    image, true = film(seed, frames)
    random = np.random.default_rng(seed)
    shares = np.exp(-0.5 * ((np.arange(frames) - start) / width) ** 2) + random.normal(0, 0.05, frames)
    cavity = true.array[:, 0] == 1
    array = true.array.copy()
    for frame, share in enumerate(shares):
        array[frame, 0][cavity[frame] & ~pushed(cavity[frame], share)] = 2
    automatic = LabelMap(array, true.scheme, true.geometry)
    targets = [(start + lag, 0) for lag in LAGS]
    there = {spot: array[spot] for spot in targets}
    found = carried(true.array[start, 0], (start, 0), there, automatic, image, names=["lv"])
    shown = dict(followed(image, (start, 0), targets, cavity[start]))
    rows = {}
    for lag, spot in zip(LAGS, targets, strict=True):
        now = array[spot] == 1
        ways = {
            "not carried": now,
            "copied": cavity[start],
            "followed by its grey values": shown[spot],
            "difference, whole": carried_mask(cavity[start], array[start, 0] == 1, now),
            "difference, as far as it holds": found[spot] == 1,
        }
        own = distance_mm(cavity[spot[0]], cavity[spot[0]])
        rows.update({(way, lag): distance_mm(mask, cavity[spot[0]]) - own for way, mask in ways.items()})
    return rows


def outline_rows(root: Path) -> list[dict[str, str]]:
    """How well a few points draw the outlines of reference labels: each eighth of a data set's cases."""
    rows = []
    for name in ("camus", "acdc"):
        alike: dict[str, list[tuple[float, int]]] = {}
        for case in DATASETS.make(Choice(name, {}), root / name).cases()[::8]:
            assert case.read_labels is not None
            labels = case.read_labels()
            for plane in labels.array.reshape(-1, *labels.array.shape[2:]):
                for outline, points in outlines_of(plane, labels.scheme).items():
                    piece = fill_holes(largest_component(outlined(plane, labels.scheme, outline)))
                    alike.setdefault(outline, []).append((dice(fill_curve(points, plane.shape), piece), len(points)))
        for outline, found in alike.items():
            scores, counts = np.array(found).T
            low, middle = np.percentile(scores, (5, 50))
            values = {"worst Dice": scores.min(), "5 %": low, "median": middle}
            shown = {key: f"{value:.3f}" for key, value in values.items()}
            rows.append({"outlines of": f"{name}, {outline}", **shown, "points": f"{counts.mean():.0f}"})
    return rows


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--outlines", type=Path, metavar="DATA", help="folder of data sets: how well points draw labels"
    )
    chosen = parser.parse_args(arguments)
    if chosen.outlines is not None:
        print(to_text(outline_rows(chosen.outlines), "markdown"))
        return
    rows = []
    for kind, width in (("in all frames", 1e6), ("around one frame", 1.2)):
        found = [errors(seed, start, width, chosen.frames) for seed in chosen.seeds for start in (0, 9)]
        for way in dict.fromkeys(way for way, _ in found[0]):
            means = {f"{lag} frames on": f"{np.mean([each[way, lag] for each in found]):.2f}" for lag in LAGS}
            rows.append({"error": kind, "way": way, **means})
    print(to_text(rows, "markdown"))


if __name__ == "__main__":
    main(sys.argv[1:])
