"""Cine-MRI of a phantom heart over one beat: a short-axis stack and long-axis planes, with their truth."""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float

from cardiotrace.core.cine import Cine, Spacing
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import ACDC, MNMS, LabelMap, LabelScheme
from cardiotrace.core.terms import Phase, View
from cardiotrace.phantoms.body import Axes, Chest
from cardiotrace.phantoms.bssfp import Substance
from cardiotrace.phantoms.heart import MYOCARDIAL_DENSITY_G_PER_ML, Heart, HeartState
from cardiotrace.phantoms.population import Pathology, sample_patient
from cardiotrace.phantoms.scan import Film, Scene, film
from cardiotrace.phantoms.slices import Plane, section_areas
from cardiotrace.phantoms.style import STYLES, CmrStyle

LongAxis = Literal["4CH", "2CH", "3CH"]
PLANE_DEG: Mapping[LongAxis, float] = {"4CH": 0.0, "2CH": 60.0, "3CH": 120.0}
SCHEMES: Mapping[str, LabelScheme] = {"acdc": ACDC, "mnms": MNMS}
LONG_THICKNESS_MM = 6.0
WORKERS = 2


@dataclass(frozen=True, kw_only=True)
class CmrPhantom(Heart):
    """A heart, the person around it, and the scanner that looks at it.

    Args:
        style: name of a scanner and its protocol, see `STYLES`.
        scheme: whose numbers the labels have.
        frame_count: frames over one beat, 12 to 100.
        long_axis: planes that are pictured besides the short-axis stack.
        shape: (height, width) of the pictures, pixels; None for that of the style.
        spacing_mm: size of a square pixel, mm; None for that of the style.
        thickness_mm, gap_mm: of short-axis slices, mm; None for those of the style.
        snr: signal of left-ventricular blood over noise; None for that of the style, infinite for none.
        breath_mm: spread of the diaphragm's height from breath-hold to breath-hold, mm.
        off_resonance: unevenness of the field over that of the style; from 3 on there are dark bands.
        flow: strength of everything that moving blood does, 0 to 2.
        roll_deg: turn of the heart about its own axis against its usual lie, -40 to 40.
        chest: the person around the heart.
        seed: of all randomness; the same seed gives the same bytes.

    Raises:
        InputError: a value is out of range, or there is no such style.
    """

    style: str = "siemens_1.5t"
    scheme: Literal["acdc", "mnms"] = "acdc"
    frame_count: int = 25
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
    chest: Chest = field(default_factory=Chest)
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, low, high in _CMR_RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"{name} = {value} is out of range", remedy=f"give {low} to {high}.")
        if self.style not in STYLES:
            raise InputError(f"unknown style {self.style!r}", remedy=f"give one of {', '.join(STYLES)}.")
        if self.scheme not in SCHEMES:
            raise InputError(f"unknown scheme {self.scheme!r}", remedy=f"give one of {', '.join(SCHEMES)}.")
        if unknown := [name for name in self.long_axis if name not in PLANE_DEG]:
            raise InputError(f"unknown plane {unknown[0]!r}", remedy=f"give one of {', '.join(PLANE_DEG)}.")
        if self.shape is not None and min(self.shape) < 64:
            raise InputError(f"shape {self.shape} is too small", remedy="give at least 64 x 64 pixels.")

    @cached_property
    def scanner(self) -> CmrStyle:
        """The style, with what was given here in its place."""
        given = {name: getattr(self, name) for name in ("shape", "spacing_mm", "thickness_mm", "gap_mm", "snr")}
        values = {name: getattr(STYLES[self.style], name) for name in CmrStyle.__dataclass_fields__}
        return CmrStyle(**(values | {name: value for name, value in given.items() if value is not None}))


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
)


@dataclass(frozen=True)
class CmrTruth:
    """The answer: one entry per frame.

    Volumes are of the heart itself; those that begin with `sliced` are what the stack's slices give when every
    section is known exactly: areas times the distance between slices, of the slices where breath put them.
    """

    times_ms: Float[np.ndarray, " time"]
    volume_ml: Float[np.ndarray, " time"]
    right_ml: Float[np.ndarray, " time"]
    wall_ml: Float[np.ndarray, " time"]
    slice_heights_mm: Float[np.ndarray, " slices"]
    """Of the slices' middles above the mitral plane of end-diastole."""
    sliced_volume_ml: Float[np.ndarray, " time"]
    sliced_right_ml: Float[np.ndarray, " time"]
    sliced_wall_ml: Float[np.ndarray, " time"]
    end_diastolic_frame: int
    end_systolic_frame: int

    @property
    def end_diastolic_ml(self) -> float:
        """Largest left cavity volume, ml."""
        return float(self.volume_ml[self.end_diastolic_frame])

    @property
    def end_systolic_ml(self) -> float:
        """Smallest left cavity volume, ml."""
        return float(self.volume_ml[self.end_systolic_frame])

    @property
    def ejection_fraction_percent(self) -> float:
        """Share of the left end-diastolic volume that the beat ejects, percent."""
        return 100 * (1 - self.end_systolic_ml / self.end_diastolic_ml)

    @property
    def right_ejection_fraction_percent(self) -> float:
        """Share of the right ventricle's end-diastolic volume that the beat ejects, percent."""
        return float(100 * (1 - self.right_ml[self.end_systolic_frame] / self.right_ml[self.end_diastolic_frame]))

    @property
    def mass_g(self) -> float:
        """Mass of the left ventricle's wall, g."""
        return float(self.wall_ml[self.end_diastolic_frame]) * MYOCARDIAL_DENSITY_G_PER_ML

    @property
    def sliced_mass_g(self) -> float:
        """Mass that the end-diastolic slices give, g."""
        return float(self.sliced_wall_ml[self.end_diastolic_frame]) * MYOCARDIAL_DENSITY_G_PER_ML


@dataclass(frozen=True)
class CmrExam:
    """An exam that was made, not measured: its labels by image name, and what is true of it."""

    exam: Exam
    labels: Mapping[str, LabelMap]
    truth: CmrTruth


def cmr_exam(config: CmrPhantom) -> CmrExam:
    """Picture a phantom heart over one beat by cine-MRI.

    The images are `phantomNNNN_SA`, slices from base to apex, and `phantomNNNN_LA_4CH` and so on, one slice each.
    In a short-axis picture the right ventricle is on the left and the anterior wall on top.

    Example:
        >>> made = cmr_exam(CmrPhantom(frame_count=12, shape=(96, 96), spacing_mm=3.0, thickness_mm=15.0))
        >>> made.exam.images[0].name, made.exam.images[0].cine.frames.shape == made.labels["phantom0000_SA"].array.shape
        ('phantom0000_SA', True)
        >>> round(made.truth.ejection_fraction_percent, 6)
        60.0
    """
    times_ms = config.cycle.times_ms(config.frame_count)
    states = config.at(times_ms)
    layout = Layout(config, states)
    planes = [*layout.stack, *(layout.long_axis(name) for name in config.long_axis)]
    with ThreadPoolExecutor(WORKERS) as pool:
        films = list(pool.map(lambda item: layout.film(*item), enumerate(planes)))
    truth = _truth(config, states, layout)
    phases = {Phase.ED: truth.end_diastolic_frame, Phase.ES: truth.end_systolic_frame}
    scanner, name = config.scanner, f"phantom{config.seed:04d}"
    count = len(layout.stack)
    images, labels = [], {}
    parts = [("SA", films[:count], View.SAX, scanner.thickness_mm + scanner.gap_mm)]
    parts += [
        (f"LA_{plane}", [made], View.LAX, LONG_THICKNESS_MM)
        for plane, made in zip(config.long_axis, films[count:], strict=True)
    ]
    for suffix, made, view, depth_mm in parts:
        spacing: Spacing = (depth_mm, scanner.spacing_mm, scanner.spacing_mm)
        cine = Cine(np.stack([one.frames for one in made], axis=1), spacing, times_ms, view)
        images.append(ExamImage(f"{name}_{suffix}", cine, phases))
        array = np.stack([one.labels for one in made], axis=1)
        labels[f"{name}_{suffix}"] = LabelMap(array, SCHEMES[config.scheme], spacing)
    facts = {
        "source": "phantom",
        "vendor": scanner.vendor,
        "centre": str(scanner.centre),
        "field": f"{scanner.sequence.field_t:g}",
    }
    rate = 1000 * config.frame_count / config.cycle.duration_ms
    return CmrExam(Exam(name, tuple(images), frame_rate_hz=rate, facts=facts), labels, truth)


class Layout:
    """Where the heart lies in the chest and the slices lie in the heart."""

    def __init__(self, config: CmrPhantom, states: tuple[HeartState, ...]) -> None:
        self._config, self._states = config, states
        rng = np.random.default_rng([config.seed, 31])
        half = states[0].cavity.length_mm / 2
        lie, turn = 32 + rng.normal(0, 3), 47 + rng.normal(0, 3)
        self.axes = Axes.of(lie, turn, config.roll_deg, half)
        self._middle = rng.normal((-6.0, 12.0), (5.0, 6.0))
        self._first = float(rng.uniform(-0.35, 0.35))
        self._breaths_mm = rng.normal(0, 1, 100) * config.breath_mm

    @cached_property
    def stack(self) -> tuple[Plane, ...]:
        """Short-axis planes from base to apex; the picture is upright in the chest, not in the heart."""
        scanner = self._config.scanner
        step = scanner.thickness_mm + scanner.gap_mm
        count = math.ceil(self._states[0].epicardium.length_mm / step - self._first) + 1
        roll = math.radians(self._config.roll_deg)
        right, down = (math.cos(roll), -math.sin(roll), 0.0), (-math.sin(roll), -math.cos(roll), 0.0)
        middle = np.array(right) * self._middle[0] + np.array(down) * self._middle[1]
        return tuple(
            Plane((float(middle[0]), float(middle[1]), (index + self._first) * step), right, down)
            for index in range(count)
        )

    def breath(self, index: int) -> Float[np.ndarray, "3"]:
        """How far breath has moved the heart in a slice, in heart coordinates, mm."""
        return np.asarray(self.axes.matrix @ np.array([0.0, 0.0, self._breaths_mm[index]]))

    @property
    def heights_mm(self) -> Float[np.ndarray, " slices"]:
        """Heights in the heart at which the slices cut it."""
        return np.array([plane.middle_mm[2] - self.breath(index)[2] for index, plane in enumerate(self.stack)])

    def long_axis(self, name: LongAxis) -> Plane:
        """A plane through the heart's axis: the person's left is on the right, or the back where it has no left."""
        angle = math.radians(PLANE_DEG[name])
        across = np.array([math.cos(angle), math.sin(angle), 0.0])
        along = np.array([0.0, 0.0, 1.0])
        wanted = np.array([1.0, 0.0, 0.0]) if name == "4CH" else np.array([0.0, -1.0, 0.0])
        seen = self.axes.matrix @ wanted
        right = across * (seen @ across) + along * (seen @ along)
        right /= np.linalg.norm(right)
        up_wanted = self.axes.matrix @ (np.array([0.0, 1.0, 0.0]) if name == "4CH" else np.array([0.0, 0.0, 1.0]))
        up = up_wanted - right * (up_wanted @ right)
        normal = np.cross(across, along)
        up -= normal * (up @ normal)
        up /= np.linalg.norm(up)
        middle = along * self._states[0].cavity.length_mm * 0.35 - across * 10.0
        return Plane(_vector(middle), _vector(right), _vector(-up))

    def film(self, index: int, plane: Plane) -> Film:
        """All frames of one plane, with their labels."""
        config = self._config
        is_short = index < len(self.stack)
        scene = Scene(
            states=self._states,
            frame_ms=config.cycle.duration_ms / config.frame_count,
            axes=self.axes,
            chest=config.chest,
            scanner=config.scanner,
            plane=plane,
            thickness_mm=config.scanner.thickness_mm if is_short else LONG_THICKNESS_MM,
            breath_mm=float(self._breaths_mm[index]),
            off_resonance=config.off_resonance,
            flow=config.flow,
            seed=config.seed,
        )
        return film(scene, SCHEMES[config.scheme], np.random.default_rng([config.seed, 32, index]))


def _vector(values: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _truth(config: CmrPhantom, states: tuple[HeartState, ...], layout: Layout) -> CmrTruth:
    step = config.scanner.thickness_mm + config.scanner.gap_mm
    heights = layout.heights_mm
    sliced = [section_areas(state, heights) for state in states]
    volume_ml = np.array([state.volume_ml for state in states])
    return CmrTruth(
        times_ms=config.cycle.times_ms(len(states)),
        volume_ml=volume_ml,
        right_ml=np.array([state.right_ml for state in states]),
        wall_ml=np.array([state.wall_ml for state in states]),
        slice_heights_mm=heights,
        sliced_volume_ml=np.array([areas.left.sum() for areas in sliced]) * step / 1000,
        sliced_right_ml=np.array([areas.right.sum() for areas in sliced]) * step / 1000,
        sliced_wall_ml=np.array([areas.wall.sum() for areas in sliced]) * step / 1000,
        end_diastolic_frame=int(np.argmax(volume_ml)),
        end_systolic_frame=int(np.argmin(volume_ml)),
    )


def sample_cmr(seed: int, *, pathology: Pathology | str | None = None, style: str | None = None) -> CmrPhantom:
    """A plausible patient in a plausible scanner.

    Args:
        seed: of the patient and the scanner.
        pathology: what the patient has; None for any.
        style: name of the scanner; None for any.

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
    size = (patient.height_cm / 172) ** 0.5
    weight_index = patient.weight_kg / (patient.height_cm / 100) ** 2
    chest = Chest(
        half_width_mm=float(rng.normal(150, 6)) * size,
        half_depth_mm=float(rng.normal(105, 4)) * size,
        fat_mm=float(np.clip((weight_index - 16) * 2.1 + rng.normal(0, 3), 4, 45)),
        breast_mm=float(np.clip(rng.normal(34, 12), 8, 60)) if patient.sex == "f" else 0.0,
        diaphragm_mm=float(rng.normal(0, 5)),
        stomach=(Substance.GUT, Substance.FLUID, Substance.AIR)[int(rng.choice(3, p=[0.6, 0.2, 0.2]))],
        seed=seed,
    )
    return CmrPhantom(
        **{name: getattr(patient.heart, name) for name in Heart.__dataclass_fields__},
        style=drawn_style if style is None else style,
        breath_mm=float(rng.gamma(2, 0.8)),
        off_resonance=float(rng.gamma(4, 0.25)),
        roll_deg=float(np.clip(rng.normal(-8, 9), -35, 35)),
        chest=chest,
        seed=seed,
    )
