"""Images of phantoms: for the documentation, or beside real ones.

    python -m benchmarks.phantom_gallery [--docs docs/assets] [--only echo styles cmr long-axis scanners fundus volumes]
    python -m benchmarks.phantom_gallery --data ../shared/data --out out/side-by-side

The first writes phantoms alone. The second writes one PNG per data set that is at hand, real images on the left,
phantoms on the right: the licences of the real ones forbid to pass them on, so they go nowhere but into your folder.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from cardiotrace.core.catalog import Choice
from cardiotrace.core.exam import Case
from cardiotrace.core.label import CHAMBERS
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.phantoms import (
    CmrPhantom,
    EchoPhantom,
    Heart,
    fundus_image,
    heart_truth,
    sample_cmr,
    sample_echo,
    sample_fundus,
)
from cardiotrace.phantoms.cmr import Layout, cmr_exam
from cardiotrace.phantoms.cmr.phantom import LongAxis
from cardiotrace.phantoms.cmr.style import QUALITIES as CMR_QUALITIES
from cardiotrace.phantoms.echo.exam import view_image
from cardiotrace.phantoms.echo.plane import SHORT_AXIS_SHARES
from cardiotrace.phantoms.echo.vendor import QUALITIES, VENDORS
from cardiotrace.phantoms.fundus import CAMERAS

Tile = tuple[str, NDArray[Any]]
"""A caption and an image, grey or RGB, 0 to 255."""
REPOSITORY = Path(__file__).resolve().parents[1]
CAPTION_PX, GAP_PX = 16, 4


def sheet(rows: Sequence[Sequence[Tile]], height: int) -> Image.Image:
    """Tiles of one height in rows, a caption over each."""
    images = [[(caption, _fitted(image, height)) for caption, image in row] for row in rows]
    width = max(sum(image.width + GAP_PX for _, image in row) for row in images)
    page = Image.new("RGB", (width, len(rows) * (height + CAPTION_PX)), (24, 24, 24))
    draw = ImageDraw.Draw(page)
    for index, row in enumerate(images):
        left, top = 0, index * (height + CAPTION_PX)
        for caption, image in row:
            draw.text((left + 3, top + 2), caption, fill=(235, 235, 235))
            page.paste(image, (left, top + CAPTION_PX))
            left += image.width + GAP_PX
    return page


def _fitted(image: NDArray[Any], height: int) -> Image.Image:
    made = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).convert("RGB")
    size = round(made.width * height / made.height), height
    return made.resize(size, Image.Resampling.LANCZOS)


def outlined(grey: NDArray[Any], labels: NDArray[Any]) -> NDArray[Any]:
    """A grey image in RGB with the edges of its labels in colour."""
    colours = {1: (255, 190, 0), 2: (60, 200, 90), 3: (80, 160, 255)}
    shown = np.stack([grey] * 3, axis=-1)
    for value, colour in colours.items():
        mask = labels == value
        shown[mask & ~ndimage.binary_erosion(mask)] = colour
    return shown


def echo_tiles(config: EchoPhantom, views: Sequence[View], *, traced: bool = False) -> Iterator[Tile]:
    """ED and ES of each view."""
    states = config.at(np.array([0.0, config.cycle.end_systole_ms]))
    for view in views:
        image, labelled, _ = view_image(config, states, view)
        for phase, frame in image.phases.items():
            grey, labels = image.image.frames[frame, 0], labelled.array[frame, 0]
            yield f"{image.image.view} {phase}", outlined(grey, labels) if traced else grey


def draw_echo() -> Image.Image:
    """One heart in its views at ED and ES, and with what is labelled."""
    config = EchoPhantom(spacing_mm=0.4, frame_count=12, ejection_fraction_percent=58, quality="good", seed=2)
    first = list(echo_tiles(config, (View.FOUR_CHAMBER, View.TWO_CHAMBER)))
    second = list(echo_tiles(config, (View.FOUR_CHAMBER,), traced=True)) + list(echo_tiles(config, (View.PLAX,)))
    third = []
    for level in SHORT_AXIS_SHARES:
        tiles = echo_tiles(replace(config, short_axis=level), (View.SAX,))
        third += [(f"{caption}, {level}", image) for caption, image in tiles]
    return sheet([first, second, third[:3] + third[3:4], third[4:]], 230)


def draw_styles() -> Image.Image:
    """One heart, every style of scanner, every quality, at ED."""
    rows = []
    for quality in QUALITIES:
        configs = [
            replace(sample_echo(5), spacing_mm=0.5, frame_count=12, quality=quality, vendor=vendor)  # type: ignore[arg-type]
            for vendor in VENDORS
        ]
        rows.append(
            [(f"{each.vendor}, {quality}", next(echo_tiles(each, (View.FOUR_CHAMBER,)))[1]) for each in configs]
        )
    return sheet(rows, 220)


def cmr_videos(config: CmrPhantom) -> tuple[list[NDArray[Any]], list[NDArray[Any]], Layout]:
    """Grey ED and ES frames of every plane, short axis first, their labels, and how the planes lie."""
    layout = Layout(config, config.at(np.array([0.0, config.cycle.end_systole_ms])))
    planes = [*layout.stack, *(layout.long_axis(name) for name in config.long_axis)]
    videos = [layout.video(index, plane) for index, plane in enumerate(planes)]
    white = np.percentile(np.stack([video.frames for video in videos[: len(layout.stack)]]), 99.7)
    return [video.frames * (255 / white) for video in videos], [video.labels for video in videos], layout


def draw_cmr() -> Image.Image:
    """Short-axis stack at ED and ES, and the long-axis planes."""
    config = replace(sample_cmr(3, pathology="normal", style="siemens_1.5t"), long_axis=("4CH", "2CH", "3CH"))
    frames, labels, layout = cmr_videos(config)
    count = len(layout.stack)
    shown = [index for index in range(count) if (labels[index] > 0).any()][:9]
    rows = [
        [(f"SA {index} {phase}", _middle(frames[index][frame])) for index in shown]
        for frame, phase in enumerate((Phase.ED, Phase.ES))
    ]
    traced = [(f"SA {index} traced", _middle(outlined(frames[index][0], labels[index][0]))) for index in shown]
    long = [
        (f"LA {name} {phase}", _middle(frames[count + place][frame]))
        for place, name in enumerate(config.long_axis)
        for frame, phase in enumerate((Phase.ED, Phase.ES))
    ]
    return sheet([*rows, traced, long], 130)


def _middle(image: NDArray[Any], share: float = 0.72) -> NDArray[Any]:
    rows, columns = (slice(round(n * (1 - share) / 2), round(n * (1 + share) / 2)) for n in image.shape[:2])
    return image[rows, columns]


def draw_scanners() -> Image.Image:
    """One person in scanners of every maker, and one scanner at every quality: a slice of the middle at ED."""
    styles = [[f"{maker}_{field}" for maker in ("siemens", "philips", "ge", "canon")] for field in ("1.5t", "3t")]
    rows = [[_slice(sample_cmr(3, pathology="normal", style=name), name) for name in names] for names in styles]
    qualities: Any = tuple(CMR_QUALITIES)
    chosen = [sample_cmr(6, pathology="dilated", style="siemens_1.5t", quality=quality) for quality in qualities]
    rows.append([_slice(config, config.quality) for config in chosen])
    return sheet(rows, 240)


def _slice(config: CmrPhantom, caption: str) -> Tile:
    """A slice at the height of the papillary muscles, over a whole beat of which the first frame is shown."""
    config = replace(config, frame_count=12)
    layout = Layout(config, config.at(config.cycle.times_ms(12)))
    index = len(layout.stack) // 2 - 1
    frame = layout.video(index, layout.stack[index]).frames[0]
    return caption, _middle(frame * (255 / np.percentile(frame, 99.5)), 0.85)


def draw_long_axis() -> Image.Image:
    """Planes in four, two and three chambers at ED and ES by four makers, and what is traced."""
    styles = ("siemens_1.5t", "philips_3t", "ge_1.5t", "canon_1.5t")
    return sheet([long_axis_tiles(sample_cmr(seed + 60, style=name), name) for seed, name in enumerate(styles)], 150)


def long_axis_tiles(config: CmrPhantom, caption: str, planes: Sequence[LongAxis] = ("4CH", "2CH", "3CH")) -> list[Tile]:
    """Each plane at ED, at ES, and outlined at ED; pixels of one size whatever the scanner."""
    made = cmr_exam(replace(config, frame_count=12, short_axis=False, long_axis=tuple(planes), scheme="chambers"))
    tiles = []
    for image, plane in zip(made.exam.images, planes, strict=True):
        frames = image.image.frames[:, 0] * (255 / np.percentile(image.image.frames, 99.3))
        labels = made.labels[image.name].array[:, 0]
        shown = [("ED", frames[0]), ("ES", frames[image.phases[Phase.ES]]), ("traced", outlined(frames[0], labels[0]))]
        tiles += [(f"{caption} {plane} {words}", _around(tile, config.scanner.spacing_mm)) for words, tile in shown]
    return tiles


def _around(image: NDArray[Any], spacing_mm: float, side_mm: float = 230.0) -> NDArray[Any]:
    """The middle of an image, of a side in millimetres."""
    reach = round(side_mm / spacing_mm / 2)
    row, column = image.shape[0] // 2, image.shape[1] // 2
    return image[max(0, row - reach) : row + reach, max(0, column - reach) : column + reach]


def draw_fundus() -> Image.Image:
    """Each camera, a healthy and a diseased eye, and the traced vessels."""
    rows = []
    for camera in CAMERAS:
        healthy, ill = (
            fundus_image(sample_fundus(4, camera=camera, pathology=pathology, quality="good"))
            for pathology in ("normal", "diabetic")
        )
        vessels = np.stack([healthy.veins, healthy.vessels & False, healthy.arteries], axis=-1)[..., [2, 1, 0]] * 255
        rows.append([(f"{camera}", healthy.image), ("arteries, veins", vessels), ("diabetic", ill.image)])
    return sheet(rows, 300)


def draw_volumes(path: Path) -> None:
    """Volume over a beat, and what each view's discs would measure of it."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    hearts = {"normal": Heart(bend_mm=3), "infarct": _infarct()}
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4))
    for axis, (name, heart) in zip(axes, hearts.items(), strict=True):
        truth = heart_truth(heart, heart.cycle.times_ms(60))
        axis.plot(truth.times_ms, truth.volume_ml, "k", lw=2.5, label="the heart itself")
        for view, seen in truth.views.items():
            axis.plot(truth.times_ms, seen.simpson_ml, lw=1.2, label=f"20 discs, {view}")
        axis.plot(truth.times_ms, truth.biplane_ml, "--", lw=1.6, label="20 discs, A4C and A2C")
        axis.set(title=f"{name}, EF {truth.ejection_fraction_percent:.0f} %", xlabel="ms", ylabel="ml", ylim=(0, None))
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=80)


def _infarct() -> Heart:
    from cardiotrace.phantoms import sample_heart

    return sample_heart("infarct", 2)


# Beside real images.


def pairs_of_camus(data: Path, rows_shown: int) -> Image.Image:
    """Both views at ED and ES; phantoms of the quality of their neighbours."""
    camus = DATASETS.make(Choice("camus"), data / "camus")
    names = camus.exams()[7 :: max(1, len(camus.exams()) // rows_shown)][:rows_shown]
    rows = []
    for seed, name in enumerate(names):
        cases = {(case.view, case.phase): case for case in camus.cases() if case.patient == name}
        wanted = [
            place
            for place in ((View.FOUR_CHAMBER, Phase.ED), (View.FOUR_CHAMBER, Phase.ES), (View.TWO_CHAMBER, Phase.ED))
            if place in cases
        ]
        real = [(f"{name} {view} {phase}", _square(cases[view, phase])) for view, phase in wanted]
        quality: Any = cases[wanted[0]].groups["quality"].lower()
        config = replace(sample_echo(seed), spacing_mm=0.35, frame_count=12, quality=quality)
        made = list(echo_tiles(config, (View.FOUR_CHAMBER, View.TWO_CHAMBER)))[: len(real)]
        rows.append(real + [(f"phantom {caption} {quality}", image) for caption, image in made])
    return sheet(rows, 260)


def _square(case: Case) -> NDArray[Any]:
    """A frame with square pixels."""
    cine = case.read_image()
    assert cine.spacing_mm is not None
    _, height_mm, width_mm = cine.spacing_mm
    return (
        ndimage.zoom(cine.frames[0, 0], (height_mm / width_mm, 1), order=1)
        if height_mm != width_mm
        else cine.frames[0, 0]
    )


def pairs_of_acdc(data: Path, rows_shown: int) -> Image.Image:
    """Basal, middle and apical slice at ED, the middle one at ES."""
    acdc = DATASETS.make(Choice("acdc"), data / "acdc")
    names = acdc.exams()[:: max(1, len(acdc.exams()) // rows_shown)][:rows_shown]
    styles = ("siemens_1.5t", "siemens_3t", "siemens_1.5t_thin", "siemens_1.5t")
    rows = []
    for seed, name in enumerate(names):
        cases = {case.phase: case for case in acdc.cases() if case.patient == name}
        images = [cases[phase].read_image().frames[0] for phase in (Phase.ED, Phase.ES)]
        labels = cases[Phase.ED].read_labels
        assert labels is not None
        real = _slices(images, labels().mask(Structure.LV)[0], name)
        frames, traced, layout = cmr_videos(sample_cmr(seed + 20, style=styles[seed % len(styles)]))
        count = len(layout.stack)
        stacks = [np.stack([frames[index][place] for index in range(count)]) for place in (0, 1)]
        cavity = np.stack([traced[index][0] == 3 for index in range(count)])
        rows.append(real + _slices(stacks, cavity, "phantom"))
    return sheet(rows, 210)


def _slices(images: Sequence[NDArray[Any]], cavity: NDArray[np.bool_], name: str) -> list[Tile]:
    shown = np.flatnonzero(cavity.any(axis=(1, 2)))
    base, middle, apex = (int(shown[round(share * (len(shown) - 1))]) for share in (0.1, 0.5, 0.9))
    white = np.percentile(images[0], 99.7)
    wanted = ((0, base, "base"), (0, middle, "middle"), (0, apex, "apex"), (1, middle, "ES"))
    return [(f"{name} {place}", images[frame][index] * (255 / white)) for frame, index, place in wanted]


def pairs_of_mnms2(data: Path, rows_shown: int) -> Image.Image:
    """Long axes in four chambers at ED and ES, traced, beside phantoms of as many scanners."""
    mnms2 = DATASETS.make(Choice("mnms2", {"axes": ["LA"]}), data / "mnms2")
    rows = []
    for seed, name in enumerate(mnms2.exams()[:rows_shown]):
        tiles: list[Tile] = []
        for case in (case for case in mnms2.cases() if case.patient == name):
            image = case.read_image()
            assert image.spacing_mm is not None
            assert case.read_labels is not None
            grey = image.frames[0, 0] * (255 / np.percentile(image.frames, 99.3))
            traced = outlined(grey, case.read_labels().to(CHAMBERS).array[0, 0])
            shown = ((str(case.phase), grey), (f"{case.phase} traced", traced))
            tiles += [(f"{name} {words}", _around(tile, image.spacing_mm[1])) for words, tile in shown]
        rows.append(tiles)
        for style in ("siemens_1.5t", "philips_1.5t", "ge_3t"):
            made = long_axis_tiles(sample_cmr(seed + 90, style=style), "phantom", ["4CH"])
            rows.append([(f"{caption} {style}", tile) for caption, tile in made])
    return sheet(rows, 230)


def pairs_of_chase(data: Path, rows_shown: int) -> Image.Image:
    """Photographs and what is traced in them."""
    chase = DATASETS.make(Choice("chase"), data / "chase_db1")
    rows = []
    for seed, case in enumerate(islice(chase.cases(), 1, 7 * rows_shown, 7)):
        assert case.read_labels is not None
        made = fundus_image(sample_fundus(seed, pathology="normal"))
        traced = case.read_labels().mask(Structure.VESSEL)[0, 0] * 255
        real = [(case.name, case.read_image().frames[0, 0]), ("traced", traced)]
        rows.append([*real, ("phantom", made.image), ("traced", made.vessels * 255)])
    return sheet(rows, 330)


DRAWN: Mapping[str, Callable[[], Image.Image]] = {
    "echo": draw_echo, "styles": draw_styles, "cmr": draw_cmr, "long-axis": draw_long_axis, "scanners": draw_scanners,
    "fundus": draw_fundus,
}  # fmt: skip
PAIRS: Mapping[str, Callable[[Path, int], Image.Image]] = {
    "camus": pairs_of_camus, "acdc": pairs_of_acdc, "mnms2": pairs_of_mnms2, "chase_db1": pairs_of_chase,
}  # fmt: skip


def write_side_by_side(data: Path, out: Path, rows: int) -> None:
    """One PNG for each data set at hand."""
    folder = out.resolve()
    if folder.is_relative_to(REPOSITORY) and not folder.is_relative_to(REPOSITORY / "out"):
        raise SystemExit(f"{out}: real images do not belong into the repository; give a folder outside, or below out/.")
    out.mkdir(parents=True, exist_ok=True)
    for name, draw in PAIRS.items():
        if (data / name).is_dir():
            draw(data, rows).save(out / f"{name}.png")
            print(f"drawn: {out / name}.png")


def main() -> None:
    """Draw what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, default=REPOSITORY / "docs" / "assets")
    parser.add_argument("--only", nargs="+", choices=[*DRAWN, "volumes"], default=[*DRAWN, "volumes"])
    parser.add_argument("--data", type=Path, help="folder of the real data sets")
    parser.add_argument("--out", type=Path, help="folder for real images beside phantoms")
    parser.add_argument("--rows", type=int, default=4, help="patients, and phantoms, of each data set")
    options = parser.parse_args()
    if options.data or options.out:
        if not (options.data and options.out):
            parser.error("--data and --out go together")
        write_side_by_side(options.data, options.out, options.rows)
        return
    for name in options.only:
        path = options.docs / f"phantom-{name}.{'png' if name == 'volumes' else 'jpg'}"
        if name == "volumes":
            draw_volumes(path)
        else:
            DRAWN[name]().save(path, quality=82)
        print(f"drawn: {path}", flush=True)


if __name__ == "__main__":
    main()
