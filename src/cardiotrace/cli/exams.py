"""What the verbs on exams share: their options, and how a batch is told of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from cardiotrace.cli.output import complain
from cardiotrace.cli.words import ModalityWord
from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Patient
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.grouping import ImageFilesAs
from cardiotrace.datasets.naming import plane_of
from cardiotrace.io.stored import ThirdAxis
from cardiotrace.workflows.batch import BatchResult
from cardiotrace.workflows.segment import SegmentConfig

Exams = tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="EXAM...")]]
"""One or more exams, as words of their own."""


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """Which exams, and what is known better than their files say."""

    exams: Exams
    """Files, patient folders, or folders of those."""
    view: str | None = None
    """View of images whose names do not state it: A4C, 4CH, A2C, SAX, ..."""
    modality: ModalityWord | None = None
    """How all images were made: US, MR or photograph."""
    spacing_mm: tuple[float, ...] | None = None
    """Height and width of a pixel, mm, in place of what the files say; a third number is the distance of slices."""
    third_axis: ThirdAxis = "auto"
    """What the third of three axes is where files do not tell: slices in depth, or instants in time; also what files
    of one plane each are together."""
    image_files: Annotated[ImageFilesAs, tyro.conf.arg(aliases=["--pictures"])] = "auto"
    """What numbered images in one folder are where names do not tell: frames of a video, or stills."""
    sex: Literal["F", "M"] | None = None
    """The patient's, for normal ranges; counts over what files say, as do the following."""
    age_years: float | None = None
    """The patient's age."""
    height_cm: float | None = None
    """The patient's height, for values by body surface."""
    weight_kg: float | None = None
    """The patient's weight, for values by body surface."""

    def __post_init__(self) -> None:
        require_exams(self.exams)
        for name, (least, most) in _PLAUSIBLE.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                word, _, unit = name.partition("_")
                raise UsageError(f"a {word} of {value:g} {unit} cannot be", remedy=f"give {least:g} to {most:g}.")

    @property
    def plane(self) -> tuple[View | None, Modality | None]:
        """View and modality as the workflows take them."""
        return plane_given(self.view, self.modality)

    @property
    def patient(self) -> Patient:
        """What is known of the person."""
        return Patient(self.sex, self.age_years, self.height_cm, self.weight_kg)


_PLAUSIBLE = {"age_years": (0.0, 125.0), "height_cm": (20.0, 260.0), "weight_kg": (0.3, 400.0)}


@dataclass(frozen=True, kw_only=True)
class ExamOptions(ReadingOptions):
    """Which exams, and to where."""

    out: Path = Path("out")
    """Folder for the results; one folder per exam is made in it."""
    overwrite: bool = False
    """Do again what is done, and replace results that were changed by hand; never images or given labels."""
    json: bool = False
    """Print results as JSON."""


@dataclass(frozen=True, kw_only=True)
class SegmentationOptions(ExamOptions):
    """With which model."""

    model: str | None = None
    """Name or path of a model; default: the one for each image's view."""
    scheme: str | None = None
    """Label scheme of the written maps, such as acdc; default: the model's."""
    test_time_augmentation: bool = False
    """Average over slightly changed versions of each image: four times slower, a little better."""

    def config(self) -> SegmentConfig:
        """As the workflow takes it."""
        view, modality = self.plane
        return SegmentConfig(
            exams=self.exams,
            out=self.out,
            model=self.model,
            view=view,
            modality=modality,
            spacing_mm=self.spacing_mm,
            third_axis=self.third_axis,
            image_files=self.image_files,
            patient=self.patient,
            scheme=self.scheme,
            test_time_augmentation=self.test_time_augmentation,
            overwrite=self.overwrite,
        )


def plane_given(word: str | None, modality: Modality | None) -> tuple[View | None, Modality | None]:
    """What a word for a view says of view and modality; a modality that is given counts.

    Raises:
        UsageError: it is no word for a view.
    """
    if word is None:
        return None, modality
    try:
        view, meant = plane_of(word)
    except UsageError as error:
        raise UsageError(f"--view: {error.what}", remedy=error.remedy) from None
    return view, modality or (None if meant is Modality.UNKNOWN else meant)


def require_exams(exams: tuple[Path, ...]) -> None:
    """Refuse a command line without exams.

    Raises:
        UsageError: there is none.
    """
    if not exams:
        raise UsageError("no EXAM is given", remedy="name files, patient folders, or folders of those.")


def list_failures(batch: BatchResult[Any]) -> int:
    """Print what failed on standard error; returns the exit status."""
    total = len(batch.done) + len(batch.failures)
    if total == 1 and batch.failures:
        complain(f"cardiotrace: {batch.failures[0].error}")
    elif batch.failures:
        complain(f"cardiotrace: {len(batch.failures)} of {total} exams failed:")
        for failure in batch.failures:
            complain(f"  {failure.name}: {failure.error}".replace("\n", "\n    "))
    if batch.summary_error is not None:
        complain(f"cardiotrace: the summary was not renewed: {batch.summary_error}")
    return batch.exit_status
