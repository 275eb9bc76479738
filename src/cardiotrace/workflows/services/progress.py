"""How a workflow tells how far it is, by the names under which workflows know it."""

from cardiotrace.core.progress import OnProgress
from cardiotrace.core.reporter import SILENT, ProgressReporter, SilentReporter

Tick = OnProgress

__all__ = ["SILENT", "ProgressReporter", "SilentReporter", "Tick"]
