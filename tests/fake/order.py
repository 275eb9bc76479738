"""The same labels in another voxel order, as other programs write them: same place, other header."""

from pathlib import Path

import nibabel
import numpy as np

FLIP_X = ((0, -1), (1, 1), (2, 1))
FLIP_Z = ((0, 1), (1, 1), (2, -1))
SWAP_XY = ((1, 1), (0, 1), (2, 1))


def reorder(path: Path, order: tuple[tuple[int, int], ...]) -> None:
    """Write a NIfTI file again by nibabel's `as_reoriented`; two axes become three."""
    image = nibabel.load(path)
    array = np.asanyarray(image.dataobj).copy()
    array = array[..., np.newaxis] if array.ndim == 2 else array
    nibabel.save(nibabel.Nifti1Image(array, image.affine).as_reoriented(np.array(order, float)), path)


def place(path: Path, affine: np.ndarray) -> None:
    """Give a NIfTI file another affine over the same array."""
    image = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.asanyarray(image.dataobj).copy(), affine), path)


def oblique(spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """An affine (x, y, z) turned and moved as a short axis is; spacing (x, y, z), mm."""
    c, s = np.cos(0.6), np.sin(0.6)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing_mm
    affine[:3, 3] = (-31.0, 52.5, 14.25)
    return affine
