"""A photograph of a phantom retina: vessels that branch by Murray's law, with the truth about every one of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from cardiotrace.core.errors import InputError
from cardiotrace.phantoms.retina import (
    PATHOLOGIES,
    Disc,
    Grid,
    noise,
    paint_choroid,
    paint_disc,
    paint_lesions,
    paint_macula,
    paint_nerve_fibres,
)
from cardiotrace.phantoms.stroke import Strokes, draw_strokes
from cardiotrace.phantoms.vessel import FOVEA_MM, Ground, TreeShape, Vessel, grow_tree

MM_PER_DEGREE = 0.3
"""On the retina, per degree of the camera's angle: 15 degrees from disc to fovea are 4.5 mm."""
BEYOND_MM = 0.4
"""Vessels grow a little further than the camera sees."""


@dataclass(frozen=True)
class Camera:
    """How a fundus camera sees.

    Args:
        shape: (height, width) of its pictures, pixels.
        centre: (row, column) of the field of view, pixels.
        radius_px: of the field of view.
        angle_deg: that the field of view covers.
        aim: share of the way from the disc to the fovea on which it is pointed.
        colour: mean (red, green, blue) of the retina, grey levels.
        blur_px: standard deviation of its point-spread function.
        noise: standard deviation of its noise, grey levels.
    """

    shape: tuple[int, int]
    centre: tuple[float, float]
    radius_px: float
    angle_deg: float
    aim: float
    colour: tuple[float, float, float]
    blur_px: float
    noise: float

    @property
    def px_per_mm(self) -> float:
        """Pixels per mm of the retina."""
        return 2 * self.radius_px / (self.angle_deg * MM_PER_DEGREE)


CAMERAS: Mapping[str, Camera] = {
    # Measured on the twenty photographs of CHASE_DB1 (Nidek NM-200-D, 30 degrees, disc in the middle).
    "chase": Camera((960, 999), (477.5, 492.0), 458.0, 30.0, 0.0, (163.0, 57.0, 9.5), 1.1, 2.0),
    # As their publications describe DRIVE (Canon CR5, 45 degrees) and STARE (TopCon TRV-50, 35 degrees).
    "drive": Camera((584, 565), (292.0, 282.0), 268.0, 45.0, 0.85, (150.0, 82.0, 48.0), 0.8, 3.0),
    "stare": Camera((605, 700), (302.0, 350.0), 318.0, 35.0, 0.55, (170.0, 95.0, 38.0), 1.1, 4.5),
}


@dataclass(frozen=True)
class PhotographQuality:
    """What makes a photograph good or poor.

    Args:
        defocus_px: blur beyond the camera's own.
        unevenness: of the light over the field.
        haze: share of light that a cloudy medium scatters over everything.
        noise: factor on the camera's.
    """

    defocus_px: float
    unevenness: float
    haze: float
    noise: float


PHOTOGRAPH_QUALITIES: Mapping[str, PhotographQuality] = {
    "good": PhotographQuality(0.0, 0.6, 0.0, 1.0),
    "medium": PhotographQuality(0.7, 1.0, 0.08, 1.2),
    "poor": PhotographQuality(1.8, 1.5, 0.22, 1.7),
}


@dataclass(frozen=True, kw_only=True)
class FundusPhantom:
    """An eye and the camera it is looked at with.

    Args:
        camera: one of `CAMERAS`.
        eye: "left" or "right": on which side of the disc the macula lies.
        pathology: one of `PATHOLOGIES`; its lesions are no vessels.
        quality: of the photograph.
        vein_radius_mm: of the central retinal vein, mm, 0.05 to 0.14.
        artery_to_vein: calibre of arteries over that of veins, 0.4 to 1.
        tortuosity: how much vessels wind, 0 to 4; 1 is ordinary.
        cup_to_disc: 0.1 to 0.9.
        pallor: of the disc, 0 to 1.
        brightness: factor on the light, 0.5 to 1.6.
        tessellation: how clearly choroidal vessels shine through, 0 to 1.
        sheen: glistening of young nerve fibres, 0 to 1.
        seed: of all randomness; the same seed gives the same bytes.

    Raises:
        InputError: a value is out of range.
    """

    camera: str = "chase"
    eye: Literal["left", "right"] = "left"
    pathology: str = "normal"
    quality: Literal["good", "medium", "poor"] = "good"
    vein_radius_mm: float = 0.1
    artery_to_vein: float = 0.76
    tortuosity: float = 1.0
    cup_to_disc: float = 0.4
    pallor: float = 0.6
    brightness: float = 1.0
    tessellation: float = 0.3
    sheen: float = 0.4
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} = {value} is out of range", remedy=f"give {low} to {high}.")
        for name, known in _CHOICES:
            if getattr(self, name) not in known:
                raise InputError(f"unknown {name} {getattr(self, name)!r}", remedy=f"give one of {', '.join(known)}.")


_RANGES = (
    ("vein_radius_mm", 0.05, 0.14),
    ("artery_to_vein", 0.4, 1.0),
    ("tortuosity", 0, 4),
    ("cup_to_disc", 0.1, 0.9),
    ("pallor", 0, 1),
    ("brightness", 0.5, 1.6),
    ("tessellation", 0, 1),
    ("sheen", 0, 1),
)
_CHOICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("camera", tuple(CAMERAS)),
    ("eye", ("left", "right")),
    ("pathology", tuple(PATHOLOGIES)),
    ("quality", tuple(PHOTOGRAPH_QUALITIES)),
)


@dataclass(frozen=True)
class FundusTruth:
    """Where things are on the picture, and the trees on the retina."""

    disc_centre: tuple[float, float]
    """(row, column), pixels."""
    disc_half_axes: tuple[float, float]
    """Half height and half width, pixels."""
    macula_centre: tuple[float, float]
    """(row, column), pixels; may lie outside of the picture."""
    artery_tree: tuple[Vessel, ...]
    vein_tree: tuple[Vessel, ...]
    px_per_mm: float


@dataclass(frozen=True)
class FundusPicture:
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


def fundus_picture(config: FundusPhantom) -> FundusPicture:
    """Photograph a phantom retina.

    Example:
        >>> made = fundus_picture(FundusPhantom(camera="drive", seed=1))
        >>> made.image.shape, bool(made.vessels[~made.field_of_view].any())
        ((584, 565, 3), False)
    """
    retina = _Retina(config)
    arteries, veins = retina.draw("artery"), retina.draw("vein")
    picture, lesions = retina.paint(arteries, veins)
    inside = retina.field_of_view()
    masks = [_traced(strokes) & inside for strokes in (arteries, veins)]
    return FundusPicture(
        image=retina.expose(picture),
        vessels=masks[0] | masks[1],
        field_of_view=inside,
        arteries=masks[0],
        veins=masks[1],
        disc=(retina.disc.reach(retina.grid.x, retina.grid.y) <= 1) & inside,
        lesions=lesions & inside,
        truth=retina.truth(),
    )


def sample_fundus(
    seed: int, *, camera: str = "chase", pathology: str | None = None, quality: str | None = None
) -> FundusPhantom:
    """A plausible eye; one in four has lesions unless the pathology is given.

    Example:
        >>> sample_fundus(1) == sample_fundus(1), sample_fundus(1) == sample_fundus(2)
        (True, False)
    """
    rng = np.random.default_rng([seed, 41])
    drawn_pathology = "normal" if rng.uniform() < 0.75 else str(rng.choice([*PATHOLOGIES][1:]))
    drawn_quality = str(rng.choice([*PHOTOGRAPH_QUALITIES], p=(0.6, 0.3, 0.1)))
    eye: Literal["left", "right"] = "left" if rng.uniform() < 0.5 else "right"
    return FundusPhantom(
        camera=camera,
        eye=eye,
        pathology=drawn_pathology if pathology is None else pathology,
        quality=drawn_quality if quality is None else quality,  # type: ignore[arg-type]
        vein_radius_mm=float(np.clip(rng.normal(0.105, 0.007), 0.085, 0.13)),
        artery_to_vein=float(np.clip(rng.normal(0.79, 0.06), 0.6, 0.95)),
        tortuosity=float(np.clip(rng.lognormal(0.05, 0.3), 0.4, 2.5)),
        cup_to_disc=float(np.clip(rng.normal(0.42, 0.12), 0.15, 0.8)),
        pallor=float(np.clip(rng.normal(0.6, 0.25), 0, 1)),
        brightness=float(np.clip(rng.normal(0.98, 0.16), 0.7, 1.4)),
        tessellation=float(rng.beta(1.2, 2.5)),
        sheen=float(rng.beta(1.2, 1.6)),
        seed=seed,
    )


ABSORPTION = {"artery": (0.11, 0.36, 0.32), "vein": (0.22, 0.50, 0.42)}
"""Of (red, green, blue) light by a vessel of 0.1 mm: arterial blood lets more red light through."""
CALIBRE_POWER = 0.45
"""Fine vessels stand out more than their blood alone explains: light is scattered in their walls too."""
REFLEX = {"artery": 0.75, "vein": 0.32}
"""How much of the lost light a vessel's middle line gives back."""


class _Retina:
    """One eye in the making: the layers in the order in which light meets them."""

    def __init__(self, config: FundusPhantom) -> None:
        self.config, self.camera = config, CAMERAS[config.camera]
        self._quality = PHOTOGRAPH_QUALITIES[config.quality]
        self._rng = {name: np.random.default_rng([config.seed, 40, index]) for index, name in enumerate(_STREAMS)}
        eye = self._rng["eye"]
        self.disc = Disc(
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

    def _grid(self) -> Grid:
        rows, columns = np.mgrid[: self.camera.shape[0], : self.camera.shape[1]].astype(np.float32)
        scale = self.camera.px_per_mm
        x = self._mirror * (columns - self.camera.centre[1]) / scale + self._aim_mm[0]
        return Grid(x, (rows - self.camera.centre[0]) / scale + self._aim_mm[1], scale)

    def _inside(self, x: float, y: float) -> bool:
        reach = self.camera.radius_px / self.camera.px_per_mm + BEYOND_MM
        return (x - self._aim_mm[0]) ** 2 + (y - self._aim_mm[1]) ** 2 < reach * reach

    def _grow(self) -> dict[str, tuple[Vessel, ...]]:
        ground = Ground(self._inside)
        radius = self.config.vein_radius_mm
        finest = 1.25 / self.camera.px_per_mm
        radii = {"vein": radius, "artery": radius * self.config.artery_to_vein}
        return {
            kind: grow_tree(kind, TreeShape(own, max(finest, 0.0045), self.config.tortuosity), ground, self._rng[kind])
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
        picture = np.empty((*grid.shape, 3), np.float32)
        picture[:] = colour
        paint_choroid(picture, grid, tessellation=config.tessellation, rng=rng)
        paint_macula(picture, grid, depth=float(rng.uniform(0.5, 1.1)), reflex=float(rng.uniform(0, 0.5)))
        paint_nerve_fibres(picture, grid, sheen=config.sheen, rng=rng)
        paint_disc(picture, grid, self.disc, rng)
        lesions = paint_lesions(picture, grid, config.pathology, self._inside, self._rng["lesions"])
        for kind, strokes in (("vein", veins), ("artery", arteries)):
            self._shade(picture, kind, strokes)
        return picture, lesions

    def _shade(self, picture: Float[np.ndarray, "height width 3"], kind: str, strokes: Strokes) -> None:
        """Blood takes light away, and the vessel's round front gives some back."""
        rows, columns = np.nonzero(strokes.depth > 0)
        depth_mm = strokes.depth[rows, columns] / self.camera.px_per_mm
        lost = np.exp(-((depth_mm[:, None] / 0.1) ** CALIBRE_POWER) * np.array(ABSORPTION[kind]))
        back = REFLEX[kind] * strokes.reflex[rows, columns][:, None]
        picture[rows, columns] *= lost + (1 - lost) * back

    def expose(self, picture: Float[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
        """The photograph: lens, light, sensor and the edge of the field of view."""
        rng, camera, quality = self._rng["camera"], self.camera, self._quality
        # Dim places turn olive: red light fades first.
        light = np.stack([self._light(rng)] * 3, axis=-1) ** np.array([1.2, 0.95, 0.8], np.float32)
        lit = picture * (light * np.float32(self.config.brightness))
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
    """What an observer would trace: half covered pixels, and the middle line of vessels as fine as a pixel."""
    return np.asarray((strokes.coverage >= 0.5) | (strokes.extent >= 0))
