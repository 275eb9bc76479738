"""A tiny TED: films of a whole beat."""

from pathlib import Path

import numpy as np

from tests.fake.heart import apical, heart_image, write_metaimage

FRAMES, ED, ES = 8, 1, 4
"""Numbers of ED and ES count from one."""
SPACING_MM = (1.54, 0.154, 0.308)
EJECTION_FRACTIONS = (54, 40, 62)


def beat_sizes(frames: int = FRAMES, *, systole: int = ES - 1) -> np.ndarray:
    """Size of the cavity in each frame: smallest at the frame `systole`, counted from zero, largest at the first."""
    down, up = np.linspace(1.0, 0.75, systole + 1), np.linspace(0.75, 1.0, frames - systole)
    return np.concatenate([down, up[1:] - 0.01])


def write_ted(root: Path, *, patients: int = 3, seed: int = 0) -> list[str]:
    """Write `database/patientNNN` with a film, its labels and settings; labels tell of no atrium."""
    rng = np.random.default_rng(seed)
    names = [f"patient{number:03d}" for number in range(1, patients + 1)]
    for index, name in enumerate(names):
        labels = np.stack([apical((80, 40), size=size) for size in beat_sizes()])
        labels[labels == 3] = 0
        folder = root / "database" / name
        write_metaimage(folder / f"{name}_4CH_sequence.mhd", heart_image(labels, rng), SPACING_MM)
        write_metaimage(folder / f"{name}_4CH_sequence_gt.mhd", labels, SPACING_MM)
        settings = {"ED": ED, "ES": ES, "NbFrame": FRAMES, "Sex": "FM"[index % 2], "Age": 50 + index}
        settings |= {"ImageQuality": "Good", "EF": EJECTION_FRACTIONS[index % 3]}
        text = "".join(f"{key}: {value}\n" for key, value in settings.items())
        (folder / f"{name}_4CH_info.cfg").write_text(text)
    return names
