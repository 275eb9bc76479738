"""Annotated images on disk: one file per data set, and what all of them need (splits, checks, a packed cache)."""

from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split

__all__ = ["DATASETS", "Dataset", "Split"]
