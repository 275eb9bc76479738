"""Small seeded images of hearts with labels, and the files that fake data sets are made of."""

from pathlib import Path

import nibabel
import numpy as np
import SimpleITK
from numpy.typing import NDArray

Array = NDArray[np.generic]


def apical(shape=(40, 48), *, size=1.0) -> NDArray[np.uint8]:
    """CAMUS labels of an apical view, apex up: 1 cavity, 2 horseshoe of myocardium, 3 atrium below."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    x, y = (columns - shape[1] / 2) / shape[1], (rows - 0.6 * shape[0]) / shape[0]
    above, half = y < 0, 0.16 * size
    labels = np.zeros(shape, np.uint8)
    labels[above & ((x / (half + 0.08)) ** 2 + (y / (0.42 * size + 0.08)) ** 2 < 1)] = 2
    labels[above & ((x / half) ** 2 + (y / (0.42 * size)) ** 2 < 1)] = 1
    labels[~above & ((x / 0.15) ** 2 + (y / 0.3) ** 2 < 1)] = 3
    return labels


def short_axis(depth=4, shape=(40, 48), *, size=1.0, values=(3, 2, 1)) -> NDArray[np.uint8]:
    """Labels (depth, height, width) of a stack: a ring around the LV, the RV beside it; `values` of LV, MYO, RV."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    radius = np.hypot(rows - shape[0] / 2, columns - 0.6 * shape[1])
    beside = np.hypot((rows - shape[0] / 2) / 1.6, columns - 0.36 * shape[1])
    stack = np.zeros((depth, *shape), np.uint8)
    for plane, share in zip(stack, np.linspace(1.0, 0.7, depth), strict=True):
        inner = 6.0 * size * share
        plane[beside < inner] = values[2]
        plane[radius < inner + 4] = values[1]
        plane[radius < inner] = values[0]
    return stack


def heart_image(labels: Array, rng: np.random.Generator, dtype=np.uint8) -> Array:
    """Grey values that differ by label, with speckle."""
    grey = np.array([20, 90, 180, 120] + [60] * 252)[labels]
    return np.clip(grey + rng.normal(0, 12, labels.shape), 0, 255).astype(dtype)


def write_nifti(path: Path, array: Array, spacing_mm: tuple[float, ...]) -> None:
    """Write an array (..., height, width) with spacing in the same order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array.transpose(), np.diag([*(*spacing_mm[::-1], 1.0, 1.0)[:3], 1.0]))
    image.header.set_zooms((*spacing_mm[::-1], 1.0, 1.0)[: array.ndim])
    nibabel.save(image, path)


def write_metaimage(path: Path, array: Array, spacing_mm: tuple[float, float, float]) -> None:
    """Write an array (depth, height, width) as .mhd and .raw."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing(spacing_mm[::-1])
    SimpleITK.WriteImage(image, str(path), useCompression=False)


def rewrite_labels(path: Path, change) -> None:
    """Damage a NIfTI file: `change` gets its array as stored and returns another."""
    image = nibabel.load(path)
    array = change(np.asanyarray(image.dataobj).copy())
    nibabel.save(nibabel.Nifti1Image(array, image.affine), path)


def set_spacing(path: Path, spacing_mm: tuple[float, ...]) -> None:
    """Overwrite the sizes (x, y[, z]) in a NIfTI file, in pixdim and the sform's diagonal, whatever they are."""
    import gzip

    content = bytearray(gzip.decompress(path.read_bytes()))
    for index, value in enumerate(spacing_mm):
        content[80 + 4 * index : 84 + 4 * index] = np.float32(value).tobytes()
        place = 280 + 20 * index  # srow_x[0], srow_y[1], srow_z[2]
        sign = np.sign(np.frombuffer(content, np.float32, 1, place)[0])
        content[place : place + 4] = np.float32(sign * value).tobytes()
    path.write_bytes(gzip.compress(bytes(content)))
