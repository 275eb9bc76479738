"""One plane of cine-MRI: the chest once, the heart in every frame, then what the scanner makes of both."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float, Int, Int16, UInt8

from cardiotrace.core.label import LabelScheme
from cardiotrace.phantoms.cmr.body import Axes, Chest
from cardiotrace.phantoms.cmr.bssfp import HZ_PER_PPM, RELAXATION, Substance
from cardiotrace.phantoms.cmr.flow import Flow
from cardiotrace.phantoms.cmr.kspace import Readout
from cardiotrace.phantoms.cmr.motion import STILL, Motion
from cardiotrace.phantoms.cmr.slices import ImagingPlane, label_table, pixel_places
from cardiotrace.phantoms.cmr.strand import Strands, mitral_leaflets
from cardiotrace.phantoms.cmr.style import CmrStyle
from cardiotrace.phantoms.cmr.texture import Texture
from cardiotrace.phantoms.heart.anatomy import Tissue
from cardiotrace.phantoms.heart.heart import HeartState

HEART_SAMPLES, CHEST_SAMPLES = 10, 5
"""Points that are looked at per pixel and slice thickness."""
BIN_HZ, BIN_COUNT = 2.0, 401
"""Off-resonance is looked up in steps: up to 400 Hz either way."""
ANGLE_COUNT = 120
PURE_FAT_LEVEL = 0.1
FOLLOW_MM = 24.0
"""Over this distance from the heart its surroundings follow its surface."""
HEART_SUBSTANCES = (Substance.ARTERIAL, Substance.RIGHT, Substance.MYOCARDIUM, Substance.EPICARDIAL, Substance.FAT)

Box = tuple[slice, slice]
Image = Float[np.ndarray, "height width"]


def _substance_table() -> UInt8[np.ndarray, "16"]:
    table = np.zeros(16, np.uint8)
    table[[Tissue.LV, Tissue.LA, Tissue.AORTA]] = Substance.ARTERIAL
    table[[Tissue.RV, Tissue.RA]] = Substance.RIGHT
    table[[Tissue.MYO, Tissue.PAPILLARY, Tissue.RV_WALL]] = Substance.MYOCARDIUM
    table[Tissue.PERICARDIUM] = Substance.EPICARDIAL
    return table


SUBSTANCE_OF = _substance_table()
"""Table from `Tissue` to `Substance`; AIR stands for what is not the heart."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """All that a plane's images depend on besides chance.

    Args:
        states: the heart in every frame, the first at end-diastole.
        frame_ms: time from frame to frame, ms.
        axes: how the heart lies in the chest.
        chest: what is around it.
        scanner: what looks at it.
        plane: where, in the coordinates of the heart at end-diastole without breath.
        thickness_mm: of the slice.
        breath_mm: how far heart and diaphragm have moved towards the head.
        off_resonance: unevenness of the field over that of the scanner's style.
        flow: strength of what moving blood does.
        leaflet_mm: thickness of the mitral leaflets.
        seed: of what all planes of the exam share.
    """

    states: tuple[HeartState, ...]
    frame_ms: float
    axes: Axes
    chest: Chest
    scanner: CmrStyle
    plane: ImagingPlane
    thickness_mm: float
    breath_mm: float
    off_resonance: float
    flow: float
    leaflet_mm: float
    seed: int

    @property
    def heart_plane(self) -> ImagingPlane:
        """The plane in the coordinates of the heart at end-diastole where breath has put it."""
        return self.plane.moved(-self.axes.matrix @ np.array([0.0, 0.0, self.breath_mm]))


class CineScan(NamedTuple):
    """Frames of one plane and their labels."""

    frames: Int16[np.ndarray, "time height width"]
    labels: UInt8[np.ndarray, "time height width"]


def video(scene: Scene, scheme: LabelScheme, rng: np.random.Generator, motion: Motion = STILL) -> CineScan:
    """Image one plane over the beat.

    Args:
        scene: what is imaged, and how.
        scheme: of the labels.
        rng: of the noise.
        motion: from heartbeat to heartbeat; the labels do not know of it.
    """
    scanner, camera = scene.scanner, CineCamera(scene)
    noise = camera.blood / scanner.snr
    readout = Readout(scanner.shape, scanner.acquired, scanner.partial_fourier, scanner.roll_off, noise)
    scale = scanner.white / camera.blood
    frames = np.empty((len(scene.states), *scanner.shape), np.int16)
    labels = np.empty(frames.shape, np.uint8)
    table = label_table(scheme)
    spectra = [readout.measured(camera.image(index, state)) for index, state in enumerate(scene.states)]
    # Of spectra and not of images: a frame's k-space is filled over several heartbeats, each part in another one.
    spectra = motion.mixed(spectra, scene.frame_ms, scanner.spacing_mm, readout.cycles)
    for index, (state, spectrum) in enumerate(zip(scene.states, spectra, strict=True)):
        image = readout.image(spectrum, rng)
        frames[index] = np.rint(np.minimum(image * scale, 32767))
        # From the shapes, before any artefact: what an observer would draw who sees the heart as it is.
        labels[index] = table[camera.tissue(state)]
    return CineScan(frames, labels)


class CineCamera:
    """Makes the complex image of every frame of one plane, before the scanner measures it."""

    def __init__(self, scene: Scene) -> None:
        self._scene, scanner = scene, scene.scanner
        self._rows, self._columns = pixel_places(scanner.shape, scanner.spacing_mm)
        bins = (np.arange(BIN_COUNT) - BIN_COUNT // 2) * BIN_HZ
        signals = [scanner.sequence.signal(substance, bins) for substance in Substance]
        self._signals = np.stack(signals).astype(np.complex64)
        self.blood = float(abs(self._signals[Substance.ARTERIAL, BIN_COUNT // 2]))
        """Signal of arterial blood that stays, on resonance, where the gain is one."""
        places = scene.axes.to_chest(scene.plane.points(self._rows, self._columns)).astype(np.float32)
        self._field = _field_bins(places, scene)
        self._gain = _coil_gain(places, scanner.shading, scene.seed)
        self._flow = Flow(
            states=scene.states,
            frame_ms=scene.frame_ms,
            sequence=scanner.sequence,
            relaxation_ms=RELAXATION[Substance.ARTERIAL].at(scanner.sequence.field_t),
            thickness_mm=scene.thickness_mm,
            across=abs(float(scene.plane.normal[2])),
            strength=scene.flow,
            seed=scene.seed,
        )
        self._strands = Strands(scene.states[0], scene.seed)
        self._box, self._near = self._heart_box()
        self._offsets = _sample_offsets(HEART_SAMPLES, scanner.spacing_mm, scene.thickness_mm)
        self._still = self._chest() * _grain(places, scene.seed)
        self._surround()

    def tissue(self, state: HeartState) -> UInt8[np.ndarray, "height width"]:
        """`Tissue` in the middle of every pixel and of the slice."""
        codes = np.zeros(self._scene.scanner.shape, np.uint8)
        codes[self._box] = state.tissue(self._points(state, self._rows[self._box], self._columns[self._box]))
        return codes

    def image(self, index: int, state: HeartState) -> Complex[np.ndarray, "height width"]:
        """Transverse magnetisation as the coils see it."""
        made = self._still.copy()
        if self._near.size:
            made[self._box] = self._with_heart(index, state)
        return np.asarray(made * self._gain)

    def _points(
        self,
        state: HeartState,
        rows: Float[np.ndarray, "*points"],
        columns: Float[np.ndarray, "*points"],
        across: Float[np.ndarray, "*#points"] | float = 0.0,
    ) -> Float[np.ndarray, "*points 3"]:
        """Points of the image in the coordinates of a state."""
        points = self._scene.heart_plane.points(rows, columns, across)
        points[..., 2] -= state.rise_mm
        return points.astype(np.float32)

    def _heart_box(self) -> tuple[Box, Int[np.ndarray, " pixels"]]:
        """Part of the image that the beating heart changes, and the pixels in it that it may cover."""
        from scipy import ndimage  # slow to import, so only when needed

        scene, spacing = self._scene, self._scene.scanner.spacing_mm
        # Every second pixel, at both ends of the beat: it is only asked where to look, and FOLLOW_MM around is added
        # anyway.
        rows, columns = self._rows[::2, ::2], self._columns[::2, ::2]
        covered = np.zeros(rows.shape, bool)
        late = max(scene.states, key=lambda state: state.rise_mm)
        for state in (scene.states[0], late):
            for across in (-0.5, 0.0, 0.5):
                covered |= state.tissue(self._points(state, rows, columns, across * scene.thickness_mm)) > 0
        shape = self._rows.shape
        full = np.repeat(np.repeat(covered, 2, axis=0), 2, axis=1)[: shape[0], : shape[1]]
        if not full.any():
            return (slice(0, 0), slice(0, 0)), np.zeros(0, np.int64)
        away = ndimage.distance_transform_edt(~full) * spacing
        inside = away < FOLLOW_MM
        box = ndimage.find_objects(inside.astype(np.int8))[0]
        return box, np.flatnonzero(away[box] < 3.5)

    def _chest(self) -> Complex[np.ndarray, "height width"]:
        """Signal of everything but the heart, averaged over the slice."""
        scene = self._scene
        offsets = _sample_offsets(CHEST_SAMPLES, scene.scanner.spacing_mm, scene.thickness_mm)
        total = np.zeros(self._rows.shape, np.complex64)
        signals = self._signals.copy()
        signals[[Substance.ARTERIAL, Substance.VENOUS]] *= np.array([[1.5], [1.2]], np.float32)  # it flows
        for row, column, across in offsets:
            points = scene.axes.to_chest(scene.plane.points(self._rows + row, self._columns + column, float(across)))
            total += signals[scene.chest.substance(points, scene.breath_mm), self._field]
        return total / CHEST_SAMPLES

    def _surround(self) -> None:
        """Fat and pericardium around the heart at end-diastole."""
        from scipy import ndimage  # slow to import, so only when needed

        if not self._near.size:
            return
        box = self._box
        heart = self.tissue(self._scene.states[0])[box] > 0
        self._middle = np.array(ndimage.center_of_mass(heart)) if heart.any() else np.array(heart.shape) / 2
        self._start = self._reach(heart)
        away = ndimage.distance_transform_edt(~heart) * self._scene.scanner.spacing_mm
        x, y, z = np.moveaxis(self._points(self._scene.states[0], self._rows[box], self._columns[box]), -1, 0)
        noise = Texture((self._scene.seed, 61), 4.0).at(x, y, z, 5.0)
        thickness = np.clip(1.5 + 3.0 * noise, 0.0, 10.0)
        pure = _layer_texture(self._scene.seed).at(x, y, z, 3.0) > PURE_FAT_LEVEL
        fat = self._signals[np.where(pure, Substance.FAT, Substance.EPICARDIAL), self._field[box]]
        still = self._still[box]
        # Seen where the valve plane has moved and there is no atrium: walls and connective tissue.
        still[heart] = self._signals[Substance.MYOCARDIUM, self._field[box][heart]]
        share = np.clip((thickness - away) / self._scene.scanner.spacing_mm + 0.5, 0, 1) * ~heart
        still += share * (fat - still)
        sac = np.clip(1.4 - np.abs(away - 0.65 * thickness), 0, 1) * (thickness > 4)
        still *= 1 - 0.7 * sac

    def _reach(self, heart: np.ndarray) -> Float[np.ndarray, " angles"]:
        """Distance of the heart's edge from its middle in every direction, pixels."""
        from scipy import ndimage  # slow to import, so only when needed

        rows, columns = np.nonzero(heart)
        row, column = rows - self._middle[0], columns - self._middle[1]
        bins = np.floor((np.arctan2(row, column) / (2 * np.pi) + 0.5) * ANGLE_COUNT).astype(np.int64) % ANGLE_COUNT
        reach = np.zeros(ANGLE_COUNT)
        # `at`, since many pixels lie in one direction: indexing would keep the last of them, not the farthest.
        np.maximum.at(reach, bins, np.hypot(row, column))
        return np.asarray(ndimage.gaussian_filter1d(reach, 1.5, mode="wrap"))

    def _with_heart(self, index: int, state: HeartState) -> Complex[np.ndarray, "rows columns"]:
        """The box with the heart of a frame in it and its surroundings drawn up to it."""
        box, near = self._box, self._near
        rows, columns = self._rows[box].ravel()[near], self._columns[box].ravel()[near]
        row, column, across = self._offsets.T
        points = self._points(state, rows[:, None] + row, columns[:, None] + column, across)
        codes = state.tissue(points)
        substances = self._substances(state, points, codes)
        around = self._followed(codes)
        field = self._field[box].ravel()[near]
        places = self._points(state, rows, columns)
        parts = []
        shares = [(substances == substance).mean(axis=1, dtype=np.float32) for substance in HEART_SUBSTANCES]
        for substance, share in zip(HEART_SUBSTANCES, shares, strict=True):
            part = share * self._signals[substance, field]
            if substance is Substance.ARTERIAL:
                part = part * self._flow.left(index, state, places)
            elif substance is Substance.RIGHT:
                part = part * self._flow.right(index, state, places)
            elif substance is Substance.MYOCARDIUM:
                part = part * _grain(places, self._scene.seed)
            parts.append(part)
        flat = around.ravel()
        # Complex numbers are added: where fat and water share a pixel their phases are opposed, which draws the dark
        # rim of bSSFP.
        flat[near] = flat[near] * (1 - sum(shares)) + sum(parts)
        return flat.reshape(around.shape)

    def _substances(
        self,
        state: HeartState,
        points: Float[np.ndarray, "pixels samples 3"],
        codes: UInt8[np.ndarray, "pixels samples"],
    ) -> UInt8[np.ndarray, "pixels samples"]:
        """Substance of every sample: trabeculae in the blood, patches of fat on the surface."""
        substances: UInt8[np.ndarray, "pixels samples"] = SUBSTANCE_OF[codes]
        for tissue, find in ((Tissue.LV, self._strands.left), (Tissue.RV, self._strands.right)):
            blood = np.nonzero(codes == tissue)
            strands = find(state, points[blood])
            substances[blood[0][strands], blood[1][strands]] = Substance.MYOCARDIUM
        blood = np.nonzero((codes == Tissue.LV) | (codes == Tissue.LA))
        leaflets = mitral_leaflets(state, points[blood], self._scene.leaflet_mm)
        substances[blood[0][leaflets], blood[1][leaflets]] = Substance.MUSCLE
        layer = np.nonzero(codes == Tissue.PERICARDIUM)
        x, y, z = points[layer].T
        pure = _layer_texture(self._scene.seed).at(x, y, z, 3.0) > PURE_FAT_LEVEL
        substances[layer[0][pure], layer[1][pure]] = Substance.FAT
        # Below the valves the layer is the thin wall of atria and aorta: muscle, without a rim of fat between chambers.
        wall = z < 0
        substances[layer[0][wall], layer[1][wall]] = Substance.MYOCARDIUM
        return substances

    def _followed(self, codes: UInt8[np.ndarray, "pixels samples"]) -> Complex[np.ndarray, "rows columns"]:
        """Surroundings of the heart, moved along the rays from its middle as its surface has moved."""
        from scipy import ndimage  # slow to import, so only when needed

        shape = self._still[self._box].shape
        heart = np.zeros(shape, bool)
        heart.ravel()[self._near[np.count_nonzero(codes, axis=1) * 2 > codes.shape[1]]] = True
        reach = self._reach(heart)
        row, column = np.meshgrid(*(np.arange(n) - m for n, m in zip(shape, self._middle, strict=True)), indexing="ij")
        radius = np.hypot(row, column) + 1e-6
        turn = (np.arctan2(row, column) / (2 * np.pi) + 0.5) * ANGLE_COUNT - 0.5
        now, start = (
            np.interp(turn, np.arange(ANGLE_COUNT), values, period=ANGLE_COUNT) for values in (reach, self._start)
        )
        away = np.maximum(radius - now, 0) * self._scene.scanner.spacing_mm
        # Squared, so that the pull fades without a kink where it ends.
        moved = (start - now) * np.clip(1 - away / FOLLOW_MM, 0, 1) ** 2 / np.maximum(radius, now)
        places = np.stack([self._middle[0] + row * (1 + moved), self._middle[1] + column * (1 + moved)])
        return np.asarray(ndimage.map_coordinates(self._still[self._box], places, order=1, mode="nearest"))


def _layer_texture(seed: int) -> Texture:
    """Where the layer around the heart is pure fat."""
    return Texture((seed, 66), 4.0)


def _sample_offsets(count: int, spacing_mm: float, thickness_mm: float) -> Float[np.ndarray, "count 3"]:
    """Points spread evenly over a pixel and the thickness of its slice: row, column, across, mm.

    Source:
        Additive recurrence with the powers of the root of x^4 = x + 1.
    """
    steps = 1.2207440846 ** -np.arange(1.0, 4.0)
    places = np.remainder(0.5 + np.arange(count)[:, None] * steps, 1) - 0.5
    # Centred, or images would lie a fraction of a pixel beside their labels.
    places -= places.mean(axis=0)
    return np.asarray(places * np.array([spacing_mm, spacing_mm, thickness_mm]))


def _field_bins(places: Float[np.ndarray, "height width 3"], scene: Scene) -> Int[np.ndarray, "height width"]:
    """Off-resonance of every pixel, as the number of its bin: a slope, a dent beside the lung, broad waves."""
    rng = np.random.default_rng([scene.seed, 62])
    spread = scene.scanner.unevenness_ppm * HZ_PER_PPM * scene.scanner.sequence.field_t * scene.off_resonance
    slope = rng.normal(0, 1, 3) / 110
    dent = np.array([75.0, -10.0, -25.0]) + rng.normal(0, 8, 3)
    waves = rng.normal(0, 1, (3, 3)) / 70
    phases = rng.uniform(0, 2 * np.pi, 3)
    off = (places - np.array([30.0, 25.0, 0.0])) @ slope
    off += 1.6 * np.exp(-((places - dent) ** 2).sum(axis=-1) / 30**2)
    for wave, phase in zip(waves, phases, strict=True):
        off += 0.6 * np.sin(places @ wave + phase)
    bins = np.rint(spread * off / BIN_HZ).astype(np.int64) + BIN_COUNT // 2
    return np.asarray(np.clip(bins, 0, BIN_COUNT - 1))


def _coil_gain(places: Float[np.ndarray, "height width 3"], shading: float, seed: int) -> Image:
    """Sensitivity of coils on the breast and under the back, one in the heart's middle, to the power of the shading."""
    rng = np.random.default_rng([seed, 63])
    gain = np.zeros(places.shape[:2])
    middle = 0.0
    heart = np.array([34.0, 27.0, 2.0])
    for x in (-70, 10, 90):
        for z in (-60, 60):
            for y, strength in ((125.0, 1.0), (-140.0, 1.0)):
                coil = np.array([x, y, z]) + rng.normal(0, 8, 3)
                away, here = (((p - coil) ** 2).sum(axis=-1) / 72**2 for p in (places, heart))
                gain += strength * (1 + away) ** -1.5
                middle += strength * float(1 + here) ** -1.5
    return np.asarray((gain / middle) ** shading, np.float32)


def _grain(places: Float[np.ndarray, "*points 3"], seed: int) -> Float[np.ndarray, "*points"]:
    """Unevenness of real tissue."""
    x, y, z = np.moveaxis(places, -1, 0)
    coarse, fine = Texture((seed, 64), 4.0).at(x, y, z, 3.0), Texture((seed, 65), 1.5).at(x, y, z, 1.0)
    return np.asarray(np.clip(1 + 0.05 * coarse + 0.09 * fine, 0.2, 2), np.float32)
