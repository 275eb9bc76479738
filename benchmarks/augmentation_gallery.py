"""Every change of augmentation on one slice of a phantom, for the documentation.

python -m benchmarks.augmentation_gallery [--out docs/assets/augmentation.jpg]
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from benchmarks.phantom_gallery import REPOSITORY, Tile, sheet
from cardiotrace.learning.augmentation import (
    AmplitudeExchange,
    Augmentation,
    BiasField,
    Draw,
    Elastic,
    Ghosting,
    IntensityWindow,
    Motion,
    RandomContrast,
    apply,
    sample,
)
from cardiotrace.phantoms import sample_cmr
from cardiotrace.phantoms.cmr import Layout

SIDE, COLUMNS, HEIGHT_PX = 160, 6, 190


def always(low: float, high: float | None = None) -> Draw:
    return Draw(1.0, low, low if high is None else high)


SHOWN: dict[str, dict[str, Any]] = {
    "rotation_degrees, scale, shift": {
        "rotation_degrees": always(20.0), "scale": always(1.2), "shift": always(0.05)
    },
    "shear": {"shear": always(0.25)},
    "elastic": {"elastic": Elastic(1.0, 0.06, 6)},
    "low_resolution": {"low_resolution": always(0.4)},
    "blur_sigma": {"blur_sigma": always(1.5)},
    "brightness": {"brightness": always(0.6)},
    "contrast": {"contrast": always(0.5)},
    "gamma": {"gamma": always(0.6)},
    "noise_sd": {"noise_sd": always(0.07)},
    "bias_field": {"bias_field": BiasField(always(2.0))},
    "inverted_gamma": {"inverted_gamma": always(1.8)},
    "gamma_keeps_statistics": {"gamma": always(0.6), "gamma_keeps_statistics": True},
    "slice_brightness": {"slice_brightness": always(1.5)},
    "intensity_window": {"intensity_window": IntensityWindow(1.0, 8.0, 0.4)},
    "acquired_resolution": {"acquired_resolution": always(0.4)},
    "gibbs": {"gibbs": always(0.4)},
    "ghosting": {"ghosting": Ghosting(always(0.5), 3, 3)},
    "motion": {"motion": Motion(1.0, 0.05, 8.0, 0.15, 0.15)},
    "amplitude_exchange": {"amplitude_exchange": AmplitudeExchange(always(1.0), 0.03)},
    "histogram_matching": {"histogram_matching": always(1.0)},
    "random_contrast": {"random_contrast": RandomContrast(always(0.7))},
}  # fmt: skip
"""Options of each tile, stronger than one would train with, so that they show."""


def phantom_slice(style: str, seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Grey values in 0..1 and labels of a slice in the middle of a heart at ED, (SIDE, SIDE)."""
    config = replace(sample_cmr(seed, pathology="normal", style=style), frame_count=12)
    layout = Layout(config, config.at(config.cycle.times_ms(12)))
    index = len(layout.stack) // 2 - 1
    video = layout.video(index, layout.stack[index])
    rows, columns = ((n - SIDE) // 2 for n in video.frames.shape[1:])
    place = (0, slice(rows, rows + SIDE), slice(columns, columns + SIDE))
    grey = np.clip(video.frames[place] / np.percentile(video.frames, 99.5), 0, 1)
    return grey.astype(np.float32), video.labels[place].astype(np.uint8)


def tiles() -> list[Tile]:
    """The slice, its partner of another scanner, and the slice after each change."""
    slices = [phantom_slice("siemens_1.5t", 3), phantom_slice("ge_3t", 6)]
    images = torch.from_numpy(np.stack([grey for grey, _ in slices])).unsqueeze(1)
    labels = torch.from_numpy(np.stack([labels for _, labels in slices])).long()
    drawn = [("as it is", shown(images[0])), ("partner, of another scanner", shown(images[1]))]
    for name, options in SHOWN.items():
        record = sample(
            Augmentation(**options), 2, (SIDE, SIDE), torch.Generator().manual_seed(3), domains=["Siemens", "GE"]
        )
        drawn.append((name, shown(apply(images, labels, record)[0][0])))
    return drawn


def shown(image: Tensor) -> NDArray[np.float32]:
    grey: NDArray[np.float32] = image[0].numpy() * 255
    return grey


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "assets" / "augmentation.jpg")
    out = parser.parse_args().out
    drawn = tiles()
    rows = [drawn[first : first + COLUMNS] for first in range(0, len(drawn), COLUMNS)]
    page: Image.Image = sheet(rows, HEIGHT_PX)
    page.save(out, quality=82)
    print(f"drawn: {out}")


if __name__ == "__main__":
    main()
