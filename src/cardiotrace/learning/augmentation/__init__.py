"""Random changes of training images and their labels, in batches, on the CPU or the GPU.

Three steps: `sample` draws all that is random, from one generator; the drawn `Parameters` are a record
that can be kept and replayed; `apply` is a pure function of images, labels and record. Images are in [0, 1]
and not yet normalised.
"""

from cardiotrace.learning.augmentation.acquisition import (
    AmplitudeExchange,
    BiasField,
    Ghosting,
    IntensityWindow,
    Motion,
    RandomContrast,
)
from cardiotrace.learning.augmentation.change import apply, change_intensities
from cardiotrace.learning.augmentation.draw import Draw
from cardiotrace.learning.augmentation.parameters import Parameters, identity, sample, with_shared_geometry
from cardiotrace.learning.augmentation.settings import Augmentation, Elastic
from cardiotrace.learning.augmentation.style import MaxStyle, MixStyle

__all__ = [
    "AmplitudeExchange",
    "Augmentation",
    "BiasField",
    "Draw",
    "Elastic",
    "Ghosting",
    "IntensityWindow",
    "MaxStyle",
    "MixStyle",
    "Motion",
    "Parameters",
    "RandomContrast",
    "apply",
    "change_intensities",
    "identity",
    "sample",
    "with_shared_geometry",
]
