"""Where a model file goes."""

from pathlib import Path

from cardiotrace.core.errors import UsageError
from cardiotrace.core.file import require_replaceable
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.io import write_bytes

MODEL_SUFFIX = ".onnx"


def require_model_place(path: Path) -> None:
    """Refuse a place where no model can be named, or where a file lies that is none.

    Raises:
        UsageError: the name does not end in .onnx, or another file is there.
        WorkError: there is no folder for it.
    """
    if path.suffix != MODEL_SUFFIX:
        remedy = f"let it end in {MODEL_SUFFIX}: models are found by that."
        raise UsageError(f"--out {path.name} names no model file", remedy=remedy)
    require_replaceable(path, begins=("\x08",), what="model")


def write_model(path: Path, sealed: bytes, reporter: ProgressReporter) -> None:
    """Write a sealed model, and say so."""
    write_bytes(path, sealed)
    reporter.say(f"model: {path} ({path.stat().st_size / 1e6:.1f} MB)")
