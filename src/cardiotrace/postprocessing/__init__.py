"""Label maps to label maps: what is kept, what is filled, and a count of every pixel that changed."""

from cardiotrace.postprocessing.catalog import STEPS
from cardiotrace.postprocessing.pipeline import Postprocessing, Processed

__all__ = ["STEPS", "Postprocessing", "Processed"]
