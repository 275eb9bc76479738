"""nnU-Net's rules for two dimensions: from what a data set looks like to patch, poolings, kernels, widths and batch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.learning.models.nnunet import NNUNet2DConfig

Pair = tuple[int, int]
Spacing = tuple[float, float]

WIDTH, WIDEST = 32, 512
SMALLEST_EDGE = 4
"""No axis of a feature map gets shorter than this."""
REFERENCE_VALUES, REFERENCE_GB, REFERENCE_BATCH = 85e6, 8.0, 12
"""A network of so many values for one image, as estimated below, fits into this memory with this batch."""
SMALLEST_BATCH = 2
LARGEST_SHARE = 0.05
"""Of the pixels of the data set that one batch may hold."""
FIRST_AREA = 2048**2
"""Pixels of the patch that the search begins with, before it is cut to the median image."""


@dataclass(frozen=True)
class Fingerprint:
    """What the rules need to know of a data set."""

    shape: Pair
    """Median rows and columns, at the target spacing."""
    spacing_mm: Spacing
    """Target spacing, mm; (1, 1) in pixels where files state none."""
    images: int
    has_spacing: bool = True


@dataclass(frozen=True)
class Plan:
    """What follows from a fingerprint."""

    fingerprint: Fingerprint
    patch: Pair
    batch: int
    network: NNUNet2DConfig

    @property
    def poolings(self) -> Pair:
        """How often rows and columns are halved."""
        rows, columns = np.sum(np.asarray(self.network.strides) == 2, axis=0)
        return int(rows), int(columns)


def fingerprint(shapes: Sequence[Pair], spacings_mm: Sequence[Spacing | None]) -> Fingerprint:
    """Median spacing, and the median shape once all images are brought to it.

    Args:
        shapes: rows and columns of each image.
        spacings_mm: of each image, mm; if any is None, all are counted in pixels.

    Raises:
        InputError: there is no image.

    Example:
        >>> fingerprint([(100, 200), (100, 200)], [(0.3, 0.3), (0.1, 0.3)])
        Fingerprint(shape=(100, 200), spacing_mm=(0.2, 0.3), images=2, has_spacing=True)
    """
    if not shapes:
        raise InputError("there is no image to plan for")
    known = [spacing for spacing in spacings_mm if spacing is not None]
    has_spacing = len(known) == len(shapes)
    spacings = np.array(known if has_spacing else [(1.0, 1.0)] * len(shapes))
    target = np.median(spacings, axis=0)
    shape = np.round(np.median(np.array(shapes) * spacings / target, axis=0)).astype(int)
    return Fingerprint(
        (int(shape[0]), int(shape[1])),
        (round(float(target[0]), 6), round(float(target[1]), 6)),
        len(shapes),
        has_spacing,
    )


def topology(patch: Pair, spacing_mm: Spacing) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Strides and kernels of every stage.

    An axis is halved while its map stays at least `SMALLEST_EDGE` long and its spacing is below twice the
    finest; its kernel is 1 until its spacing is within a factor 2 of the finest, 3 from then on.

    Returns:
        Strides, and kernels.

    Example:
        >>> strides, kernels = topology((640, 1024), (0.3, 0.15))
        >>> strides[:3], kernels[:3]
        (((1, 1), (1, 2), (2, 2)), ((1, 3), (3, 3), (3, 3)))
    """
    (rows, columns), (height_mm, width_mm) = patch, spacing_mm
    strides: list[Pair] = [(1, 1)]
    kernels = [_next_kernel((1, 1), spacing_mm)]
    while (stride := _next_stride((rows, columns), (height_mm, width_mm))) != (1, 1):
        strides.append(stride)
        # A side that is no multiple is padded to one later on.
        rows, columns = -(-rows // stride[0]), -(-columns // stride[1])
        height_mm, width_mm = height_mm * stride[0], width_mm * stride[1]
        kernels.append(_next_kernel(kernels[-1], (height_mm, width_mm)))
    kernels[-1] = (3, 3)
    return tuple(strides), tuple(kernels)


ALIKE = 2 * (1 - 1e-6)
"""Spacings whose ratio is below it count as alike; a hair under 2, so that rounding decides nothing."""


def _next_kernel(before: Pair, spacing_mm: Spacing) -> Pair:
    """3 along an axis once its spacing is like the finest, and from then on; 1 before."""
    finest = min(spacing_mm)
    rows, columns = (
        3 if known == 3 or spacing / finest < ALIKE else 1 for known, spacing in zip(before, spacing_mm, strict=True)
    )
    return rows, columns


def _next_stride(sizes: Pair, spacing_mm: Spacing) -> Pair:
    """2 along the axes to be halved next; (1, 1) where the network ends."""
    large = [size >= 2 * SMALLEST_EDGE for size in sizes]
    # An axis that is too short to be halved does not hold the other one back, however fine it is.
    finest = min((spacing for spacing, fits in zip(spacing_mm, large, strict=True) if fits), default=0.0)
    rows, columns = (
        2 if fits and spacing < ALIKE * finest else 1 for spacing, fits in zip(spacing_mm, large, strict=True)
    )
    # Halving one axis alone must leave more than the smallest edge, or it is not worth a stage.
    if rows != columns and sizes[0 if rows == 2 else 1] < 3 * SMALLEST_EDGE:
        return 1, 1
    return rows, columns


def plan(of: Fingerprint, *, classes: int = 4, memory_gb: float = 8.0) -> Plan:
    """Patch, network and batch for a memory budget.

    The patch starts with the image's aspect in mm, is cut to the median shape, padded to what the poolings
    divide, and shrunk on the axis that is largest relative to the median until the estimate of the feature maps
    fits. What is left of the memory goes into the batch, up to a twentieth of all pixels, at least 2.

    Args:
        of: the data set.
        classes: of the output, background included.
        memory_gb: memory of the device, GB.

    Raises:
        InputError: nothing fits.

    Example:
        >>> planned = plan(Fingerprint((512, 448), (0.3, 0.3), 1000))
        >>> planned.patch, planned.batch, planned.poolings
        ((512, 448), 14, (6, 6))

    Source:
        Isensee et al. 2021, Nature Methods 18:203, supplement; constants of version 2 of the published code. Its
        estimate counts the values of every convolution's output for one image, as here.
    """
    if not 0 < memory_gb < math.inf:
        raise InputError(f"memory must be a positive number of GB, got {memory_gb:g}")
    budget = REFERENCE_VALUES * memory_gb / REFERENCE_GB
    patch = _padded(_first_patch(of), of.spacing_mm)
    # Only until the smallest batch fits: large patches go before large batches.
    while _values(patch, of.spacing_mm, classes) * SMALLEST_BATCH / REFERENCE_BATCH > budget:
        smaller = _shrunk(patch, of)
        if smaller == patch:
            break
        patch = smaller
    values = _values(patch, of.spacing_mm, classes)
    fitting = round(budget / values * REFERENCE_BATCH)
    allowed = round(LARGEST_SHARE * of.images * of.shape[0] * of.shape[1] / (patch[0] * patch[1]))
    return Plan(of, patch, max(min(fitting, allowed), SMALLEST_BATCH), _network(patch, of.spacing_mm))


def _first_patch(of: Fingerprint) -> Pair:
    inverse = 1 / np.array(of.spacing_mm)
    sides = np.round(inverse * np.sqrt(FIRST_AREA / inverse.prod()))
    rows, columns = np.minimum(sides, of.shape).astype(int)
    return int(rows), int(columns)


def _padded(patch: Pair, spacing_mm: Spacing) -> Pair:
    """The next larger patch that its own poolings divide."""
    rows, columns = _multiples(patch, spacing_mm)
    return -(-patch[0] // rows) * rows, -(-patch[1] // columns) * columns


def _shrunk(patch: Pair, of: Fingerprint) -> Pair:
    """One pooling's multiple less on the axis that is largest relative to the median shape."""
    axis = int(np.argmax(np.array(patch) / of.shape))
    # The multiple of the smaller patch, which may be finer: no size in between is to be missed.
    multiple = _multiples(_less(patch, axis, _multiples(patch, of.spacing_mm)[axis]), of.spacing_mm)[axis]
    shrunk = _less(patch, axis, multiple)
    return patch if min(shrunk) < SMALLEST_EDGE else _padded(shrunk, of.spacing_mm)


def _less(patch: Pair, axis: int, by: int) -> Pair:
    return (patch[0] - by, patch[1]) if axis == 0 else (patch[0], patch[1] - by)


def _multiples(patch: Pair, spacing_mm: Spacing) -> Pair:
    rows, columns = np.prod(topology(patch, spacing_mm)[0], axis=0)
    return int(rows), int(columns)


def _network(patch: Pair, spacing_mm: Spacing) -> NNUNet2DConfig:
    strides, kernels = topology(patch, spacing_mm)
    if len(strides) < 2:
        raise InputError(
            f"no network fits: patches would have {patch[0]}x{patch[1]} pixels",
            remedy=f"give more memory, and images of at least {2 * SMALLEST_EDGE} pixels along one side.",
        )
    return NNUNet2DConfig(kernels, strides, tuple(min(WIDTH * 2**stage, WIDEST) for stage in range(len(strides))))


def _values(patch: Pair, spacing_mm: Spacing, classes: int) -> float:
    """Values of all convolutions' outputs for one image: two per stage down, three per stage up, and the logits."""
    config = _network(patch, spacing_mm)
    total, sizes = 0.0, np.array(patch, float)
    stages = len(config.widths)
    for stage, (width, stride) in enumerate(zip(config.widths, config.strides, strict=True)):
        sizes = sizes / stride
        pixels = float(sizes.prod())
        total += 2 * width * pixels
        if stage < stages - 1:
            total += (3 * width + classes) * pixels
    return total


def plan_recipe(plan: Plan, dataset: dict[str, Any], *, name: str, mirrored: bool = False) -> dict[str, Any]:
    """A recipe, as it stands in TOML, that trains what was planned.

    Images are brought to the target spacing and cut or padded to the patch, where nnU-Net draws patches at random
    and slides a window in use. Numbers of training are nnU-Net's, 250 steps an epoch excepted: an epoch here is
    a pass over the images.

    Args:
        plan: what was planned.
        dataset: name and options of the data set.
        name: of the recipe.
        mirrored: whether a mirrored image is possible; only said, since the data set itself decides.
    """
    (rows, columns), (height_mm, width_mm) = plan.patch, plan.fingerprint.spacing_mm
    resample = {"name": "resample", "height_mm": height_mm, "width_mm": width_mm}
    config = plan.network
    turn = 15 if max(plan.patch) / min(plan.patch) > 1.5 else 180
    return {
        "name": name,
        "summary": f"nnU-Net's 2D network, planned from {plan.fingerprint.images} images"
        + (", mirrored in training." if mirrored else "; never mirrored."),
        "architecture": {
            "name": "nnunet2d",
            "kernels": [list(pair) for pair in config.kernels],
            "strides": [list(pair) for pair in config.strides],
            "widths": list(config.widths),
        },
        "loss": {"name": "dice+cross-entropy", "background": False},
        "optimiser": {"name": "sgd", "learning_rate": 1e-2, "momentum": 0.99, "weight_decay": 3e-5},
        "schedule": "poly",
        "preprocessing": [
            *([resample] if plan.fingerprint.has_spacing else []),
            {"name": "crop-or-pad", "height": rows, "width": columns},
            {"name": "z-score"},
        ],
        "data": {"dataset": dataset, "split": "k-fold", "folds": 5},
        "training": {"epochs": 1000, "batch_size": plan.batch, "gradient_clip": 12.0},
        "augmentation": {
            "rotation_degrees": {"probability": 0.2, "low": -turn, "high": turn},
            "scale": {"probability": 0.2, "low": 0.7, "high": 1.4},
            "noise_sd": {"probability": 0.1, "low": 0.0, "high": 0.1},
            "blur_sigma": {"probability": 0.2, "low": 0.5, "high": 1.0},
            "brightness": {"probability": 0.15, "low": 0.75, "high": 1.25},
            "contrast": {"probability": 0.15, "low": 0.75, "high": 1.25},
            "gamma": {"probability": 0.3, "low": 0.7, "high": 1.5},
        },
    }
