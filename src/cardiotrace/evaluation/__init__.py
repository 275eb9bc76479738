"""Predictions against references: a table of cases, its summaries, and comparisons of methods."""

from cardiotrace.evaluation.case_table import CaseRow, CaseTable, GroupSummary
from cardiotrace.evaluation.compare import Comparison, compare
from cardiotrace.evaluation.evaluate import evaluate_labels, evaluate_observer, evaluate_predictor
from cardiotrace.evaluation.threshold import best_threshold

__all__ = [
    "CaseRow",
    "CaseTable",
    "Comparison",
    "GroupSummary",
    "best_threshold",
    "compare",
    "evaluate_labels",
    "evaluate_observer",
    "evaluate_predictor",
]
