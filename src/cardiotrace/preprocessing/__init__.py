"""Declarative, invertible steps between a file's pixels and a network's input; the same in training and in use."""

from cardiotrace.preprocessing.pipeline import Preprocessing, ResamplingTransform, middle_of
from cardiotrace.preprocessing.stack import MOST_NEIGHBOURS, NeighboursOf, channels_with_neighbours, planes_around
from cardiotrace.preprocessing.step import STEPS, Centre

__all__ = [
    "MOST_NEIGHBOURS",
    "STEPS",
    "Centre",
    "NeighboursOf",
    "Preprocessing",
    "ResamplingTransform",
    "channels_with_neighbours",
    "middle_of",
    "planes_around",
]
