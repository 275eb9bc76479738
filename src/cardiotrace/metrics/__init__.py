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
from cardiotrace.metrics.centreline import CentrelineOverlap, centreline_overlap, cldice
from cardiotrace.metrics.names import short_name
from cardiotrace.metrics.overlap import Confusion, Presence, accuracy, dice, jaccard, precision, recall, specificity
from cardiotrace.metrics.ranking import RankingCurve, average_precision, dice_at, roc_auc
from cardiotrace.metrics.shape import ShapeLimits, convexity, shape_of, simplicity
from cardiotrace.metrics.summary import Summary, bootstrap_interval, image_diagonal_mm, summarise
from cardiotrace.metrics.surface import SurfaceDistances, surface_distances
from cardiotrace.metrics.thinning import skeleton

__all__ = [
    "CAMUS_REGIONS",
    "LV_EPI",
    "Agreement",
    "CentrelineOverlap",
    "Confusion",
    "Presence",
    "RankingCurve",
    "Region",
    "RegionScores",
    "ShapeLimits",
    "Summary",
    "SurfaceDistances",
    "accuracy",
    "agreement",
    "average_precision",
    "bootstrap_interval",
    "centreline_overlap",
    "cldice",
    "convexity",
    "dice",
    "dice_at",
    "image_diagonal_mm",
    "jaccard",
    "measure_case",
    "measure_frames",
    "precision",
    "recall",
    "regions_of",
    "roc_auc",
    "shape_of",
    "short_name",
    "simplicity",
    "skeleton",
    "specificity",
    "summarise",
    "surface_distances",
]
