"""A beating heart with analytic truth, and pictures of it that look like the real ones."""

from cardiotrace.phantoms.cycle import Cycle
from cardiotrace.phantoms.echo import EchoPhantom, PhantomExam, echo_exam, sample_echo
from cardiotrace.phantoms.heart import Heart, HeartState
from cardiotrace.phantoms.spheroid import TruncatedSpheroid
from cardiotrace.phantoms.truth import Truth

__all__ = [
    "Cycle",
    "EchoPhantom",
    "Heart",
    "HeartState",
    "PhantomExam",
    "TruncatedSpheroid",
    "Truth",
    "echo_exam",
    "sample_echo",
]
