"""The post-processing steps that can be chosen by name."""

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.postprocessing.component import LargestComponent, keep_largest
from cardiotrace.postprocessing.film import SteadyFrames, leave_frame
from cardiotrace.postprocessing.hole import FillHoles, fill_enclosed
from cardiotrace.postprocessing.slices import RemoveAlone, TrimEnds, remove_alone, trim_ends
from cardiotrace.postprocessing.smooth import Smooth, smooth

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
        Entry("smooth", Smooth, smooth, "Smooth outlines by a vote of the pixels around each pixel.", "this project"),
        Entry(
            "remove-alone",
            RemoveAlone,
            remove_alone,
            "Remove structures from slices that hold none of others, such as an RV beyond the base.",
            "this project",
        ),
        Entry(
            "trim-ends",
            TrimEnds,
            trim_ends,
            "Empty end slices where a structure is a speck beside the next slice.",
            "this project",
        ),
        Entry(
            "steady-frames",
            SteadyFrames,
            leave_frame,
            "Decide a frame of a film that jumps anew, from its probabilities and those of the frames beside it.",
            "Painchaud et al. 2022, IEEE Trans Med Imaging 41:2867 (the criterion; not what is done then)",
        ),
    ],
    group="cardiotrace.postprocessing",
)
"""`make(config, labels, scheme)` maps one frame (depth, height, width) of uint8 labels to another.

It is given what is labelled, and `config.reach` pixels around it where a step has to look there, and labels nothing
beyond. What a step has to see a whole film for, `jumping` of its config tells, see `Postprocessing.apply`.
"""
