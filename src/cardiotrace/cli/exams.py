"""What the verbs on exams share: their options, and how a batch is told of."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from cardiotrace.core.errors import UsageError
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.naming import plane_of
from cardiotrace.workflows.batch import Batch
from cardiotrace.workflows.segment import SegmentConfig

Exams = tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="EXAM...")]]
"""One or more exams, as words of their own."""


@dataclass(frozen=True, kw_only=True)
class ExamOptions:
    """Which exams, and to where."""

    exams: Exams
    """Files, patient folders, or folders of those."""
    out: Path = Path("out")
    """Folder for the results; one folder per exam is made in it."""
    view: str | None = None
    """View of all images, whatever their names say: A4C, 4CH, A2C, SAX, ..."""
    modality: Modality | None = None
    """How all images were made: US, MR or PHOTOGRAPH."""
    spacing_mm: tuple[float, ...] | None = None
    """Height and width of a pixel, mm, in place of what the files say; a third number is the distance of slices."""
    overwrite: bool = False
    """Do again what is done, and replace results that were changed by hand; never images or given labels."""
    json: bool = False
    """Print results as JSON."""

    def __post_init__(self) -> None:
        require_exams(self.exams)

    @property
    def plane(self) -> tuple[View | None, Modality | None]:
        """View and modality as the workflows take them."""
        return plane_given(self.view, self.modality)


@dataclass(frozen=True, kw_only=True)
class SegmentOptions(ExamOptions):
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
    view, meant = plane_of(word)
    return view, modality or (None if meant is Modality.UNKNOWN else meant)


def require_exams(exams: tuple[Path, ...]) -> None:
    """Refuse a command line without exams.

    Raises:
        UsageError: there is none.
    """
    if not exams:
        raise UsageError("no EXAM is given", remedy="name files, patient folders, or folders of those.")


def list_failures(batch: Batch[Any]) -> int:
    """Print what failed on standard error; returns the exit status."""
    total = len(batch.done) + len(batch.failures)
    if total == 1 and batch.failures:
        print(f"cardiotrace: {batch.failures[0].error}", file=sys.stderr)
    elif batch.failures:
        print(f"cardiotrace: {len(batch.failures)} of {total} exams failed:", file=sys.stderr)
        for failure in batch.failures:
            print(f"  {failure.name}: {failure.error}".replace("\n", "\n    "), file=sys.stderr)
    if batch.summary_error is not None:
        print(f"cardiotrace: the summary was not renewed: {batch.summary_error}", file=sys.stderr)
    return batch.exit_status


def print_json(value: Any) -> None:
    """Print for machines; NaN and infinity, which JSON lacks, are refused."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
