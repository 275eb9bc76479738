"""Are phantom echoes like real ones? Statistics of CAMUS images and of phantoms side by side, and an image.

    python benchmarks/phantom_statistics.py [--patients 40] [--phantoms 16] [--out out/phantom_statistics.png]

The data set is found through CARDIOTRACE_DATA (default ../shared/data). Grey levels are of each structure; grain is the
width at half height of the autocorrelation of the speckle, structure taken off first, along columns (depth) and rows.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import Structure
from cardiotrace.io import read_image, read_labels
from cardiotrace.phantoms import EchoPhantom, echo_exam, sample_echo

STRUCTURES = ("LV", "MYO", "LA", "rest")
SPACING_MM = 0.308


@dataclass(frozen=True)
class Image:
    """One frame with its labels (1 LV, 2 MYO, 3 LA) and the size of its pixels."""

    grey: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    spacing_mm: tuple[float, float]

    def mask(self, structure: str) -> NDArray[np.bool_]:
        """Pixels of a structure, or of the rest of the sector."""
        if structure == "rest":
            return (self.labels == 0) & (self.grey > 0)
        return self.labels == CAMUS.value(Structure[structure])


def real_images(count: int) -> Iterator[Image]:
    """Frames of CAMUS, from patients all over the list."""
    root = Path(os.environ.get("CARDIOTRACE_DATA", "../shared/data")) / "camus" / "database_nifti"
    folders = sorted(path for path in root.glob("patient*") if path.is_dir())
    for folder in folders[:: max(1, len(folders) // max(count, 1))][:count]:
        for phase in ("ED", "ES"):
            stem = f"{folder.name}_4CH_{phase}"
            cine = read_image(folder / f"{stem}.nii.gz")
            labels = read_labels(folder / f"{stem}_gt.nii.gz", CAMUS)
            yield Image(cine.frames[0, 0], labels.array[0, 0], cine.spacing_mm[1:])


def phantom_images(count: int) -> Iterator[Image]:
    """Frames of phantoms of patients drawn as `sample_echo` does."""
    for seed in range(count):
        config = EchoPhantom(**{**vars(sample_echo(seed)), "spacing_mm": SPACING_MM, "frame_count": 12})
        made = echo_exam(config)
        (image,) = made.exam.images
        for frame in image.phases.values():
            yield Image(
                image.image.frames[frame, 0], made.labels[image.name].array[frame, 0], image.image.spacing_mm[1:]
            )


def statistics(image: Image) -> dict[str, float]:
    """Numbers of one image, by name."""
    numbers: dict[str, float] = {}
    for structure in STRUCTURES:
        values = image.grey[image.mask(structure)].astype(float)
        numbers[f"{structure} mean"], numbers[f"{structure} SD"] = float(values.mean()), float(values.std())
        for percent in (5, 50, 95):
            numbers[f"{structure} p{percent}"] = float(np.percentile(values, percent))
    numbers["MYO - LV"] = numbers["MYO mean"] - numbers["LV mean"]
    numbers["LA - LV"] = numbers["LA mean"] - numbers["LV mean"]
    pooled = np.hypot(numbers["MYO SD"], numbers["LV SD"])
    numbers["contrast to noise MYO, LV"] = numbers["MYO - LV"] / pooled
    for structure in ("LV", "MYO"):
        for axis, name in enumerate(("depth", "across")):
            numbers[f"grain {structure} {name} mm"] = grain_mm(image, structure, axis)
    return numbers


def grain_mm(image: Image, structure: str, axis: int) -> float:
    """Width at half height of the autocorrelation of the speckle along an axis, mm."""
    grey, mask = image.grey.astype(float), image.mask(structure)
    size = [max(3, round(9 / spacing)) for spacing in image.spacing_mm]
    inside = ndimage.uniform_filter(mask.astype(float), size)
    local = ndimage.uniform_filter(grey * mask, size) / np.maximum(inside, 1e-6)
    fine = (grey - local) * mask
    correlations = [1.0]
    for lag in range(1, 40):
        here, there = [slice(None)] * 2, [slice(None)] * 2
        here[axis], there[axis] = slice(lag, None), slice(None, -lag)
        both = mask[tuple(here)] & mask[tuple(there)]
        pair = fine[tuple(here)][both], fine[tuple(there)][both]
        correlations.append(float((pair[0] * pair[1]).mean() / (fine[mask] ** 2).mean()))
        if correlations[-1] < 0.5:
            break
    last, before = correlations[-1], correlations[-2]
    return 2 * image.spacing_mm[axis] * (len(correlations) - 2 + (before - 0.5) / (before - last))


def table(real: list[dict[str, float]], made: list[dict[str, float]]) -> str:
    """Mean and standard deviation over the images, and their distance in those of CAMUS, as Markdown."""
    lines = ["| quantity | CAMUS | phantom | distance, SD |", "| --- | ---: | ---: | ---: |"]
    for name in real[0]:
        ours, theirs = (np.array([row[name] for row in rows]) for rows in (made, real))
        distance = (ours.mean() - theirs.mean()) / theirs.std()
        lines.append(
            f"| {name} | {theirs.mean():.2f} +- {theirs.std():.2f} | {ours.mean():.2f} +- {ours.std():.2f}"
            f" | {distance:+.2f} |"
        )
    return "\n".join(lines)


def draw(real: list[Image], made: list[Image], path: Path) -> None:
    """Both kinds of image above each other, and the histograms of each structure."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(3, 4, figsize=(16, 12))
    for row, (name, images) in enumerate((("CAMUS", real), ("phantom", made))):
        chosen = np.linspace(0, len(images) - 1, 4).astype(int)
        for axis, index in zip(axes[row], chosen, strict=True):
            axis.imshow(images[index].grey, cmap="gray", vmin=0, vmax=255)
            axis.set_title(f"{name} {index}")
            axis.set_axis_off()
    bins = np.arange(0, 257, 8)
    for axis, structure in zip(axes[2], STRUCTURES, strict=True):
        for name, images in (("CAMUS", real), ("phantom", made)):
            values = np.concatenate([image.grey[image.mask(structure)] for image in images])
            axis.hist(values, bins, density=True, histtype="step", label=name)
        axis.set_title(structure)
        axis.set_xlabel("grey level")
    axes[2][0].legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=70)


def main() -> None:
    """Print the table and draw the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("--phantoms", type=int, default=16)
    parser.add_argument("--out", type=Path, default=Path("out/phantom_statistics.png"))
    options = parser.parse_args()
    real, made = list(real_images(options.patients)), list(phantom_images(options.phantoms))
    if not real:
        raise SystemExit("CAMUS was not found: set CARDIOTRACE_DATA to the folder that holds it.")
    print(table([statistics(image) for image in real], [statistics(image) for image in made]))
    draw(real, made, options.out)
    print(f"drawn: {options.out}")


if __name__ == "__main__":
    main()
