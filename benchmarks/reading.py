"""Reading CAMUS images: this package's reader against nibabel's `get_fdata` and `dataobj`.

    python benchmarks/reading.py

The data set is found through CARDIOTRACE_DATA (default ../shared/data); without it there is nothing to measure.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from cardiotrace.io import read_image

FILE_COUNT = 60
REPEATS = 5


def run() -> list[dict[str, Any]]:
    """Milliseconds of processor time a file, and how many times faster than nibabel."""
    files = _files()
    if not files:
        return []
    ours, lazy, floats = _milliseconds(
        [
            lambda file: read_image(file).frames,
            lambda file: np.asanyarray(nibabel.load(file).dataobj),
            lambda file: nibabel.load(file).get_fdata(),
        ],
        files,
    )
    return [
        {"name": "read .nii.gz", "value": ours, "unit": "ms", "ratio": floats / ours, "versus": "nibabel get_fdata"},
        {"name": "read .nii.gz", "value": ours, "unit": "ms", "ratio": lazy / ours, "versus": "nibabel dataobj"},
    ]


def _files() -> list[Path]:
    root = Path(__file__).resolve().parents[1]
    data = Path(os.environ.get("CARDIOTRACE_DATA", root / "../shared/data"))
    return sorted(data.glob("camus/database_nifti/*/*_4CH_ED.nii.gz"))[:FILE_COUNT]


def _milliseconds(readers: list[Callable[[Path], Any]], files: list[Path]) -> list[float]:
    """Best of some turns for each file, the readers taking turns, so that other work on the machine counts least."""
    totals = [0.0] * len(readers)
    for file in files:
        turns: list[list[float]] = [[] for _ in readers]
        for _ in range(REPEATS):
            for read, times in zip(readers, turns, strict=True):
                start = time.process_time()
                read(file)
                times.append(time.process_time() - start)
        totals = [total + min(times) for total, times in zip(totals, turns, strict=True)]
    return [1000 * total / len(files) for total in totals]


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']}: {row['value']:.2f} {row['unit']}, {row['ratio']:.2f} x {row['versus']}")
