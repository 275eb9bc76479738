"""Declarative, invertible steps between a file's pixels and a network's input; the same in training and in use."""

from cardiotrace.preparation.pipeline import Placement, Preparation
from cardiotrace.preparation.step import STEPS

__all__ = ["STEPS", "Placement", "Preparation"]
