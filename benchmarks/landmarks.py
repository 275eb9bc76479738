"""Landmarks of the standard histogram that the step `histogram-standard` brings images to, from a data set.

python -m benchmarks.landmarks --data PATH
"""

import argparse
from pathlib import Path

import numpy as np

from cardiotrace.learning.training.recipe import read_recipe
from cardiotrace.preprocessing.intensity import LANDMARK_PERCENTS, landmarks_of
from cardiotrace.workflows.data_opener import DataOpener


def main() -> None:
    """Print the landmarks of all packed planes of a recipe's data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/cine-mri.toml"), help="how planes are prepared")
    given = parser.parse_args()
    packed = DataOpener(given.data, None).packed(read_recipe(given.recipe))
    found = landmarks_of(packed.unit_images(np.arange(len(packed))))
    for percent, value in zip(LANDMARK_PERCENTS, found, strict=True):
        print(f"{percent:5.0f} %  {value:.3f}")


if __name__ == "__main__":
    main()
