"""Declarative, invertible steps between a file's pixels and a network's input; the same in training and in use."""

from cardiotrace.preprocessing.pipeline import Preprocessing, ResamplingTransform
from cardiotrace.preprocessing.stack import MOST_NEIGHBOURS, channels_with_neighbours, slices_around
from cardiotrace.preprocessing.step import STEPS

__all__ = [
    "MOST_NEIGHBOURS",
    "STEPS",
    "Preprocessing",
    "ResamplingTransform",
    "channels_with_neighbours",
    "slices_around",
]
