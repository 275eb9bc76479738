"""Reading CAMUS pictures: this package's reader against nibabel's `get_fdata` and `dataobj`.

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

from cardiotrace.io import read_cine

FILE_COUNT = 60
REPEATS = 5


def run() -> list[dict[str, Any]]:
    """Milliseconds a file (best of five rounds over sixty files), and how many times faster than nibabel."""
    files = _files()
    if not files:
        return []
    ours = _milliseconds(lambda file: read_cine(file).frames, files)
    lazy = _milliseconds(lambda file: np.asanyarray(nibabel.load(file).dataobj), files)
    floats = _milliseconds(lambda file: nibabel.load(file).get_fdata(), files)
    return [
        {"name": "read .nii.gz", "value": ours, "unit": "ms", "ratio": floats / ours, "versus": "nibabel get_fdata"},
        {"name": "read .nii.gz", "value": ours, "unit": "ms", "ratio": lazy / ours, "versus": "nibabel dataobj"},
    ]


def _files() -> list[Path]:
    root = Path(__file__).resolve().parents[1]
    data = Path(os.environ.get("CARDIOTRACE_DATA", root / "../shared/data"))
    return sorted(data.glob("camus/database_nifti/*/*_4CH_ED.nii.gz"))[:FILE_COUNT]


def _milliseconds(read: Callable[[Path], Any], files: list[Path]) -> float:
    """Best round, so that other work on the machine counts least."""
    rounds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for file in files:
            read(file)
        rounds.append(time.perf_counter() - start)
    return 1000 * min(rounds) / len(files)


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']}: {row['value']:.2f} {row['unit']}, {row['ratio']:.2f} x {row['versus']}")
