r"""How near strain and shape of the wall come to what is true of phantoms of every pathology.

    python -m benchmarks.strain                     # true labels, echo at 0.45 mm and cine-MRI at 1.25 mm
    python -m benchmarks.strain --model NAME        # labels of a shipped model, on rendered echo; slow

Every row is one group of phantoms: mean error, standard deviation and in brackets the largest error of what `measure`
gives against the continuous shape. Strain of segments is against the muscle of the phantom, which moves along its own
lines.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import cardiotrace
from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.quantity import Measures
from cardiotrace.clinical.strain.sides import WALLS
from cardiotrace.clinical.strain.wall import Wall
from cardiotrace.clinical.strain.wall_line import POINTS, WallLine
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import Modality, View, view_name
from cardiotrace.evaluation.table import to_text
from cardiotrace.geometry.contour import resample_polyline
from cardiotrace.phantoms import Pathology, sample_heart
from cardiotrace.phantoms.cmr.slices import ImagingPlane, label_table, pixel_places
from cardiotrace.phantoms.echo.exam import IMAGE_NAMES, echo_exam, labelled_view, view_of
from cardiotrace.phantoms.echo.phantom import EchoPhantom
from cardiotrace.phantoms.heart.heart import MYOCARDIAL_DENSITY_G_PER_ML, Heart, HeartState
from cardiotrace.phantoms.heart.view import PLANE_DEG

VIEWS = (View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER)
GLS = "left_ventricular_global_longitudinal_strain"
MAPSE = "mitral_annular_plane_systolic_excursion"
MASS = "left_ventricular_mass"
ECHO_MM, MR_MM = 0.45, 1.25
FINE = 2001


@dataclass(frozen=True)
class PlaneTruth:
    """What is true in one plane of a heart, at end-diastole and at end-systole."""

    strain_percent: float
    middle_percent: float
    segment_percent: tuple[float, ...]
    """Basal, mid, apical of the first wall, then of the second."""
    thickness_mm: tuple[tuple[float, ...], ...]
    """Of the same arcs, at both instants."""


def plane_truth(states: tuple[HeartState, HeartState], plane_deg: float) -> PlaneTruth:
    """From the continuous borders in a plane through the axis."""
    inner = [state.endocardium_outline(FINE, plane_deg=plane_deg) for state in states]
    outer = [state.epicardium_outline(FINE, plane_deg=plane_deg) for state in states]
    walls = [
        Wall(WallLine(resample_polyline(near, POINTS)), WallLine(resample_polyline(far, POINTS)), 0.0)
        for near, far in zip(inner, outer, strict=True)
    ]
    middle = [wall.middle.length for wall in walls if wall.middle is not None]
    bounds = _bounds(inner[0])
    pieces = [_pieces(line, bounds) for line in inner]
    thickness = [_thickness(wall, line, bounds) for wall, line in zip(walls, inner, strict=True)]
    return PlaneTruth(
        _percent(_length(inner[0]), _length(inner[1])),
        _percent(middle[0], middle[1]),
        tuple(_percent(first, last) for first, last in zip(*pieces, strict=True)),
        tuple(thickness),
    )


def _length(line: np.ndarray) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _percent(first: float, last: float) -> float:
    return 100 * (last / first - 1)


def _bounds(line: np.ndarray) -> list[int]:
    """Numbers of the points between the six arcs: points of one number are one piece of muscle at every instant."""
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    top = len(line) // 2
    left = np.searchsorted(way, way[top] * np.arange(4) / 3)
    right = np.searchsorted(way, way[top] + (way[-1] - way[top]) * np.arange(1, 4) / 3)
    return [int(number) for number in np.minimum([*left, *right], len(line) - 1)]


def _pieces(line: np.ndarray, bounds: list[int]) -> list[float]:
    found = [_length(line[start : stop + 1]) for start, stop in pairwise(bounds)]
    return [*found[:3], *reversed(found[3:])]


def _thickness(wall: Wall, line: np.ndarray, bounds: list[int]) -> tuple[float, ...]:
    assert wall.thickness is not None
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    places = np.linspace(0, way[-1], POINTS)
    found = [
        float(wall.thickness[(places >= way[start]) & (places <= way[stop])].mean()) for start, stop in pairwise(bounds)
    ]
    return (*found[:3], *reversed(found[3:]))


def echo_labels(heart: Heart, seed: int, *, mirrored: bool = False) -> Iterator[tuple[ExamImage, LabelMap]]:
    """A film of twelve frames of each apical view: its true labels, and an image without pixels."""
    config = EchoPhantom(
        **heart.as_keywords(), frame_count=12, spacing_mm=ECHO_MM, tilt_deg=float([4, -9, 12, 0][seed % 4])
    )
    states = config.at(_times_ms(heart))
    for view in VIEWS:
        labels, _ = labelled_view(config, states, view_of(config, states, view))
        array = labels.array[..., ::-1].copy() if mirrored else labels.array
        yield _unseen(view, Modality.US, LabelMap(array, labels.scheme, labels.geometry))


def cine_labels(heart: Heart, seed: int, *, mirrored: bool = False) -> Iterator[tuple[ExamImage, LabelMap]]:
    """Long axes of cine-MRI, turned in the image and lying in a patient as hearts lie."""
    states, rng = heart.at(_times_ms(heart)), np.random.default_rng(seed)
    down, right = pixel_places((160, 160), MR_MM)
    table = label_table(ACDC)
    for view in VIEWS:
        angle, turn = math.radians(PLANE_DEG[view]), rng.uniform(-0.9, 0.9)
        across = np.array([math.cos(angle), math.sin(angle), 0.0]) * (-1 if mirrored else 1)
        up = np.array([0.0, 0.0, 1.0])
        rows, columns = (-math.cos(turn) * up + math.sin(turn) * across, math.cos(turn) * across + math.sin(turn) * up)
        plane = ImagingPlane((0.3, 0.2, 35.0), tuple(columns), tuple(rows))
        points = plane.points(down, right)
        frames = [table[state.tissue(points - np.array([0.0, 0.0, state.rise_mm]))] for state in states]
        # In the patient the axis leads to the left, the front and the feet; about it, four chambers lie to the left.
        axis = np.array([-0.63, 0.60, -0.49]) / np.linalg.norm([0.63, 0.60, 0.49])
        first = np.array([-1.0, 0, 0]) + axis[0] * axis
        first /= np.linalg.norm(first)
        to_patient = np.stack([first, np.cross(axis, first), axis], axis=1)
        affine = np.eye(4)
        for column, way, size in ((1, rows, MR_MM), (2, columns, MR_MM), (0, np.cross(rows, columns), 6.0)):
            affine[:3, column] = to_patient @ way * size
        place = Geometry(affine, orientation=cardiotrace.core.geometry.Known.FILE)
        yield _unseen(view, Modality.MR, LabelMap(np.stack(frames)[:, None].astype(np.uint8), ACDC, place))


def _times_ms(heart: Heart) -> np.ndarray:
    """Twelve instants with end-systole among them."""
    times = heart.cycle.times_ms(12)
    times[int(np.abs(times - heart.cycle.end_systole_ms).argmin())] = heart.cycle.end_systole_ms
    return np.asarray(times)


def _unseen(view: View, modality: Modality, labels: LabelMap) -> tuple[ExamImage, LabelMap]:
    nothing = np.broadcast_to(np.uint8(0), labels.array.shape)
    name = IMAGE_NAMES[view]
    return ExamImage(name, Image(nothing, labels.geometry, view=view, modality=modality)), labels


def errors(
    measures: Measures, heart: Heart, modality: Modality, views: Sequence[View] = VIEWS
) -> dict[str, list[float]]:
    """Measured minus true, by what it is of."""
    first, last = heart.at(np.array([0.0, heart.cycle.end_systole_ms]))
    truths = {view_name(view, modality): plane_truth((first, last), PLANE_DEG[view]) for view in views}
    walls = {view_name(view, modality): WALLS[view] for view in views}
    found: dict[str, list[float]] = {}

    def add(what: str, value: float | None, true: float) -> None:
        found.setdefault(what, []).append(math.nan if value is None else value - true)

    def quantity(name: str, view: str, method: str = "") -> float | None:
        item = measures.find(name, view=view, method=method)
        return None if item is None else item.value

    every = "+".join(truths)
    add("GLS, mean of views", quantity(GLS, every, "endo"), float(np.mean([t.strain_percent for t in truths.values()])))
    add("GLS, mid-wall", quantity(GLS, every, "mid"), float(np.mean([t.middle_percent for t in truths.values()])))
    for view, truth in truths.items():
        add("GLS, one view", quantity(GLS, view, "endo"), truth.strain_percent)
        add("MAPSE, mm", quantity(MAPSE, view), last.rise_mm)
        segments = [*walls[view][0].segments, *walls[view][1].segments]
        of_view = {item.name: item for item in measures.segments if item.view == view}
        for number, strain, *thick in zip(segments, truth.segment_percent, *truth.thickness_mm, strict=True):
            add("strain of a segment", _value(of_view, "longitudinal_strain", number), strain)
            for phase, true in zip(("diastolic", "systolic"), thick, strict=True):
                add(
                    f"end-{phase} thickness, mm",
                    _value(of_view, f"end_{phase}_wall_thickness", number),
                    true,
                )
    if modality is Modality.MR:
        add("TAPSE, mm", quantity("tricuspid_annular_plane_systolic_excursion", "4CH"), last.rise_mm)
    else:
        true_g = first.wall_ml * MYOCARDIAL_DENSITY_G_PER_ML
        mass = quantity(MASS, "A4C+A2C")
        add("mass, %", None if mass is None else 100 * mass / true_g, 100.0)
    return found


def _value(of_view: Mapping[str, Any], name: str, number: int) -> float | None:
    return of_view[name].value(number) if name in of_view else None


def table(all_errors: Mapping[str, Mapping[str, list[float]]]) -> str:
    """One row for each group: mean error, standard deviation, the largest either way, and how many are missing."""
    columns = dict.fromkeys(what for found in all_errors.values() for what in found)
    rows = [
        {"phantoms": group} | {what: _cell(found[what]) if what in found else "" for what in columns}
        for group, found in all_errors.items()
    ]
    return to_text(rows, "markdown")


def _cell(values: list[float]) -> str:
    known = np.array([value for value in values if math.isfinite(value)])
    lost = len(values) - len(known)
    words = f"{known.mean():+.2f} ± {known.std():.2f} ({np.abs(known).max():.2f})" if len(known) else ""
    return f"{words}, {lost} missing" if lost else words


def _joined(total: dict[str, list[float]], found: Mapping[str, list[float]]) -> None:
    for what, values in found.items():
        total.setdefault(what, []).extend(values)


def true_labels(seeds: int) -> dict[str, dict[str, list[float]]]:
    """Errors with true labels, by kind of image and pathology; every second phantom of MRI is mirrored."""
    total: dict[str, dict[str, list[float]]] = {}
    for pathology in Pathology:
        for seed in range(seeds):
            heart = sample_heart(pathology, seed)
            for kind, maker in (("echo", echo_labels), ("cine-MRI", cine_labels)):
                made = list(maker(heart, seed, mirrored=kind == "cine-MRI" and seed % 2 == 1))
                exam = Exam("phantom", tuple(image for image, _ in made))
                labels = {image.name: held for image, held in made}
                measures = measure(exam, labels, has_images=False)
                modality = made[0][0].image.modality
                _joined(total.setdefault(f"{kind}, {pathology}", {}), errors(measures, heart, modality))
            sys.stderr.write(f"{pathology} {seed}\n")
    return total


def model_labels(model: str, seeds: int, views: Sequence[View]) -> dict[str, dict[str, list[float]]]:
    """Errors with a model's labels on rendered echo, of the views that it knows."""
    total: dict[str, dict[str, list[float]]] = {}
    for pathology in Pathology:
        for seed in range(seeds):
            heart = sample_heart(pathology, seed)
            made = echo_exam(EchoPhantom(**heart.as_keywords(), frame_count=12, seed=seed), views=views)
            measures = measure(made.exam, cardiotrace.segment(made.exam, model))
            found = errors(measures, heart, Modality.US, views)
            _joined(total.setdefault(f"{model}, {pathology}", {}), found)
            sys.stderr.write(f"{pathology} {seed}\n")
    return total


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4, help="phantoms of each pathology")
    parser.add_argument("--views", type=View, nargs="+", default=VIEWS, help="with --model: those that it knows")
    parser.add_argument("--model", help="label rendered echo with this model in place of the true labels")
    options = parser.parse_args()
    if options.model is None:
        print(table(true_labels(options.seeds)))
    else:
        print(table(model_labels(options.model, options.seeds, options.views)))


if __name__ == "__main__":
    main()
