"""Which exams a verb takes, how they are read, and where results go: what all verbs on exams have in common."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Exam, Patient
from cardiotrace.core.label import SCHEMES, LabelScheme
from cardiotrace.datasets.exam_discovery import FoundExam, Reading, find_exams
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.workflows.services.provenance import given_in
from cardiotrace.workflows.services.views import with_proposed_views

SMALLEST_MM, LARGEST_MM = 1e-4, 1e3
"""Between the pixels of a microscope, a tenth of a micrometre, and a slice distance that no body has room for."""
_PLAUSIBLE = {"age_years": (0.0, 125.0), "height_cm": (20.0, 260.0), "weight_kg": (0.3, 400.0)}


@dataclass(frozen=True, kw_only=True)
class ReadingConfig:
    """Which exams, and what is known better than their files say."""

    exams: tuple[Path, ...]
    """Files, patient folders, or folders of those."""
    reading: Reading = field(default_factory=Reading)
    """What is known better than the files."""
    each: bool = False
    """Take each study of a folder or an archive with DICOM of several patients for an exam of its own."""

    def __post_init__(self) -> None:
        if not self.exams:
            raise UsageError("no EXAM is given", remedy="name files, patient folders, or folders of those.")
        require_plausible(self.reading.patient)

    def find(self) -> list[FoundExam]:
        """The exams at the paths; each bears the name that its folder of results gets.

        Raises:
            UsageError: age, height or weight are given for several exams.
        """
        found = find_exams(self.exams, self.reading, each=self.each)
        return [_named(each, proposes_views=self.proposes_views) for each in found]

    @property
    def proposes_views(self) -> bool:
        """Whether views that nothing states are proposed once an exam is read."""
        return True


@dataclass(frozen=True, kw_only=True)
class ExamConfig(ReadingConfig):
    """Which exams, and to where."""

    out: Path = Path("out")
    """Folder for the results; one folder per exam is made in it."""
    overwrite: bool = False
    """Do again what is done, and replace results that were changed by hand; never images or given labels."""

    @property
    def given(self) -> dict[str, Any]:
        """What was said in place of what files say, as plain data."""
        return given_in(self.reading)


def _named(found: FoundExam, *, proposes_views: bool) -> FoundExam:
    def read() -> Exam:
        exam = replace(found.read(), name=found.name)
        return with_proposed_views(exam) if proposes_views else exam

    return replace(found, read=read)


def require_plausible(patient: Patient) -> None:
    """Refuse an age, a height or a weight that nobody has.

    Raises:
        UsageError: naming it.
    """
    for name, (least, most) in _PLAUSIBLE.items():
        value = getattr(patient, name)
        if value is not None and not least <= value <= most:
            word, _, unit = name.partition("_")
            article = "an" if word == "age" else "a"
            raise UsageError(f"{article} {word} of {value:g} {unit} cannot be", remedy=f"give {least:g} to {most:g}.")


def given_spacing(sizes_mm: Iterable[float]) -> GivenSpacing:
    """What people say of sizes (height, width[, depth]) as the readers take it (depth, height, width).

    Raises:
        UsageError: neither two nor three sizes, or one that no image has.

    Example:
        >>> given_spacing((0.3, 0.2)), given_spacing((1.4, 1.4, 8.0))
        ((None, 0.3, 0.2), (8.0, 1.4, 1.4))
    """
    sizes = tuple(sizes_mm)
    if len(sizes) not in (2, 3):
        raise UsageError(f"--spacing-mm takes 2 numbers (height, width) or 3 (and slice distance), got {len(sizes)}")
    if not all(SMALLEST_MM <= size <= LARGEST_MM for size in sizes):
        shown = " ".join(f"{size:g}" for size in sizes)
        raise UsageError(
            f"--spacing-mm {shown}: no pixel or slice distance is like this",
            remedy=f"give sizes in mm, {SMALLEST_MM:g} to {LARGEST_MM:g}.",
        )
    height, width, *depth = sizes
    return depth[0] if depth else None, height, width


def known_scheme(name: str) -> LabelScheme:
    """A label scheme by name.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in SCHEMES:
        raise UsageError(f"there is no label scheme {name!r}", remedy=f"choose from: {', '.join(SCHEMES)}.")
    return SCHEMES[name]
