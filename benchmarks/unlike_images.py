"""Images that a model must not be trusted on: corrupted ones, other views, other ways of making images."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image as Canvas
from scipy import ndimage

from cardiotrace.core.catalog import Choice
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Phase, View
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.io import as_grey, read_image
from cardiotrace.phantoms.choice import PATIENTS_PER_SEED, PhantomConfig, draw_patient
from cardiotrace.phantoms.cmr.layout import Layout
from cardiotrace.phantoms.cmr.phantom import LongAxis
from cardiotrace.phantoms.cmr.style import QUALITIES as CMR_QUALITIES
from cardiotrace.phantoms.cmr.style import STYLES
from cardiotrace.phantoms.echo.exam import view_image
from cardiotrace.phantoms.echo.vendor import QUALITIES, VENDORS

Plane = Float[np.ndarray, "height width"]
Change = Callable[[Plane, np.random.Generator], Plane]


def _noisy(plane: Plane, rng: np.random.Generator) -> Plane:
    return np.asarray(np.clip(plane + rng.normal(0, 0.15, plane.shape), 0, 1))


def _blurred(plane: Plane, rng: np.random.Generator) -> Plane:
    return np.asarray(ndimage.gaussian_filter(plane, 0.015 * min(plane.shape)))


def _half_blank(plane: Plane, rng: np.random.Generator) -> Plane:
    """One of its four halves is black."""
    plane, turns = plane.copy(), int(rng.integers(4))
    turned = np.rot90(plane, turns)
    turned[len(turned) // 2 :] = 0
    return np.asarray(plane)


def _gained(plane: Plane, rng: np.random.Generator) -> Plane:
    return np.asarray(np.clip(3 * plane, 0, 1))


def _gamma(plane: Plane, rng: np.random.Generator) -> Plane:
    return np.asarray(plane**0.35)


def _shuffled(plane: Plane, rng: np.random.Generator) -> Plane:
    """Sixteen parts in another order."""
    height, width = (side // 4 * 4 for side in plane.shape)
    rows, columns = height // 4, width // 4
    parts = plane[:height, :width].reshape(4, rows, 4, columns).swapaxes(1, 2).reshape(16, rows, columns)
    mixed = parts[rng.permutation(16)].reshape(4, 4, rows, columns).swapaxes(1, 2).reshape(height, width)
    return np.asarray(mixed)


def _compressed(plane: Plane, rng: np.random.Generator) -> Plane:
    """JPEG of quality 3."""
    file = BytesIO()
    Canvas.fromarray(np.rint(plane * 255).astype(np.uint8)).save(file, "JPEG", quality=3)
    return np.asarray(Canvas.open(file), np.float32) / 255


CORRUPTIONS: Mapping[str, Change] = {
    "none": lambda plane, rng: plane,
    "noise": _noisy,
    "blur": _blurred,
    "half is black": _half_blank,
    "gain x 3": _gained,
    "gamma 0.35": _gamma,
    "turned by 90 degrees": lambda plane, rng: np.rot90(plane),
    "upside down": lambda plane, rng: plane[::-1],
    "16 parts mixed": _shuffled,
    "JPEG of quality 3": _compressed,
}


def corrupted(image: Image, change: Change, seed: int) -> Image:
    """The image with all its planes changed alike: of one draw for all."""
    frames = as_grey(image).frames.astype(np.float32)
    low, high = np.percentile(frames, (0.1, 99.9))
    unit = np.clip((frames - low) / max(high - low, 1e-6), 0, 1)
    planes = [change(plane, np.random.default_rng(seed)) for plane in unit.reshape(-1, *unit.shape[2:])]
    made = np.stack(planes).reshape(*frames.shape[:2], *planes[0].shape)
    geometry, sizes = image.geometry, image.spacing_mm
    if made.shape != frames.shape and sizes is not None:
        geometry = Geometry.of_spacing((sizes[0], sizes[2], sizes[1]))
    return replace(image, frames=np.rint(made * 255).astype(np.uint8), geometry=geometry, source=None)


@dataclass(frozen=True)
class Stranger:
    """An image of a kind that a model was, or was not, made for."""

    kind: str
    name: str
    image: Image
    is_like: bool = False
    """Of the view and modality that the model was made for, from elsewhere."""


def strangers_of_echo(root: Path, *, phantoms: int) -> Iterator[Stranger]:
    """What a model of four-chamber echo must not be trusted on, and four-chamber echo from elsewhere."""
    for path in sorted((root / "camus" / "legacy_mhd").glob("patient*/*_E[DS].mhd")):
        is_like = "_4CH_" in path.name
        kind = "four-chamber echo, first format" if is_like else "two-chamber echo, real"
        yield Stranger(kind, path.stem, read_image(path), is_like)
    yield from _echo_phantoms(phantoms)
    for name, stack in _acdc(root):
        yield Stranger("short-axis MRI", name, _slice(stack, stack.grid_shape[1] // 2))
    yield from _long_axes(root)
    yield from _photographs(root)


def strangers_of_cine(root: Path, *, phantoms: int) -> Iterator[Stranger]:
    """What a model of short-axis MRI must not be trusted on, and short-axis MRI from elsewhere."""
    yield from _long_axes(root)
    yield from _cine_phantoms(phantoms)
    dataset = DATASETS.make(Choice("camus", {"views": ["4CH"]}), root / "camus")
    stills = [case for case in dataset.cases() if case.read_labels is not None and case.phase is Phase.ED]
    for case in stills[::8]:
        yield Stranger("four-chamber echo", case.name, case.read_image())
    yield from _photographs(root)
    yield from _other_stacks(root)


def _acdc(root: Path) -> Iterator[tuple[str, Image]]:
    for case in DATASETS.make(Choice("acdc", {}), root / "acdc").cases():
        if case.read_labels is not None and case.phase is Phase.ED:
            yield case.name, case.read_image()


def _slice(stack: Image, depth: int) -> Image:
    return replace(stack, frames=stack.frames[:1, depth : depth + 1], times_ms=None)


def _long_axes(root: Path) -> Iterator[Stranger]:
    """Of one volunteer and of one patient."""
    for name in ("Se6", "Se7", "Se8", "Se9"):
        path = min((root / "bivme_dicom" / "patient1" / name).glob("*.dcm"))
        yield Stranger("long-axis MRI, real", name, read_image(path))
    for path in sorted((root / "mnms2").rglob("*_LA_E[DS].nii.gz")):
        yield Stranger("long-axis MRI, real", path.stem, read_image(path))


def _photographs(root: Path) -> Iterator[Stranger]:
    for folder, pattern in (("drive/training", "*_training.tif"), ("chase_db1", "*[LR].jpg")):
        for path in sorted((root / folder).rglob(pattern)):
            yield Stranger("photograph of an eye", path.stem, _sized(as_grey(read_image(path))))


def _sized(image: Image) -> Image:
    """As wide as a chest, so that models that need sizes take it."""
    pixel_mm = 350 / max(image.grid_shape[2:])
    return replace(image, geometry=Geometry.of_spacing((10.0, pixel_mm, pixel_mm)))


def _echo_phantoms(count: int) -> Iterator[Stranger]:
    config = PhantomConfig("echo", PATIENTS_PER_SEED, seed=81, vendors=tuple(VENDORS), qualities=tuple(QUALITIES))
    for number in range(count):
        phantom: Any = draw_patient(config, number).phantom
        states = phantom.at(np.array([0.0]))
        for view in (View.TWO_CHAMBER, View.THREE_CHAMBER, View.PLAX, View.SAX, View.FOUR_CHAMBER):
            is_like = view is View.FOUR_CHAMBER
            kind = "four-chamber echo, phantom" if is_like else "other views of echo, phantom"
            yield Stranger(kind, f"{number}-{view}", view_image(phantom, states, view)[0].image, is_like)


def _cine_phantoms(count: int) -> Iterator[Stranger]:
    config = PhantomConfig(
        "cmr", PATIENTS_PER_SEED, seed=82, vendors=tuple(STYLES), qualities=tuple(CMR_QUALITIES), frame_count=12
    )
    for number in range(count):
        phantom: Any = draw_patient(config, number).phantom
        layout = Layout(phantom, phantom.at(phantom.cycle.times_ms(phantom.frame_count)[[0]]))
        axes: tuple[LongAxis, ...] = ("2CH", "3CH", "4CH")
        for at, axis in enumerate(axes, start=len(layout.stack)):
            video = layout.video(at, layout.long_axis(axis))
            yield Stranger(
                "long-axis MRI, phantom", f"{number}-{axis}", _sized(Image(video.frames[:, None], NO_GEOMETRY))
            )


def _other_stacks(root: Path) -> Iterator[Stranger]:
    for path in sorted((root / "mnms1").rglob("*_sa_E[DS].nii.gz")):
        yield Stranger("short-axis MRI, M&Ms", path.stem, read_image(path), True)
    for path in sorted((root / "mnms2").rglob("*_SA_E[DS].nii.gz")):
        yield Stranger("short-axis MRI, M&Ms-2", path.stem, read_image(path), True)
    packed = np.load(root / "sunnybrook" / "scd_lvsegs.npz")
    for number, (first, last) in enumerate(packed["caseIndices"]):
        stack = Image(packed["images"][None, first:last], Geometry.of_spacing((10.0, 1.37, 1.37)))
        yield Stranger("short-axis MRI, Sunnybrook", str(number), stack, True)
