"""Which eye a photograph shows, and the camera that looks at it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cardiotrace.phantoms.fundus.camera import CAMERAS, PHOTOGRAPH_QUALITIES
from cardiotrace.phantoms.fundus.retina import PATHOLOGIES
from cardiotrace.phantoms.limits import check_choices, check_ranges


@dataclass(frozen=True, kw_only=True)
class FundusPhantom:
    """An eye and the camera it is looked at with.

    Args:
        camera: one of `CAMERAS`.
        eye: "left" or "right": on which side of the disc the macula lies.
        pathology: one of `PATHOLOGIES`; its lesions are no vessels.
        quality: of the photograph.
        vein_radius_mm: of the central retinal vein, mm, 0.05 to 0.14.
        artery_to_vein: calibre of arteries over that of veins, 0.4 to 1.
        tortuosity: how much vessels wind, 0 to 4; 1 is ordinary.
        cup_to_disc: 0.1 to 0.9.
        pallor: of the disc, 0 to 1.
        brightness: factor on the light, 0.5 to 1.6.
        tessellation: how clearly choroidal vessels shine through, 0 to 1.
        sheen: glistening of young nerve fibres, 0 to 1.
        seed: of all randomness; the same seed gives the same bytes.

    Raises:
        InputError: a value is out of range.
    """

    camera: str = "chase"
    eye: Literal["left", "right"] = "left"
    pathology: str = "normal"
    quality: Literal["good", "medium", "poor"] = "good"
    vein_radius_mm: float = 0.1
    artery_to_vein: float = 0.76
    tortuosity: float = 1.0
    cup_to_disc: float = 0.4
    pallor: float = 0.6
    brightness: float = 1.0
    tessellation: float = 0.3
    sheen: float = 0.4
    seed: int = 0

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)
        check_choices(self, _CHOICES)


_RANGES = (
    ("vein_radius_mm", 0.05, 0.14),
    ("artery_to_vein", 0.4, 1.0),
    ("tortuosity", 0, 4),
    ("cup_to_disc", 0.1, 0.9),
    ("pallor", 0, 1),
    ("brightness", 0.5, 1.6),
    ("tessellation", 0, 1),
    ("sheen", 0, 1),
)
_CHOICES: Mapping[str, Collection[str]] = {
    "camera": CAMERAS,
    "eye": ("left", "right"),
    "pathology": PATHOLOGIES,
    "quality": PHOTOGRAPH_QUALITIES,
}


def sample_fundus(
    seed: int, *, camera: str = "chase", pathology: str | None = None, quality: str | None = None
) -> FundusPhantom:
    """A plausible eye; one in four has lesions unless the pathology is given.

    Example:
        >>> sample_fundus(1) == sample_fundus(1), sample_fundus(1) == sample_fundus(2)
        (True, False)
    """
    rng = np.random.default_rng([seed, 41])
    drawn_pathology = "normal" if rng.uniform() < 0.75 else str(rng.choice([*PATHOLOGIES][1:]))
    drawn_quality = str(rng.choice([*PHOTOGRAPH_QUALITIES], p=(0.6, 0.3, 0.1)))
    eye: Literal["left", "right"] = "left" if rng.uniform() < 0.5 else "right"
    return FundusPhantom(
        camera=camera,
        eye=eye,
        pathology=drawn_pathology if pathology is None else pathology,
        quality=drawn_quality if quality is None else quality,  # type: ignore[arg-type]
        vein_radius_mm=float(np.clip(rng.normal(0.101, 0.007), 0.08, 0.13)),
        artery_to_vein=float(np.clip(rng.normal(0.79, 0.06), 0.6, 0.95)),
        tortuosity=float(np.clip(rng.lognormal(0.05, 0.3), 0.4, 2.5)),
        cup_to_disc=float(np.clip(rng.normal(0.42, 0.12), 0.15, 0.8)),
        pallor=float(np.clip(rng.normal(0.6, 0.25), 0, 1)),
        brightness=float(np.clip(rng.normal(0.98, 0.16), 0.7, 1.4)),
        tessellation=float(rng.beta(1.2, 2.5)),
        sheen=float(rng.beta(1.2, 1.6)),
        seed=seed,
    )
