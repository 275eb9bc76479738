"""What a classifier of views learns from: pictures of real patients, of phantoms, and of much that is no view."""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8
from PIL import Image as Canvas
from PIL import ImageDraw

from cardiotrace.core.catalog import Choice
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.inference.spec import ViewClass
from cardiotrace.inference.view_classifier import looked_at
from cardiotrace.io import as_grey, read_image
from cardiotrace.phantoms.choice import PATIENTS_PER_SEED, PhantomConfig, choice_digest, draw_patient
from cardiotrace.phantoms.cmr.layout import Layout
from cardiotrace.phantoms.cmr.slices import ImagingPlane
from cardiotrace.phantoms.cmr.style import QUALITIES as CMR_QUALITIES
from cardiotrace.phantoms.cmr.style import STYLES
from cardiotrace.phantoms.echo.exam import view_image
from cardiotrace.phantoms.echo.vendor import QUALITIES, VENDORS
from cardiotrace.phantoms.fundus import fundus_image, sample_fundus
from cardiotrace.preprocessing import Preprocessing

CLASSES = tuple(
    ViewClass(view, modality)
    for modality, views in (
        (Modality.US, (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER, View.PLAX, View.SAX)),
        (Modality.MR, (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER, View.SAX)),
    )
    for view in views
)
"""Class 0 is none of them."""
SIDE = 96
"""Of what the network sees."""
STORED_SIDE = 128
"""Of what training cuts and turns."""
VALUES = (Choice("percentiles", {"low": 0.5, "high": 99.5}), Choice("z-score"))
PREPROCESSING = Preprocessing([Choice("resize", {"height": SIDE, "width": SIDE, "keep_aspect": True}), *VALUES])
STORED = Preprocessing(
    [Choice("resize", {"height": STORED_SIDE, "width": STORED_SIDE, "keep_aspect": True}), VALUES[0]]
)

Plane = Shaped[np.ndarray, "height width"]


@dataclass(frozen=True)
class Picture:
    """One image of one patient, as training and as use see it."""

    source: str
    patient: str
    """Pictures of one patient never lie in two folds, whichever source they come from."""
    name: str
    kind: int
    """Class, 0 for none."""
    stored: UInt8[np.ndarray, "planes rows columns"]
    seen: Float[np.ndarray, "planes rows columns"]
    """Prepared by the steps of the model file."""
    is_real: bool = True
    """False of phantoms, and of what was made out of real images."""
    is_echo: bool = False
    """Whether it is changed as ultrasound is in training, which stands upright."""
    is_tested: bool = True
    """False of made pictures that stand in for what is lacking: they are learned from alone."""
    is_stack: bool = False
    """Whether the image has several slices."""


def picture(image: Image, source: str, patient: str, name: str, kind: ViewClass | None, **more: Any) -> Picture:
    """A picture of an image."""
    grey = as_grey(image)
    planes = looked_at(grey.frames)
    spacing_mm = grey.spacing_mm

    def prepared(steps: Preprocessing) -> Float[np.ndarray, "planes rows columns"]:
        transform = steps.transform_for(grey.grid_shape[2:], spacing_mm and spacing_mm[1:])
        return np.stack([steps.apply(plane, transform)[0] for plane in planes])

    number = CLASSES.index(kind) + 1 if kind is not None else 0
    stored = np.rint(prepared(STORED) * 255).astype(np.uint8)
    more.setdefault("is_echo", kind is not None and kind.modality is Modality.US)
    more["is_stack"] = image.grid_shape[1] > 1
    return Picture(source, patient, name, number, stored, prepared(PREPROCESSING).astype(np.float16), **more)


def flat(plane: Plane, spacing_mm: tuple[float, float] | None = None) -> Image:
    """A plane as an image."""
    geometry = NO_GEOMETRY if spacing_mm is None else Geometry.of_spacing((1.0, *spacing_mm))
    return Image(np.ascontiguousarray(plane)[None, None], geometry)


ECHO = {view: ViewClass(view, Modality.US) for view in View}
MRI = {view: ViewClass(view, Modality.MR) for view in View}


# Real patients -----------------------------------------------------------------------------------------------------


def camus(root: Path) -> Iterator[Picture]:
    """Apical echo; and what is made of it: no heart of that view, or one without its right side."""
    dataset = DATASETS.make(Choice("camus", {"views": ["4CH"]}), root / "camus")
    for number, case in enumerate(dataset.cases()):
        if case.read_labels is None:
            continue
        image, patient = case.read_image(), f"camus-{case.patient[-4:]}"
        if image.grid_shape[0] > 1:
            continue
        yield picture(image, "CAMUS", patient, case.name, ECHO[View.FOUR_CHAMBER])
        made = {"is_real": False, "is_echo": True}
        plane, labels = image.frames[0, 0], case.read_labels().array[0, 0]
        spacing = image.spacing_mm[1:]
        if number % 4 == 0:
            turns = 1 + number // 4 % 3
            turned = flat(np.rot90(plane, turns), spacing if turns == 2 else spacing[::-1])
            yield picture(turned, "CAMUS, turned", patient, f"{case.name}-turned", None, **made)
        if number % 4 == 1:
            part = flat(_beside(plane, labels, number), spacing)
            yield picture(part, "CAMUS, beside the heart", patient, f"{case.name}-beside", None, **made)
        if number % 4 in (2, 3):
            half = flat(mirrored_half(plane, labels), spacing)
            kind = ECHO[View.TWO_CHAMBER]
            yield picture(half, "CAMUS, mirrored", patient, f"{case.name}-mirrored", kind, **made, is_tested=False)


def mirrored_half(plane: Plane, labels: Plane) -> Plane:
    """A four-chamber view whose lateral half stands on both sides of the left ventricle's axis.

    It has the left ventricle and atrium and no right ones, as a two-chamber view, of which there are two real patients.
    """
    rows, columns = np.nonzero((labels == 1) | (labels == 3))
    slope, offset = np.polyfit(rows, columns, 1)
    slope = float(np.clip(slope, -0.6, 0.6))
    offset = columns.mean() - slope * rows.mean()
    axis = slope * np.arange(len(plane)) + offset
    reach = np.arange(plane.shape[1])[None] - axis[:, None]
    source = np.rint(axis[:, None] + np.abs(reach)).astype(int)
    inside = (source >= 0) & (source < plane.shape[1])
    return np.where(inside, np.take_along_axis(plane, source.clip(0, plane.shape[1] - 1), axis=1), 0)


def _beside(plane: Plane, labels: Plane, seed: int) -> Plane:
    """A part of an image that holds hardly anything of the heart: of the top, of a side, of what lies below."""
    rng = np.random.default_rng([seed, 1])
    heart = np.argwhere(labels > 0)
    (top, left), (bottom, right) = heart.min(axis=0), heart.max(axis=0)
    parts = [plane[:, :left], plane[:, right:], plane[:top], plane[bottom:], plane[: (top + bottom) // 3]]
    fit = [part for part in parts if min(part.shape) >= 40 and np.ptp(np.percentile(part, (1, 99))) > 10]
    return fit[int(rng.integers(len(fit)))] if fit else plane[: len(plane) // 4]


def camus_first_format(root: Path) -> Iterator[Picture]:
    """Two patients in both apical views."""
    for path in sorted((root / "camus" / "legacy_mhd").glob("patient*/*_E[DS].mhd")):
        patient, view, _ = path.stem.split("_")
        name = f"first-format-{path.stem}"
        yield picture(read_image(path), "CAMUS, first format", f"camus-{patient[-4:]}", name, ECHO[View(view)])


def acdc(root: Path) -> Iterator[Picture]:
    """Short-axis stacks, and parts of them beside the heart."""
    for case in DATASETS.make(Choice("acdc", {}), root / "acdc").cases():
        image = case.read_image()
        if image.grid_shape[0] > 1 or case.read_labels is None:
            continue
        patient = f"acdc-{case.patient}"
        yield picture(image, "ACDC", patient, case.name, MRI[View.SAX])
        middle = image.grid_shape[1] // 2
        labels = case.read_labels().array[0, middle] > 0
        if labels.any():
            part = flat(_far_part(image.frames[0, middle], labels))
            name = f"{case.name}-beside"
            yield picture(part, "ACDC, beside the heart", patient, name, None, is_real=False)


def _far_part(plane: Plane, heart: Plane) -> Plane:
    """The largest part of a plane on one side of the heart."""
    rows, columns = np.nonzero(heart)
    parts = [plane[: rows.min()], plane[rows.max() :], plane[:, : columns.min()], plane[:, columns.max() :]]
    return max(parts, key=lambda part: min(part.shape))


def sunnybrook(root: Path) -> Iterator[Picture]:
    """Short-axis stacks of another centre; all of them in one fold, as the two lists of its patients do not match."""
    packed = np.load(root / "sunnybrook" / "scd_lvsegs.npz")
    for number, (first, last) in enumerate(packed["caseIndices"]):
        stack = Image(packed["images"][None, first:last], NO_GEOMETRY)
        yield picture(stack, "Sunnybrook", "sunnybrook", f"sunnybrook-{number}", MRI[View.SAX])
    for folder in sorted((root / "sunnybrook_dicom").glob("SCD*")):
        cine = _dicom(sorted(folder.glob("*.dcm"), key=lambda path: int(path.stem)), frames=20)
        yield picture(cine, "Sunnybrook, DICOM", "sunnybrook", folder.name, MRI[View.SAX])


def mnms(root: Path) -> Iterator[Picture]:
    """The few patients of M&Ms and M&Ms-2."""
    for path in sorted((root / "mnms1").rglob("*_sa_E[DS].nii.gz")):
        yield picture(read_image(path, view=View.SAX), "M&Ms", path.parent.name, path.stem, MRI[View.SAX])
    for path in sorted((root / "mnms2").rglob("*_E[DS].nii.gz")):
        view = View.SAX if "_SA_" in path.name else View.FOUR_CHAMBER
        yield picture(read_image(path, view=view), "M&Ms-2", "mnms2-001", path.stem, MRI[view])


_VOLUNTEER = {
    "Se6": View.FOUR_CHAMBER,
    "Se7": View.THREE_CHAMBER,
    "Se8": View.TWO_CHAMBER,
    "Se9": View.TWO_CHAMBER,
    "Se10": View.RVOT,
}
"""What its series show; all others are short axes."""


def volunteer(root: Path) -> Iterator[Picture]:
    """One volunteer, series by series; the right ventricle's outflow tract is none of the classes."""
    for folder in sorted((root / "bivme_dicom").glob("patient1/Se*")):
        view = _VOLUNTEER.get(folder.name, View.SAX)
        kind = None if view is View.RVOT else MRI[view]
        yield picture(_dicom(sorted(folder.glob("*.dcm"))), "Siemens volunteer", "volunteer", folder.name, kind)


def _dicom(paths: Sequence[Path], frames: int | None = None) -> Image:
    """Files of one plane each as one image; so many instants of each slice, one slice after the other."""
    import pydicom

    files = [pydicom.dcmread(path) for path in paths]
    if frames is None:
        files.sort(key=lambda file: float(file.get("TriggerTime", 0) or 0))
    planes = np.stack([file.pixel_array for file in files])
    count = frames or len(planes)
    array = planes[: len(planes) // count * count].reshape(-1, count, *planes.shape[1:]).swapaxes(0, 1)
    return Image(array, NO_GEOMETRY)


def fundus(root: Path) -> Iterator[Picture]:
    """Photographs of the eye: no view of the heart."""
    for folder, pattern, source in (("drive/training", "*_training.tif", "DRIVE"), ("chase_db1", "*[LR].jpg", "CHASE")):
        for path in sorted((root / folder).rglob(pattern)):
            # Both eyes of one person belong together.
            patient = f"{source}-{path.stem.split('_')[-1 if source == 'CHASE' else 0].rstrip('LR')}"
            image = read_image(path, view=View.FUNDUS, modality=Modality.PHOTOGRAPH)
            yield picture(image, source, patient, path.stem, None)


# Phantoms ----------------------------------------------------------------------------------------------------------


def echo_phantoms(numbers: Sequence[int]) -> Iterator[Picture]:
    """Five views of one heart after another, at end-diastole and at another instant."""
    config = PhantomConfig(
        "echo", PATIENTS_PER_SEED, seed=71, vendors=tuple(VENDORS), qualities=tuple(QUALITIES), spacing_mm=1.1
    )
    for number in numbers:
        phantom: Any = draw_patient(config, number).phantom
        levels = ("mitral", "papillary", "apical")
        phantom = replace(phantom, short_axis=levels[number % 3])
        later_ms = phantom.cycle.end_systole_ms if number % 2 else 0.55 * phantom.cycle.duration_ms
        states = phantom.at(np.array([0.0, later_ms]))
        for view in (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER, View.PLAX, View.SAX):
            image = view_image(phantom, states, view)[0].image
            name = f"echo-phantom-{number}"
            yield picture(image, "echo phantom", name, f"{name}-{view.value}", ECHO[view], is_real=False)


def cmr_phantoms(numbers: Sequence[int]) -> Iterator[Picture]:
    """Short and long axes of one heart after another, and planes that are neither."""
    config = PhantomConfig(
        "cmr", PATIENTS_PER_SEED, seed=72, vendors=tuple(STYLES), qualities=tuple(CMR_QUALITIES), frame_count=12
    )
    for number in numbers:
        phantom: Any = draw_patient(config, number).phantom
        states = phantom.at(phantom.cycle.times_ms(phantom.frame_count)[[0, 4]])
        layout, name = Layout(phantom, states), f"cmr-phantom-{number}"
        middle = len(layout.stack) // 2
        shown = {index: layout.stack[index] for index in (middle - 1, middle + 1)}
        frames = np.stack([layout.video(index, plane).frames for index, plane in shown.items()], axis=1)
        yield picture(Image(frames, NO_GEOMETRY), "MRI phantom", name, f"{name}-SAX", MRI[View.SAX], is_real=False)
        for at, axis in enumerate(("2CH", "3CH", "4CH"), start=len(layout.stack)):
            frames = layout.video(at, layout.long_axis(axis)).frames[:, None]
            kind = MRI[View(axis)]
            yield picture(Image(frames, NO_GEOMETRY), "MRI phantom", name, f"{name}-{axis}", kind, is_real=False)
        for at, (what, plane) in enumerate(_other_planes(layout, number).items(), start=len(layout.stack) + 3):
            frames = layout.video(at, plane).frames[:1, None]
            yield picture(
                Image(frames, NO_GEOMETRY), "MRI phantom, other planes", name, f"{name}-{what}", None, is_real=False
            )


def _other_planes(layout: Layout, number: int) -> Mapping[str, ImagingPlane]:
    """Planes of scouts, in the person's own axes, and one that misses the left ventricle."""
    rng = np.random.default_rng([number, 3])
    left, front, head = (layout.axes.matrix @ np.array(axis, float) for axis in np.eye(3))
    away = rng.uniform(-60, 60, 3)
    scouts = {
        "axial": (left, -front, head * abs(away[0])),
        "coronal": (left, -head, front * away[1]),
        "sagittal": (-front, -head, left * away[2]),
    }
    what = list(scouts)[number % 3]
    right, down, shift = scouts[what]
    planes = {what: ImagingPlane(tuple(map(float, shift)), tuple(map(float, right)), tuple(map(float, down)))}
    plane = layout.stack[0]
    side = -1 if number % 2 else 1
    beyond = (-rng.uniform(45, 70) if side < 0 else rng.uniform(125, 150)) - plane.middle_mm[2]
    planes["beyond"] = plane.moved(np.array([0.0, 0.0, beyond]))
    return planes


def fundus_phantoms(numbers: Sequence[int]) -> Iterator[Picture]:
    """Photographs of eyes that are drawn."""
    for number in numbers:
        shown = fundus_image(sample_fundus(number + 7000))
        name = f"fundus-phantom-{number}"
        yield picture(Image(shown.image[None, None], NO_GEOMETRY), "fundus phantom", name, name, None, is_real=False)


# What is no view ---------------------------------------------------------------------------------------------------


def drawings(numbers: Sequence[int]) -> Iterator[Picture]:
    """Noise, texts, shapes, curves over time, Doppler-like pictures, empty sectors."""
    makers: Sequence[Callable[[np.random.Generator], Plane]] = (
        _noise, _clouds, _text, _shapes, _doppler, _m_mode, _empty_sector,
    )  # fmt: skip
    for number in numbers:
        rng = np.random.default_rng([number, 4])
        maker = makers[number % len(makers)]
        name = f"drawing-{number}"
        yield picture(
            flat(maker(rng)), "drawings", name, f"{name}{maker.__name__}", None, is_real=False, is_echo=number % 2 == 0
        )


def _noise(rng: np.random.Generator) -> Plane:
    return rng.integers(0, 256, (128, 160)).astype(np.uint8)


def _clouds(rng: np.random.Generator, shape: tuple[int, int] = (128, 160)) -> Plane:
    """Smooth random patterns, as of photographs out of focus: the spectrum falls as 1/f^a."""
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None]
    spectrum = np.hypot(rows, columns)
    spectrum[0, 0] = 1
    wave = np.fft.fft2(rng.standard_normal(shape)) / spectrum ** rng.uniform(0.6, 1.8)
    values = np.fft.ifft2(wave).real
    low, high = np.percentile(values, (1, 99))
    return (255 * ((values - low) / (high - low)).clip(0, 1)).astype(np.uint8)


def _text(rng: np.random.Generator) -> Plane:
    canvas = Canvas.new("L", (320, 240), int(rng.choice([0, 0, 255, 30])))
    draw = ImageDraw.Draw(canvas)
    ink = 255 if canvas.getpixel((0, 0)) < 128 else 0
    for row in range(int(rng.integers(3, 14))):
        word = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVWXYZ 0123456789.:/%"), int(rng.integers(5, 34))))
        draw.text((int(rng.integers(4, 60)), 8 + 16 * row), word, fill=ink, font_size=int(rng.integers(9, 20)))
    return np.asarray(canvas)


def _shapes(rng: np.random.Generator) -> Plane:
    """Discs, boxes and lines over a smooth pattern."""
    canvas = Canvas.fromarray((_clouds(rng) * rng.uniform(0, 0.7)).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(2, 9))):
        left, top = int(rng.integers(-20, 150)), int(rng.integers(-20, 120))
        box = (left, top, left + int(rng.integers(8, 90)), top + int(rng.integers(8, 90)))
        fill = int(rng.integers(0, 256))
        (draw.ellipse, draw.rectangle, draw.line)[int(rng.integers(3))](box, fill=fill)
    return np.asarray(canvas)


def _doppler(rng: np.random.Generator) -> Plane:
    """Envelopes of a velocity over several beats, above and below a line."""
    height, width = 200, 320
    time, beats = np.linspace(0, 1, width), rng.uniform(2, 6)
    base = rng.uniform(0.3, 0.8) * height
    wave = np.abs(np.sin(np.pi * beats * time + rng.uniform(0, 3))) ** rng.uniform(0.6, 3) * rng.uniform(0.3, 0.95)
    edge = wave * (base if rng.uniform() < 0.6 else height - base)
    side = -1 if rng.uniform() < 0.6 else 1
    away = (np.arange(height)[:, None] - base) * side
    inside = (away > 0) & (away < edge[None])
    speckle = rng.gamma(1.5, 40, (height, width)) * np.where(inside, 1, rng.uniform(0, 0.15))
    speckle[int(base)] = 255
    return speckle.clip(0, 255).astype(np.uint8)


def _m_mode(rng: np.random.Generator) -> Plane:
    """Layers that rise and fall with the beats."""
    height, width = 200, 320
    phase = 2 * np.pi * rng.uniform(2, 6) * np.linspace(0, 1, width)
    depth = np.arange(height)[:, None]
    shown = rng.gamma(1.2, 12, (height, width))
    for _ in range(int(rng.integers(4, 10))):
        middle = rng.uniform(0, height) + rng.uniform(0, 18) * np.sin(phase + rng.uniform(0, 6))
        shown += rng.uniform(60, 220) * np.exp(-(((depth - middle[None]) / rng.uniform(1.5, 8)) ** 2))
    return shown.clip(0, 255).astype(np.uint8)


def _empty_sector(rng: np.random.Generator) -> Plane:
    """A sector of speckle without a heart, as of lung, liver or a probe in the air."""
    height, width = 200, 260
    rows, columns = np.indices((height, width))
    across = columns - width / 2
    inside = (np.abs(np.arctan2(across, rows + 1)) < rng.uniform(0.5, 0.8)) & (np.hypot(across, rows) < height)
    texture = _clouds(rng, (height, width)) * rng.gamma(1.5, 0.7, (height, width))
    bands = 1 + 0.6 * np.sin(np.hypot(across, rows) / rng.uniform(5, 25)) * (rng.uniform() < 0.5)
    fade = np.exp(-rows / rng.uniform(60, 500))
    return (texture * bands * fade * inside).clip(0, 255).astype(np.uint8)


def overlays(count: int, side: int = STORED_SIDE) -> UInt8[np.ndarray, "count rows columns"]:
    """Texts, scales, traces and marks that scanners write over a picture, black elsewhere."""
    made = np.zeros((count, side, side), np.uint8)
    for number in range(count):
        rng = np.random.default_rng([number, 5])
        canvas = Canvas.new("L", (side, side), 0)
        draw = ImageDraw.Draw(canvas)
        for _ in range(int(rng.integers(1, 7))):
            word = "".join(rng.choice(list("ABCDEFGHLMPRSTVX0123456789. "), int(rng.integers(2, 12))))
            edge = rng.uniform() < 0.8
            column = int(rng.choice([2, side - 36]) if edge else rng.integers(0, side - 20))
            draw.text(
                (column, int(rng.integers(0, side - 8))),
                word,
                fill=int(rng.integers(120, 256)),
                font_size=int(rng.integers(5, 9)),
            )
        if rng.uniform() < 0.5:
            row = side - int(rng.integers(4, 20))
            beat = 8 * (rng.uniform(size=side) < 0.04)
            draw.line(list(zip(range(side), (row - beat).tolist(), strict=True)), fill=int(rng.integers(100, 256)))
        if rng.uniform() < 0.5:
            column = int(rng.choice([3, side - 4]))
            draw.rectangle((column - 2, 10, column + 1, side // 3), fill=int(rng.integers(100, 256)))
        made[number] = np.asarray(canvas)
    return made


# All of it ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Amounts:
    """How many phantoms and drawings."""

    echo: int = 60
    cmr: int = 40
    fundus: int = 24
    drawings: int = 280


def pictures(root: Path, amounts: Amounts, cache: Path) -> list[Picture]:
    """All that is at hand; each source is read, or drawn, once and kept in the cache folder, phantoms in portions."""
    real = (camus, camus_first_format, acdc, sunnybrook, mnms, volunteer, fundus)
    found = [each for source in real for each in _kept(cache, source, partial(source, root), "all")]
    made: Sequence[tuple[Callable[[Sequence[int]], Iterator[Picture]], int, int]] = (
        (echo_phantoms, amounts.echo, 5),
        (cmr_phantoms, amounts.cmr, 5),
        (fundus_phantoms, amounts.fundus, 12),
        (drawings, amounts.drawings, amounts.drawings),
    )
    for source, count, portion in made:
        for first in range(1, count + 1, portion):
            numbers = range(first, min(first + portion, count + 1))
            found += _kept(cache, source, partial(source, numbers), f"{first}-{numbers[-1]}")
    return found


_FACTS = ("source", "patient", "name", "kind", "is_real", "is_echo", "is_tested", "is_stack")


def _kept(cache: Path, source: Callable[..., Any], make: Callable[[], Iterator[Picture]], part: str) -> list[Picture]:
    """What a source makes, from the cache where the code that makes it is the same."""
    code = inspect.getsource(source).encode() + choice_digest(PhantomConfig()).encode()
    path = cache / f"{source.__name__}-{part}-{hashlib.sha256(code).hexdigest()[:12]}.npz"
    if not path.exists():
        found = list(make())
        facts = [(*(getattr(each, name) for name in _FACTS), len(each.stored)) for each in found]
        cache.mkdir(parents=True, exist_ok=True)
        with staged_file(path) as file:
            np.savez(
                file,
                facts=json.dumps(facts),
                stored=np.concatenate([p.stored for p in found]),
                seen=np.concatenate([p.seen for p in found]),
            )
    kept = np.load(path)
    facts, stored, seen = json.loads(str(kept["facts"])), kept["stored"], kept["seen"]
    ends: Int[np.ndarray, " pictures"] = np.cumsum([fact[-1] for fact in facts])
    return [
        Picture(
            stored=stored[end - fact[-1] : end],
            seen=seen[end - fact[-1] : end],
            **dict(zip(_FACTS, fact[:-1], strict=True)),
        )
        for fact, end in zip(facts, ends.tolist(), strict=True)
    ]


@contextmanager
def staged_file(path: Path) -> Iterator[Any]:
    """A file that is at its place only once all of it is written."""
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        yield file
    draft.replace(path)
