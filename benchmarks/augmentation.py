"""Images augmented per second on one thread: ours against the same chain in MONAI and against scipy's warp.

python benchmarks/augmentation.py
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import ndimage

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

COUNT, SIDE, ROUNDS = 32, 256, 5


def configured(probability: float, *, spatial_only: bool = False) -> Augmentation:
    """Every change with one probability, in the ranges of nnU-Net where it has one."""
    rotation = Draw(probability, -30.0, 30.0)
    scale, shift, shear = Draw(probability, 0.7, 1.4), Draw(probability, -0.1, 0.1), Draw(probability, -0.1, 0.1)
    if spatial_only:
        return Augmentation(rotation, scale, shift, shear)
    return Augmentation(
        rotation,
        scale,
        shift,
        shear,
        elastic=Elastic(probability, 0.03, 8),
        low_resolution=Draw(probability, 0.5, 1.0),
        blur_sigma=Draw(probability, 0.5, 1.0),
        brightness=Draw(probability, 0.75, 1.25),
        contrast=Draw(probability, 0.75, 1.25),
        gamma=Draw(probability, 0.7, 1.5),
        noise_sd=Draw(probability, 0.0, 0.1),
    )


ALWAYS_HALF = Draw(1.0, 0.5, 0.5)
BETWEEN_SCANNERS = {
    "bias field": (
        Augmentation(bias_field=BiasField(Draw(1.0, 0.1, 0.4))),
        lambda monai: [monai.RandBiasField(prob=1.0, degree=3, coeff_range=(0.0, 0.1))],
    ),
    "truncation": (
        Augmentation(gibbs=Draw(1.0, 0.4, 0.9)),
        lambda monai: [monai.RandGibbsNoise(prob=1.0, alpha=(0.1, 0.6))],
    ),
    "five changes of k-space against two": (
        Augmentation(
            gibbs=Draw(1.0, 0.6, 0.9),
            acquired_resolution=Draw(1.0, 0.6, 0.9),
            ghosting=Ghosting(Draw(1.0, 0.1, 0.4)),
            motion=Motion(1.0),
            amplitude_exchange=AmplitudeExchange(ALWAYS_HALF),
        ),
        lambda monai: [monai.RandGibbsNoise(prob=1.0, alpha=(0.1, 0.6)), monai.RandKSpaceSpikeNoise(prob=1.0)],
    ),
    "another image's histogram against a random curve": (
        Augmentation(histogram_matching=ALWAYS_HALF),
        lambda monai: [monai.RandHistogramShift(prob=1.0)],
    ),
    "window of percentiles against a fixed one": (
        Augmentation(intensity_window=IntensityWindow(1.0)),
        lambda monai: [monai.ScaleIntensityRangePercentiles(1, 99, 0.0, 1.0, clip=True)],
    ),
}
"""Ours, and what comes nearest to it in MONAI: each always, alone."""


def monai_chain(probability: float) -> Callable[[dict[str, Any]], Any]:
    """The same changes in MONAI, whose elastic transform also warps once for all that is spatial."""
    from monai import transforms
    from monai.data import set_track_meta

    set_track_meta(False)  # its record of metadata takes time and is not compared here
    angle, pixels = np.pi / 6, 0.1 * SIDE
    return transforms.Compose(
        [
            transforms.Rand2DElasticd(
                ("image", "label"),
                spacing=(SIDE / 8, SIDE / 8),
                magnitude_range=(0, 0.03 * SIDE),
                prob=probability,
                rotate_range=angle,
                shear_range=(0.1, 0.1),
                translate_range=(pixels, pixels),
                scale_range=((-0.3, 0.4), (-0.3, 0.4)),
                mode=("bilinear", "nearest"),
                padding_mode="zeros",
            ),
            transforms.RandSimulateLowResolutiond(
                "image", prob=probability, zoom_range=(0.5, 1.0), upsample_mode="bilinear"
            ),
            transforms.RandGaussianSmoothd("image", (0.5, 1.0), (0.5, 1.0), prob=probability),
            transforms.RandScaleIntensityd("image", factors=(-0.25, 0.25), prob=probability),
            transforms.RandScaleIntensityFixedMeand("image", factors=(-0.25, 0.25), prob=probability),
            transforms.RandAdjustContrastd("image", prob=probability, gamma=(0.7, 1.5)),
            transforms.RandGaussianNoised("image", prob=probability, std=0.1),
        ]
    )


def scipy_affine(image: np.ndarray, label: np.ndarray, random: np.random.Generator) -> None:
    """One affine map of an image and its labels."""
    angle = np.deg2rad(random.uniform(-30, 30))
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / random.uniform(0.7, 1.4)
    middle = np.full(2, (SIDE - 1) / 2)
    offset = middle - matrix @ (middle + random.uniform(-0.1, 0.1, 2) * SIDE)
    ndimage.affine_transform(image, matrix, offset, order=1)
    ndimage.affine_transform(label, matrix, offset, order=0)


def images_per_second(augment: Callable[[], object]) -> float:
    """Of the fastest of some rounds over all images, after one to warm up."""
    augment()
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        augment()
        seconds.append(time.perf_counter() - start)
    return COUNT / min(seconds)


def compared(name: str, ours: Callable[[], object], peer: Callable[[], object], versus: str) -> dict[str, Any]:
    value, other = images_per_second(ours), images_per_second(peer)
    return {"name": name, "value": value, "unit": "images/s", "ratio": value / other, "versus": versus}


def run() -> list[dict[str, Any]]:
    """Measure; leaves the number of PyTorch's threads as it was."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _measure()
    finally:
        torch.set_num_threads(threads)


def _measure() -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(COUNT, 1, SIDE, SIDE, generator=generator)
    labels = torch.randint(0, 4, (COUNT, SIDE, SIDE), generator=generator)
    random = np.random.default_rng(0)

    def ours(config: Augmentation) -> Callable[[], object]:
        return lambda: apply(images, labels, sample(config, COUNT, (SIDE, SIDE), generator))

    def monai(probability: float) -> Callable[[], object]:
        chain = monai_chain(probability)
        pairs = [{"image": image, "label": label[None].float()} for image, label in zip(images, labels, strict=True)]
        return lambda: [chain(dict(pair)) for pair in pairs]

    def scipy() -> None:
        for image, label in zip(images.numpy(), labels.numpy().astype(np.uint8), strict=True):
            scipy_affine(image[0], label, random)

    def nearest(steps: Callable[[Any], list[Any]]) -> Callable[[], object]:
        from monai import transforms

        chain = transforms.Compose(steps(transforms))
        return lambda: [chain(image) for image in images]

    between = [
        compared(f"augmentation, {name}", ours(config), nearest(steps), "MONAI")
        for name, (config, steps) in BETWEEN_SCANNERS.items()
    ]
    contrast = images_per_second(ours(Augmentation(random_contrast=RandomContrast(ALWAYS_HALF))))
    return [
        compared("augmentation, every change", ours(configured(1.0)), monai(1.0), "MONAI"),
        compared("augmentation, each change with probability 0.2", ours(configured(0.2)), monai(0.2), "MONAI"),
        compared("augmentation, affine only", ours(configured(1.0, spatial_only=True)), scipy, "scipy.ndimage"),
        *between,
        {"name": "augmentation, random contrast", "value": contrast, "unit": "images/s", "ratio": None, "versus": ""},
    ]


if __name__ == "__main__":
    for row in run():
        against = "" if row["ratio"] is None else f", {row['ratio']:.1f} x {row['versus']}"
        print(f"{row['name']}: {row['value']:.0f} {row['unit']}{against}")
