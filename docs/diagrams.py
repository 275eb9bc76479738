"""Pictures of the house, drawn from tables: the way of an exam, the way of a training, the rooms.

    python docs/diagrams.py        writes docs/assets/way-of-an-exam.svg, way-of-a-training.svg and rooms.svg

A test draws them anew and compares, and checks that every file that they name is there.
"""

import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"

INK, FAINT, GROUND = "#1f2933", "#52606d", "#ffffff"
BLUE, GREEN, YELLOW, VIOLET, RED = "#e6f0fa", "#e8f5ec", "#fdf3e1", "#f3e8fa", "#fbe9e7"
WIDTH, MARGIN, GAP, LINE, PAD = 1000, 20, 34, 17, 10
FONT = "font-family='Helvetica, Arial, sans-serif'"


@dataclass(frozen=True)
class Box:
    """One station: what happens there, in which room, what comes out, and where something is added."""

    room: str
    title: str
    does: str
    gives: str = ""
    adds: tuple[str, ...] = ()
    """"what: file", each relative to src/cardiotrace."""
    colour: str = BLUE


@dataclass(frozen=True)
class Room:
    """A package, what it does, and which foreign libraries only it may import."""

    name: str
    does: str
    door: str = ""
    colour: str = BLUE


EXAM = (
    Box(
        "io",
        "files to images",
        "Headers are checked before pixels are read; what a size, an order or a time is known from is kept.",
        "Image: frames, geometry, view, modality, acquisition",
        ("a file format: a file in io/, listed in io/formats.py",),
    ),
    Box(
        "datasets",
        "images to an exam",
        "The reader of the data set that recognises the files, or the words of their names; patients are never mixed.",
        "Exam: named images, named phases, facts",
        ("a data set: a file in datasets/, listed in datasets/published.py",),
    ),
    Box(
        "inference + preprocessing + postprocessing",
        "images to labels",
        "Samples are brought to the network's grid, the engine runs the sealed graph, probabilities come back to the "
        "image's own grid and are decided there.",
        "Segmentation: labels, confidence, doubts",
        (
            "a step before the network: preprocessing/step.py",
            "a step after the network: a file in postprocessing/, listed in postprocessing/catalog.py",
            "a model: a file in zoo/",
        ),
        GREEN,
    ),
    Box(
        "clinical",
        "labels to numbers",
        "Every frame is traced once (outline, long axis, disks, areas); key frames, curves, quantities and flags read "
        "that.",
        "Measures: quantities, flags, key frames, curves",
        (
            "a quantity: its words in clinical/term.py, its value in clinical/view_measurement.py or "
            "clinical/stack_measurement.py; of another image: a file in clinical/, called in clinical/measure.py",
            "a rule that flags: its limits in clinical/rules.toml, raised in clinical/validity.py or where the value "
            "is measured",
        ),
        YELLOW,
    ),
    Box(
        "workflows",
        "one analysis",
        "Analyser (workflows/services/analysis.py) holds the models and puts it together in memory: for command line, "
        "Python, demo.",
        "Analysis: labels, measures, flags, provenance",
        ("a verb: a file in workflows/, one in cli/, listed in cli/main.py",),
        VIOLET,
    ),
    Box(
        "report",
        "an analysis to a page",
        "Figures and page are made in memory; one writer brings everything to its place or nothing, never over edited "
        "work.",
        "report.html, measures.json, label maps on the image's grid",
        (
            "a part of the page: report/page.py and its template, report/page.html.jinja",
            "a figure: a Drawing as in report/curves.py, called in report/exam_report.py",
        ),
        RED,
    ),
)
TRAINING = (
    Box(
        "learning.training",
        "a recipe",
        "One TOML file says all of a run; every default is written out into the run folder.",
        "Recipe",
        ("a key: learning/training/recipe.py",),
    ),
    Box(
        "datasets",
        "cases to packed samples",
        "Cases with groups (patient, vendor, centre), split by patient; prepared once, memory-mapped.",
        "Split, PackedDataset: images, labels or none, groups",
        ("a data set: a file in datasets/, listed in datasets/published.py",),
    ),
    Box(
        "learning.augmentation",
        "samples to batches",
        "On the device as bytes, augmented there as one map; every random number follows from (seed, epoch, step).",
        "batches with labels and groups",
        ("an augmentation: learning/augmentation/settings.py",),
        GREEN,
    ),
    Box(
        "learning",
        "one loop, any objective",
        "The loop counts, validates, logs, saves, stops. What is done with a batch is the objective's: networks, "
        "losses, optimisers, schedules.",
        "best weights, training log, checkpoint",
        (
            "a network: a file in learning/models/, listed in learning/models/catalog.py",
            "a loss: learning/losses/catalog.py",
            "an objective: a file in learning/training/, chosen in learning/training/build.py, its table in "
            "learning/training/recipe.py",
        ),
        YELLOW,
    ),
    Box(
        "learning.export",
        "weights to a graph",
        "ONNX, compared with torch on real images; refused if a label differs.",
        "graph",
        (),
        VIOLET,
    ),
    Box(
        "workflows + evaluation",
        "a graph to a sealed model",
        "Threshold, limits and scores are found with the graph itself on validation patients; then description and "
        "checksum are appended, once.",
        "model.onnx, validation.json, a card",
        ("a metric: a file in metrics/, into tables by metrics/case.py and evaluation/case_table.py",),
        RED,
    ),
)


def way(title: str, boxes: tuple[Box, ...]) -> str:
    """Stations from top to bottom: what is done, what comes out, where something is added."""
    parts, top = [text(MARGIN, 30, title, size=19, weight="bold")], 52
    for index, box in enumerate(boxes):
        drawn, height = station(box, top)
        parts.append(drawn)
        top += height
        if index + 1 < len(boxes):
            parts.append(arrow(MARGIN + 190, top + 3, top + GAP - 5))
            top += GAP
    parts.append(text(MARGIN, top + 28, 'CONTRIBUTING has the recipes: "Add a ...".', colour=FAINT))
    return svg(top + MARGIN + 24, parts)


def station(box: Box, top: int) -> tuple[str, int]:
    """One station and its height, px."""
    columns = ((MARGIN, 375), (MARGIN + 387, 203), (MARGIN + 602, 358))
    does = textwrap.wrap(box.does, 56)
    gives = textwrap.wrap(box.gives, 29)
    adds = [line for item in box.adds for line in wrapped_item(item, 58)]
    height = 2 * PAD + max(LINE * (len(does) + 2) + 8, LINE * (len(gives) + 1) + 6, LINE * (len(adds) + 1) + 6)
    (x, width), (x2, width2), (x3, width3) = columns
    parts = [rectangle(x, top, width, height, box.colour)]
    parts.append(text(x + PAD, top + PAD + 12, box.title, size=15, weight="bold"))
    parts.append(text(x + PAD, top + PAD + 29, box.room, size=12, colour=FAINT))
    parts += lines(x + PAD, top + PAD + 50, does)
    parts.append(rectangle(x2, top, width2, height, GROUND))
    parts.append(text(x2 + PAD, top + PAD + 12, "comes out", size=11, colour=FAINT))
    parts += lines(x2 + PAD, top + PAD + 30, gives)
    if adds:
        parts.append(rectangle(x3, top, width3, height, GROUND, dashed=True))
        parts.append(text(x3 + PAD, top + PAD + 12, "to add", size=11, colour=FAINT))
        parts += lines(x3 + PAD, top + PAD + 30, adds, size=12)
    return "\n".join(parts), height


def wrapped_item(item: str, width: int) -> list[str]:
    """What is added and where, on one line, or on several where it is long."""
    if len(item) <= width:
        return [item]
    what, _, place = item.partition(": ")
    return [f"{what}:", *(f"  {row}" for row in textwrap.wrap(place, width - 2))]


def rooms(floors: tuple[tuple[Room, ...], ...]) -> str:
    """The rooms, floor by floor: imports go down only, and rooms of one floor do not know each other."""
    parts, top = (
        [
            text(
                MARGIN,
                30,
                "The rooms: each may know those below it, never those above or beside it",
                size=19,
                weight="bold",
            )
        ],
        48,
    )
    for floor in floors:
        width = (WIDTH - 2 * MARGIN - 8 * (len(floor) - 1)) / len(floor)
        told = [textwrap.wrap(room.does, int(width / 6.3)) for room in floor]
        doors = [textwrap.wrap(f"door to {room.door}", int(width / 6.3)) if room.door else [] for room in floor]
        height = 28 + 15 * max(len(rows) + len(door) for rows, door in zip(told, doors, strict=True)) + 6
        for index, (room, rows, door) in enumerate(zip(floor, told, doors, strict=True)):
            x = MARGIN + index * (width + 8)
            parts.append(rectangle(x, top, width, height, room.colour))
            parts.append(text(x + PAD, top + 20, room.name, size=14, weight="bold"))
            parts += [text(x + PAD, top + 37 + 15 * n, row, size=12) for n, row in enumerate(rows)]
            place = top + 37 + 15 * len(rows)
            parts += [text(x + PAD, place + 15 * n, row, size=12, colour=FAINT) for n, row in enumerate(door)]
        top += height + 8
    return svg(top + MARGIN, parts)


ROOMS = (
    (Room("cli", "Verbs, words, terminal. The only room that prints.", colour=VIOLET),),
    (
        Room("server", "The application: exams, jobs, edits, DICOM node.", "fastapi, sqlalchemy, pynetdicom", VIOLET),
        Room("client", "Speaks to the application from programs.", "httpx", VIOLET),
    ),
    (Room("workflows", "One module per verb and the services that they share: puts rooms together.", colour=VIOLET),),
    (
        Room(
            "learning",
            "Networks, losses, objectives, the loop, export.",
            "torch, lightning-fabric, safetensors, onnx",
            YELLOW,
        ),
    ),
    (
        Room("evaluation", "Predictions and references to tables, tests, comparisons.", colour=GREEN),
        Room("report", "An analysis to figures and a page.", "matplotlib, jinja2", RED),
    ),
    (Room("inference", "Model file, engines, predictor, test-time augmentation, zoo.", "onnxruntime", GREEN),),
    (Room("datasets", "One file per data set; exams on disk, splits, lint, packed samples.", colour=BLUE),),
    (
        Room("preprocessing", "Image to the network's grid, and back.", colour=GREEN),
        Room("postprocessing", "Labels to labels, changes counted.", colour=GREEN),
        Room("metrics", "Masks to scores.", colour=GREEN),
        Room("clinical", "Labels to traces, quantities, flags.", colour=YELLOW),
        Room("phantoms", "Hearts and eyes of known truth.", colour=YELLOW),
    ),
    (
        Room("geometry", "Contours, surfaces, components, resampling, voxel orders.", colour=BLUE),
        Room("io", "Files to types and back; atomic writes, results, manifests.", "image libraries", BLUE),
    ),
    (Room("parallel", "Work in threads and processes, with progress and cancellation.", colour=BLUE),),
    (Room("core", "Types, errors, configuration, catalogs, versions of files. Needs numpy alone.", colour=BLUE),),
)


def text(
    x: float, y: float, words: str, *, size: int = 13, colour: str = INK, weight: str = "normal", anchor: str = "start"
) -> str:
    """Words at a place."""
    return (
        f"<text x='{x:g}' y='{y:g}' font-size='{size}' fill='{colour}' font-weight='{weight}' text-anchor='{anchor}' "
        f"xml:space='preserve'>{escape(words)}</text>"
    )


def lines(x: float, y: float, rows: list[str], *, size: int = 13) -> list[str]:
    """Words below each other."""
    return [text(x, y + LINE * index, row, size=size) for index, row in enumerate(rows)]


def rectangle(x: float, y: float, width: float, height: float, fill: str, *, dashed: bool = False) -> str:
    """A box with round corners."""
    dash = " stroke-dasharray='5 4'" if dashed else ""
    return (
        f"<rect x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}' rx='6' fill='{fill}' stroke='{FAINT}'"
        f" stroke-width='1'{dash}/>"
    )


def arrow(x: float, top: float, bottom: float) -> str:
    """Down."""
    head = f"{x - 5:g},{bottom - 8:g} {x + 5:g},{bottom - 8:g} {x:g},{bottom:g}"
    return (
        f"<line x1='{x:g}' y1='{top:g}' x2='{x:g}' y2='{bottom - 6:g}' stroke='{FAINT}' stroke-width='2'/>"
        f"<polygon points='{head}' fill='{FAINT}'/>"
    )


def svg(height: float, parts: list[str]) -> str:
    """A whole file on a white ground, so that it can be read on dark pages, too."""
    box = f"width='{WIDTH}' height='{height:g}' viewBox='0 0 {WIDTH} {height:g}'"
    head = f"<svg xmlns='http://www.w3.org/2000/svg' {box} {FONT}>"
    return "\n".join([head, f"<rect width='100%' height='100%' fill='{GROUND}'/>", *parts, "</svg>"]) + "\n"


def pictures() -> dict[str, str]:
    """File name to its text."""
    return {
        "way-of-an-exam.svg": way("The way of an exam", EXAM),
        "way-of-a-training.svg": way("The way of a training", TRAINING),
        "rooms.svg": rooms(ROOMS),
    }


if __name__ == "__main__":
    for name, content in pictures().items():
        (ASSETS / name).write_text(content)
