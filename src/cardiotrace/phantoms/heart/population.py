"""Patients with named diseases, whose numbers lie where they have been published."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.phantoms.heart.heart import Heart
from cardiotrace.phantoms.heart.region import Patch, Scar, Thickening
from cardiotrace.phantoms.heart.view import greatest_thickness_mm, heart_truth

INFARCT_ANGLES_DEG = {"LAD": 100.0, "RCA": 230.0, "LCX": 320.0}
"""Middle of the wall that each coronary artery feeds."""


class Pathology(StrEnum):
    """What a patient has, in the groups of ACDC."""

    NORMAL = "normal"
    DILATED = "dilated"
    HYPERTROPHIC = "hypertrophic"
    INFARCT = "infarct"
    RV_DILATED = "rv-dilated"


Range = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """Between which values a group of patients lies.

    Args:
        volume_index: left end-diastolic volume over body surface, ml/m2.
        late_volume_index: left end-systolic volume over body surface, ml/m2.
        ejection_percent: left ejection fraction.
        mass_index: left ventricular mass over body surface, g/m2.
        strain_percent: global longitudinal strain.
        thickness_mm: greatest thickness of the wall at end-diastole.
        right_index: right end-diastolic volume over body surface, ml/m2.
        right_ejection_percent: right ejection fraction.
    """

    volume_index: Range
    late_volume_index: Range
    ejection_percent: Range
    mass_index: Range
    strain_percent: Range
    thickness_mm: Range
    right_index: Range
    right_ejection_percent: Range

    def holds(self, numbers: Mapping[str, float]) -> bool:
        """Whether every number lies in its range."""
        return all(low <= numbers[name] <= high for name, (low, high) in vars(self).items())


# Volumes, mass and EF of the healthy: SCMR 2025 and 2015 (mean +- 2 SD); their strain: the spread between studies of
# Yingchoncharoen 2013. Thickness, and what defines each disease: ACDC (Bernard 2018).
_HEALTHY = {
    "m": Ranges((46, 104), (11, 41), (53, 79), (49, 85), (-22.1, -15.9), (5, 12), (47, 100), (44, 77)),
    "f": Ranges((46, 91), (11, 34), (55, 80), (41, 81), (-22.1, -15.9), (5, 12), (44, 99), (47, 77)),
}
PUBLISHED: Mapping[Pathology, Mapping[str, Ranges]] = {
    Pathology.NORMAL: _HEALTHY,
    Pathology.DILATED: dict.fromkeys(
        "mf", Ranges((100, 190), (60, 171), (10, 40), (60, 150), (-14, -2), (5, 12), (45, 110), (30, 70))
    ),
    Pathology.HYPERTROPHIC: dict.fromkeys(
        "mf", Ranges((46, 104), (10, 45), (55, 80), (110, 220), (-19, -8), (15, 32), (40, 100), (44, 77))
    ),
    Pathology.INFARCT: dict.fromkeys(
        "mf", Ranges((70, 150), (42, 120), (15, 40), (45, 110), (-15, -2), (5, 13), (40, 105), (35, 70))
    ),
    Pathology.RV_DILATED: dict.fromkeys(
        "mf", Ranges((40, 104), (11, 45), (50, 79), (41, 90), (-22.1, -12), (5, 12), (110, 200), (20, 45))
    ),
}
"""Ranges that sampled patients lie in, by disease and sex.

Source:
    Bernard et al. 2018, IEEE TMI 37:2514, section III (definitions of the groups); Kawel-Boehm et al., reference
    values for cardiovascular magnetic resonance, SCMR 2015 and 2025; Yingchoncharoen et al. 2013, J Am Soc
    Echocardiogr 26:185 (strain).
"""


@dataclass(frozen=True)
class PhantomPatient:
    """A made-up patient.

    Args:
        pathology: the disease.
        sex: "m" or "f".
        height_cm: body height.
        weight_kg: body weight.
        heart: what beats in the chest.
    """

    pathology: Pathology
    sex: str
    height_cm: float
    weight_kg: float
    heart: Heart

    @property
    def body_surface_m2(self) -> float:
        """Surface of the body sqrt(height weight / 3600), m2 (Mosteller 1987)."""
        return math.sqrt(self.height_cm * self.weight_kg / 3600)

    def numbers(self) -> dict[str, float]:
        """What `Ranges` speaks of, by its names."""
        heart, surface = self.heart, self.body_surface_m2
        truth = heart_truth(heart, np.array([0.0, heart.cycle.end_systole_ms]), count=121)
        return {
            "volume_index": heart.end_diastolic_ml / surface,
            "late_volume_index": heart.end_systolic_ml / surface,
            "ejection_percent": heart.ejection_fraction_percent,
            "mass_index": truth.mass_g / surface,
            "strain_percent": truth.global_longitudinal_strain_percent,
            "thickness_mm": greatest_thickness_mm(heart.at(np.zeros(1))[0]),
            "right_index": heart.right_end_diastolic_ml / surface,
            "right_ejection_percent": heart.right_ejection_fraction_percent,
        }


def sample_patient(pathology: Pathology | str, seed: int) -> PhantomPatient:
    """A patient drawn at random from those with a disease; the same seed gives the same patient.

    Raises:
        InputError: nobody has such a disease here.

    Example:
        >>> patient = sample_patient("dilated", 3)
        >>> patient.heart.ejection_fraction_percent < 40, patient == sample_patient("dilated", 3)
        (True, True)
    """
    try:
        known = Pathology(pathology)
    except ValueError:
        raise InputError(f"unknown pathology {pathology!r}", remedy=f"give one of {', '.join(Pathology)}.") from None
    rng = np.random.default_rng([seed, 11, list(Pathology).index(known)])
    for _ in range(1000):
        patient = _draw(known, rng)
        if PUBLISHED[known][patient.sex].holds(patient.numbers()):
            return patient
    raise AssertionError(f"no {known} patient found in a thousand")  # pragma: no cover


def sample_heart(pathology: Pathology | str, seed: int) -> Heart:
    """The heart of `sample_patient`."""
    return sample_patient(pathology, seed).heart


@dataclass(frozen=True)
class _Draw:
    """Means and standard deviations to draw a heart from; indices are per m2 of body surface."""

    volume_index: Range
    ejection_percent: Range
    thickness_mm: Range
    sphericity: Range
    longitudinal_share: Range
    right_index: Range
    right_ejection_percent: Range
    heart_rate_bpm: Range = (68, 9)


_DRAWS: Mapping[Pathology, _Draw] = {
    Pathology.NORMAL: _Draw((76, 11), (63, 5), (8.0, 0.7), (0.30, 0.012), (0.25, 0.012), (80, 12), (58, 6)),
    Pathology.DILATED: _Draw((132, 20), (26, 7), (8.6, 0.9), (0.35, 0.02), (0.25, 0.03), (75, 15), (48, 9), (76, 10)),
    Pathology.HYPERTROPHIC: _Draw((74, 10), (67, 5), (12.0, 1.5), (0.285, 0.015), (0.18, 0.02), (68, 10), (60, 6)),
    Pathology.INFARCT: _Draw((100, 16), (32, 6), (8.8, 0.8), (0.325, 0.015), (0.24, 0.03), (70, 12), (52, 7), (72, 10)),
    Pathology.RV_DILATED: _Draw(
        (68, 11), (59, 5), (7.8, 0.7), (0.295, 0.015), (0.24, 0.02), (138, 20), (36, 6), (75, 9)
    ),
}


def _draw(pathology: Pathology, rng: np.random.Generator) -> PhantomPatient:
    """A patient who may lie outside of the ranges."""
    sex = "m" if rng.uniform() < 0.6 else "f"
    height = float(rng.normal(176, 7) if sex == "m" else rng.normal(163, 6))
    weight = float(np.clip(rng.normal(25.5, 3.2), 18.5, 36)) * (height / 100) ** 2
    surface = math.sqrt(height * weight / 3600)
    size = 1.0 if sex == "m" else 0.92
    drawn = {name: float(rng.normal(*spread)) for name, spread in vars(_DRAWS[pathology]).items()}
    heart = Heart(
        end_diastolic_ml=_held(drawn["volume_index"] * size * surface, 40, 400),
        ejection_fraction_percent=_held(drawn["ejection_percent"], 8, 80),
        heart_rate_bpm=_held(drawn["heart_rate_bpm"], 48, 110),
        sphericity=_held(drawn["sphericity"], 0.25, 0.42),
        wall_thickness_mm=_held(drawn["thickness_mm"] * size, 5, 18),
        bend_mm=float(rng.uniform(-1, 4)),
        longitudinal_share=_held(drawn["longitudinal_share"], 0.1, 0.32),
        right_end_diastolic_ml=_held(drawn["right_index"] * size * surface, 40, 500),
        right_ejection_fraction_percent=_held(drawn["right_ejection_percent"], 10, 80),
        twist_deg=_held(float(rng.normal(12, 3)) * min(1.0, drawn["ejection_percent"] / 60), 0, 25),
        scar=_scar(rng) if pathology is Pathology.INFARCT else None,
        thickening=_thickening(rng) if pathology is Pathology.HYPERTROPHIC else None,
    )
    return PhantomPatient(pathology, sex, round(height), round(weight), heart)


def _scar(rng: np.random.Generator) -> Scar:
    """An infarct in the land of one coronary artery; that of the anterior one reaches the apex."""
    artery = str(rng.choice(list(INFARCT_ANGLES_DEG), p=[0.5, 0.3, 0.2]))
    angle = INFARCT_ANGLES_DEG[artery] + float(rng.normal(0, 10))
    height = float(rng.uniform(0.65, 0.85) if artery == "LAD" else rng.uniform(0.35, 0.55))
    patch = Patch(angle, float(rng.uniform(70, 110)), height, float(rng.uniform(0.45, 0.65)))
    return Scar(patch, float(rng.uniform(0.8, 1.1)), float(rng.uniform(0.15, 0.4)))


def _thickening(rng: np.random.Generator) -> Thickening:
    """Asymmetric hypertrophy of the septum, or in one of four hearts hypertrophy all around."""
    if rng.uniform() < 0.25:
        return Thickening(Patch(0.0, 360.0, 0.45, 0.9), float(rng.uniform(0.2, 0.6)))
    patch = Patch(float(rng.normal(145, 15)), float(rng.uniform(90, 140)), float(rng.uniform(0.25, 0.5)), 0.7)
    return Thickening(patch, float(rng.uniform(0.4, 1.0)))


def _held(value: float, low: float, high: float) -> float:
    return float(min(max(value, low), high))
