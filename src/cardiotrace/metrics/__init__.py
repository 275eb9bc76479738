"""Masks and pixel sizes in, numbers out: overlap, surface distances, shape, agreement, summaries."""

from cardiotrace.metrics.agreement import Agreement, agreement
from cardiotrace.metrics.case import (
    CAMUS_REGIONS,
    LV_EPI,
    Region,
    RegionScores,
    measure_case,
    measure_frames,
    regions_of,
)
from cardiotrace.metrics.overlap import Confusion, Presence, dice, f1, jaccard, precision, recall, specificity
from cardiotrace.metrics.shape import ShapeLimits, convexity, simplicity
from cardiotrace.metrics.summary import Summary, bootstrap_interval, image_diagonal_mm, summarise
from cardiotrace.metrics.surface import SurfaceDistances, surface_distances

__all__ = [
    "CAMUS_REGIONS",
    "LV_EPI",
    "Agreement",
    "Confusion",
    "Presence",
    "Region",
    "RegionScores",
    "ShapeLimits",
    "Summary",
    "SurfaceDistances",
    "agreement",
    "bootstrap_interval",
    "convexity",
    "dice",
    "f1",
    "image_diagonal_mm",
    "jaccard",
    "measure_case",
    "measure_frames",
    "precision",
    "recall",
    "regions_of",
    "simplicity",
    "specificity",
    "summarise",
    "surface_distances",
]
