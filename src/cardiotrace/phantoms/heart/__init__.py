"""A beating heart in three dimensions, and what is true of it."""

from cardiotrace.phantoms.heart.anatomy import Tissue
from cardiotrace.phantoms.heart.cycle import CardiacCycle
from cardiotrace.phantoms.heart.heart import Heart, HeartState
from cardiotrace.phantoms.heart.population import Pathology, PhantomPatient, sample_heart, sample_patient
from cardiotrace.phantoms.heart.spheroid import TruncatedSpheroid
from cardiotrace.phantoms.heart.truth import PhantomExam, Truth
from cardiotrace.phantoms.heart.view import HeartTruth, heart_truth

__all__ = [
    "CardiacCycle",
    "Heart",
    "HeartState",
    "HeartTruth",
    "Pathology",
    "PhantomExam",
    "PhantomPatient",
    "Tissue",
    "TruncatedSpheroid",
    "Truth",
    "heart_truth",
    "sample_heart",
    "sample_patient",
]
