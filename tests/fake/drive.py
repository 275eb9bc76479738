"""A tiny DRIVE."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_drive(root: Path, *, numbers=(1, 2, 21, 22, 23), labels: str = "gif", seed: int = 0) -> None:
    """Write the photographs of either half with its tracings, of two observers in the test half, and fields of view."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:44, :40]
    inside = np.hypot(rows - 22, columns - 20) < 18
    for number in numbers:
        half = "test" if number <= 20 else "training"
        vessel = inside & (np.abs(columns - 20 - 5 * np.sin(rows / 6 + number)) < 1.5)
        colour = np.where(inside, 150, 5)[..., np.newaxis] * [1.0, 0.5, 0.2]
        colour[vessel] *= 0.5
        photograph = np.clip(colour + rng.normal(0, 4, colour.shape), 0, 255).astype(np.uint8)
        written = {
            f"images/{number:02d}_{half}.tif": photograph,
            f"1st_manual/{number:02d}_manual1.{labels}": _bytes(vessel),
            f"mask/{number:02d}_{half}_mask.gif": _bytes(inside),
        }
        if half == "test":
            written[f"2nd_manual/{number:02d}_manual2.{labels}"] = _bytes(vessel & (rows > 12))
        for name, pixels in written.items():
            path = root / half / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # As published: bytes, which Pillow else replaces by the two indices of a palette.
            Image.fromarray(pixels).save(path, **({"optimize": False} if path.suffix == ".gif" else {}))


def _bytes(mask: np.ndarray) -> np.ndarray:
    return mask.astype(np.uint8) * 255
