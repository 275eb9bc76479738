"""Figures, animations and one self-contained page a cardiologist reads in ten seconds."""

from cardiotrace.report.exam_report import ExamReport, render_report
from cardiotrace.report.figure import draw_curves
from cardiotrace.report.page import ReportContext
from cardiotrace.report.write import save_report, write_report

__all__ = ["ExamReport", "ReportContext", "draw_curves", "render_report", "save_report", "write_report"]
