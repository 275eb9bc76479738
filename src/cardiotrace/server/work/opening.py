"""The exam of a study, read from its files with what somebody knows better: for whoever analyses or edits it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.image import Image
from cardiotrace.core.terms import View, modality_meant
from cardiotrace.datasets.exam_discovery import FoundExam, Reading, find_exams
from cardiotrace.datasets.frame import with_frame_rate
from cardiotrace.workflows.services.exams import given_spacing, require_plausible
from cardiotrace.workflows.services.views import with_proposed_views


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """What is said in place of what files and models say; what is not said is None."""

    views: Mapping[str, str] = field(default_factory=dict)
    """View by name of the image, such as "A4C"."""
    spacing_mm: tuple[float, ...] | None = None
    """Height and width of a pixel; a third number is the distance of slices."""
    frame_rate_hz: float | None = None
    """Of films."""
    heart_rate: float | None = None
    """Beats per minute."""
    height_cm: float | None = None
    weight_kg: float | None = None
    sex: str | None = None
    """"F" or "M"."""
    model: str | None = None
    """Name of the model for every image."""
    language: str | None = None
    """Of the report."""

    @property
    def reading(self) -> Reading:
        """As the readers of exams take it.

        Raises:
            UsageError: a size, a height or a weight that cannot be.
        """
        patient = Patient(sex=self.sex, height_cm=self.height_cm, weight_kg=self.weight_kg)
        require_plausible(patient)
        return Reading(spacing_mm=None if self.spacing_mm is None else given_spacing(self.spacing_mm), patient=patient)


@dataclass(frozen=True)
class StudyFiles:
    """Where the exam of a study lies; see `StudyRow`."""

    root: Path
    name: str
    within: str = ""
    part: str = ""

    def find(self, options: AnalysisOptions) -> FoundExam:
        """The exam, not read yet.

        Raises:
            InputError: its files are not those that were taken in.
        """
        found = find_exams([self.root], options.reading, each=True)
        mine = [each for each in found if each.part == self.part and _relative(each, self.root) == self.within]
        if len(found) != 1 and len(mine) != 1:
            raise InputError("the exam is not found among its files any more", remedy="send it again.")
        return (mine or found)[0]

    def read(self, options: AnalysisOptions) -> Exam:
        """The exam, with views proposed where nothing states them.

        Raises:
            InputError: it cannot be read, or an option names an image that it does not have.
        """
        exam = replace(self.find(options).read(), name=self.name)
        strange = set(options.views) - {image.name for image in exam.images}
        if strange:
            raise InputError(
                f"there is no image {min(strange)!r} in this exam", remedy="look at the names of its images."
            )
        told = replace(exam, images=tuple(_told(image, options) for image in exam.images))
        return with_proposed_views(told)


def _relative(found: FoundExam, root: Path) -> str:
    path = found.path
    return path.relative_to(root).as_posix() if path.is_relative_to(root) and path != root else ""


def _told(image: ExamImage, options: AnalysisOptions) -> ExamImage:
    cine = image.image
    if (word := options.views.get(image.name)) is not None:
        cine = replace(cine, view=_view(word), modality=modality_meant(word) if _says_modality(word) else cine.modality)
    if options.frame_rate_hz is not None and len(cine.frames) > 1:
        cine = with_frame_rate(cine, options.frame_rate_hz)
    if options.heart_rate is not None:
        cine = replace(cine, acquisition=replace(cine.acquisition, heart_rate_bpm=options.heart_rate))
    return replace(image, image=cine)


def _says_modality(word: str) -> bool:
    return modality_meant(word) != "unknown"


def _view(word: str) -> View:
    try:
        return View(word)
    except ValueError:
        known = "A2C, A3C, A4C, A5C, PLAX, PSAX, SAX, 2CH, 3CH, 4CH"
        raise InputError(f"there is no view {word!r}", remedy=f"give one of {known}.") from None


def modalities_of(images: Iterable[Image]) -> tuple[str, ...]:
    """How images were made, US, MR and so on, each once."""
    return tuple(dict.fromkeys(image.modality.value for image in images))
