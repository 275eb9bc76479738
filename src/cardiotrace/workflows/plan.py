"""Look at a data set and plan a network for it."""

import dataclasses

from cardiotrace.core.errors import CardioTraceError, InputError
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.learning.planning import Fingerprint, Plan, fingerprint, plan
from cardiotrace.workflows.progress import SILENT, ProgressReporter


def look_at(dataset: Dataset, *, watch: ProgressReporter = SILENT) -> Fingerprint:
    """Median spacing and shape of the labelled images; every plane of a stack or cine counts as one image of the total.

    Raises:
        InputError: no labelled image can be read.
    """
    cases = [case for case in dataset.cases() if case.read_labels is not None]
    shapes, spacings, planes = [], [], 0
    with watch.stage(f"looking at {dataset.name}") as tick:
        for done, case in enumerate(cases, start=1):
            try:
                cine = case.read_image()
            except CardioTraceError:
                continue  # `data lint` says what is wrong with it
            time, depth, height, width = cine.grid_shape
            shapes.append((height, width))
            spacings.append(None if cine.spacing_mm is None else (cine.spacing_mm[1], cine.spacing_mm[2]))
            planes += time * depth
            tick(done, len(cases))
    if not shapes:
        raise InputError("there is no labelled image to plan for", where=dataset.root)
    return dataclasses.replace(fingerprint(shapes, spacings), images=planes)


def plan_dataset(dataset: Dataset, *, memory_gb: float = 8.0, watch: ProgressReporter = SILENT) -> Plan:
    """nnU-Net's 2D plan for a data set; see `cardiotrace.learning.planning`."""
    return plan(look_at(dataset, watch=watch), classes=dataset.scheme.class_count, memory_gb=memory_gb)
