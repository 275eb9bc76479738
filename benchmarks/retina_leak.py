"""Four copies of each photograph of DRIVE's training half: as it is, mirrored along either side, and turned by 180°.

    python benchmarks/retina_leak.py copies PATH FOUR                      # PATH holds DRIVE; FOUR is then a data set
    cardiotrace sweep recipes/retina-leak.toml --data FOUR --out RUNS
    python benchmarks/retina_leak.py strips FOUR STRIPS.png --runs RUNS

Copies of one photograph have names that begin alike, so that they can be one patient or four, as `patient_pattern` of
the recipe says. The strips are a row for each run: image, reference and answer of a photograph that it learned from,
and of one that it was tested on.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.catalog import Choice
from cardiotrace.core.exam import Case
from cardiotrace.core.terms import Structure
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.split import read_split
from cardiotrace.inference.predictor import Predictor
from cardiotrace.io.raster import write_raster
from cardiotrace.learning.predict import TorchEngine
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import read_recipe
from cardiotrace.learning.training.run import trained_model
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.workflows.export import describe

Plane = NDArray[np.uint8]
COPIES: Mapping[str, Callable[[Plane], Plane]] = {
    "as-it-is": lambda plane: plane,
    "mirrored": lambda plane: plane[:, ::-1],
    "upside-down": lambda plane: plane[::-1],
    "turned": lambda plane: plane[::-1, ::-1],
}
SIDE = 192
"""Of a picture in the strips, pixels."""


def write_copies(data: Path, out: Path) -> None:
    """A data set of four times the photographs of a half of DRIVE."""
    for case in DATASETS.make(Choice("drive"), data).cases():
        if case.read_labels is None or case.read_field_of_view is None:
            continue
        planes = {
            "images": case.read_image().frames[0, 0],
            "labels": 255 * case.read_labels().mask(Structure.VESSEL)[0, 0].astype(np.uint8),
            "fields_of_view": 255 * case.read_field_of_view()[0].astype(np.uint8),
        }
        for copy, moved in COPIES.items():
            for folder, plane in planes.items():
                (out / folder).mkdir(parents=True, exist_ok=True)
                write_raster(np.ascontiguousarray(moved(plane)), out / folder / f"{case.name[:2]}_{copy}.png")


def draw_strips(data: Path, runs: Path, out: Path) -> None:
    """A row for each run, in order of name: learned from on the left, tested on the right."""
    folders = [RunFolder(path.parent) for path in sorted(runs.rglob("best.safetensors"))]
    write_raster(np.concatenate([_strip(data, folder) for folder in folders]), out)
    print("\n".join(f"row {row}: {folder.path.name}" for row, folder in enumerate(folders, start=1)))


def _strip(data: Path, folder: RunFolder) -> Plane:
    recipe, split = read_recipe(folder.recipe), read_split(folder.split)
    dataset = DATASETS.make(recipe.data.dataset, data)
    network = trained_model(recipe, folder, channels=1, classes=dataset.scheme.class_count)
    predictor = Predictor(describe(recipe, dataset, split, folder), TorchEngine(network))
    cases = {part: [case for case in dataset.cases() if split.part_of(case.patient) == part] for part in SHOWN}
    return np.concatenate([_pictures(predictor, cases[part][0]) for part in SHOWN], axis=1)


SHOWN = ("training", "testing")


def _pictures(predictor: Predictor, case: Case) -> Plane:
    """Photograph, reference and answer side by side."""
    if case.read_labels is None:
        raise SystemExit(f"{case.name} has no reference")
    image = case.read_image()
    found = predictor.segment(image).labels.mask(Structure.VESSEL)[0, 0]
    masks = (
        np.repeat(255 * mask[..., np.newaxis].astype(np.uint8), 3, axis=2)
        for mask in (case.read_labels().mask(Structure.VESSEL)[0, 0], found)
    )
    return np.concatenate([_small(plane) for plane in (image.frames[0, 0], *masks)], axis=1)


def _small(plane: Plane) -> Plane:
    """Brought to the size of a picture."""
    prepare = Preprocessing([Choice("resize", {"height": SIDE, "width": SIDE})])
    transform = prepare.transform_for(plane.shape[:2], None)
    channels = [transform.apply(channel.astype(np.float32)) for channel in plane.transpose(2, 0, 1)]
    return np.stack(channels, axis=2).astype(np.uint8)


def main() -> None:
    """Write the copies, or draw the strips."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("act", choices=("copies", "strips"))
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=Path)
    options = parser.parse_args()
    if options.act == "copies":
        write_copies(options.data, options.out)
    else:
        draw_strips(options.data, options.runs, options.out)


if __name__ == "__main__":
    main()
