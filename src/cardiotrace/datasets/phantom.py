"""Phantoms as a data set: patients who are rendered when they are asked for, without any file.

Who a patient is follows from the seed, the patient's number and the choice of diseases, scanners and qualities
alone: the same choice gives the same patients, and a longer list begins with the shorter one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Bool

import cardiotrace.phantoms
from cardiotrace.core import label
from cardiotrace.core.cine import Cine
from cardiotrace.core.errors import ConfigError
from cardiotrace.core.exam import Case, Exam, ExamImage, Patient
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Phase, View
from cardiotrace.datasets.dataset import FilePair, MirrorAxis, exam_named
from cardiotrace.datasets.split import Split
from cardiotrace.phantoms.cmr import CmrPhantom, cmr_exam, sample_cmr
from cardiotrace.phantoms.echo import IMAGE_NAMES, EchoPhantom, echo_exam, sample_echo
from cardiotrace.phantoms.fundus import (
    CAMERAS,
    PHOTOGRAPH_QUALITIES,
    FundusPhantom,
    FundusPicture,
    fundus_picture,
    sample_fundus,
)
from cardiotrace.phantoms.heart import Heart
from cardiotrace.phantoms.population import Pathology, sample_patient
from cardiotrace.phantoms.retina import PATHOLOGIES
from cardiotrace.phantoms.style import STYLES
from cardiotrace.phantoms.vendor import QUALITIES, VENDORS

Kind = Literal["echo", "cmr", "fundus"]
ViewName = Literal["4CH", "2CH"]
VIEWS: Mapping[ViewName, View] = {"4CH": View.A4C, "2CH": View.A2C}
PATIENTS_PER_SEED = 100_000
_PHASES = (Phase.ED, Phase.ES)


@dataclass(frozen=True)
class PhantomConfig:
    """Which phantoms.

    An empty list of diseases means all of them, in turn for hearts, most of them healthy for eyes; of scanners, any for
    cine-MRI, else the one whose real pictures phantoms were matched to; of qualities, a mixture.
    """

    root: Path = Path()
    """Not used: phantoms need no folder."""
    kind: Kind = "echo"
    """Echo, cine-MRI or retinal photograph."""
    count: int = 20
    """Number of patients."""
    seed: int = 0
    """Another seed, other patients."""
    pathologies: tuple[str, ...] = ()
    """Diseases, such as ["normal", "dilated"]."""
    vendors: tuple[str, ...] = ()
    """Styles of scanners or cameras."""
    qualities: tuple[str, ...] = ()
    """Of the pictures: good, medium, poor; cine-MRI has none."""
    views: tuple[ViewName, ...] = ("4CH",)
    """Apical views of an echo."""
    frame_count: int | None = None
    """Frames over a beat; None for the usual number."""
    spacing_mm: float | None = None
    """Size of a square pixel, mm; None for the usual size. Cine-MRI keeps its number of pixels."""

    def __post_init__(self) -> None:
        if not 1 <= self.count <= PATIENTS_PER_SEED:
            raise ConfigError(f"count: {self.count} is out of range", remedy=f"give 1 to {PATIENTS_PER_SEED}.")
        if self.seed < 0:
            raise ConfigError(f"seed: {self.seed} is negative", remedy="give 0 or more.")
        if not self.views:
            raise ConfigError("views: at least one of '4CH', '2CH' is needed")
        known = CHOICES[self.kind]
        for name, given in (
            ("pathologies", self.pathologies),
            ("vendors", self.vendors),
            ("qualities", self.qualities),
        ):
            for value in given:
                if value not in known[name]:
                    remedy = f"{self.kind} has {', '.join(known[name]) or 'none'}."
                    raise ConfigError(f"{name}: there is no {value!r}", remedy=remedy)


CHOICES: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "echo": {"pathologies": tuple(Pathology), "vendors": tuple(VENDORS), "qualities": tuple(QUALITIES)},
    "cmr": {"pathologies": tuple(Pathology), "vendors": tuple(STYLES), "qualities": ()},
    "fundus": {
        "pathologies": tuple(PATHOLOGIES), "vendors": tuple(CAMERAS), "qualities": tuple(PHOTOGRAPH_QUALITIES),
    },
}  # fmt: skip
"""What can be asked for."""


@dataclass(frozen=True)
class Drawn:
    """A patient before the pictures are made."""

    number: int
    """From 1."""
    pathology: str
    patient: Patient
    phantom: EchoPhantom | CmrPhantom | FundusPhantom


@dataclass(frozen=True)
class Made:
    """A patient's pictures, their labels by image name, and the truth as one row of a table."""

    drawn: Drawn
    exam: Exam
    labels: Mapping[str, LabelMap]
    truth: Mapping[str, float | str]
    curves: Mapping[str, tuple[float, ...]]
    """Truth at each frame, such as volume_ml."""
    photograph: FundusPicture | None = None


def draw_patient(config: PhantomConfig, number: int) -> Drawn:
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
    if config.kind == "cmr":
        style = str(rng.choice(config.vendors)) if config.vendors else None
        picture: EchoPhantom | CmrPhantom = replace(
            sample_cmr(seed, pathology=pathology, style=style), long_axis=("4CH",), **_given(config)
        )
    else:
        heart = {name: getattr(sampled.heart, name) for name in Heart.__dataclass_fields__}
        drawn = replace(sample_echo(seed), **heart, **_given(config))
        vendor = str(rng.choice(config.vendors)) if config.vendors else drawn.vendor
        quality: Any = str(rng.choice(config.qualities)) if config.qualities else drawn.quality
        picture = replace(drawn, vendor=vendor, quality=quality)
    return Drawn(number, pathology, patient, picture)


def _given(config: PhantomConfig) -> dict[str, Any]:
    """Options for the renderer that were asked for."""
    given = {"frame_count": config.frame_count, "spacing_mm": config.spacing_mm}
    return {name: value for name, value in given.items() if value is not None}


def _draw_eye(config: PhantomConfig, number: int, seed: int, rng: np.random.Generator) -> Drawn:
    phantom = sample_fundus(
        seed,
        camera=str(rng.choice(config.vendors)) if config.vendors else "chase",
        pathology=str(rng.choice(config.pathologies)) if config.pathologies else None,
        quality=str(rng.choice(config.qualities)) if config.qualities else None,
    )
    return Drawn(number, phantom.pathology, Patient(), phantom)


def make_patient(drawn: Drawn, views: tuple[ViewName, ...] = ("4CH",)) -> Made:
    """Render a patient.

    Args:
        drawn: from `draw_patient`.
        views: of an echo.
    """
    if isinstance(drawn.phantom, FundusPhantom):
        return _make_eye(drawn, drawn.phantom)
    if isinstance(drawn.phantom, CmrPhantom):
        return _make_cmr(drawn, drawn.phantom)
    made = echo_exam(drawn.phantom, views=[VIEWS[name] for name in views])
    truth = made.truth
    row = {
        "quality": drawn.phantom.quality,
        "vendor": drawn.phantom.vendor,
        "heart_rate_bpm": drawn.phantom.heart_rate_bpm,
        "frame_rate_hz": made.exam.frame_rate_hz or 0.0,
        **_heart_row(truth),
        "global_longitudinal_strain_percent": truth.global_longitudinal_strain_percent,
    }
    for name in views:
        seen = made.truths[IMAGE_NAMES[VIEWS[name]]]
        for phase, frame in (("ed", seen.end_diastolic_frame), ("es", seen.end_systolic_frame)):
            row[f"{name.lower()}_area_{phase}_cm2"] = float(seen.area_cm2[frame])
            row[f"{name.lower()}_length_{phase}_mm"] = float(seen.length_mm[frame])
            row[f"{name.lower()}_simpson_{phase}_ml"] = float(seen.simpson_ml[frame])
    curves = {"time_ms": _curve(truth.times_ms), "volume_ml": _curve(truth.volume_ml)}
    return Made(drawn, made.exam, made.labels, {**_patient_row(drawn), **row}, curves)


def _make_cmr(drawn: Drawn, phantom: CmrPhantom) -> Made:
    made = cmr_exam(phantom)
    truth = made.truth
    first, last = truth.end_diastolic_frame, truth.end_systolic_frame
    row = {
        "vendor": phantom.scanner.vendor,
        "style": phantom.style,
        "centre": str(phantom.scanner.centre),
        "field_t": phantom.scanner.sequence.field_t,
        "heart_rate_bpm": phantom.heart_rate_bpm,
        **_heart_row(truth),
        "right_end_diastolic_ml": float(truth.right_ml[first]),
        "right_end_systolic_ml": float(truth.right_ml[last]),
        "right_ejection_fraction_percent": truth.right_ejection_fraction_percent,
        "sliced_end_diastolic_ml": float(truth.sliced_volume_ml[first]),
        "sliced_end_systolic_ml": float(truth.sliced_volume_ml[last]),
        "sliced_mass_g": truth.sliced_mass_g,
    }
    curves = {
        "time_ms": _curve(truth.times_ms), "volume_ml": _curve(truth.volume_ml), "right_ml": _curve(truth.right_ml),
    }  # fmt: skip
    return Made(drawn, made.exam, made.labels, {**_patient_row(drawn), **row}, curves)


def _make_eye(drawn: Drawn, phantom: FundusPhantom) -> Made:
    photograph = fundus_picture(phantom)
    name = f"phantom{phantom.seed:04d}"
    cine = Cine(photograph.image[np.newaxis, np.newaxis], None, view=View.FUNDUS)
    labels = LabelMap(photograph.vessels[np.newaxis, np.newaxis].astype(np.uint8), label.VESSEL, None)
    truth = photograph.truth
    inside = float(photograph.field_of_view.sum())
    row: dict[str, float | str] = {
        "eye": phantom.eye,
        "camera": phantom.camera,
        "quality": phantom.quality,
        "vessel_share_percent": photograph.vessel_share_percent,
        "artery_share_percent": 100 * float(photograph.arteries.sum()) / inside,
        "vein_share_percent": 100 * float(photograph.veins.sum()) / inside,
        "lesion_share_percent": 100 * float(photograph.lesions.sum()) / inside,
        "artery_to_vein_ratio": phantom.artery_to_vein,
        "cup_to_disc_ratio": phantom.cup_to_disc,
        "disc_row": truth.disc_centre[0],
        "disc_column": truth.disc_centre[1],
        "disc_half_height": truth.disc_half_axes[0],
        "disc_half_width": truth.disc_half_axes[1],
        "macula_row": truth.macula_centre[0],
        "macula_column": truth.macula_centre[1],
        "pixels_per_mm": truth.px_per_mm,
    }
    exam = Exam(name, (ExamImage(name, cine),), facts={"source": "phantom", "quality": phantom.quality})
    return Made(drawn, exam, {name: labels}, {**_patient_row(drawn), **row}, {}, photograph)


def _patient_row(drawn: Drawn) -> dict[str, float | str]:
    known = {"sex": drawn.patient.sex, "age_years": drawn.patient.age_years}
    known |= {"height_cm": drawn.patient.height_cm, "weight_kg": drawn.patient.weight_kg}
    row: dict[str, float | str] = {"seed": drawn.phantom.seed, "pathology": str(drawn.pathology)}
    return row | {name: value for name, value in known.items() if value is not None}


def _heart_row(truth: Any) -> dict[str, float | str]:
    """What the truths of echo and cine-MRI have in common; frames count from zero."""
    return {
        "end_diastolic_frame": truth.end_diastolic_frame,
        "end_systolic_frame": truth.end_systolic_frame,
        "end_diastolic_ml": truth.end_diastolic_ml,
        "end_systolic_ml": truth.end_systolic_ml,
        "ejection_fraction_percent": truth.ejection_fraction_percent,
        "mass_g": truth.mass_g,
    }


def _curve(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


@lru_cache(maxsize=1)
def rendering_digest() -> str:
    """Stands for the code that makes phantoms: another digest, other pixels."""
    folder = Path(cardiotrace.phantoms.__file__).parent
    digest = hashlib.sha256()
    for path in (*sorted(folder.glob("*.py")), Path(__file__)):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def choice_digest(config: PhantomConfig) -> str:
    """Stands for a choice of phantoms and the code that makes them; `count` and `root` do not matter.

    Example:
        >>> choice_digest(PhantomConfig(seed=1)) == choice_digest(PhantomConfig(seed=1, count=5))
        True
        >>> choice_digest(PhantomConfig(seed=1)) == choice_digest(PhantomConfig(seed=2))
        False
    """
    facts = {name: value for name, value in asdict(config).items() if name not in ("root", "count")}
    return hashlib.sha256(json.dumps([facts, rendering_digest()], sort_keys=True).encode()).hexdigest()[:8]


@lru_cache(maxsize=2)
def _made(config: PhantomConfig, number: int) -> Made:
    return make_patient(draw_patient(config, number), config.views)


def _read_image(config: PhantomConfig, number: int, image: str, phase: Phase) -> Cine:
    made = _made(config, number)
    cine = next(each.cine for each in made.exam.images if each.name.endswith(image))
    frame = _frame(made, phase)
    return cine if frame is None else replace(cine, frames=cine.frames[frame : frame + 1].copy(), times_ms=None)


def _read_labels(config: PhantomConfig, number: int, image: str, phase: Phase) -> LabelMap:
    made = _made(config, number)
    labels = next(each for name, each in made.labels.items() if name.endswith(image))
    frame = _frame(made, phase)
    return labels if frame is None else replace(labels, array=labels.array[frame : frame + 1].copy())


def _read_field_of_view(config: PhantomConfig, number: int) -> Bool[np.ndarray, "depth height width"]:
    photograph = _made(config, number).photograph
    if photograph is None:
        raise TypeError("only photographs have a field of view")
    return photograph.field_of_view[np.newaxis]


def _frame(made: Made, phase: Phase) -> int | None:
    names = {Phase.ED: "end_diastolic_frame", Phase.ES: "end_systolic_frame"}
    return int(made.truth[names[phase]]) if phase in names else None


@dataclass(frozen=True)
class Phantom:
    """Phantom patients, rendered lazily; ED and ES of each view of a heart, one photograph of an eye.

    Names hold a digest of the choice and of the rendering code, so that caches never mix phantoms of different making.
    """

    config: PhantomConfig

    channel_counts: ClassVar[Mapping[Kind, int]] = {"echo": 1, "cmr": 1, "fundus": 3}
    licence: ClassVar[str] = "made by this program: no terms"
    citation: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """Says which kind it is."""
        return f"phantom-{self.config.kind}"

    @property
    def root(self) -> Path:
        """The folder that was given; nothing is read from it."""
        return self.config.root

    @property
    def scheme(self) -> LabelScheme:
        """Echo as CAMUS, cine-MRI as ACDC, photographs with vessels."""
        return {"echo": label.CAMUS, "cmr": label.ACDC, "fundus": label.VESSEL}[self.config.kind]

    @property
    def views(self) -> tuple[View, ...]:
        """Apical views, short axis, or fundus."""
        if self.config.kind == "echo":
            return tuple(VIEWS[name] for name in self.config.views)
        return (View.SAX,) if self.config.kind == "cmr" else (View.FUNDUS,)

    @property
    def mirror_axes(self) -> tuple[MirrorAxis, ...]:
        """As of the real data sets: none for echo, both for cine-MRI and photographs."""
        return () if self.config.kind == "echo" else ("height", "width")

    @property
    def channels(self) -> int:
        """Photographs are coloured."""
        return self.channel_counts[self.config.kind]

    def cases(self) -> list[Case]:
        """In order of number; nothing is rendered yet."""
        return [case for number in self._numbers.values() for case in self._cases_of(number)]

    def exams(self) -> list[str]:
        """Names of the patients."""
        return list(self._numbers)

    def exam(self, name: str) -> Exam:
        """All images of a patient, whole beats.

        Raises:
            InputError: no such patient.
        """
        made = _made(self.config, self._numbers[exam_named(name, self._numbers, self.name)])
        return replace(made.exam, name=name, patient=made.drawn.patient)

    def splits(self) -> Mapping[str, Split]:
        """`official`: of every ten patients the ninth for validation and the tenth for testing."""
        names = list(self._numbers)
        if len(names) < 3:
            return {}
        return {"official": tenths(names)}

    def pairs(self) -> list[FilePair]:
        """None: there are no files."""
        return []

    def made(self, name: str) -> Made:
        """A patient with the truth.

        Raises:
            InputError: no such patient.
        """
        return _made(self.config, self._numbers[exam_named(name, self._numbers, self.name)])

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        digest = choice_digest(self.config)
        return {f"{self.config.kind}-{digest}-{n:04d}": n for n in range(1, self.config.count + 1)}

    def _cases_of(self, number: int) -> list[Case]:
        drawn = draw_patient(self.config, number)
        name = f"{self.config.kind}-{choice_digest(self.config)}-{number:04d}"
        groups = {"patient": name, "pathology": str(drawn.pathology)}
        if drawn.patient.sex:
            groups["sex"] = drawn.patient.sex
        phantom = drawn.phantom
        if isinstance(phantom, FundusPhantom):
            groups |= {"quality": phantom.quality, "vendor": phantom.camera}
            return [self._case(name, number, View.FUNDUS, Phase.OTHER, groups, {})]
        if isinstance(phantom, CmrPhantom):
            groups |= {"vendor": phantom.scanner.vendor, "centre": str(phantom.scanner.centre)}
        else:
            groups |= {"quality": phantom.quality, "vendor": phantom.vendor}
        facts = {"ejection_fraction_percent": phantom.ejection_fraction_percent}
        return [self._case(name, number, view, phase, groups, facts) for view in self.views for phase in _PHASES]

    def _case(
        self, patient: str, number: int, view: View, phase: Phase, groups: dict[str, str], facts: dict[str, float]
    ) -> Case:
        image = {View.A4C: "_4CH", View.A2C: "_2CH", View.SAX: "_SA"}.get(view, "")
        return Case(
            name=patient if phase is Phase.OTHER else f"{patient}{image}_{phase}",
            view=view,
            phase=phase,
            groups=groups,
            read_image=partial(_read_image, self.config, number, image, phase),
            read_labels=partial(_read_labels, self.config, number, image, phase),
            read_field_of_view=(
                partial(_read_field_of_view, self.config, number) if self.config.kind == "fundus" else None
            ),
            facts=facts,
        )


def tenths(names: list[str]) -> Split:
    """Of every ten names the ninth for validation, the tenth for testing; of fewer than ten, the last two.

    Example:
        >>> tenths(["a", "b", "c"])
        Split(training=('a',), validation=('b',), testing=('c',), missing=())
    """
    if len(names) < 10:
        return Split(tuple(names[:-2]), (names[-2],), (names[-1],))
    parts = {place: tuple(name for index, name in enumerate(names) if index % 10 == place) for place in (8, 9)}
    held = {*parts[8], *parts[9]}
    return Split(tuple(name for name in names if name not in held), parts[8], parts[9])
