"""A tiny Sunnybrook archive."""

from pathlib import Path

import numpy as np

from tests.fake.heart import heart_image, short_axis


def write_sunnybrook(root: Path, *, slices=(4, 3, 5), seed: int = 0) -> Path:
    """Write `scd_lvsegs.npz` with one stack of rings per entry of `slices`; the last patient is hypertrophic."""
    rng = np.random.default_rng(seed)
    stops = np.cumsum(slices)
    total = int(stops[-1])
    labels = np.concatenate([short_axis(depth, (64, 64), values=(0, 1, 0)) for depth in slices])
    hypertrophic = np.arange(total) >= stops[-2]
    root.mkdir(parents=True, exist_ok=True)
    path = root / "scd_lvsegs.npz"
    np.savez_compressed(
        path,
        images=heart_image(labels, rng, np.uint16),
        segs=labels.astype(np.int32),
        caseIndices=np.stack([stops - slices, stops], axis=1),
        imageIsHyp=hypertrophic,
        caseCat=np.where(hypertrophic, 3, 1),
        caseVoxelSize=np.tile(np.float32([1.3672, 1.25, 8.0]), (total, 1)),
    )
    return path
