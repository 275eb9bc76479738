"""A beating heart with analytic truth, and pictures of it that look like the real ones."""

from cardiotrace.phantoms.anatomy import Tissue
from cardiotrace.phantoms.cycle import Cycle
from cardiotrace.phantoms.echo import EchoPhantom, PhantomExam, biplane_exam, echo_exam, sample_echo
from cardiotrace.phantoms.heart import Heart, HeartState
from cardiotrace.phantoms.population import Pathology, Patient, sample_heart, sample_patient
from cardiotrace.phantoms.spheroid import TruncatedSpheroid
from cardiotrace.phantoms.truth import Truth
from cardiotrace.phantoms.view import HeartTruth, heart_truth

__all__ = [
    "Cycle",
    "EchoPhantom",
    "Heart",
    "HeartState",
    "HeartTruth",
    "Pathology",
    "Patient",
    "PhantomExam",
    "Tissue",
    "TruncatedSpheroid",
    "Truth",
    "biplane_exam",
    "echo_exam",
    "heart_truth",
    "sample_echo",
    "sample_heart",
    "sample_patient",
]
