"""The one option by which results say whose they are."""

from dataclasses import dataclass, replace
from typing import Any

from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.identity import Identity
from cardiotrace.datasets.identity import identity_of
from cardiotrace.workflows.services.analysis import Analysis

_UNSTATED = Flag(Grade.NOTE, "the identity was to be kept, and no file of the exam states any", "identity")


@dataclass(frozen=True, kw_only=True)
class IdentityConfig:
    """Whether results say whose they are."""

    keep_identity: bool = False
    """Let results say whose they are, as far as DICOM files state it: name and number of the patient, day of birth, day
    of the study, accession number, institution."""


def kept_identity(config: IdentityConfig, exam: Exam) -> tuple[Identity | None, tuple[Flag, ...]]:
    """Whose an exam is, where that is asked for; and a flag where it is asked for and not known.

    Raises:
        InputError: the record of a converted exam cannot be understood.
    """
    identity = identity_of(exam) if config.keep_identity else None
    return identity, (_UNSTATED,) if config.keep_identity and identity is None else ()


def with_identity(analysis: Analysis, config: IdentityConfig) -> Analysis:
    """The analysis of an exam with whose it is, where that is asked for.

    Raises:
        InputError: as `kept_identity`.
    """
    identity, flags = kept_identity(config, analysis.exam)
    measures = replace(analysis.measures, flags=(*analysis.measures.flags, *flags))
    return replace(analysis, measures=measures, identity=identity)


def identity_settings(config: IdentityConfig) -> dict[str, Any]:
    """What results depend on: those with an identity are made again where none is asked for, and the other way."""
    return {"keep_identity": True} if config.keep_identity else {}
