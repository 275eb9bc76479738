"""The ultrasound scanner: from scatterers to grey levels."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Complex, Float, UInt8

from cardiotrace.core.terms import View
from cardiotrace.phantoms.echo.phantom import EchoPhantom
from cardiotrace.phantoms.echo.plane import EchoView
from cardiotrace.phantoms.echo.sector import PointSpread
from cardiotrace.phantoms.echo.tissue import ELEVATION_MM, Slab, scatterers_in, smooth_noise
from cardiotrace.phantoms.echo.vendor import QUALITIES, VENDORS
from cardiotrace.phantoms.heart.heart import HeartState

SCATTERERS_PER_MM2 = 2.6
SLAB_MM = 3.0
"""How far off the plane scatterers are looked for."""
ELEVATION_GAIN = 1.45
"""Makes the mean square of the beam's profile across the slab one."""
CHEST_WALL_MM = 9.0
"""Way between the chest wall and the probe, there and back once more."""


class Scanner:
    """The renderer: built once per view, then one image after another, in order.

    Scatterers stand in polar coordinates with the phase of the two-way path, are blurred by the point-spread
    function, joined by clutter that stands still and by noise, detected, log-compressed and shown.

    Source:
        Gao et al. 2009, IEEE TUFFC 56:404 (convolution of scatterers, moved by a kinematic model).
    """

    def __init__(self, config: EchoPhantom, states: Sequence[HeartState], view: EchoView) -> None:
        first, self._travel_mm = states[0], max(state.rise_mm for state in states)
        self._config, self._plane, self._pose, self._sector = config, view.plane, view.pose, view.sector
        self._quality, self._vendor = QUALITIES[config.quality], VENDORS[config.vendor]
        self._rng = np.random.default_rng([config.seed, 2, list(View).index(view.plane.view)])
        self._scatterers = scatterers_in(self._slab(first), self._beam(), self._rng)
        self._amplitude = np.concatenate([kind.amplitude for kind in self._scatterers]).astype(np.float32)
        near, far = np.deg2rad(self._vendor.lateral_deg)
        self._spread = PointSpread(view.sector, self._vendor.axial_mm, (float(near), float(far)), side_lobe=0.02)
        self._grain = PointSpread(view.sector, self._vendor.grain_mm, (0.77 * float(near), 0.77 * float(near)))
        self._gain = 10 ** (self._uneven_gain_db() / 20).astype(np.float32)
        self._clutter = self._still_clutter()
        noise_db = self._quality.noise_db + np.interp(
            view.sector.ranges_mm / view.sector.depth_mm, [0, 0.5, 1], [-1, -1, 2]
        )
        self._noise = (10 ** (noise_db / 20)).astype(np.float32)[:, None]

    def image(self, heart: HeartState) -> UInt8[np.ndarray, "height width"]:
        """One frame."""
        echoes = self._reverberated(self._spread.blur(self._echoes(heart))) * self._gain
        noise = self._grain.blur(self._white() * self._noise)
        total = echoes + self._clutter + noise
        energy = total.real**2 + total.imag**2
        for _ in range(self._vendor.smoothing):
            energy = _smoothed(energy)
        grey = self._vendor.grey_per_db * 10 * np.log10(1 + energy)
        # Scanners stretch the bright end: without this the pericardium stays duller than in CAMUS.
        grey += self._vendor.stretch * grey**2 + self._config.brightness
        shown = np.rint(np.clip(self._sector.show(np.maximum(grey, 1.0)), 0, 255))
        return np.asarray(shown, np.uint8)

    def _echoes(self, heart: HeartState) -> Complex[np.ndarray, "range beam"]:
        """All scatterers at their places of this instant, on the polar grid."""
        places = [self._plane.project(kind.place(heart), heart) for kind in self._scatterers]
        across, along, off = (np.concatenate([place[axis] for place in places]) for axis in range(3))
        x, depth = self._pose.to_sector(across, along)
        seen = np.flatnonzero(np.abs(off) < SLAB_MM)
        x, depth, off = x[seen], depth[seen], off[seen]
        distance, angle = np.hypot(x, depth), np.arctan2(x, depth)
        # A cell of the polar grid grows with depth: strengths are scaled so that tissue is as bright far away as near.
        cell_mm2 = np.maximum(distance, 1.0) * self._sector.range_step_mm * self._sector.beam_step_rad
        profile = ELEVATION_GAIN * np.exp(-0.5 * (off / ELEVATION_MM) ** 2)
        # The phase of the way there and back, in units of the wavelength, is what makes speckle of scatterers.
        turns = (-4 * np.pi / self._vendor.wavelength_mm * distance).astype(np.float32)
        strength = (self._amplitude[seen] * profile / np.sqrt(cell_mm2)).astype(np.float32)
        return self._sector.splat(distance, angle, strength * np.exp(1j * turns))

    def _slab(self, first: HeartState) -> Slab:
        """Points all over the sector and a little beyond, and as far off the plane as tissue passes through it."""
        below = self._travel_mm if self._plane.is_short_axis else 0.0
        # Across the axis tissue moves through the plane: as much more is needed on the side that it comes from.
        layers = 1 + below / (2 * SLAB_MM)
        count = int(SCATTERERS_PER_MM2 * layers * self._sector.half_angle_rad * self._sector.depth_mm**2)
        beyond, reach = self._sector.half_angle_rad + 0.05, self._sector.depth_mm + 8
        # The root makes them equally dense per area; uniform distances would crowd them at the tip.
        distance = reach * np.sqrt(self._rng.uniform(0, 1, count))
        angle = self._rng.uniform(-beyond, beyond, count)
        off = self._rng.uniform(-SLAB_MM - below, SLAB_MM, count)
        across, along = self._pose.to_plane(distance * np.sin(angle), distance * np.cos(angle))
        return Slab(self._plane, first, across, along, off, layers * beyond * reach**2 / count)

    def _beam(self) -> tuple[float, float]:
        """Direction straight down, in the plane."""
        across, along = self._pose.to_plane(np.zeros(2), np.array([0.0, 1.0]))
        return float(across[1] - across[0]), float(along[1] - along[0])

    def _white(self) -> Complex[np.ndarray, "range beam"]:
        shape = (len(self._sector.ranges_mm), self._sector.beam_count, 2)
        parts = self._rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(0.5))
        return np.asarray(parts.view(np.complex64)[..., 0])

    def _reverberated(self, echoes: Complex[np.ndarray, "range beam"]) -> Complex[np.ndarray, "range beam"]:
        """With the second echoes that went once more between the chest wall and the probe."""
        later = max(1, round(CHEST_WALL_MM / self._sector.range_step_mm))
        echoes[later:] += np.float32(10 ** (self._quality.reverberation_db / 20)) * echoes[:-later]
        return echoes

    def _uneven_gain_db(self) -> Float[np.ndarray, "range beam"]:
        """Shadows along the beams, the lateral drop-out and the faint edges of the sector, dB."""
        angles, half = self._sector.angles_rad, self._sector.half_angle_rad
        share = self._sector.ranges_mm / self._sector.depth_mm
        waves, phases = self._rng.normal(0, 9, 12), self._rng.uniform(0, 2 * np.pi, 12)
        streaks = np.cos(np.outer(angles, waves) + phases).sum(1) / np.sqrt(6) * self._quality.unevenness_db
        dropout = -self._quality.dropout_db * np.exp(-(((angles - self._rng.uniform(0.3, 0.5)) / 0.12) ** 2))
        # A rib or the lung covers the beams beyond some angle, on either side.
        side, rim = self._rng.choice([-1.0, 1.0]), half * self._rng.uniform(0.72, 0.95)
        shadow = -self._quality.shadow_db / (1 + np.exp(-(side * angles - rim) / 0.03))
        edge = -3 * (np.abs(angles) / half) ** 12
        along = np.interp(share, [0, 0.15, 0.8, 1], [-6, 0, 0, -1])
        return np.asarray((streaks + dropout + shadow + edge)[None] + along[:, None] + self._vendor.gain_db)

    def _still_clutter(self) -> Complex[np.ndarray, "range beam"]:
        """Haze everywhere and reverberations of the chest wall near the probe: arcs that do not move."""
        ranges = self._sector.ranges_mm
        near = self._vendor.near_db * np.exp(-((ranges / 25) ** 2))
        near += 3 * np.exp(-ranges / 22) * np.cos(2 * np.pi * ranges / 5.2)
        gap = -9 * np.exp(-(((ranges - 4) / 2) ** 2))
        # How much haze lies over the atria differs most from patient to patient.
        deep = self._rng.normal(4.5, 4.5) / (1 + np.exp(-(ranges / self._sector.depth_mm - 0.62) / 0.04))
        across, down = np.meshgrid(self._sector.angles_rad * 60, ranges)
        patches = smooth_noise((across.ravel(), down.ravel()), (15, 15), self._rng).reshape(across.shape)
        level_db = self._quality.haze_db + (near + gap + deep)[:, None] + 3 * patches
        return np.asarray(self._spread.blur((self._white() * 10 ** (level_db / 20)).astype(np.complex64)))


def _smoothed(energy: Float[np.ndarray, "range beam"]) -> Float[np.ndarray, "range beam"]:
    """Speckle reduction as scanners do it: each sample averaged with its neighbours."""
    down = energy.copy()
    down[1:-1] = 0.7 * energy[1:-1] + 0.15 * (energy[2:] + energy[:-2])
    across = down.copy()
    across[:, 1:-1] = 0.5 * down[:, 1:-1] + 0.25 * (down[:, 2:] + down[:, :-2])
    return across
