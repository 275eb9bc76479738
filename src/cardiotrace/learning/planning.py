"""nnU-Net's rules for two and three axes: from what a data set looks like to patch, poolings, widths and batch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.learning.models.nnunet import NNUNet2DConfig, NNUNet3DConfig

Sides = tuple[int, ...]
"""Rows and columns, after the slices where samples are volumes."""
Spacing = tuple[float, ...]

WIDTH = 32
SMALLEST_EDGE = 4
"""No axis of a feature map gets shorter than this."""
REFERENCE_GB = 8.0


@dataclass(frozen=True)
class Reference:
    """What the rules count from, for one number of axes."""

    values: float
    """A network of so many values for one image, as estimated below, fits into `REFERENCE_GB` with this batch."""
    batch: int
    widest: int
    """Channels of a stage, at most."""
    first_size: int
    """Pixels of the patch that the search begins with, before it is cut to the median image."""


REFERENCES = {2: Reference(85e6, 12, 512, 2048**2), 3: Reference(560e6, 2, 320, 256**3)}
"""By the number of axes of a sample."""
SMALLEST_BATCH = 2
LARGEST_SHARE = 0.05
"""Of the pixels of the data set that one batch may hold."""
ANISOTROPY = 3
"""An axis whose spacing is above so many times that of the others, and its shape below so many times theirs, is coarse
by the way images were made."""


@dataclass(frozen=True)
class Fingerprint:
    """What the rules need to know of a data set."""

    shape: Sides
    """Median sides, at the target spacing."""
    spacing_mm: Spacing
    """Target spacing, mm; 1 in pixels where files state none."""
    images: int
    has_spacing: bool = True


@dataclass(frozen=True)
class Plan:
    """What follows from a fingerprint."""

    fingerprint: Fingerprint
    patch: Sides
    batch: int
    network: NNUNet2DConfig | NNUNet3DConfig

    @property
    def poolings(self) -> Sides:
        """How often each axis is halved."""
        return tuple(int(count) for count in np.sum(np.asarray(self.network.strides) == 2, axis=0))


def fingerprint(shapes: Sequence[Sides], spacings_mm: Sequence[Spacing | None]) -> Fingerprint:
    """Median spacing, and the median shape once all images are brought to it.

    Along slices that lie far apart the target is the tenth percentile: a median would blur the finer half of all
    stacks.

    Args:
        shapes: sides of each image.
        spacings_mm: of each image, mm; if any is None, or not a number, all are counted in pixels.

    Raises:
        InputError: there is no image.

    Example:
        >>> fingerprint([(100, 200), (100, 200)], [(0.3, 0.3), (0.1, 0.3)])
        Fingerprint(shape=(100, 200), spacing_mm=(0.2, 0.3), images=2, has_spacing=True)
    """
    if not shapes:
        raise InputError("there is no image to plan for")
    known = [spacing for spacing in spacings_mm if spacing is not None and not any(map(math.isnan, spacing))]
    has_spacing = len(known) == len(shapes)
    spacings = np.array(known if has_spacing else [(1.0,) * len(shapes[0])] * len(shapes))
    target = _target(np.array(shapes), spacings)
    shape = np.round(np.median(np.array(shapes) * spacings / target, axis=0)).astype(int)
    return Fingerprint(
        tuple(int(side) for side in shape),
        tuple(round(float(mm), 6) for mm in target),
        len(shapes),
        has_spacing,
    )


def _target(shapes: np.ndarray, spacings_mm: np.ndarray) -> np.ndarray:
    target: np.ndarray = np.median(spacings_mm, axis=0)
    sides = np.median(shapes * spacings_mm / target, axis=0)
    coarse = int(np.argmax(target))
    others = [axis for axis in range(len(target)) if axis != coarse]
    is_coarse = target[coarse] > ANISOTROPY * target[others].max() and sides[coarse] * ANISOTROPY < sides[others].min()
    if len(target) == 3 and is_coarse:
        target[coarse] = max(np.percentile(spacings_mm[:, coarse], 10), target[others].max() + 1e-5)
    return target


def topology(patch: Sides, spacing_mm: Spacing) -> tuple[tuple[Sides, ...], tuple[Sides, ...]]:
    """Strides and kernels of every stage.

    An axis is halved while its map stays at least `SMALLEST_EDGE` long and its spacing is below twice the
    finest; its kernel is 1 until its spacing is within a factor 2 of the finest, 3 from then on.

    Returns:
        Strides, and kernels.

    Example:
        >>> strides, kernels = topology((640, 1024), (0.3, 0.15))
        >>> strides[:3], kernels[:3]
        (((1, 1), (1, 2), (2, 2)), ((1, 3), (3, 3), (3, 3)))
        >>> strides, kernels = topology((20, 256, 224), (5.0, 1.5625, 1.5625))
        >>> strides[:4], kernels[:3]
        (((1, 1, 1), (1, 2, 2), (2, 2, 2), (2, 2, 2)), ((1, 3, 3), (3, 3, 3), (3, 3, 3)))
    """
    axes = len(patch)
    sizes, spacing = patch, spacing_mm
    strides: list[Sides] = [(1,) * axes]
    kernels = [_next_kernel((1,) * axes, spacing)]
    while (stride := _next_stride(sizes, spacing)) != (1,) * axes:
        strides.append(stride)
        # A side that is no multiple is padded to one later on.
        sizes = tuple(-(-size // by) for size, by in zip(sizes, stride, strict=True))
        spacing = tuple(mm * by for mm, by in zip(spacing, stride, strict=True))
        kernels.append(_next_kernel(kernels[-1], spacing))
    kernels[-1] = (3,) * axes
    return tuple(strides), tuple(kernels)


ALIKE = 2 * (1 - 1e-6)
"""Spacings whose ratio is below it count as alike; a hair under 2, so that rounding decides nothing."""


def _next_kernel(before: Sides, spacing_mm: Spacing) -> Sides:
    """3 along an axis once its spacing is like the finest, and from then on; 1 before."""
    finest = min(spacing_mm)
    return tuple(
        3 if known == 3 or spacing / finest < ALIKE else 1 for known, spacing in zip(before, spacing_mm, strict=True)
    )


def _next_stride(sizes: Sides, spacing_mm: Spacing) -> Sides:
    """2 along the axes to be halved next; 1 along all where the network ends."""
    large = [size >= 2 * SMALLEST_EDGE for size in sizes]
    # An axis that is too short to be halved does not hold the other ones back, however fine it is.
    finest = min((spacing for spacing, fits in zip(spacing_mm, large, strict=True) if fits), default=0.0)
    stride = tuple(
        2 if fits and spacing < ALIKE * finest else 1 for spacing, fits in zip(spacing_mm, large, strict=True)
    )
    # Halving one axis alone must leave more than the smallest edge, or it is not worth a stage.
    if stride.count(2) == 1 and sizes[stride.index(2)] < 3 * SMALLEST_EDGE:
        return (1,) * len(sizes)
    return stride


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
    reference = REFERENCES[len(of.shape)]
    budget = reference.values * memory_gb / REFERENCE_GB
    patch = _padded(_first_patch(of), of.spacing_mm)
    # Only until the smallest batch fits: large patches go before large batches.
    while _values(patch, of.spacing_mm, classes) * SMALLEST_BATCH / reference.batch > budget:
        smaller = _shrunk(patch, of)
        if smaller == patch:
            break
        patch = smaller
    values = _values(patch, of.spacing_mm, classes)
    fitting = round(budget / values * reference.batch)
    allowed = round(LARGEST_SHARE * of.images * math.prod(of.shape) / math.prod(patch))
    return Plan(of, patch, max(min(fitting, allowed), SMALLEST_BATCH), _network(patch, of.spacing_mm))


def _first_patch(of: Fingerprint) -> Sides:
    inverse = 1 / np.array(of.spacing_mm)
    size = REFERENCES[len(of.shape)].first_size
    sides = np.round(inverse * (size / inverse.prod()) ** (1 / len(inverse)))
    return tuple(int(side) for side in np.minimum(sides, of.shape))


def _padded(patch: Sides, spacing_mm: Spacing) -> Sides:
    """The next larger patch that its own poolings divide."""
    multiples = _multiples(patch, spacing_mm)
    return tuple(-(-side // multiple) * multiple for side, multiple in zip(patch, multiples, strict=True))


def _shrunk(patch: Sides, of: Fingerprint) -> Sides:
    """One pooling's multiple less on the axis that is largest relative to the median shape."""
    axis = int(np.argmax(np.array(patch) / of.shape))
    # The multiple of the smaller patch, which may be finer: no size in between is to be missed.
    multiple = _multiples(_less(patch, axis, _multiples(patch, of.spacing_mm)[axis]), of.spacing_mm)[axis]
    shrunk = _less(patch, axis, multiple)
    return patch if min(shrunk) < SMALLEST_EDGE else _padded(shrunk, of.spacing_mm)


def _less(patch: Sides, axis: int, by: int) -> Sides:
    return tuple(side - by if index == axis else side for index, side in enumerate(patch))


def _multiples(patch: Sides, spacing_mm: Spacing) -> Sides:
    return tuple(int(multiple) for multiple in np.prod(topology(patch, spacing_mm)[0], axis=0))


def _network(patch: Sides, spacing_mm: Spacing) -> NNUNet2DConfig | NNUNet3DConfig:
    strides, kernels = topology(patch, spacing_mm)
    if len(strides) < 2:
        raise InputError(
            f"no network fits: patches would have {'x'.join(map(str, patch))} pixels",
            remedy=f"give more memory, and images of at least {2 * SMALLEST_EDGE} pixels along one side.",
        )
    widest = REFERENCES[len(patch)].widest
    widths = tuple(min(WIDTH * 2**stage, widest) for stage in range(len(strides)))
    config: Any = NNUNet2DConfig if len(patch) == 2 else NNUNet3DConfig
    return cast(NNUNet2DConfig | NNUNet3DConfig, config(kernels, strides, widths))


def _values(patch: Sides, spacing_mm: Spacing, classes: int) -> float:
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


FOREGROUND = 0.33
"""Share of a batch whose window shows a structure."""


def plan_recipe(plan: Plan, dataset: dict[str, Any], *, name: str, mirrored: bool = False) -> dict[str, Any]:
    """A recipe, as it stands in TOML, that trains what was planned.

    Planes are brought to the target spacing and cut or padded to the patch, where nnU-Net draws patches at random
    and slides a window in use. Of volumes the patch is drawn and slides here too, over planes that are cut or padded
    to the median shape and over all slices of a stack. Numbers of training are nnU-Net's, 250 steps an epoch
    excepted: an epoch here is a pass over the images.

    Args:
        plan: what was planned.
        dataset: name and options of the data set.
        name: of the recipe.
        mirrored: whether a mirrored image is possible; only said, since the data set itself decides.
    """
    config, axes = plan.network, len(plan.patch)
    *depth_mm, height_mm, width_mm = plan.fingerprint.spacing_mm
    resample = {"name": "resample", "height_mm": height_mm, "width_mm": width_mm}
    resample |= {"depth_mm": depth_mm[0]} if depth_mm else {}
    rows, columns = plan.patch[-2:]
    turn = 15 if max(rows, columns) / min(rows, columns) > 1.5 else 180
    windows: dict[str, Any] = {}
    if axes == 3:
        windows = {"crop": list(plan.patch), "foreground": FOREGROUND}
        # Validation sees whole volumes: their sides are multiples too.
        multiples = np.prod(config.strides, axis=0)[1:]
        sides = np.maximum(plan.patch[1:], plan.fingerprint.shape[1:])
        rows, columns = (int(side) for side in -(-sides // multiples) * multiples)
    return {
        "name": name,
        "summary": f"nnU-Net's {axes}D network, planned from {plan.fingerprint.images} images"
        + (", mirrored in training." if mirrored else "; never mirrored."),
        "architecture": {
            "name": f"nnunet{axes}d",
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
        "training": {"epochs": 1000, "batch_size": plan.batch, "gradient_clip": 12.0, **windows},
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
