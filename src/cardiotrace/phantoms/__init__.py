"""A beating heart with analytic truth, and pictures of it, and of a retina, that look like the real ones."""

from cardiotrace.phantoms.cmr import CmrExam, CmrPhantom, CmrTruth, cmr_exam, sample_cmr
from cardiotrace.phantoms.echo import EchoExam, EchoPhantom, EchoTruth, biplane_exam, echo_exam, sample_echo
from cardiotrace.phantoms.fundus import FundusPhantom, FundusPicture, FundusTruth, fundus_picture, sample_fundus
from cardiotrace.phantoms.heart import (
    Cycle,
    Heart,
    HeartState,
    HeartTruth,
    Pathology,
    Patient,
    PhantomExam,
    Tissue,
    TruncatedSpheroid,
    Truth,
    heart_truth,
    sample_heart,
    sample_patient,
)

__all__ = [
    "CmrExam",
    "CmrPhantom",
    "CmrTruth",
    "Cycle",
    "EchoExam",
    "EchoPhantom",
    "EchoTruth",
    "FundusPhantom",
    "FundusPicture",
    "FundusTruth",
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
    "cmr_exam",
    "echo_exam",
    "fundus_picture",
    "heart_truth",
    "sample_cmr",
    "sample_echo",
    "sample_fundus",
    "sample_heart",
    "sample_patient",
]
