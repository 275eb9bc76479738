"""What several models find in the same images of a target, beside its reference.

    python -m benchmarks.adaptation_gallery RUN RUN ... [--out docs/assets/adaptation.jpg] [--data PATH] [--count 4]

RUN are folders of `cardiotrace adapt`, the source alone first. Of each of the first testing patients of the target the
slice in the middle of its stack is shown: nobody chooses by looking.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.phantom_gallery import REPOSITORY, Tile, outlined, sheet
from cardiotrace.core.exam import Case
from cardiotrace.core.label import ACDC
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.workflows.services.dataset import cases_of
from cardiotrace.workflows.trained_run import TrainedRun, read_run

HEIGHT_PX, MARGIN = 190, 8


def chosen_cases(run: TrainedRun, count: int) -> list[Case]:
    """One case each of the first testing patients of the target."""
    found: dict[str, Case] = {}
    for case in cases_of(run.dataset, run.split.testing):
        if run.recipe.adaptation is not None and run.recipe.adaptation.is_target(case) and case.read_labels:
            found.setdefault(case.patient, case)
    return list(found.values())[:count]


def row_of(case: Case, runs: Sequence[Path]) -> list[Tile]:
    """The image, its reference, and what each model finds."""
    image = case.read_image()
    depth = image.grid_shape[1] // 2
    reference = case.read_labels().to(ACDC).array[0, depth]  # type: ignore[misc]
    places = np.argwhere(reference)
    (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0)
    size = max(bottom - top, right - left)
    cut = tuple(
        slice(max(0, low - size // 2 - MARGIN), high + size // 2 + MARGIN)
        for low, high in ((top, bottom), (left, right))
    )
    frame = image.frames[0, depth].astype(np.float32)
    grey = np.clip(255 * frame / np.percentile(frame, 99.5), 0, 255)[cut]
    fine = max(1, HEIGHT_PX // min(grey.shape))
    tiles: list[Tile] = [(case.patient, enlarged(grey, fine))]
    for name, labels in [("reference", reference), *((run.name, found_by(run, case, depth)) for run in runs)]:
        tiles.append((name, outlined(enlarged(grey, fine), enlarged(labels[cut], fine))))
    return tiles


def found_by(run: Path, case: Case, depth: int) -> np.ndarray:
    """Labels of a slice under ACDC's values."""
    labels: np.ndarray = open_predictor(run / "model.onnx").segment(case.read_image()).labels.to(ACDC).array[0, depth]
    return labels


def enlarged(values: np.ndarray, factor: int) -> np.ndarray:
    """Every pixel so many times along both axes, so that lines are thin."""
    return np.kron(values, np.ones((factor, factor), values.dtype))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "assets" / "adaptation.jpg")
    given = parser.parse_args()
    first = read_run(given.runs[0], given.data, cache=given.cache)
    sheet([row_of(case, given.runs) for case in chosen_cases(first, given.count)], HEIGHT_PX).save(
        given.out, quality=82
    )
    print(f"drawn: {given.out}")


if __name__ == "__main__":
    main()
