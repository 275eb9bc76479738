"""Which heart a cine-MRI shows, in which chest, and the scanner that looks at it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import ACDC, CHAMBERS, MNMS, LabelScheme
from cardiotrace.core.terms import View
from cardiotrace.phantoms.cmr.body import Chest
from cardiotrace.phantoms.cmr.bssfp import Substance
from cardiotrace.phantoms.cmr.style import QUALITIES, STYLES, CmrQuality, CmrStyle
from cardiotrace.phantoms.heart.heart import Heart
from cardiotrace.phantoms.heart.population import Pathology, PhantomPatient, sample_patient
from cardiotrace.phantoms.limits import check_choices, check_ranges

LongAxis = Literal["4CH", "2CH", "3CH"]
LONG_AXIS_VIEWS: Mapping[LongAxis, View] = {
    "4CH": View.FOUR_CHAMBER, "2CH": View.TWO_CHAMBER, "3CH": View.THREE_CHAMBER,
}  # fmt: skip
SCHEMES: Mapping[str, LabelScheme] = {"acdc": ACDC, "mnms": MNMS, "chambers": CHAMBERS}


@dataclass(frozen=True, kw_only=True)
class CmrPhantom(Heart):
    """A heart, the person around it, and the scanner that looks at it.

    Args:
        style: name of a scanner and its protocol, see `STYLES`.
        quality: of the images: noise, breath-holds, triggering and field.
        scheme: whose numbers the labels have.
        frame_count: frames over one beat, 12 to 100.
        short_axis: whether the short-axis stack is imaged.
        long_axis: planes that are imaged besides it.
        shape: (height, width) of the images, pixels; None for that of the style.
        spacing_mm: size of a square pixel, mm; None for that of the style.
        thickness_mm: of short-axis slices, mm; None for that of the style.
        gap_mm: between short-axis slices, mm; None for that of the style.
        snr: signal of left-ventricular blood over noise; None for that of the style, infinite for none.
        breath_mm: spread of the diaphragm's height from breath-hold to breath-hold, mm.
        off_resonance: unevenness of the field over that of the style; from 3 on there are dark bands.
        flow: strength of everything that moving blood does, 0 to 2.
        roll_deg: turn of the heart about its own axis against its usual lie, -40 to 40.
        turn_deg: turn of the long-axis planes about the heart's axis, as whoever plans them misses it, -25 to 25.
        aside_mm: how far beside the heart's axis they lie, mm, -6 to 6.
        leaflet_mm: thickness of the mitral leaflets, mm, 0 to 3.
        chest: the person around the heart.
        seed: of all randomness; the same seed gives the same bytes.

    Raises:
        InputError: a value is out of range, or there is no such style.
    """

    style: str = "siemens_1.5t"
    quality: Literal["good", "medium", "poor"] = "good"
    scheme: Literal["acdc", "mnms", "chambers"] = "acdc"
    frame_count: int = 25
    short_axis: bool = True
    long_axis: tuple[LongAxis, ...] = ()
    shape: tuple[int, int] | None = None
    spacing_mm: float | None = None
    thickness_mm: float | None = None
    gap_mm: float | None = None
    snr: float | None = None
    breath_mm: float = 1.5
    off_resonance: float = 1.0
    flow: float = 1.0
    roll_deg: float = 0.0
    turn_deg: float = 0.0
    aside_mm: float = 0.0
    leaflet_mm: float = 1.6
    chest: Chest = field(default_factory=Chest)
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, _CMR_RANGES)
        check_choices(self, {"style": STYLES, "quality": QUALITIES, "scheme": SCHEMES})
        if unknown := [name for name in self.long_axis if name not in LONG_AXIS_VIEWS]:
            raise InputError(f"unknown plane {unknown[0]!r}", remedy=f"give one of {', '.join(LONG_AXIS_VIEWS)}.")
        if not self.short_axis and not self.long_axis:
            raise InputError("no plane is imaged", remedy="give a long_axis, or leave the short_axis in.")
        if self.shape is not None and min(self.shape) < 64:
            raise InputError(f"shape {self.shape} is too small", remedy="give at least 64 x 64 pixels.")

    @cached_property
    def scanner(self) -> CmrStyle:
        """The style, with what was given here in its place."""
        given = {name: getattr(self, name) for name in ("shape", "spacing_mm", "thickness_mm", "gap_mm", "snr")}
        values = {name: getattr(STYLES[self.style], name) for name in CmrStyle.__dataclass_fields__}
        values["snr"] *= self.imperfection.snr
        return CmrStyle(**(values | {name: value for name, value in given.items() if value is not None}))

    @property
    def imperfection(self) -> CmrQuality:
        """What the quality stands for."""
        return QUALITIES[self.quality]


_CMR_RANGES = (
    ("frame_count", 12, 100),
    ("spacing_mm", 0.5, 3.0),
    ("thickness_mm", 1.0, 15.0),
    ("gap_mm", 0.0, 10.0),
    ("snr", 1.0, math.inf),
    ("breath_mm", 0.0, 10.0),
    ("off_resonance", 0.0, 10.0),
    ("flow", 0.0, 2.0),
    ("roll_deg", -40, 40),
    ("turn_deg", -25, 25),
    ("aside_mm", -6, 6),
    ("leaflet_mm", 0, 3),
)


def sample_cmr(
    seed: int,
    *,
    pathology: Pathology | str | None = None,
    style: str | None = None,
    quality: Literal["good", "medium", "poor"] = "good",
) -> CmrPhantom:
    """A plausible patient in a plausible scanner.

    Args:
        seed: of the patient and the scanner.
        pathology: what the patient has; None for any.
        style: name of the scanner; None for any.
        quality: of the images.

    Raises:
        InputError: there is no such pathology or style.

    Example:
        >>> sample_cmr(1) == sample_cmr(1), sample_cmr(1) == sample_cmr(2)
        (True, False)
    """
    rng = np.random.default_rng([seed, 30])
    drawn = list(Pathology)[int(rng.integers(len(Pathology)))]
    patient = sample_patient(drawn if pathology is None else pathology, seed)
    drawn_style = list(STYLES)[int(rng.integers(len(STYLES)))]
    chest = _sample_chest(patient, seed, rng)
    return CmrPhantom(
        **patient.heart.as_keywords() | _sample_shapes(patient.heart, seed),
        **_sample_planes(seed),
        style=drawn_style if style is None else style,
        quality=quality,
        breath_mm=float(rng.gamma(2, 0.8)),
        off_resonance=float(rng.gamma(4, 0.25)),
        roll_deg=float(np.clip(rng.normal(-8, 9), -35, 35)),
        chest=chest,
        seed=seed,
    )


def _sample_shapes(heart: Heart, seed: int) -> dict[str, Any]:
    """Atria of every size, a thinner apex, right ventricles that lie more or less far around the left one.

    Walls are up to a quarter thinner than mass would have them: experts leave trabeculae to the cavity.
    """
    rng = np.random.default_rng([seed, 35])
    return {
        "atrial_width": float(rng.uniform(1.02, 1.6)),
        "atrial_length_mm": float(np.clip(rng.normal(44, 7), 30, 62)),
        "right_atrial_size": float(np.clip(rng.normal(1.08, 0.14), 0.8, 1.45)),
        "apical_share": float(rng.uniform(0.35, 0.85)),
        "right_half_angle_deg": float(rng.uniform(54, 74)),
        "wall_thickness_mm": max(4.5, heart.wall_thickness_mm * float(rng.uniform(0.75, 1.0))),
    }


def _sample_planes(seed: int) -> dict[str, Any]:
    """How far whoever planned them missed the heart's axis, and how much is seen of the thin leaflets."""
    rng = np.random.default_rng([seed, 36])
    return {
        "turn_deg": float(np.clip(rng.normal(0, 7), -20, 20)),
        "aside_mm": float(np.clip(rng.normal(0, 1.5), -5, 5)),
        "leaflet_mm": float(rng.uniform(0.2, 1.8)),
    }


def _sample_chest(patient: PhantomPatient, seed: int, rng: np.random.Generator) -> Chest:
    """A chest as wide and as fat as somebody of this height, weight and sex has it."""
    size = (patient.height_cm / 172) ** 0.5
    weight_index = patient.weight_kg / (patient.height_cm / 100) ** 2
    return Chest(
        half_width_mm=float(rng.normal(150, 6)) * size,
        half_depth_mm=float(rng.normal(105, 4)) * size,
        fat_mm=float(np.clip((weight_index - 16) * 2.1 + rng.normal(0, 3), 4, 45)),
        breast_mm=float(np.clip(rng.normal(34, 12), 8, 60)) if patient.sex == "f" else 0.0,
        diaphragm_mm=float(rng.normal(0, 5)),
        stomach=(Substance.GUT, Substance.FLUID, Substance.AIR)[int(rng.choice(3, p=[0.6, 0.2, 0.2]))],
        seed=seed,
    )
