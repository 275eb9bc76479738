"""What lies behind and before the vessels of a fundus: choroid, nerve fibres, disc, macula, lesions.

Layers work on a grid of positions on the retina (mm from the disc, +x towards the macula, +y down) and change a
image of colours (height, width, 3) in place; colours are shares of full scale.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.phantoms.fundus.vessel import FOVEA_MM, streamline

Image = Float[np.ndarray, "height width 3"]
Plane = Float[np.ndarray, "height width"]


@dataclass(frozen=True)
class RetinaGrid:
    """Where each pixel lies on the retina.

    Args:
        x: mm towards the macula.
        y: mm down.
        px_per_mm: pixels per mm.
    """

    x: Plane
    y: Plane
    px_per_mm: float

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.x.shape
        return height, width

    def from_fovea(self) -> Plane:
        """Distance to the fovea, mm."""
        return np.asarray(np.hypot(self.x - FOVEA_MM[0], self.y - FOVEA_MM[1]))

    def window(self, x: float, y: float, reach_mm: float) -> tuple[slice, slice]:
        """Rows and columns of the box around a point, cut at the image's edge."""
        row = (y - self.y[0, 0]) * self.px_per_mm
        column = (x - self.x[0, 0]) * self.px_per_mm * (1 if self.x[0, -1] > self.x[0, 0] else -1)
        reach = reach_mm * self.px_per_mm + 2

        def cut(middle: float, length: int) -> slice:
            return slice(min(max(int(middle - reach), 0), length), min(max(int(middle + reach) + 1, 0), length))

        return cut(row, self.shape[0]), cut(column, self.shape[1])


@dataclass(frozen=True)
class OpticDisc:
    """The optic disc: an upright ellipse with a paler cup.

    Args:
        half_width_mm: half of its width.
        half_height_mm: half of its height.
        cup_to_disc: width of the cup over that of the disc.
        pallor: 0 a pink disc that hardly stands out, 1 a bright yellow one.
    """

    half_width_mm: float = 0.85
    half_height_mm: float = 0.95
    cup_to_disc: float = 0.4
    pallor: float = 0.6

    def reach(self, x: Plane, y: Plane) -> Plane:
        """1 on its edge, 0 in its middle."""
        return np.asarray(np.hypot(x / self.half_width_mm, y / self.half_height_mm))


def noise(shape: tuple[int, int], size_px: float, rng: np.random.Generator) -> Plane:
    """Smooth noise of mean 0 and variance 1 whose spots are `size_px` wide (standard deviation of the blur).

    Made on a coarse grid and enlarged, so that wide spots cost as little as narrow ones.
    """
    from scipy import ndimage  # slow to import, so only when needed

    step = max(1.0, size_px / 3)
    coarse = tuple(int(np.ceil(length / step)) + 7 for length in shape)
    rough = ndimage.gaussian_filter(rng.standard_normal(coarse), size_px / step, mode="wrap")
    rough /= max(float(rough.std()), 1e-12)
    if step == 1.0:
        return np.asarray(rough[: shape[0], : shape[1]], np.float32)
    down = _stretched(rough.astype(np.float32), shape[0], step)
    return _stretched(down.T, shape[1], step).T


def _stretched(coarse: Float[np.ndarray, "coarse width"], fine: int, step: float) -> Float[np.ndarray, "fine width"]:
    """Linear interpolation along the first axis between samples `step` apart, beginning at the second one."""
    place = (np.arange(fine) / step + 1).astype(np.float32)
    low = np.minimum(place.astype(int), len(coarse) - 2)
    share = (place - low)[:, None]
    return np.asarray(coarse[low] * (1 - share) + coarse[low + 1] * share)


def _edge(reach: Plane, softness: float) -> Plane:
    """1 inside of a reach of 1, 0 outside, with a soft edge."""
    return np.asarray(1 / (1 + np.exp(np.clip((reach - 1) / softness, -40, 40))))


def paint_choroid(image: Image, grid: RetinaGrid, *, tessellation: float, rng: np.random.Generator) -> None:
    """Patches of pigment and blood behind the retina, and, where it is thin, choroidal vessels as paler bands.

    Args:
        image: changed in place.
        grid: of the image.
        tessellation: how clearly choroidal vessels shine through, 0 to 1.
        rng: source of randomness.
    """
    broad = noise(grid.shape, 1.3 * grid.px_per_mm, rng)
    patchy = np.maximum(noise(grid.shape, 0.15 * grid.px_per_mm, rng), -0.5)
    mottle = 0.015 + 0.075 * tessellation
    image[..., 0] *= np.exp(0.08 * broad + mottle * patchy)
    image[..., 1] *= np.exp(0.07 * broad + 0.35 * mottle * patchy)
    grain = noise(grid.shape, 0.021 * grid.px_per_mm, rng)
    image *= (1 + 0.032 * grain)[..., None]
    # Middle lines of smooth noise wind, part and join as choroidal vessels do.
    winding = noise(grid.shape, 0.30 * grid.px_per_mm, rng)
    bands = np.exp(-((winding / 0.28) ** 2)) - 0.4
    # Not behind the macula, whose pigment hides the choroid.
    far = 1 - np.exp(-((grid.from_fovea() / 2.2) ** 2))
    strength = tessellation * far * (0.6 + 0.4 * np.tanh(noise(grid.shape, 1.5 * grid.px_per_mm, rng)))
    image[..., 0] *= 1 + 0.05 * strength * bands
    image[..., 1] *= 1 + 0.22 * strength * bands
    image[..., 2] *= 1 + 0.22 * strength * bands


def paint_nerve_fibres(image: Image, grid: RetinaGrid, *, sheen: float, rng: np.random.Generator) -> None:
    """Fine stripes along the nerve fibres, densest above and below the disc, and in the young a glistening sheen.

    Args:
        image: changed in place.
        grid: of the image.
        sheen: strength of the sheen's patches, 0 to 1.
        rng: source of randomness.
    """
    from scipy import ndimage  # slow to import, so only when needed

    bundle = streamline(np.stack([grid.x, grid.y], axis=-1))
    distance = np.hypot(grid.x, grid.y)
    table = ndimage.gaussian_filter1d(rng.standard_normal(4096), 1.2, mode="wrap")
    table += 0.6 * ndimage.gaussian_filter1d(rng.standard_normal(4096), 6, mode="wrap") * 2
    # One number for each angle of a bundle: all pixels of a fibre share it, which draws stripes without drawing
    # lines.
    stripes = table[((bundle / (2 * np.pi) * 2600).astype(np.int64)) % 4096]
    thick = np.exp(-np.maximum(distance - 0.8, 0) / 1.5) * (0.3 + 0.7 * np.abs(np.sin(bundle)) ** 2)
    gain = 1 + 0.13 * (0.3 + sheen) * thick * stripes
    haze = 0.26 * thick * (0.5 + sheen)
    image *= gain[..., None]
    image += haze[..., None] * np.array([0.0, 0.30, 0.12])
    if sheen > 0:
        # Along the arcades, about 65 degrees above and below the horizontal, where the fibres lie thickest.
        arcades = np.exp(-(((np.abs(bundle) - 1.15) / 0.45) ** 2)) * np.exp(-(((distance - 2.6) / 1.5) ** 2))
        _paint_sheen(image, grid, arcades, sheen=sheen, rng=rng)


def _paint_sheen(image: Image, grid: RetinaGrid, arcades: Plane, *, sheen: float, rng: np.random.Generator) -> None:
    """Whitish-yellow reflexes with ragged edges along the arcades."""
    size = grid.px_per_mm
    field = noise(grid.shape, 0.30 * size, rng) + 0.45 * noise(grid.shape, 0.06 * size, rng)
    patches = 1 / (1 + np.exp(-(field + 1.1 * arcades - 2.15 + 0.6 * (1 - sheen)) / 0.16))
    sparkle = 1 + 0.30 * noise(grid.shape, 1.0, rng)
    shine = sheen * patches * (0.25 + arcades) * np.clip(sparkle, 0.2, 2.0)
    image += shine[..., None] * np.array([0.10, 0.24, 0.10])


def paint_macula(image: Image, grid: RetinaGrid, *, depth: float, reflex: float) -> None:
    """The macula: darker and browner towards the fovea, with a spot of reflected light in its pit.

    Args:
        image: changed in place.
        grid: of the image.
        depth: how dark, 0 to 1.
        reflex: brightness of the spot, 0 to 1.
    """
    distance = grid.from_fovea()
    wide, narrow = np.exp(-((distance / 1.9) ** 2)), np.exp(-((distance / 0.55) ** 2))
    for channel, (broad, pit) in enumerate(((0.48, 0.12), (0.36, 0.26), (0.50, 0.45))):
        image[..., channel] *= np.exp(-depth * (broad * wide + pit * narrow))
    ring = np.exp(-(((distance - 1.1) / 0.10) ** 2)) * np.clip(0.5 + grid.y - FOVEA_MM[1], 0, 1)
    spot = np.exp(-((distance / 0.07) ** 2))
    image += (reflex * (0.5 * spot + 0.035 * ring))[..., None] * np.array([0.5, 0.55, 0.3])


def paint_disc(image: Image, grid: RetinaGrid, disc: OpticDisc, rng: np.random.Generator) -> None:
    """The optic disc with its cup, a darker ring of pigment around it, and the blur of its rim."""
    rows, columns = grid.window(0.0, 0.0, 2.3)
    part = image[rows, columns]
    x, y = grid.x[rows, columns], grid.y[rows, columns]
    ragged = 0.035 * noise((part.shape[0], part.shape[1]), 0.25 * grid.px_per_mm, rng)
    reach = disc.reach(x, y) + ragged
    halo = np.exp(-(((reach - 1.12) / 0.13) ** 2)) + 0.5 * np.exp(-np.maximum(reach - 1.1, 0) / 0.5) * (reach > 1.0)
    part *= 1 - (0.13 * halo * (0.7 + 0.3 * np.tanh(2 * x)))[..., None] * np.array([1.0, 0.55, 0.5])
    rim = np.array([1.0, 0.40, 0.10]) + disc.pallor * np.array([0.02, 0.20, 0.04])
    glow = np.maximum(part[..., :1].mean(), 0.45)
    share = _edge(reach, 0.045)[..., None] * (0.55 + 0.4 * disc.pallor)
    part += share * (rim * (0.80 + 0.35 * glow) - part)
    width, height = disc.half_width_mm * disc.cup_to_disc, disc.half_height_mm * disc.cup_to_disc
    cup = np.hypot((x - 0.16) / width, (y - 0.02) / height) + ragged
    pale = np.array([1.0, 0.84, 0.24]) + disc.pallor * np.array([0.05, 0.22, 0.24])
    part += _edge(cup, 0.13)[..., None] * (0.35 + 0.6 * disc.pallor) * (pale - part)
    # The nasal rim is thicker and redder; fine fibres run over all of it.
    nasal = np.clip(0.5 - x / disc.half_width_mm, 0, 1.4)
    part *= 1 - (0.22 * share[..., 0] * nasal)[..., None] * np.array([0.2, 1.0, 1.0])
    grain = noise((part.shape[0], part.shape[1]), 2.0, rng)
    part *= 1 + (0.02 * share[..., 0] * grain)[..., None]


@dataclass(frozen=True)
class LesionKind:
    """One kind of lesion and how it looks; none of them is a vessel.

    Args:
        count: fewest and most.
        radius_mm: smallest and largest.
        colour: of its middle: factors on (red, green, blue) of a dark one; of a bright one (red, green, blue) over the
            red of the retina around it.
        is_bright: whether it is brighter than the retina.
        elongation: length over width, largest.
        softness: of its edge; 0.1 is sharp.
        near_fovea: whether it gathers around the macula.
    """

    count: tuple[int, int]
    radius_mm: tuple[float, float]
    colour: tuple[float, float, float]
    elongation: float
    softness: float
    near_fovea: bool
    is_bright: bool


LESIONS: Mapping[str, LesionKind] = {
    "microaneurysms": LesionKind((6, 25), (0.018, 0.045), (0.80, 0.55, 0.6), 1.2, 0.30, True, False),
    "dot haemorrhages": LesionKind((3, 14), (0.05, 0.17), (0.62, 0.42, 0.5), 1.6, 0.20, False, False),
    "flame haemorrhages": LesionKind((1, 6), (0.08, 0.18), (0.65, 0.45, 0.5), 4.5, 0.30, False, False),
    "hard exudates": LesionKind((10, 45), (0.025, 0.09), (1.25, 1.05, 0.42), 1.6, 0.15, True, True),
    "soft exudates": LesionKind((1, 5), (0.15, 0.35), (1.12, 0.85, 0.45), 2.0, 0.45, False, True),
    "drusen": LesionKind((15, 80), (0.025, 0.09), (1.12, 0.72, 0.25), 1.2, 0.35, True, True),
}
PATHOLOGIES: Mapping[str, tuple[str, ...]] = {
    "normal": (),
    "diabetic": ("microaneurysms", "dot haemorrhages", "hard exudates", "soft exudates"),
    "hypertensive": ("flame haemorrhages", "soft exudates", "dot haemorrhages"),
    "drusen": ("drusen",),
}


def paint_lesions(
    image: Image, grid: RetinaGrid, pathology: str, inside: Callable[[float, float], bool], rng: np.random.Generator
) -> Bool[np.ndarray, "height width"]:
    """Lesions of a pathology at random places; flame haemorrhages lie along the nerve fibres.

    Returns:
        Where they are.
    """
    mask = np.zeros(grid.shape, bool)
    for name in PATHOLOGIES[pathology]:
        kind = LESIONS[name]
        for _ in range(int(rng.integers(kind.count[0], kind.count[1] + 1))):
            x, y = _place(kind, inside, rng)
            lesion = _Lesion(kind, x, y, float(rng.uniform(*kind.radius_mm)))
            window, held = _paint_lesion(image, grid, lesion, rng)
            mask[window] |= held
    return mask


@dataclass(frozen=True)
class _Lesion:
    """One lesion at a place, mm."""

    kind: LesionKind
    x: float
    y: float
    radius_mm: float


def _place(kind: LesionKind, inside: Callable[[float, float], bool], rng: np.random.Generator) -> tuple[float, float]:
    """A place outside of the disc and inside of the image."""
    for _ in range(50):
        if kind.near_fovea and rng.uniform() < 0.75:
            x, y = rng.normal(FOVEA_MM[0], 1.2), rng.normal(FOVEA_MM[1], 1.2)
        else:
            x, y = rng.uniform(-4.5, 8), rng.uniform(-5, 5)
        if inside(float(x), float(y)) and np.hypot(x, y) > 1.3 and np.hypot(x - FOVEA_MM[0], y - FOVEA_MM[1]) > 0.25:
            break
    return float(x), float(y)


def _paint_lesion(
    image: Image, grid: RetinaGrid, lesion: _Lesion, rng: np.random.Generator
) -> tuple[tuple[slice, slice], Bool[np.ndarray, "rows columns"]]:
    """Paint one in place; gives the part of the image around it, and which pixels of that it covers."""
    kind, x, y, radius = lesion.kind, lesion.x, lesion.y, lesion.radius_mm
    long = radius * float(rng.uniform(1, kind.elongation))
    window = grid.window(x, y, 1.6 * long + 0.05)
    dx, dy = grid.x[window] - x, grid.y[window] - y
    if dx.size == 0:
        return window, np.zeros(dx.shape, bool)
    # What is long follows the nerve fibres, which run away from the disc.
    angle = np.arctan2(y, x) if kind.elongation > 3 else float(rng.uniform(0, np.pi))
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = dy * np.cos(angle) - dx * np.sin(angle)
    size = (dx.shape[0], dx.shape[1])
    ragged = 0.18 * noise(size, max(1.0, 0.35 * radius * grid.px_per_mm), rng) if min(size) > 4 else 0.0
    reach = np.asarray(np.hypot(along / long, across / radius) + ragged)
    share = _edge(reach, kind.softness) * float(rng.uniform(0.6, 1.0))
    part = image[window]
    target = np.array(kind.colour) * (part[..., :1].mean() if kind.is_bright else part)
    part += share[..., None] * (target - part)
    return window, reach < 1
