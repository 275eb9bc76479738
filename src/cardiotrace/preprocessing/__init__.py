"""Declarative, invertible steps between a file's pixels and a network's input; the same in training and in use."""

from cardiotrace.preprocessing.pipeline import Preprocessing, ResamplingTransform
from cardiotrace.preprocessing.step import STEPS

__all__ = ["STEPS", "Preprocessing", "ResamplingTransform"]
