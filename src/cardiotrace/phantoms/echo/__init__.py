"""Echoes of the heart: scatterers that move with the tissue, and a scanner that listens to them."""

from cardiotrace.phantoms.echo.exam import IMAGE_NAMES, EchoExam, biplane_exam, echo_exam
from cardiotrace.phantoms.echo.phantom import EchoPhantom, sample_echo
from cardiotrace.phantoms.echo.truth import EchoTruth

__all__ = ["IMAGE_NAMES", "EchoExam", "EchoPhantom", "EchoTruth", "biplane_exam", "echo_exam", "sample_echo"]
