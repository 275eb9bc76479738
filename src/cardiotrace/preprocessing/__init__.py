"""Declarative, invertible steps between a file's pixels and a network's input; the same in training and in use."""

from cardiotrace.preprocessing.pipeline import Preprocessing, ResamplingTransform, middle_of
from cardiotrace.preprocessing.stack import MOST_NEIGHBOURS, channels_with_neighbours, slices_around
from cardiotrace.preprocessing.step import STEPS, Centre

__all__ = [
    "MOST_NEIGHBOURS",
    "STEPS",
    "Centre",
    "Preprocessing",
    "ResamplingTransform",
    "channels_with_neighbours",
    "middle_of",
    "slices_around",
]
