"""Key frames, axes, volumes, ejection fractions and curves: label maps become quantities with units."""

from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.quantity import Measures, Quantity

__all__ = ["Measures", "Quantity", "measure"]
