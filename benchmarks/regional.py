"""Short-axis regional function against phantoms of every pathology fed their true labels, and on references of ACDC.

    python -m benchmarks.regional --patients 12
    python -m benchmarks.regional --data PATH/acdc

The first compares segments, thickness, strain, volumes and mass with the continuous heart; every stack is also mirrored
and turned. The second prints what the references of each pathology say.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cardiotrace.clinical.measure import LabelledView, measure, measure_labels
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures
from cardiotrace.clinical.regional.contraction import segment_thickness
from cardiotrace.clinical.regional.division import Division, divide
from cardiotrace.clinical.regional.ring import Ring
from cardiotrace.clinical.slices import thirds
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.datasets.acdc import Acdc
from cardiotrace.evaluation.table import Rows, to_text
from cardiotrace.phantoms.cmr import CmrPhantom, sample_cmr
from cardiotrace.phantoms.cmr.exam import CmrExam
from cardiotrace.phantoms.cmr.layout import Layout
from cardiotrace.phantoms.cmr.slices import pixel_places, section_outlines
from cardiotrace.phantoms.cmr.unimaged import unimaged_cmr
from cardiotrace.phantoms.heart import Pathology
from cardiotrace.phantoms.heart.anatomy import RIGHT_MIDDLE_RAD
from cardiotrace.phantoms.heart.heart import MYOCARDIAL_DENSITY_G_PER_ML, HeartState

FRAMES = 12
FIELD_MM = 240.0
"""Of the images: the heart and some way around it."""
TURNS = [
    (is_swapped, flips)
    for is_swapped in (False, True)
    for flips in ((), (1,), (2,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 3))
]
"""Rows and columns exchanged or not, and axes (1 depth, 2 height, 3 width) mirrored: all voxel orders of a stack whose
slices come first."""


def turned(labels: LabelMap, is_swapped: bool, flips: Sequence[int]) -> LabelMap:
    """The same labels at the same places in another order of their voxels."""
    affine, lengths = labels.geometry.affine.copy(), list(labels.array.shape)
    if is_swapped:
        affine, lengths = affine[:, [0, 2, 1, 3]], [lengths[axis] for axis in (0, 1, 3, 2)]
    for axis in flips:
        affine[:, 3] += affine[:, axis - 1] * (lengths[axis] - 1)
        affine[:, axis - 1] *= -1
    geometry = replace(labels.geometry, affine=affine)
    return replace(labels, array=_reordered(labels.array, is_swapped, flips), geometry=geometry)


def _reordered(array: np.ndarray, is_swapped: bool, flips: Sequence[int]) -> np.ndarray:
    """An array (time, depth, height, width) in another order."""
    return np.ascontiguousarray(np.flip(array.swapaxes(2, 3) if is_swapped else array, tuple(flips)))


def stack_of(labels: LabelMap) -> TracedStack:
    """A stack that holds labels alone."""
    image = Image(np.broadcast_to(np.uint8(0), labels.array.shape), labels.geometry, view=View.SAX)
    return TracedStack(ExamImage("stack", image), labels, np.zeros(labels.array.shape[:2], bool))


@dataclass(frozen=True)
class Beat:
    """A phantom at end-diastole and end-systole."""

    config: CmrPhantom
    exam: CmrExam
    states: tuple[HeartState, ...]

    @classmethod
    def of(cls, config: CmrPhantom) -> "Beat":
        """A phantom with its long axes, on an image no larger than needed."""
        side = int(FIELD_MM / config.scanner.spacing_mm)
        config = replace(config, frame_count=FRAMES, shape=(side, side), long_axis=("4CH", "2CH"))
        systole = round(config.cycle.end_systole_ms / config.cycle.duration_ms * FRAMES)
        exam = unimaged_cmr(config, [0, systole])
        return cls(config, exam, config.at(exam.truth.times_ms))

    @property
    def labels(self) -> LabelMap:
        """Of the short-axis stack."""
        return next(iter(self.exam.labels.values()))

    def numbers(self, frame: int) -> np.ndarray:
        """The segment that each voxel of myocardium belongs to, from the continuous heart; 0 elsewhere."""
        state, heights = self.states[frame], self.exam.truth.slice_heights_mm
        labels, layout = self.labels, Layout(self.config, self.config.at(np.zeros(1)))
        shown = [labels.mask(item)[frame].sum(axis=(1, 2)) >= 10 for item in (Structure.LV, Structure.MYO)]
        slices = np.flatnonzero(np.all(shown, axis=0))
        numbers = np.zeros(labels.array.shape[1:], np.uint8)
        places = pixel_places(self.config.scanner.shape, self.config.scanner.spacing_mm)
        for depth, level in zip(slices, thirds(len(slices)), strict=True):
            outlines = section_outlines(state, float(heights[depth]))
            if outlines is None:
                continue
            points = layout.stack[depth].moved(-layout.breath(int(depth))).points(*places)[..., :2]
            away = _angle(points - _centre(outlines[0])) - self._septal_middle(*outlines)
            numbers[depth] = _numbers(away % 360, int(level)) * labels.mask(Structure.MYO)[frame, depth]
        return numbers

    def _septal_middle(self, inner: np.ndarray, outer: np.ndarray) -> float:
        """Angle midway between both true insertions, as seen from the middle of the cavity."""
        ends = np.degrees(RIGHT_MIDDLE_RAD) + np.array([-1, 1]) * self.config.right_half_angle_deg
        points = np.stack([np.interp(ends, np.arange(len(outer)), axis, period=360) for axis in outer.T], axis=1)
        first, second = _angle(points - _centre(inner))
        return float(first + (second - first) % 360 / 2)

    def thickness(self, frame: int, division: Division) -> dict[int, float]:
        """Thickness of the continuous wall by segment, over the slices that were measured."""
        sums = np.zeros((2, 17))
        for depth in division.middles:
            outlines = section_outlines(self.states[frame], float(self.exam.truth.slice_heights_mm[depth]))
            if outlines is None:
                continue
            wall, septum = Ring(*outlines), self._septal_middle(*outlines)
            away = _angle(wall.middle - _centre(outlines[0])) - septum
            numbers = _numbers(away % 360, division.levels[depth])
            weights = np.full(len(numbers), wall.lengths[1])
            sums += [np.bincount(numbers, each, minlength=17) for each in (wall.thickness * weights, weights)]
        return {number: float(sums[0, number] / sums[1, number]) for number in range(1, 17) if sums[1, number]}

    def circumferential(self, divisions: Sequence[Division]) -> float:
        """Mid-wall strain of the continuous wall in the slices that are closed at both instants, percent."""
        lengths = np.zeros(2)
        for depth in divisions[0].rings.keys() & divisions[1].rings.keys():
            for frame, state in enumerate(self.states):
                outlines = section_outlines(state, float(self.exam.truth.slice_heights_mm[depth]))
                if outlines is not None:
                    middle = (outlines[0] + outlines[1]) / 2
                    lengths[frame] += np.linalg.norm(np.diff(middle, axis=0, append=middle[:1]), axis=1).sum()
        return float(100 * (lengths[1] / lengths[0] - 1))


def _angle(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.degrees(np.arctan2(points[..., 1], points[..., 0])))


def _centre(line: np.ndarray) -> np.ndarray:
    """Middle of the area inside a line with one point a degree."""
    first, second = line, np.roll(line, -1, axis=0)
    crosses = first[:, 0] * second[:, 1] - second[:, 0] * first[:, 1]
    return np.asarray((crosses[:, None] * (first + second)).sum(axis=0) / (3 * crosses.sum()))


def _numbers(away: np.ndarray, level: int) -> np.ndarray:
    """Segments at angles from the middle of the septum towards the inferior wall, written out."""
    if level == 2:
        return np.select([away < 45, away < 135, away < 225, away < 315], [14, 15, 16, 13], 14)
    return np.select([away < edge for edge in (60, 120, 180, 240, 300)], [3, 4, 5, 6, 1], 2) + 6 * level


def phantom_rows(pathology: Pathology, seed: int) -> dict[str, list[float]]:
    """What one phantom is off by, by what was compared."""
    beat = Beat.of(sample_cmr(seed, pathology=pathology))
    off: dict[str, list[float]] = defaultdict(list)
    divisions = [divide(stack_of(beat.labels), frame) for frame in (0, 1)]
    for frame, name in enumerate(("ED", "ES")):
        truth = beat.numbers(frame)
        off[f"segments right {name}, %"].append(right_percent(beat.labels, truth, frame, TURNS[seed % 4 :: 4]))
        true_mm, found_mm = beat.thickness(frame, divisions[frame]), segment_thickness(divisions[frame])
        off[f"thickness {name}, mm"].extend(
            found_mm[number] - true_mm[number] for number in true_mm if number in found_mm
        )
    before, after = (segment_thickness(division) for division in divisions)
    true = [beat.thickness(frame, division) for frame, division in enumerate(divisions)]
    both = [number for number in before if all(number in item for item in (after, *true))]
    thickening = [after[n] / before[n] - true[1][n] / true[0][n] for n in both]
    off["thickening, points"].extend(100 * value for value in thickening)
    measures = measure(beat.exam.exam, beat.exam.labels, has_images=False)
    found = measures.find("left_ventricular_midwall_circumferential_strain")
    assert found is not None
    off["mid-wall strain, points"].append(found.value - beat.circumferential(divisions))
    for method in (Method.SUM_OF_SLICES, Method.SLICES_TO_PLANE):
        for name, value in _size_errors(measures, beat, method):
            off[f"{name}, {method.value}"].append(value)
    return off


def right_percent(
    labels: LabelMap, truth: np.ndarray, frame: int, turns: Sequence[tuple[bool, Sequence[int]]]
) -> float:
    """The smallest share of voxels that carry the right segment, over all voxel orders."""
    shares = []
    for is_swapped, flips in turns:
        other = turned(labels, is_swapped, flips)
        stack = stack_of(other)
        found = divide(stack, frame).labels(stack, frame)
        wanted = _reordered(truth[np.newaxis], is_swapped, flips)[0]
        shown = (found > 0) & (wanted > 0)
        shares.append(float((found == wanted)[shown].mean()) if shown.any() else 0.0)
    return 100 * min(shares)


def _size_errors(measures: Measures, beat: Beat, method: Method) -> Iterator[tuple[str, float]]:
    """Percent of volumes and mass, points of the ejection fraction."""
    truth = beat.exam.truth
    wall_g = truth.wall_ml * MYOCARDIAL_DENSITY_G_PER_ML
    wanted = {
        "EDV, %": ("left_ventricular_end_diastolic_volume", truth.volume_ml[0]),
        "ESV, %": ("left_ventricular_end_systolic_volume", truth.volume_ml[1]),
        "mass ED, %": ("left_ventricular_mass", wall_g[0]),
        "mass ES, %": ("left_ventricular_end_systolic_mass", wall_g[1]),
    }
    for word, (name, value) in wanted.items():
        found = measures.find(name, method=method.value)
        assert found is not None, (word, method)
        yield word, 100 * (found.value / value - 1)
    ejection = measures.find("left_ventricular_ejection_fraction", method=method.value)
    assert ejection is not None
    yield "EF, points", ejection.value - truth.ejection_fraction_percent


def print_phantoms(patients: int) -> None:
    """One table over all pathologies, one row for what was compared."""
    found: dict[str, list[float]] = defaultdict(list)
    for pathology in Pathology:
        for seed in range(1, patients + 1):
            for name, values in phantom_rows(pathology, seed).items():
                found[name].extend(values)
    rows: Rows = []
    for name, values in found.items():
        size = np.abs(values)
        if name.startswith("segments"):
            rows.append(
                {"compared": name, "n": len(values), "mean": f"{np.mean(values):.2f}", "worst": f"{min(values):.2f}"}
            )
            continue
        shown = {"mean": f"{np.mean(values):+.2f}", "mean size": f"{size.mean():.2f}"}
        rows.append(
            {
                "compared": name,
                "n": len(values),
                **shown,
                "95 %": f"{np.percentile(size, 95):.2f}",
                "worst": f"{size.max():.2f}",
            }
        )
    print(to_text(rows, "markdown"))


def print_acdc(root: Path) -> None:
    """What the references of each pathology say: medians and quartiles over patients."""
    groups: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    rules: dict[str, int] = defaultdict(int)
    cases: dict[str, dict[Phase, LabelledView]] = defaultdict(dict)
    pathology: dict[str, str] = {}
    for case in Acdc(root).cases():
        assert case.read_labels is not None
        cases[case.patient][case.phase] = LabelledView(case.read_labels(), case.view, case.phase, Modality.MR)
        pathology[case.patient] = case.groups.get("pathology", "")
    for patient, views in cases.items():
        measures = measure_labels({phase.value: view for phase, view in views.items()}, exam=patient)
        for rule in {flag.rule for flag in measures.flags}:
            rules[rule] += 1
        numbers = groups[pathology[patient]]
        for name in _SHOWN:
            if (quantity := measures.find(f"left_ventricular_{name}")) is not None:
                numbers[name].append(quantity.value)
        for values in measures.segments:
            numbers[f"{values.name}, all segments"].append(float(np.mean(list(values.values.values()))))
            numbers[f"{values.name}, least"].append(min(values.values.values()))
    names = dict.fromkeys(name for numbers in groups.values() for name in numbers)
    rows: Rows = [
        {"quantity": name, **{group: _spread(numbers[name]) for group, numbers in sorted(groups.items())}}
        for name in names
    ]
    print(to_text(rows, "markdown"))
    print(f"\n{len(cases)} patients; flags: {dict(rules)}")


_SHOWN = (
    *("ejection_fraction", "mass", "end_systolic_mass", "maximal_wall_thickness", "mean_wall_thickness"),
    *("endocardial_circumferential_strain", "midwall_circumferential_strain", "epicardial_circumferential_strain"),
    "radial_strain",
)


def _spread(values: Sequence[float]) -> str:
    low, middle, high = np.percentile(values, (25, 50, 75))
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regional", description=__doc__)
    parser.add_argument("--patients", type=int, default=0, help="phantoms of each pathology")
    parser.add_argument("--data", type=Path, help="folder of ACDC")
    options = parser.parse_args()
    if options.patients:
        print_phantoms(options.patients)
    if options.data is not None:
        print_acdc(options.data)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
