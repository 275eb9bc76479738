"""One testing image as every variant of a sweep sees it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cardiotrace.datasets.packed import IGNORED
from cardiotrace.learning.predict import predict_planes
from cardiotrace.metrics import dice
from cardiotrace.report.sweep import Cell, Example, cell_of
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.sweep.job import Job, network_of, split_of_run


def first_image(jobs: Sequence[Job], opener: DataOpener) -> Example | None:
    """The first testing image as each of these runs sees it; None where none of them learned anything.

    Args:
        jobs: finished runs, one of each variant.
        opener: of their data.
    """
    found: dict[Cell, np.ndarray[Any, Any]] = {}
    images: list[np.ndarray[Any, Any]] = []
    known: list[np.ndarray[Any, Any]] = []
    for job in jobs:
        if not job.folder.best.exists():
            continue
        recipe = job.run.recipe
        dataset = opener.dataset(recipe.data.dataset)
        packed = opener.packed(recipe)
        first = packed.indices_of(split_of_run(job.run, dataset).testing)[:1]
        network = network_of(job, dataset, packed)
        predicted = predict_planes(
            network,
            packed,
            first,
            recipe.preprocessing,
            neighbours=recipe.neighbours,
            neighbours_of=recipe.neighbours_of,
        )
        found[cell_of(job.run.settings)] = predicted[0]
        images.append(packed.unit_images(first)[0])
        known.append(np.asarray(packed.labels[first[0]]))
    sizes = {image.shape[1:] for image in images}
    if len(sizes) != 1:
        return None  # nothing learned, or variants of unlike sizes, which have no image in common
    return example_of(max(images, key=len), known[0], found)


def example_of(
    image: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], found: dict[Cell, np.ndarray[Any, Any]]
) -> Example:
    """The example with its scores; `image` is (channels, height, width) in unit range."""
    counts = labels != IGNORED
    colours = np.moveaxis(image if len(image) == 3 else np.repeat(image[:1], 3, axis=0), 0, -1)
    scores = {cell: dice((classes > 0)[counts], (labels > 0)[counts]) for cell, classes in found.items()}
    return Example(colours, labels * counts, counts, found, scores)
