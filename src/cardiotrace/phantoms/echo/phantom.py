"""Which heart an echo shows, and how it is seen."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cardiotrace.phantoms.echo.plane import SHORT_AXIS_SHARES, ShortAxis
from cardiotrace.phantoms.echo.vendor import QUALITIES, VENDORS
from cardiotrace.phantoms.heart.heart import Heart
from cardiotrace.phantoms.limits import check_choices, check_ranges


@dataclass(frozen=True, kw_only=True)
class EchoPhantom(Heart):
    """A heart, how it lies under the probe, and how well it is seen.

    Args:
        frame_count: frames over one beat, 12 to 200.
        spacing_mm: size of a square pixel, mm.
        shape: (height, width) of the image, pixels; None fits it to the heart in the proportions of CAMUS.
        tilt_deg: lean of the heart's axis, -20 to 20; positive when the base lies further right than the apex.
        quality: of the image, in the words of CAMUS.
        vendor: style of the scanner, one of `VENDORS`.
        short_axis: level of the parasternal short axis: mitral valve, papillary muscles or apex.
        brightness: grey levels added to every echo.
        seed: of all randomness; the same seed gives the same bytes.
    """

    frame_count: int = 20
    spacing_mm: float = 0.45
    shape: tuple[int, int] | None = None
    tilt_deg: float = 4.0
    quality: Literal["good", "medium", "poor"] = "good"
    vendor: str = "camus"
    short_axis: ShortAxis = "papillary"
    brightness: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, (("frame_count", 12, 200), ("spacing_mm", 0.1, 2.0), ("tilt_deg", -20, 20)))
        check_choices(self, {"quality": QUALITIES, "vendor": VENDORS, "short_axis": SHORT_AXIS_SHARES})


def sample_echo(seed: int) -> EchoPhantom:
    """A plausible patient: EDV 70 to 220 ml, EF 20 to 70 %, the larger the ventricle the weaker on average.

    Example:
        >>> sample_echo(1) == sample_echo(1), sample_echo(1) == sample_echo(2)
        (True, False)
    """
    rng = np.random.default_rng([seed, 4])
    ejection = float(rng.uniform(20, 70))
    volume = float(np.clip(rng.normal(155 - 0.9 * ejection, 28), 70, 220))
    quality: Literal["good", "medium", "poor"] = "good"
    draw = rng.uniform()
    if draw > 0.35:
        quality = "medium" if draw < 0.81 else "poor"
    return EchoPhantom(
        end_diastolic_ml=volume,
        ejection_fraction_percent=ejection,
        heart_rate_bpm=float(rng.uniform(52, 92)),
        sphericity=float(np.clip(rng.normal(0.315 - 0.0006 * (ejection - 50), 0.02), 0.27, 0.38)),
        wall_thickness_mm=float(rng.uniform(8.5, 12.5)),
        bend_mm=float(rng.uniform(-1, 5)),
        tilt_deg=float(rng.uniform(-4, 10)),
        quality=quality,
        brightness=float(rng.normal(0, 14)),
        seed=seed,
    )
