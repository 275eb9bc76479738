"""A tiny ACDC."""

from pathlib import Path

import numpy as np

from tests.fake.heart import heart_image, short_axis, write_nifti

SPACING_MM = (10.0, 1.5, 1.4)
GROUPS = ("DCM", "HCM", "MINF", "NOR", "RV")


def write_acdc(root: Path, *, training: int = 3, testing: int = 0, videos: bool = False, seed: int = 0) -> None:
    """Write `database/{training,testing}/patientNNN` with labels 1 RV, 2 MYO, 3 LV; `videos` adds the whole beat."""
    rng = np.random.default_rng(seed)
    places = [("training", number) for number in range(1, training + 1)]
    places += [("testing", number) for number in range(101, 101 + testing)]
    for part, number in places:
        name = f"patient{number:03d}"
        folder = root / "database" / part / name
        for frame, size in ((1, 1.0), (12, 0.7)):
            labels = short_axis(size=size)
            write_nifti(folder / f"{name}_frame{frame:02d}.nii.gz", heart_image(labels, rng, np.int16), SPACING_MM)
            write_nifti(folder / f"{name}_frame{frame:02d}_gt.nii.gz", labels, SPACING_MM)
        if videos:
            video = np.stack([heart_image(short_axis(), rng, np.int16) for _ in range(14)])
            write_nifti(folder / f"{name}_4d.nii.gz", video, (1.0, *SPACING_MM))
        group = GROUPS[number % len(GROUPS)]
        text = f"ED: 1\nES: 12\nGroup: {group}\nHeight: 184.0\nNbFrame: 14\nWeight: 95.0\n"
        (folder / "Info.cfg").write_text(text)
