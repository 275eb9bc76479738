"""How well the heart is found without a reference, and what crops around it hold of the reference.

    python -m benchmarks.localiser MODEL --data PATH [--json OUT]

Patients are those of the testing part of the fold that the localiser was trained in: no weight and no epoch was chosen
on them. Then come Sunnybrook, of which it has seen nothing, and M&Ms-2 where it is at hand. Each stack of ED or ES
stands for itself. The error is the distance of the centre that was found from the middle of the box around all
reference pixels, in the plane.
A crop holds a stack if it holds every reference pixel of all its slices. "at the edge": the image is cut on one of its
four sides so that 4 pixels are left beside the heart; "cut": so that a quarter of the heart's box is gone, and what is
left of the reference counts.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import from_plain
from cardiotrace.core.exam import Case
from cardiotrace.core.image import Image
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.geometry.box import bounding_box
from cardiotrace.inference import load_model
from cardiotrace.inference.localiser import Localiser
from cardiotrace.inference.model_file import Model
from cardiotrace.learning.training.recipe import DataSettings
from cardiotrace.preprocessing import Centre, middle_of
from cardiotrace.workflows.services.dataset import cases_of, open_dataset
from cardiotrace.workflows.train import split_of

PIXEL_MM = 1.4
CROPS = (128, 160, 192)
MARGIN = 4
"""Pixels beside the heart that an image keeps that is cut at it."""


@dataclass(frozen=True)
class Found:
    """One stack."""

    group: str
    name: str
    error_mm: float
    middle_mm: float
    """Of the image's middle in place of what was found."""
    is_found: bool
    holds: dict[int, bool]
    """Whether a crop of so many pixels around what was found holds all of the reference."""
    middle_holds: dict[int, bool]


def compared(group: str, case: Case, image: Image, heart: Bool[np.ndarray, "..."], localiser: Localiser) -> Found:
    """What is found in an image against its reference."""
    place = localiser.locate(image)
    _, _, rows, columns = bounding_box(heart)
    reference = ((rows.start + rows.stop) / 2, (columns.start + columns.stop) / 2)
    middle, mm = middle_of(image.grid_shape), image.spacing_mm[1:]

    def distance(centre: Centre) -> float:
        return float(np.hypot(*((a - b) * size for a, b, size in zip(centre, reference, mm, strict=True))))

    def holds(centre: Centre) -> dict[int, bool]:
        halves = {side: side * PIXEL_MM / 2 for side in CROPS}
        reach = max(
            max((at - box.start) * size, (box.stop - at) * size)
            for at, box, size in zip(centre, (rows, columns), mm, strict=True)
        )
        return {side: reach <= half for side, half in halves.items()}

    return Found(
        group,
        case.name,
        distance(place.centre),
        distance(middle),
        place.extent is not None,
        holds(place.centre),
        holds(middle),
    )


def cut(image: Image, heart: Bool[np.ndarray, "..."], share: float) -> Iterator[tuple[Image, Bool[np.ndarray, "..."]]]:
    """The image cut on each side: just beside the heart, or by a share of its box."""
    _, _, rows, columns = bounding_box(heart)
    for axis, box in ((2, rows), (3, columns)):
        inset = round(share * (box.stop - box.start)) if share else -MARGIN
        for kept in (slice(max(box.start + inset, 0), None), slice(None, max(box.stop - inset, 1))):
            index = tuple(kept if number == axis else slice(None) for number in range(4))
            yield replace(image, frames=image.frames[index].copy()), heart[index]


def measured(group: str, cases: Sequence[Case], localiser: Localiser) -> Iterator[Found]:
    """Every case as it is, and cut on each of its sides."""
    for case in cases:
        image, heart = case.read_image(), case.read_labels().array > 0
        if not heart.any() or image.spacing_mm is None:
            continue
        yield compared(group, case, image, heart, localiser)
        for kind, share in (("at the edge", 0.0), ("cut", 0.25)):
            for part, rest in cut(image, heart, share):
                yield compared(f"{group}, {kind}", case, part, rest, localiser)


def groups_of(model: Model, root: Path) -> Iterator[tuple[str, list[Case]]]:
    """Names and cases of what is measured on."""
    made = model.spec.training.recipe
    data = from_plain(DataSettings, made["data"], path="data")
    dataset = open_dataset(data.dataset, root)
    split = split_of(data, dataset, model.spec.training.fold, seed=made["seed"])
    held_out = [case for case in cases_of(dataset, split.testing or split.validation) if case.read_labels is not None]
    for name in sorted({case.groups.get("data_set", dataset.name) for case in held_out}):
        yield name, [case for case in held_out if case.groups.get("data_set", dataset.name) == name]
    for name, options in (("sunnybrook", {}), ("mnms2", {"axes": ["SA"]})):
        if (root / name).is_dir():
            other = DATASETS.make(Choice(name, options), root / name)
            yield name, [case for case in other.cases() if case.read_labels is not None]


def rows_of(found: Sequence[Found]) -> Iterator[str]:
    """A table of Markdown, a row for each group."""
    heads = [f"{side} px" for side in CROPS] + [f"{side} px, middle" for side in CROPS]
    yield f"| stacks | n | not found | error mm, median | 95 % | most | image's middle, median | {' | '.join(heads)} |"
    yield "|---" * (7 + len(heads)) + "|"
    for group in dict.fromkeys(item.group for item in found):
        items = [item for item in found if item.group == group]
        errors = np.array([item.error_mm for item in items])
        held = [f"{100 * np.mean([item.holds[side] for item in items]):.1f} %" for side in CROPS]
        held += [f"{100 * np.mean([item.middle_holds[side] for item in items]):.1f} %" for side in CROPS]
        middle = np.median([item.middle_mm for item in items])
        numbers = f"{np.median(errors):.1f} | {np.quantile(errors, 0.95):.1f} | {errors.max():.1f} | {middle:.1f}"
        missing = sum(not item.is_found for item in items)
        yield f"| {group} | {len(items)} | {missing} | {numbers} | {' | '.join(held)} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CARDIOTRACE_DATA", ".")))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    model = load_model(given.model)
    localiser = Localiser.of(model)
    found: list[Found] = []
    for name, cases in groups_of(model, given.data):
        found += measured(name, cases, localiser)
        print("\n".join(rows_of(found)), flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps([item.__dict__ for item in found], indent=1))


if __name__ == "__main__":
    main()
