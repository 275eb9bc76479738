"""The post-processing steps that can be chosen by name."""

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.postprocessing.component import LargestComponent, keep_largest
from cardiotrace.postprocessing.hole import FillHoles, fill_enclosed

STEPS: Catalog[NDArray[np.uint8]] = Catalog(
    "post-processing step",
    [
        Entry(
            "largest-component",
            LargestComponent,
            keep_largest,
            "Keep the largest connected piece of each structure, in each plane or through the stack.",
            "Leclerc et al. 2019, IEEE Trans Med Imaging 38:2198 (all compared methods)",
        ),
        Entry(
            "fill-holes",
            FillHoles,
            fill_enclosed,
            "Fill enclosed background, of each structure or of several together.",
            "Leclerc et al. 2019, IEEE Trans Med Imaging 38:2198 (all compared methods)",
        ),
    ],
    group="cardiotrace.postprocessing",
)
"""`make(config, labels, scheme)` maps one frame (depth, height, width) of uint8 labels to another."""
