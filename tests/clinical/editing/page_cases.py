"""Cases that the page and this program must answer alike: `web/fixtures/editing.json`.

`python -m tests.clinical.editing.page_cases` writes them anew. The page's own tests read the file.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.clinical.axis import LongAxis, outline_of
from cardiotrace.clinical.editing.composition import with_outline
from cardiotrace.clinical.editing.outline import outlines_of
from cardiotrace.clinical.volume import area_length_volume, biplane_lengths_mm, disk_volume, simpson_disks
from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.contour import contours, polygon_area, polygon_perimeter
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.geometry.spline import closed_curve, fill_curve

PATH = Path(__file__).parents[3] / "web" / "fixtures" / "editing.json"
_SHAPE = (96, 112)


def cases() -> dict[str, Any]:
    """All cases, as JSON has them."""
    return {
        "curves": [_curve(points) for points in _controls()],
        "outlines": [_outline(seed) for seed in range(4)],
        "volumes": [_volume(seed) for seed in range(4)],
        "gestures": [_gesture(name, index, move) for name, index, move in _MOVES],
    }


def _controls() -> list[np.ndarray]:
    """Control points: smooth ones, crowded ones, some beyond the image, some at whole numbers."""
    found = [_blob(seed, count) for seed, count in ((0, 12), (1, 17), (2, 24))]
    crowded = np.array([[20.0, 20], [20, 21], [21, 21.5], [70, 22], [70, 90], [20, 90], [19.5, 60]])
    square = np.array([[10.0, 10], [10, 40], [10, 70], [40, 70], [70, 70], [70, 40], [70, 10], [40, 10]])
    return [*found, crowded, square, found[0] + [40, 50]]


def _blob(seed: int, count: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = 26 * (1 + sum(random.uniform(-0.12, 0.12) * np.cos(k * angle + k) for k in (1, 2, 3)))
    places = [48 + 1.2 * radius * np.sin(angle), 56 + radius * np.cos(angle)]
    return np.column_stack(places).round(3)


def _curve(points: np.ndarray) -> dict[str, Any]:
    ring = closed_curve(points)
    return {
        "points": points.tolist(),
        "every_seventh": ring[::7].round(6).tolist(),
        "area": round(polygon_area(ring), 6),
        "length": round(polygon_perimeter(ring), 6),
        "shape": list(_SHAPE),
        "filled": runs(fill_curve(points, _SHAPE)),
    }


def runs(mask: np.ndarray) -> list[list[int]]:
    """A mask as [row, first column, one beyond the last] of each run."""
    padded = np.pad(mask.astype(np.int8), ((0, 0), (1, 1)))
    change = np.diff(padded, axis=1)
    starts, stops = np.argwhere(change == 1), np.argwhere(change == -1)
    return [[int(row), int(first), int(stop)] for (row, first), (_, stop) in zip(starts, stops, strict=True)]


def _outline(seed: int) -> dict[str, Any]:
    mask = fill_polygon(closed_curve(_blob(seed, 14)), _SHAPE)
    # Holes, pixels at corners and pieces at the border: where ways of following an outline differ.
    mask &= np.random.default_rng(seed).random(_SHAPE) > 0.02 * seed
    mask[0, :3] = True
    lines = contours(mask)
    return {
        "shape": list(_SHAPE),
        "mask": runs(mask),
        "areas": [round(polygon_area(line), 6) for line in lines[:6]],
        "count": len(lines),
        "length": round(polygon_perimeter(lines[0]), 6),
    }


def _volume(seed: int) -> dict[str, Any]:
    ring, other = (closed_curve(_blob(each, 16)) for each in (seed, seed + 10))
    found = [_axis(each) for each in (ring, other)]
    first, second = (simpson_disks(each, axis) for each, axis in zip((ring, other), found, strict=True))
    (length,) = biplane_lengths_mm([first.length], [second.length])
    return {
        "points": [_blob(each, 16).tolist() for each in (seed, seed + 10)],
        "axes": [{"annulus": axis.annulus.tolist(), "apex": axis.apex.tolist()} for axis in found],
        "ends": first.ends.round(6).tolist(),
        "single": round(first.volume, 4),
        "biplane": round(disk_volume(first.diameters, second.diameters, length), 4),
        "area_length": round(area_length_volume(polygon_area(ring), first.length), 4),
    }


def _axis(ring: np.ndarray) -> LongAxis:
    corners = ring[[int((ring @ way).argmax()) for way in ([1.0, -0.6], [1.0, 0.6])]]
    away = np.linalg.norm(ring - corners.mean(axis=0), axis=1)
    return LongAxis(corners, ring[int(away.argmax())], "annulus")


_MOVES = (
    ("lv", "apex", (6.0, 2.0)),
    ("lv", "apex", (-5.0, 0.0)),
    ("lv", "left", (0.0, 8.0)),
    ("lv", "left", (0.0, -4.0)),
    ("lv", "left", (0.0, -16.0)),
    ("epi", "left", (0.0, -7.0)),
    ("epi", "apex", (-6.0, 3.0)),
    ("la", "base", (9.0, 0.0)),
)
"""What a hand does to which end of which outline: (rows, columns)."""


def heart() -> np.ndarray:
    """A long axis of 160 x 128 pixels: cavity, wall and atrium."""
    rows, columns = np.mgrid[:160, :128]
    labels = np.zeros((160, 128), np.uint8)

    def within(height: float, width: float) -> np.ndarray:
        return ((rows - 110) / height) ** 2 + ((columns - 64) / width) ** 2 < 1

    above = rows < 110
    labels[above & within(92, 40)] = CAMUS.values[Structure.MYO]
    labels[above & within(80, 28)] = CAMUS.values[Structure.LV]
    labels[~above & within(36, 30)] = CAMUS.values[Structure.LA]
    return labels


def _gesture(name: str, end: str, move: tuple[float, float]) -> dict[str, Any]:
    labels = heart()
    before = outlines_of(labels, CAMUS)
    towards = {"apex": [-1.0, 0.0], "left": [-0.2, -1.0], "base": [1.0, 0.0]}[end]
    index = int((before[name] @ np.array(towards)).argmax())
    points = before[name].copy()
    points[index] += move
    drawn = with_outline(labels, CAMUS, name, points, before=before[name], is_open=True)
    axis = _axis(outline_of(labels == CAMUS.values[Structure.LV], (1.0, 1.0)))
    return {
        "contours": {each: found.tolist() for each, found in before.items()},
        "axis": {"annulus": axis.annulus.tolist(), "apex": axis.apex.tolist()},
        "contour": name,
        "index": index,
        "move": list(move),
        "labels": _by_value(labels),
        "drawn": _by_value(drawn),
    }


def _by_value(labels: np.ndarray) -> dict[str, list[list[int]]]:
    return {structure.value: runs(labels == value) for structure, value in CAMUS.values.items()}


def main() -> None:
    """Write the file."""
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(json.dumps(cases(), separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
