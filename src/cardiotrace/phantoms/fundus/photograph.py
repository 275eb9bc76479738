"""A photograph of a phantom retina: vessels that branch by Murray's law, with the truth about every one of them."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from cardiotrace.phantoms.fundus.camera import CAMERAS, PHOTOGRAPH_QUALITIES
from cardiotrace.phantoms.fundus.phantom import FundusPhantom
from cardiotrace.phantoms.fundus.retina import (
    OpticDisc,
    RetinaGrid,
    noise,
    paint_choroid,
    paint_disc,
    paint_lesions,
    paint_macula,
    paint_nerve_fibres,
)
from cardiotrace.phantoms.fundus.stroke import Strokes, draw_strokes
from cardiotrace.phantoms.fundus.tree import Ground, grow_tree
from cardiotrace.phantoms.fundus.vessel import FOVEA_MM, TreeShape, Vessel

BEYOND_MM = 0.4
"""Vessels grow a little further than the camera sees."""


@dataclass(frozen=True)
class FundusTruth:
    """Where things are on the image, and the trees on the retina."""

    disc_centre: tuple[float, float]
    """(row, column), pixels."""
    disc_half_axes: tuple[float, float]
    """Half height and half width, pixels."""
    macula_centre: tuple[float, float]
    """(row, column), pixels; may lie outside of the image."""
    artery_tree: tuple[Vessel, ...]
    vein_tree: tuple[Vessel, ...]
    px_per_mm: float


@dataclass(frozen=True)
class FundusImage:
    """A photograph that was made, not taken, and what is true of it."""

    image: UInt8[np.ndarray, "height width 3"]
    vessels: Bool[np.ndarray, "height width"]
    """Every vessel of at least one pixel's width, inside of the field of view."""
    field_of_view: Bool[np.ndarray, "height width"]
    arteries: Bool[np.ndarray, "height width"]
    veins: Bool[np.ndarray, "height width"]
    disc: Bool[np.ndarray, "height width"]
    lesions: Bool[np.ndarray, "height width"]
    truth: FundusTruth

    @property
    def vessel_share_percent(self) -> float:
        """Area of the vessels over that of the field of view, percent."""
        return 100 * float(self.vessels.sum() / self.field_of_view.sum())


def fundus_image(config: FundusPhantom) -> FundusImage:
    """Photograph a phantom retina.

    Example:
        >>> made = fundus_image(FundusPhantom(camera="drive", seed=1))
        >>> made.image.shape, bool(made.vessels[~made.field_of_view].any())
        ((584, 565, 3), False)
    """
    retina = _Retina(config)
    arteries, veins = retina.draw("artery"), retina.draw("vein")
    image, lesions = retina.paint(arteries, veins)
    inside = retina.field_of_view()
    masks = [_traced(strokes) & inside for strokes in (arteries, veins)]
    return FundusImage(
        image=retina.expose(image),
        vessels=masks[0] | masks[1],
        field_of_view=inside,
        arteries=masks[0],
        veins=masks[1],
        disc=(retina.disc.reach(retina.grid.x, retina.grid.y) <= 1) & inside,
        lesions=lesions & inside,
        truth=retina.truth(),
    )


ABSORPTION = {"artery": (0.11, 0.36, 0.32), "vein": (0.22, 0.50, 0.42)}
"""Of (red, green, blue) light by a vessel of 0.1 mm: arterial blood lets more red light through."""
CALIBRE_POWER = 0.45
"""Fine vessels stand out more than their blood alone explains: light is scattered in their walls too."""
REFLEX = {"artery": 0.75, "vein": 0.32}
"""How much of the lost light a vessel's middle line gives back."""


FINEST_MM, FINEST_PX = 0.0185, 1.25
"""Radius of the finest vessel that is drawn: observers follow none that is finer. As in CHASE_DB1, by `fundus`."""
SPACING = 0.8
"""Distance between branchings that makes the vessels' area that of CHASE_DB1."""
PEN_PX = 0.5
"""An observer's line lies this far outside the column of blood."""


class _Retina:
    """One eye in the making: the layers in the order in which light meets them."""

    def __init__(self, config: FundusPhantom) -> None:
        self.config, self.camera = config, CAMERAS[config.camera]
        self._quality = PHOTOGRAPH_QUALITIES[config.quality]
        # A stream for each part: another lesion must not move a vessel.
        self._rng = {name: np.random.default_rng([config.seed, 40, index]) for index, name in enumerate(_STREAMS)}
        eye = self._rng["eye"]
        self.disc = OpticDisc(
            float(np.clip(eye.normal(0.84, 0.05), 0.7, 1.0)),
            float(np.clip(eye.normal(0.94, 0.05), 0.75, 1.1)),
            config.cup_to_disc,
            config.pallor,
        )
        # The photographer never points exactly.
        self._aim_mm = (
            self.camera.aim * FOVEA_MM[0] + float(eye.normal(-0.2, 0.25)),
            self.camera.aim * FOVEA_MM[1] + float(eye.normal(0.0, 0.2)),
        )
        self._mirror = 1.0 if config.eye == "left" else -1.0
        self.grid = self._grid()
        self._trees = self._grow()

    def _grid(self) -> RetinaGrid:
        rows, columns = np.mgrid[: self.camera.shape[0], : self.camera.shape[1]].astype(np.float32)
        scale = self.camera.px_per_mm
        x = self._mirror * (columns - self.camera.centre[1]) / scale + self._aim_mm[0]
        return RetinaGrid(x, (rows - self.camera.centre[0]) / scale + self._aim_mm[1], scale)

    def _inside(self, x: float, y: float) -> bool:
        reach = self.camera.radius_px / self.camera.px_per_mm + BEYOND_MM
        return (x - self._aim_mm[0]) ** 2 + (y - self._aim_mm[1]) ** 2 < reach * reach

    def _grow(self) -> dict[str, tuple[Vessel, ...]]:
        ground = Ground(self._inside)
        radius = self.config.vein_radius_mm
        finest = max(FINEST_MM, FINEST_PX / self.camera.px_per_mm)
        radii = {"vein": radius, "artery": radius * self.config.artery_to_vein}
        return {
            kind: grow_tree(kind, TreeShape(own, finest, self.config.tortuosity, SPACING), ground, self._rng[kind])
            for kind, own in radii.items()
        }

    def _pixels(self, points_mm: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, "points 2"]:
        """(x, y) on the retina, mm, to (row, column)."""
        scale = self.camera.px_per_mm
        rows = (points_mm[:, 1] - self._aim_mm[1]) * scale + self.camera.centre[0]
        columns = self._mirror * (points_mm[:, 0] - self._aim_mm[0]) * scale + self.camera.centre[1]
        return np.stack([rows, columns], axis=1)

    def draw(self, kind: str) -> Strokes:
        """All vessels of one kind on the pixel grid."""
        scale = self.camera.px_per_mm
        lines = [(self._pixels(vessel.points_mm), vessel.radii_mm * scale) for vessel in self._trees[kind]]
        return draw_strokes(lines, self.camera.shape)

    def field_of_view(self) -> Bool[np.ndarray, "height width"]:
        """What the camera sees."""
        return np.asarray(self._from_axis() < self.camera.radius_px)

    def _from_axis(self) -> Float[np.ndarray, "height width"]:
        rows, columns = np.ogrid[: self.camera.shape[0], : self.camera.shape[1]]
        return np.asarray(np.hypot(rows - self.camera.centre[0], columns - self.camera.centre[1]))

    def paint(
        self, arteries: Strokes, veins: Strokes
    ) -> tuple[Float[np.ndarray, "height width 3"], Bool[np.ndarray, "height width"]]:
        """The retina under even light, shares of full scale, and where lesions are."""
        config, rng, grid = self.config, self._rng["layers"], self.grid
        colour = np.array(self.camera.colour) / 255 * np.exp(rng.normal(0, (0.06, 0.08, 0.2)))
        image = np.empty((*grid.shape, 3), np.float32)
        image[:] = colour
        paint_choroid(image, grid, tessellation=config.tessellation, rng=rng)
        paint_macula(image, grid, depth=float(rng.uniform(0.5, 1.1)), reflex=float(rng.uniform(0, 0.5)))
        paint_nerve_fibres(image, grid, sheen=config.sheen, rng=rng)
        paint_disc(image, grid, self.disc, rng)
        lesions = paint_lesions(image, grid, config.pathology, self._inside, self._rng["lesions"])
        # Arteries last: where both cross, they mostly lie in front.
        for kind, strokes in (("vein", veins), ("artery", arteries)):
            self._shade(image, kind, strokes)
        return image, lesions

    def _shade(self, image: Float[np.ndarray, "height width 3"], kind: str, strokes: Strokes) -> None:
        """Blood takes light away, and the vessel's round front gives some back."""
        rows, columns = np.nonzero(strokes.depth > 0)
        depth_mm = strokes.depth[rows, columns] / self.camera.px_per_mm
        # Absorption goes with the exponent of the depth, which `CALIBRE_POWER` weakens.
        lost = np.exp(-((depth_mm[:, None] / 0.1) ** CALIBRE_POWER) * np.array(ABSORPTION[kind]))
        back = REFLEX[kind] * strokes.reflex[rows, columns][:, None]
        image[rows, columns] *= lost + (1 - lost) * back

    def expose(self, image: Float[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
        """The photograph: lens, light, sensor and the edge of the field of view."""
        from scipy import ndimage  # slow to import, so only when needed

        rng, camera, quality = self._rng["camera"], self.camera, self._quality
        # Dim places turn olive: red light fades first.
        light = np.stack([self._light(rng)] * 3, axis=-1) ** np.array([1.2, 0.95, 0.8], np.float32)
        lit = image * (light * np.float32(self.config.brightness))
        if quality.haze:
            lit += quality.haze * (lit.mean(axis=(0, 1)) * 1.2 + 0.02 - lit)
        blur = math.hypot(camera.blur_px, quality.defocus_px)
        lit = ndimage.gaussian_filter(lit, (blur, blur, 0))
        # Film and sensor give way gently at the bright end.
        bright = lit > 0.75
        lit[bright] = 0.75 + 0.25 * np.tanh((lit[bright] - 0.75) / 0.25)
        grey = 255 * lit
        grain = rng.standard_normal((*camera.shape, 3), dtype=np.float32)
        grain = ndimage.gaussian_filter(grain, (0.6, 0.6, 0)) * 2.1 + 0.5 * grain[..., :1]
        grey += camera.noise * quality.noise * grain * np.array([1.0, 0.9, 0.6], np.float32)
        seen = np.clip(camera.radius_px - self._from_axis() + 0.5, 0, 1).astype(np.float32)[..., None]
        dark = np.abs(rng.standard_normal((*camera.shape, 3), dtype=np.float32)) * np.array([0.9, 0.3, 0.2], np.float32)
        return np.asarray(np.rint(np.clip(seen * grey + (1 - seen) * dark, 0, 255)), np.uint8)

    def _light(self, rng: np.random.Generator) -> Float[np.ndarray, "height width"]:
        """Brighter in the middle, leaning to one side, and a dark crescent where the pupil cuts the beam."""
        share = self._from_axis() / self.camera.radius_px
        angle, strength = rng.uniform(0, 2 * np.pi), self._quality.unevenness * rng.gamma(2.0, 0.5)
        rows, columns = np.ogrid[: self.camera.shape[0], : self.camera.shape[1]]
        across = (columns - self.camera.centre[1]) * math.cos(angle) + (rows - self.camera.centre[0]) * math.sin(angle)
        across = across / self.camera.radius_px
        light = 1.16 - 0.40 * share**2 + 0.24 * strength * across
        light += 0.09 * noise(self.camera.shape, 1.5 * self.camera.px_per_mm, rng)
        edge = 1.02 - 0.16 * strength * rng.uniform(0.2, 1)
        crescent = 1 / (1 + np.exp(-(-across - edge) / 0.08))
        return np.asarray(np.maximum(light * (1 - 0.8 * crescent), 0.03), np.float32)

    def truth(self) -> FundusTruth:
        """Where things are."""
        scale = self.camera.px_per_mm
        middle, fovea = self._pixels(np.array([[0.0, 0.0], FOVEA_MM]))
        return FundusTruth(
            disc_centre=(float(middle[0]), float(middle[1])),
            disc_half_axes=(self.disc.half_height_mm * scale, self.disc.half_width_mm * scale),
            macula_centre=(float(fovea[0]), float(fovea[1])),
            artery_tree=self._trees["artery"],
            vein_tree=self._trees["vein"],
            px_per_mm=scale,
        )


_STREAMS = ("eye", "vein", "artery", "layers", "lesions", "camera")


def _traced(strokes: Strokes) -> Bool[np.ndarray, "height width"]:
    """What an observer would trace: vessels and the blurred border that the eye counts with them."""
    return np.asarray(strokes.extent >= -PEN_PX)
