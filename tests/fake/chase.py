"""A tiny CHASE_DB1."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_chase(root: Path, *, subjects=(1, 2, 3, 11), flat: bool = False, seed: int = 0) -> None:
    """Write both eyes of each subject with two observers and the field of view; `flat` as the first release is."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:40, :48]
    inside = np.hypot(rows - 20, columns - 24) < 19
    places = {name: root if flat else root / name for name in ("images", "labels1", "labels2", "masks")}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    for subject in subjects:
        for eye in "LR":
            name = f"{subject:02d}{eye}"
            vessel = inside & (np.abs(rows - 20 - 6 * np.sin(columns / 6 + subject)) < 1.5)
            colour = np.where(inside, 150, 5)[..., np.newaxis] * [1.0, 0.5, 0.2]
            colour[vessel] *= 0.5
            photograph = np.clip(colour + rng.normal(0, 4, colour.shape), 0, 255).astype(np.uint8)
            Image.fromarray(photograph).save(places["images"] / f"Image_{name}.jpg", quality=95)
            Image.fromarray(vessel).save(places["labels1"] / f"Image_{name}_1stHO.png")
            Image.fromarray(vessel & (columns > 12)).save(places["labels2"] / f"Image_{name}_2ndHO.png")
            if not flat:
                Image.fromarray(inside.astype(np.uint8) * 255).save(places["masks"] / f"mask_{name}.png")
