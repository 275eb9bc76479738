"""A beating heart with analytic truth, and images of it, and of a retina, that look like the real ones."""

from cardiotrace.phantoms.cmr import CmrExam, CmrPhantom, CmrTruth, cmr_exam, sample_cmr
from cardiotrace.phantoms.echo import EchoExam, EchoPhantom, EchoTruth, biplane_exam, echo_exam, sample_echo
from cardiotrace.phantoms.fundus import FundusImage, FundusPhantom, FundusTruth, fundus_image, sample_fundus
from cardiotrace.phantoms.heart import (
    CardiacCycle,
    Heart,
    HeartState,
    HeartTruth,
    Pathology,
    PhantomExam,
    PhantomPatient,
    Tissue,
    TruncatedSpheroid,
    Truth,
    heart_truth,
    sample_heart,
    sample_patient,
)

__all__ = [
    "CardiacCycle",
    "CmrExam",
    "CmrPhantom",
    "CmrTruth",
    "EchoExam",
    "EchoPhantom",
    "EchoTruth",
    "FundusImage",
    "FundusPhantom",
    "FundusTruth",
    "Heart",
    "HeartState",
    "HeartTruth",
    "Pathology",
    "PhantomExam",
    "PhantomPatient",
    "Tissue",
    "TruncatedSpheroid",
    "Truth",
    "biplane_exam",
    "cmr_exam",
    "echo_exam",
    "fundus_image",
    "heart_truth",
    "sample_cmr",
    "sample_echo",
    "sample_fundus",
    "sample_heart",
    "sample_patient",
]
