"""Are phantom cine-MRI stacks like real ones? Statistics of ACDC and of phantoms side by side, and an image.

    python -m benchmarks.cmr_statistics [--patients 100] [--phantoms 12] [--image out/cmr_statistics.png]

The data set is found through CARDIOTRACE_DATA (default ../shared/data). All of it is of end-diastolic stacks; mean
greys are z-scores over the stack, quantiles lie between the 1st and the 99th percentile of the stack.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardiotrace.core.label import ACDC
from cardiotrace.core.terms import Structure
from cardiotrace.io import read_image, read_labels
from cardiotrace.phantoms.cmr import Layout, cmr_exam, sample_cmr

STYLES = ("siemens_1.5t", "siemens_3t", "siemens_1.5t_thin")
"""ACDC was imaged by Siemens scanners of both field strengths."""
RING_MM = (2.0, 12.0)
EDGE_MM = (-5.0, -3.0, -1.0, 1.0, 3.0)


@dataclass(frozen=True)
class Stack:
    """A short-axis stack at end-diastole and end-systole with the labels of both."""

    name: str
    frames: NDArray[Any]
    labels: NDArray[np.uint8]
    spacing_mm: float

    def mask(self, structure: Structure) -> NDArray[np.bool_]:
        """Where a structure is at end-diastole."""
        return np.asarray(self.labels[0] == ACDC.value(structure))


def real_stacks(count: int = 100) -> Iterator[Stack]:
    """Patients of ACDC, from all over the list of those at hand."""
    root = Path(os.environ.get("CARDIOTRACE_DATA", "../shared/data")) / "acdc" / "database" / "training"
    folders = sorted(root.glob("patient*"))
    for folder in folders[:: max(1, len(folders) // max(count, 1))][:count]:
        paths = sorted(path for path in folder.glob("*frame*.nii.gz") if "_gt" not in path.name)
        images = [read_image(path, third_axis="depth") for path in paths]
        labels = [read_labels(path.with_name(path.name.replace(".nii", "_gt.nii")), ACDC) for path in paths]
        spacing = images[0].spacing_mm
        if spacing is not None:
            frames = np.stack([image.frames[0] for image in images])
            yield Stack(folder.name, frames, np.stack([item.array[0] for item in labels]), spacing[1])


def phantom_stacks(count: int) -> Iterator[Stack]:
    """Phantoms as `sample_cmr` draws them, end-diastole and end-systole only."""
    for seed in range(count):
        config = sample_cmr(seed, style=STYLES[seed % len(STYLES)])
        layout = Layout(config, config.at(np.array([0.0, config.cycle.end_systole_ms])))
        videos = [layout.video(index, plane) for index, plane in enumerate(layout.stack)]
        frames, labels = (np.stack([getattr(video, name) for video in videos], axis=1) for name in ("frames", "labels"))
        yield Stack(f"phantom {seed}", frames, labels, config.scanner.spacing_mm)


def statistics(stack: Stack) -> dict[str, float]:
    """Every number of one stack."""
    grey = stack.frames[0].astype(np.float64)
    low, high = np.percentile(grey, (1, 99))
    score = (grey - grey.mean()) / grey.std()
    flat = np.ones((1, 3, 3))
    masks = {str(s): ndimage.binary_erosion(stack.mask(s), flat) for s in (Structure.LV, Structure.MYO, Structure.RV)}
    masks["ring"] = _ring(stack)
    numbers = {f"{name}, grey": score[mask].mean() for name, mask in masks.items()}
    numbers |= {f"{name}, variation": grey[mask].std() / grey[mask].mean() for name, mask in masks.items()}
    numbers["LV over MYO"] = grey[masks["LV"]].mean() / grey[masks["MYO"]].mean()
    numbers["RV over LV"] = grey[masks["RV"]].mean() / grey[masks["LV"]].mean()
    numbers |= {f"edge at {at:+.0f} mm": value for at, value in zip(EDGE_MM, _edge(stack, grey), strict=True)}
    numbers["edge slope, per mm"] = _slope(stack, grey)
    for percent in (25, 50, 75, 90, 95):
        numbers[f"quantile {percent} %"] = (np.percentile(grey, percent) - low) / (high - low)
    step = np.hypot(np.diff(grey, axis=1)[:, :, :-1], np.diff(grey, axis=2)[:, :-1])
    numbers["gradient, per mm"] = step.mean() / stack.spacing_mm / (high - low)
    return numbers


def _ring(stack: Stack) -> NDArray[np.bool_]:
    """Surroundings of the heart in slices that show it."""
    near = [ndimage.distance_transform_edt(plane == 0) * stack.spacing_mm for plane in stack.labels[0]]
    away = np.stack(
        [distance if plane.any() else distance * 0 for distance, plane in zip(near, stack.labels[0], strict=True)]
    )
    return (away > RING_MM[0]) & (away <= RING_MM[1])


def _levels(stack: Stack, grey: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.float64], float, float]]:
    """Of slices with a cavity: distance from its edge, positive outside, mm, and the grey of blood and of wall."""
    cavity, wall = stack.mask(Structure.LV), stack.mask(Structure.MYO)
    for index in np.flatnonzero(cavity.sum((1, 2)) > 50):
        outside = ndimage.distance_transform_edt(~cavity[index]) - 0.5
        inside = ndimage.distance_transform_edt(cavity[index]) - 0.5
        away = np.where(cavity[index], -inside, outside) * stack.spacing_mm
        core, rim = cavity[index] & (away < -5), wall[index] & (away > 2) & (away < 6)
        if core.sum() > 10 and rim.sum() > 10:
            yield int(index), away, float(np.median(grey[index][core])), float(np.median(grey[index][rim]))


def _edge(stack: Stack, grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean grey at distances from the endocardium, 1 in the blood, 0 in the wall."""
    heart = stack.mask(Structure.LV) | stack.mask(Structure.MYO)
    rows = []
    for index, away, blood, wall in _levels(stack, grey):
        near = [grey[index][heart[index] & (np.abs(away - at) < 0.6)] for at in EDGE_MM]
        rows.append([(part.mean() - wall) / (blood - wall) if part.size else np.nan for part in near])
    return np.asarray(np.nanmean(rows, axis=0))


def _slope(stack: Stack, grey: NDArray[np.float64]) -> float:
    """Steepness of the endocardium over its contrast, per mm."""
    slopes = []
    for index, away, blood, wall in _levels(stack, grey):
        steep = ndimage.gaussian_gradient_magnitude(grey[index], 0.6) / stack.spacing_mm
        slopes.append(steep[(away < 0) & (away > -stack.spacing_mm)].mean() / (blood - wall))
    return float(np.mean(slopes))


def side_by_side(phantom_count: int, real_count: int) -> list[dict[str, Any]]:
    """One row per number: mean and spread over real and over phantom stacks."""
    real = [statistics(stack) for stack in real_stacks(real_count)]
    made = [statistics(stack) for stack in phantom_stacks(phantom_count)]
    rows = []
    for name in made[0]:
        row: dict[str, Any] = {"name": name}
        for key, group in (("real", real), ("phantom", made)):
            values = np.array([numbers[name] for numbers in group])
            row |= {key: float(np.nanmean(values)), f"{key}_spread": float(np.nanstd(values))} if values.size else {}
        rows.append(row)
    return rows


def run(phantom_count: int = 12, real_count: int = 100) -> list[dict[str, Any]]:
    """Rows of the benchmark report: how many spreads of the real stacks the phantoms' mean is off; and speed."""
    rows: list[dict[str, Any]] = []
    for row in side_by_side(phantom_count, real_count):
        if "real" in row:
            off = (row["phantom"] - row["real"]) / row["real_spread"]
            versus = f"{row['real']:.3g} ± {row['real_spread']:.2g} in ACDC, {off:+.1f} of its spreads"
            rows.append({"name": row["name"], "value": row["phantom"], "unit": "", "ratio": None, "versus": versus})
    speed = slices_per_second()
    rows.append(
        {"name": "speed", "value": speed, "unit": "slices/s", "ratio": speed / 40, "versus": "40 slices/s wanted"}
    )
    return rows


def slices_per_second() -> float:
    """Images of 256 x 216 pixels a second, of an exam of 25 frames, labels and truth included."""
    config = sample_cmr(1, style="siemens_1.5t")
    start = time.perf_counter()
    made = cmr_exam(config)
    frames = made.exam.images[0].image.frames
    return float(frames.shape[0] * frames.shape[1] / (time.perf_counter() - start))


def draw(path: Path, count: int = 3) -> None:
    """Real stacks above phantoms: basal, middle and apical slice at end-diastole, the first two at end-systole."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    makers: list[Callable[[], Iterator[Stack]]] = [real_stacks, partial(phantom_stacks, count * 4)]
    stacks = [list(maker())[:: (13 if maker is real_stacks else 4)][:count] for maker in makers]
    shown = [stack for group in stacks for stack in group]
    figure, axes = pyplot.subplots(len(shown), 5, figsize=(16, 3.6 * len(shown)), squeeze=False)
    for row, stack in zip(axes, shown, strict=True):
        slices = np.flatnonzero(stack.mask(Structure.LV).any(axis=(1, 2)))
        base, middle, apex = (slices[round(share * (len(slices) - 1))] for share in (0.1, 0.5, 0.9))
        for axis, (frame, index) in zip(row, ((0, base), (0, middle), (0, apex), (1, base), (1, middle)), strict=True):
            axis.imshow(stack.frames[frame, index], cmap="gray", vmin=0, vmax=np.percentile(stack.frames[0], 99.5))
            axis.set_title(f"{stack.name} {('ED', 'ES')[frame]} {index}", fontsize=8)
            axis.axis("off")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--phantoms", type=int, default=12)
    parser.add_argument("--image", type=Path)
    arguments = parser.parse_args()
    for line in run(arguments.phantoms, arguments.patients):
        print(f"{line['name']:22s} {line['value']:9.3f} {line['unit']:9s} {line['versus']}")
    if arguments.image is not None:
        draw(arguments.image)
