"""An apical four-chamber echo of a phantom heart, over one beat, with its truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Complex, Float, UInt8

from cardiotrace.core.cine import Cine
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.core.terms import Phase, View
from cardiotrace.phantoms.heart import Heart, HeartState
from cardiotrace.phantoms.sector import HALF_ANGLE_RAD, PointSpread, Sector
from cardiotrace.phantoms.tissue import Tissue, moving_tissues, smooth_noise, surroundings
from cardiotrace.phantoms.truth import Pose, Truth, find_truth, fit_pose, label_frame

IMAGE_NAME = "phantom_4CH"
WAVELENGTH_MM = 0.77
"""Of 2 MHz, the second harmonic's transmit, in tissue."""
GREY_PER_DB = 4.0
"""Slope of the log compression: 255 grey levels are 64 dB."""
BELOW_ATRIUM_MM = 9.0
"""Picture below the lowest contour where the shape is not given."""


@dataclass(frozen=True)
class Quality:
    """What makes a picture good or poor.

    Args:
        noise_db: level of the noise, which changes from frame to frame.
        haze_db: level of the clutter that stands still.
        dropout_db: how much the beams through the lateral wall lose.
        unevenness_db: spread of the gain from beam to beam.
    """

    noise_db: float
    haze_db: float
    dropout_db: float
    unevenness_db: float


QUALITIES: Mapping[str, Quality] = {
    "good": Quality(noise_db=10.5, haze_db=8.0, dropout_db=2.0, unevenness_db=1.0),
    "medium": Quality(noise_db=12.0, haze_db=11.0, dropout_db=4.0, unevenness_db=1.5),
    "poor": Quality(noise_db=13.5, haze_db=14.0, dropout_db=8.0, unevenness_db=2.5),
}


@dataclass(frozen=True, kw_only=True)
class EchoPhantom(Heart):
    """A heart, how it lies under the probe, and how well it is seen.

    Args:
        frame_count: frames over one beat, 12 to 200.
        spacing_mm: size of a square pixel, mm.
        shape: (height, width) of the picture, pixels; None fits it to the heart in the proportions of CAMUS.
        tilt_deg: lean of the heart's axis, -20 to 20; positive when the base lies further right than the apex.
        quality: of the picture, in the words of CAMUS.
        brightness: grey levels added to every echo.
        seed: of all randomness; the same seed gives the same bytes.
    """

    frame_count: int = 20
    spacing_mm: float = 0.45
    shape: tuple[int, int] | None = None
    tilt_deg: float = 4.0
    quality: Literal["good", "medium", "poor"] = "good"
    brightness: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, low, high in (("frame_count", 12, 200), ("spacing_mm", 0.1, 2.0), ("tilt_deg", -20, 20)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} = {value} is out of range", remedy=f"give {low} to {high}.")
        if self.quality not in QUALITIES:
            raise InputError(f"unknown quality {self.quality!r}", remedy=f"give one of {', '.join(QUALITIES)}.")


@dataclass(frozen=True)
class PhantomExam:
    """An exam that was made, not measured: its labels by image name, and what is true of it."""

    exam: Exam
    labels: Mapping[str, LabelMap]
    truth: Truth


def echo_exam(config: EchoPhantom) -> PhantomExam:
    """Picture a phantom heart over one beat.

    Raises:
        InputError: the heart does not fit into the picture that was asked for.

    Example:
        >>> made = echo_exam(EchoPhantom(frame_count=12, spacing_mm=1.0))
        >>> round(made.truth.ejection_fraction_percent, 6)
        60.0
        >>> made.labels["phantom_4CH"].array.shape == made.exam.images[0].cine.frames.shape
        True
    """
    times_ms = config.cycle.times_ms(config.frame_count)
    states = config.at(times_ms)
    pose, reach_mm = fit_pose(states, config.tilt_deg, _apex_depth_mm(config))
    sector = Sector(_shape(config, reach_mm), config.spacing_mm)
    truth = find_truth(config, states, pose, sector)
    scanner = Scanner(config, states[0], pose, sector)
    frames = np.stack([scanner.picture(state) for state in states])[:, None]
    labels = np.stack([label_frame(truth, frame, sector.shape) for frame in range(len(states))])[:, None]
    spacing = (1.0, config.spacing_mm, config.spacing_mm)
    cine = Cine(frames, spacing, times_ms, View.A4C)
    phases = {Phase.ED: truth.end_diastolic_frame, Phase.ES: truth.end_systolic_frame}
    exam = Exam(
        f"phantom{config.seed:04d}",
        (ExamImage(IMAGE_NAME, cine, phases),),
        frame_rate_hz=1000 * config.frame_count / config.cycle.duration_ms,
        facts={"quality": config.quality, "source": "phantom"},
    )
    return PhantomExam(exam, {IMAGE_NAME: LabelMap(labels, CAMUS, spacing)}, truth)


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


def _apex_depth_mm(config: EchoPhantom) -> float:
    """Distance from the probe to the epicardial apex if nothing is in the way, mm."""
    return float(np.random.default_rng([config.seed, 1]).uniform(14, 21))


def _shape(config: EchoPhantom, reach_mm: float) -> tuple[int, int]:
    """The picture's shape: as asked for, or as deep as the heart needs and as wide as the sector is."""
    if config.shape is None:
        height = int(np.ceil((reach_mm + BELOW_ATRIUM_MM) / config.spacing_mm)) + 1
        return height, 2 * int(np.ceil(np.sin(HALF_ANGLE_RAD) * (height - 1))) + 1
    height, width = config.shape
    needed = int(np.ceil(reach_mm / config.spacing_mm)) + 1
    if height < needed or width < 2 * np.sin(HALF_ANGLE_RAD) * (height - 1):
        raise InputError(
            f"the heart does not fit into {height} x {width} pixels of {config.spacing_mm} mm",
            remedy=f"it needs {needed} rows, and 1.22 times as many columns as rows; or leave the shape out.",
        )
    return height, width


class Scanner:
    """The renderer: built once per exam, then one picture after another, in order.

    Scatterers stand in polar coordinates with the phase of the two-way path, are blurred by the point-spread
    function, joined by clutter that stands still and by noise, detected, log-compressed and shown.

    Source:
        Gao et al. 2009, IEEE TUFFC 56:404 (convolution of scatterers, moved by a kinematic model).
    """

    def __init__(self, config: EchoPhantom, first: HeartState, pose: Pose, sector: Sector) -> None:
        self._config, self._pose, self._sector = config, pose, sector
        self._quality = QUALITIES[config.quality]
        self._rng = np.random.default_rng([config.seed, 2])
        self._tissues = [self._surroundings(first), *moving_tissues(first, self._rng)]
        self._amplitude = np.concatenate([tissue.amplitude for tissue in self._tissues])
        self._spread = PointSpread(
            sector, axial_mm=0.38, lateral_rad=(np.deg2rad(0.65), np.deg2rad(0.9)), side_lobe=0.02
        )
        self._grain = PointSpread(sector, axial_mm=0.3, lateral_rad=(np.deg2rad(0.5), np.deg2rad(0.5)))
        self._gain_db = self._uneven_gain_db()
        self._clutter = self._still_clutter()
        self._noise_db = self._quality.noise_db + np.interp(
            sector.ranges_mm / sector.depth_mm, [0, 0.5, 1], [-1, -1, 2]
        )

    def picture(self, heart: HeartState) -> UInt8[np.ndarray, "height width"]:
        """One frame."""
        echoes = self._spread.blur(self._echoes(heart)) * 10 ** (self._gain_db / 20)
        noise = self._grain.blur(self._white() * 10 ** (self._noise_db[:, None] / 20))
        energy = np.abs(echoes + self._clutter + noise) ** 2
        grey = GREY_PER_DB * 10 * np.log10(1 + _smoothed(energy.astype(np.float32)))
        # Scanners stretch the bright end: without this the pericardium stays duller than in CAMUS.
        grey += 0.0009 * grey**2 + self._config.brightness
        shown = np.rint(np.clip(self._sector.show(np.maximum(grey, 1.0)), 0, 255))
        return np.asarray(shown, np.uint8)

    def _echoes(self, heart: HeartState) -> Complex[np.ndarray, "range beam"]:
        """All scatterers at their places of this instant, on the polar grid."""
        places = [tissue.place(heart) for tissue in self._tissues]
        points = np.stack([np.concatenate([place[axis] for place in places]) for axis in (0, 1)], axis=1)
        x, depth = self._pose.to_sector(points, heart).T
        distance, angle = np.hypot(x, depth), np.arctan2(x, depth)
        cell_mm2 = np.maximum(distance, 1.0) * self._sector.range_step_mm * self._sector.beam_step_rad
        phase = np.exp(-4j * np.pi / WAVELENGTH_MM * distance)
        return self._sector.splat(distance, angle, self._amplitude / np.sqrt(cell_mm2) * phase)

    def _surroundings(self, first: HeartState) -> Tissue:
        """Scatterers all over the sector, and a little beyond, that are not the left heart."""
        count = 26_000
        beyond = HALF_ANGLE_RAD + 0.05
        distance = (self._sector.depth_mm + 8) * np.sqrt(self._rng.uniform(0, 1, count))
        angle = self._rng.uniform(-beyond, beyond, count)
        area = beyond * (self._sector.depth_mm + 8) ** 2 / count
        points = np.stack([distance * np.sin(angle), distance * np.cos(angle)], axis=1)
        x, z = self._pose.to_heart(points, first).T
        return surroundings(x, z, np.full(count, area), first, self._rng)

    def _white(self) -> Complex[np.ndarray, "range beam"]:
        shape = (2, len(self._sector.ranges_mm), self._sector.beam_count)
        real, imaginary = self._rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(0.5))
        return np.asarray(real + 1j * imaginary)

    def _uneven_gain_db(self) -> Float[np.ndarray, "range beam"]:
        """Shadows along the beams, the lateral drop-out and the faint edges of the sector, dB."""
        angles = self._sector.angles_rad
        share = self._sector.ranges_mm / self._sector.depth_mm
        waves, phases = self._rng.normal(0, 9, 12), self._rng.uniform(0, 2 * np.pi, 12)
        streaks = np.cos(np.outer(angles, waves) + phases).sum(1) / np.sqrt(6) * self._quality.unevenness_db
        shadow = -self._quality.dropout_db * np.exp(-(((angles - self._rng.uniform(0.3, 0.5)) / 0.12) ** 2))
        edge = -3 * (np.abs(angles) / HALF_ANGLE_RAD) ** 12
        along = np.interp(share, [0, 0.15, 0.8, 1], [-6, 0, 0, -1])
        return np.asarray((streaks + shadow + edge)[None] + along[:, None])

    def _still_clutter(self) -> Complex[np.ndarray, "range beam"]:
        """Haze everywhere and reverberations of the chest wall near the probe: arcs that do not move."""
        ranges = self._sector.ranges_mm
        near = 14 * np.exp(-((ranges / 25) ** 2)) + 3 * np.exp(-ranges / 22) * np.cos(2 * np.pi * ranges / 5.2)
        gap = -9 * np.exp(-(((ranges - 4) / 2) ** 2))
        deep = 7 / (1 + np.exp(-(ranges / self._sector.depth_mm - 0.62) / 0.04))
        across, down = np.meshgrid(self._sector.angles_rad * 60, ranges)
        patches = smooth_noise((across.ravel(), down.ravel()), (15, 15), self._rng).reshape(across.shape)
        level_db = self._quality.haze_db + (near + gap + deep)[:, None] + 3 * patches
        return np.asarray(self._spread.blur(self._white() * 10 ** (level_db / 20)))


def _smoothed(energy: Float[np.ndarray, "range beam"]) -> Float[np.ndarray, "range beam"]:
    """Speckle reduction as scanners do it: each sample averaged with its neighbours."""
    down = energy.copy()
    down[1:-1] = 0.7 * energy[1:-1] + 0.15 * (energy[2:] + energy[:-2])
    across = down.copy()
    across[:, 1:-1] = 0.5 * down[:, 1:-1] + 0.25 * (down[:, 2:] + down[:, :-2])
    return across
