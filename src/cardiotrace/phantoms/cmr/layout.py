"""Where the heart lies in the chest and the slices lie in the heart."""

import math
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.phantoms.cmr.body import Axes
from cardiotrace.phantoms.cmr.motion import Motion
from cardiotrace.phantoms.cmr.phantom import LONG_AXIS_VIEWS, SCHEMES, CmrPhantom, LongAxis
from cardiotrace.phantoms.cmr.scan import CineScan, Scene, video
from cardiotrace.phantoms.cmr.slices import ImagingPlane
from cardiotrace.phantoms.heart.heart import HeartState
from cardiotrace.phantoms.heart.view import PLANE_DEG

LONG_THICKNESS_MM = 6.0


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
        self._breaths_mm = rng.normal(0, 1, 100) * (config.breath_mm + config.imperfection.breath_mm)

    @cached_property
    def stack(self) -> tuple[ImagingPlane, ...]:
        """Short-axis planes from base to apex; the image is upright in the chest, not in the heart."""
        scanner = self._config.scanner
        step = scanner.thickness_mm + scanner.gap_mm
        count = math.ceil(self._states[0].epicardium.length_mm / step - self._first) + 1
        roll = math.radians(self._config.roll_deg)
        right, down = (math.cos(roll), -math.sin(roll), 0.0), (-math.sin(roll), -math.cos(roll), 0.0)
        middle = np.array(right) * self._middle[0] + np.array(down) * self._middle[1]
        return tuple(
            ImagingPlane((float(middle[0]), float(middle[1]), (index + self._first) * step), right, down)
            for index in range(count)
        )

    def breath(self, index: int) -> Float[np.ndarray, "3"]:
        """How far breath has moved the heart in a slice, in heart coordinates, mm."""
        return np.asarray(self.axes.matrix @ np.array([0.0, 0.0, self._breaths_mm[index]]))

    @property
    def heights_mm(self) -> Float[np.ndarray, " slices"]:
        """Heights in the heart at which the slices cut it."""
        return np.array([plane.middle_mm[2] - self.breath(index)[2] for index, plane in enumerate(self.stack)])

    def long_axis(self, name: LongAxis) -> ImagingPlane:
        """A plane along the heart's axis: the person's left is on the right, or the back where it has no left.

        It is that of the apical view of echo, but for how far whoever planned it missed it.
        """
        angle = math.radians(PLANE_DEG[LONG_AXIS_VIEWS[name]] + self._config.turn_deg)
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
        middle = along * self._states[0].cavity.length_mm * 0.35 - across * 10.0 + normal * self._config.aside_mm
        return ImagingPlane(_vector(middle), _vector(right), _vector(-up))

    def video(self, index: int, plane: ImagingPlane) -> CineScan:
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
            off_resonance=config.off_resonance * config.imperfection.off_resonance,
            flow=config.flow,
            leaflet_mm=config.leaflet_mm,
            seed=config.seed,
        )
        motion = Motion(config.imperfection.trigger_ms, config.imperfection.drift_mm, (config.seed, 33, index))
        return video(scene, SCHEMES[config.scheme], np.random.default_rng([config.seed, 32, index]), motion)


def _vector(values: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
