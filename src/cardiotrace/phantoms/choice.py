"""Which phantom patients there are: who each is follows from a choice and a number.

Who a patient is follows from the seed, the patient's number and the choice of diseases, scanners and qualities
alone: the same choice gives the same patients, and a longer list begins with the shorter one.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cardiotrace.core.errors import ConfigError
from cardiotrace.core.exam import Patient
from cardiotrace.core.terms import View
from cardiotrace.phantoms.cmr import CmrPhantom, sample_cmr
from cardiotrace.phantoms.cmr import style as cmr_style
from cardiotrace.phantoms.echo import EchoPhantom, sample_echo, vendor
from cardiotrace.phantoms.fundus import CAMERAS, FundusPhantom, sample_fundus
from cardiotrace.phantoms.fundus.camera import PHOTOGRAPH_QUALITIES
from cardiotrace.phantoms.fundus.retina import PATHOLOGIES
from cardiotrace.phantoms.heart import Pathology, sample_patient
from cardiotrace.phantoms.heart.population import PhantomPatient

Kind = Literal["echo", "cmr", "fundus"]
ViewName = Literal["SAX", "4CH", "2CH", "3CH"]
VIEWS: Mapping[ViewName, View] = {
    "SAX": View.SAX, "4CH": View.FOUR_CHAMBER, "2CH": View.TWO_CHAMBER, "3CH": View.THREE_CHAMBER,
}  # fmt: skip
VIEWS_OF: Mapping[Kind, tuple[ViewName, ...]] = {
    "echo": ("4CH", "2CH", "3CH"), "cmr": ("SAX", "4CH", "2CH", "3CH"), "fundus": (),
}  # fmt: skip
"""What each kind can show, the usual one first."""
PATIENTS_PER_SEED = 100_000


@dataclass(frozen=True)
class PhantomConfig:
    """Which phantom patients to make.

    An empty list of diseases means all of them, in turn for hearts, most of them healthy for eyes; of scanners, any for
    cine-MRI, else the one whose real images phantoms were matched to; of qualities, a mixture, of
    cine-MRI good ones.
    """

    kind: Kind = "echo"
    """Echo, cine-MRI or retinal photograph."""
    count: int = 20
    """Number of patients."""
    seed: int = 0
    """Another seed, other patients; the same seed, the same bytes."""
    pathologies: tuple[str, ...] = ()
    """Diseases, such as normal or dilated; default: all of them in turn for hearts, most eyes healthy."""
    vendors: tuple[str, ...] = ()
    """Styles of scanners or cameras; default: as the real data set has them."""
    qualities: tuple[str, ...] = ()
    """Of the images: good, medium, poor; default: mixed for echo and photographs, good for cine-MRI."""
    views: tuple[ViewName, ...] = ()
    """Planes of the heart: of an echo 4CH, 2CH, 3CH; of cine-MRI SAX, 4CH, 2CH, 3CH; default: the first of them, and on
    disk all that its tree has a place for."""
    atria: bool = False
    """Whether both atria are labelled as well; only where cine-MRI has long axes alone."""
    frame_count: int | None = None
    """Frames over a whole beat; None for the usual number."""
    beats: bool = False
    """Whether cases are whole beats, every frame labelled, in place of ED and ES; of hearts alone. On disk the layout
    tells."""
    spacing_mm: float | None = None
    """Size of a square pixel, mm; None for the usual size. Cine-MRI keeps its number of pixels."""

    def __post_init__(self) -> None:
        if not 1 <= self.count <= PATIENTS_PER_SEED:
            raise ConfigError(f"count: {self.count} is out of range", remedy=f"give 1 to {PATIENTS_PER_SEED}.")
        if self.seed < 0:
            raise ConfigError(f"seed: {self.seed} is negative", remedy="give 0 or more.")
        for name, known in {**CHOICES[self.kind], "views": VIEWS_OF[self.kind]}.items():
            for value in (value for value in getattr(self, name) if value not in known):
                remedy = f"{self.kind} has {', '.join(known) or 'none'}."
                raise ConfigError(f"{name}: there is no {value!r}", remedy=remedy)
        if self.beats and self.kind == "fundus":
            raise ConfigError("beats: an eye has none", remedy="leave it out.")
        if self.atria and (self.kind != "cmr" or "SAX" in self.planes):
            raise ConfigError("atria: only long axes of cine-MRI have them", remedy='give views such as ["4CH"].')

    @property
    def planes(self) -> tuple[ViewName, ...]:
        """The views that are shown: those asked for, or the usual one; none of an eye."""
        return self.views or VIEWS_OF[self.kind][:1]


CHOICES: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "echo": {
        "pathologies": tuple(Pathology),
        "vendors": tuple(vendor.VENDORS),
        "qualities": tuple(vendor.QUALITIES),
    },
    "cmr": {
        "pathologies": tuple(Pathology),
        "vendors": tuple(cmr_style.STYLES),
        "qualities": tuple(cmr_style.QUALITIES),
    },
    "fundus": {
        "pathologies": tuple(PATHOLOGIES),
        "vendors": tuple(CAMERAS),
        "qualities": tuple(PHOTOGRAPH_QUALITIES),
    },
}
"""What can be asked for."""


@dataclass(frozen=True)
class SampledPatient:
    """A patient before the images are made."""

    number: int
    """From 1."""
    pathology: str
    patient: Patient
    phantom: EchoPhantom | CmrPhantom | FundusPhantom


def draw_patient(config: PhantomConfig, number: int) -> SampledPatient:
    """Who patient `number` (from 1) of a choice of phantoms is.

    Example:
        >>> config = PhantomConfig(kind="echo", pathologies=("dilated",), count=3)
        >>> drawn = draw_patient(config, 2)
        >>> drawn.pathology, drawn == draw_patient(config, 2)
        ('dilated', True)
    """
    seed = config.seed * PATIENTS_PER_SEED + number
    rng = np.random.default_rng([seed, 50])
    if config.kind == "fundus":
        return _draw_eye(config, number, seed, rng)
    pathologies = config.pathologies or CHOICES[config.kind]["pathologies"]
    pathology = pathologies[(number - 1) % len(pathologies)]
    sampled = sample_patient(pathology, seed)
    patient = Patient(
        sampled.sex.upper(), float(rng.integers(22, 86)), round(sampled.height_cm, 1), round(sampled.weight_kg, 1)
    )
    draw = _draw_cmr if config.kind == "cmr" else _draw_echo
    return SampledPatient(number, pathology, patient, draw(config, sampled, seed, rng))


def _draw_cmr(config: PhantomConfig, sampled: PhantomPatient, seed: int, rng: np.random.Generator) -> CmrPhantom:
    style = _any_of(config.vendors, rng)
    quality: Any = _any_of(config.qualities, rng) or "good"
    drawn = sample_cmr(seed, pathology=sampled.pathology, style=style, quality=quality)
    long_axis = tuple(name for name in config.planes if name != "SAX")
    return replace(
        drawn,
        short_axis="SAX" in config.planes,
        long_axis=long_axis,
        scheme="chambers" if config.atria else "acdc",
        **_given(config),
    )


def _draw_echo(config: PhantomConfig, sampled: PhantomPatient, seed: int, rng: np.random.Generator) -> EchoPhantom:
    drawn = replace(sample_echo(seed), **sampled.heart.as_keywords(), **_given(config))
    vendor = _any_of(config.vendors, rng) or drawn.vendor
    quality: Any = _any_of(config.qualities, rng) or drawn.quality
    return replace(drawn, vendor=vendor, quality=quality)


def _any_of(choices: Sequence[str], rng: np.random.Generator) -> str | None:
    """One of the choices; None, and nothing drawn, where there are none."""
    return str(rng.choice(choices)) if choices else None


def _given(config: PhantomConfig) -> dict[str, Any]:
    """Options for the renderer that were asked for."""
    given = {"frame_count": config.frame_count, "spacing_mm": config.spacing_mm}
    return {name: value for name, value in given.items() if value is not None}


def _draw_eye(config: PhantomConfig, number: int, seed: int, rng: np.random.Generator) -> SampledPatient:
    phantom = sample_fundus(
        seed,
        camera=_any_of(config.vendors, rng) or "chase",
        pathology=_any_of(config.pathologies, rng),
        quality=_any_of(config.qualities, rng),
    )
    return SampledPatient(number, phantom.pathology, Patient(), phantom)


@lru_cache(maxsize=1)
def rendering_digest() -> str:
    """Digest of the code that makes phantoms: another digest, other pixels."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def choice_digest(config: PhantomConfig) -> str:
    """Digest of a choice of phantoms and of the code that makes them; how many and what their cases are do not matter.

    Example:
        >>> choice_digest(PhantomConfig(seed=1)) == choice_digest(PhantomConfig(seed=1, count=5))
        True
        >>> choice_digest(PhantomConfig(seed=1)) == choice_digest(PhantomConfig(seed=2))
        False
    """
    facts = {name: value for name, value in asdict(config).items() if name not in ("count", "beats")}
    return hashlib.sha256(json.dumps([facts, rendering_digest()], sort_keys=True).encode()).hexdigest()[:8]
