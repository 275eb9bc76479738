"""Label maps scored per second on one thread: ours against whole-image scipy and against MedPy.

OMP_NUM_THREADS=1 python benchmarks/metrics.py

Each pair gets Dice, HD, HD95 and MAD for three structures; ours computes its other overlap scores and
ASSD on top. Rounds are interleaved, numbers are medians over rounds. All three agree to 1e-9 mm, which
is checked on every pair (MedPy has no MAD, so its ASSD is compared with ours).
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.metrics import Region, measure_case

SIDE, SLICES, ROUNDS = 256, 12, 5
REGIONS = tuple(Region.of(structure) for structure in CAMUS.structures)
Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def heart(random: np.random.Generator, count: int, side: int = SIDE) -> NDArray[np.uint8]:
    """Slices (count, side, side) of cavity 1, myocardium 2 and atrium 3, smaller from one slice to the next."""
    angle = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    bumps = 1 + 0.04 * random.standard_normal(3) @ np.sin(np.outer([2, 3, 5], angle) + random.uniform(0, 6, (3, 1)))
    long, short, wall = side * random.uniform([0.23, 0.11, 0.04], [0.29, 0.14, 0.055])
    middle = side * random.uniform([0.44, 0.46], [0.50, 0.54])
    slices = np.zeros((count, side, side), np.uint8)
    for index in range(count):
        scale = 1 - 0.05 * index
        above = np.arange(side)[:, None] < middle[0] + 0.55 * long * scale

        def oval(rows: float, columns: float, scale: float = scale, down: float = 0.0) -> NDArray[np.bool_]:
            outline = np.column_stack([-rows * np.cos(angle), columns * np.sin(angle)]) * bumps[:, None] * scale
            return fill_polygon(outline + middle + (down * scale, 0), (side, side))

        slices[index][oval(long + wall, short + wall) & above] = 2
        slices[index][oval(long, short) & above] = 1
        slices[index][oval(0.12 * side, 0.13 * side, down=0.85 * long) & ~above] = 3
    return slices


def pairs(number: int, *, slices: int = 1, seed: int = 0, side: int = SIDE) -> list[Pair]:
    """Predicted and reference labels: a shift, a stretch and, in one of three, an island far away."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(number):
        reference = heart(random, slices, side)
        stretch, shift = random.uniform(0.95, 1.05), random.uniform(-0.016, 0.016, 2) * side
        rows, columns = (
            np.clip(np.rint((np.arange(side) - side / 2) * stretch + side / 2 + step), 0, side - 1).astype(int)
            for step in shift
        )
        predicted = reference[:, rows[:, None], columns]
        if random.random() < 1 / 3:
            row, column = random.integers(side // 12, side - side // 12, 2)
            predicted[:, row : row + 3, column : column + 3] = 1
        made.append((predicted, reference))
    return made


def ours(predicted: NDArray[np.uint8], reference: NDArray[np.uint8], spacing_mm: tuple[float, ...]) -> list[float]:
    """Dice, HD, HD95, MAD, ASSD of each structure."""
    grid_mm = (1.0, *spacing_mm)[-3:]
    maps = (
        LabelMap(array[None], CAMUS, Geometry.of_spacing((grid_mm[0], grid_mm[1], grid_mm[2])))
        for array in (predicted, reference)
    )
    scores = measure_case(*maps, REGIONS).values()
    return [
        value
        for score in scores
        for value in (
            score.dice,
            score.hausdorff_mm,
            score.hausdorff95_mm,
            score.mean_absolute_mm,
            score.average_symmetric_mm,
        )
    ]


def whole_image(
    predicted: NDArray[np.uint8], reference: NDArray[np.uint8], spacing_mm: tuple[float, ...]
) -> list[float]:
    """The same by distance transforms of whole images in scipy."""
    found: list[float] = []
    for value in CAMUS.values.values():
        masks = [
            np.squeeze(array, 0) if len(array) == 1 else array for array in (predicted == value, reference == value)
        ]
        first, second = (mask ^ ndimage.binary_erosion(mask) for mask in masks)
        there = ndimage.distance_transform_edt(~second, sampling=spacing_mm)[first]
        back = ndimage.distance_transform_edt(~first, sampling=spacing_mm)[second]
        both = np.concatenate([there, back])
        dice = 2 * np.count_nonzero(masks[0] & masks[1]) / (np.count_nonzero(masks[0]) + np.count_nonzero(masks[1]))
        found += [dice, both.max(), np.percentile(both, 95), (there.mean() + back.mean()) / 2, both.mean()]
    return [float(number) for number in found]


def medpy(predicted: NDArray[np.uint8], reference: NDArray[np.uint8], spacing_mm: tuple[float, ...]) -> list[float]:
    """The same by MedPy, which has no mean of directed means."""
    from medpy.metric import binary

    found: list[float] = []
    for value in CAMUS.values.values():
        first, second = (
            np.squeeze(array, 0) if len(array) == 1 else array for array in (predicted == value, reference == value)
        )
        distances = [measure(first, second, spacing_mm) for measure in (binary.hd, binary.hd95, binary.assd)]
        found += [binary.dc(first, second), distances[0], distances[1], np.nan, distances[2]]
    return [float(number) for number in found]


WAYS: dict[str, Callable[..., list[float]]] = {"cardiotrace": ours, "scipy whole image": whole_image, "MedPy": medpy}


def measure(name: str, made: list[Pair], spacing_mm: tuple[float, ...], rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Time every way on the same pairs, in turns; refuse to compare ways that disagree."""
    for predicted, reference in made:
        answers = [way(predicted, reference, spacing_mm) for way in WAYS.values()]  # also warms up
        for other in answers[1:]:
            known = np.isfinite(other)
            np.testing.assert_allclose(np.array(answers[0])[known], np.array(other)[known], atol=1e-9)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, score in WAYS.items():
            start = time.perf_counter()
            for predicted, reference in made:
                score(predicted, reference, spacing_mm)
            seconds[way].append((time.perf_counter() - start) / len(made))
    return [
        {
            "name": f"metrics {name}: {way}",
            "value": 1e3 * statistics.median(taken),
            "unit": "ms/pair",
            "ratio": statistics.median(
                whole / own for whole, own in zip(seconds["scipy whole image"], taken, strict=True)
            ),
            "versus": "scipy whole image",
        }
        for way, taken in seconds.items()
    ]


def run() -> list[dict[str, Any]]:
    """Planar pairs of square and of oblong pixels, a large planar image, and stacks of slices."""
    return [
        *measure("256x256, 0.3 mm", pairs(20), (0.3, 0.3)),
        *measure("256x256, 0.154x0.308 mm", pairs(20, seed=1), (0.154, 0.308)),
        *measure("700x700, 0.308 mm", pairs(4, seed=2, side=700), (0.308, 0.308)),
        *measure("12x256x256, 8x1.4x1.4 mm", pairs(2, slices=SLICES, seed=3), (8.0, 1.4, 1.4)),
    ]


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:55s} {row['value']:9.2f} {row['unit']}  {row['ratio']:6.2f}x {row['versus']}")
