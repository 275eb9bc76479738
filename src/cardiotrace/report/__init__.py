"""Figures, animations and one self-contained page a cardiologist reads in ten seconds."""

from cardiotrace.report.figure import draw_curves
from cardiotrace.report.write import write_report

__all__ = ["draw_curves", "write_report"]
