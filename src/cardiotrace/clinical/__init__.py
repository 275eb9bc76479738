"""Key frames, axes, volumes, ejection fractions and curves: label maps become quantities with units."""

from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.findings import ExamFindings

__all__ = ["ExamFindings", "Measures", "Quantity", "measure"]
