"""Label maps of an exam, written beside nothing that they could be taken for."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.io import labels_path, write_labels
from cardiotrace.io.results import UNCORRECTED, Staging
from cardiotrace.workflows.services.batch import refuse_images_in
from cardiotrace.workflows.services.exams import known_scheme


def label_maps_in(names: Iterable[str]) -> tuple[str, ...]:
    """Label maps among files of a folder of results; one that is a folder of images counts once."""
    return tuple(sorted({name.partition("/")[0] for name in names} - {UNCORRECTED}))


def spare_images(staging: Staging, exam: Exam) -> None:
    """See to it that results neither replace an image nor come to lie beside it.

    Raises:
        UsageError: the folder of results is that of the images.
    """
    sources = [image.image.source for image in exam.images if image.image.source is not None]
    files = [source.path for source in sources]
    files += [source.pixel_file for source in sources if source.pixel_file is not None]
    refuse_images_in(staging.target, files)
    staging.inputs.extend(files)


def write_labels_of(
    images: Sequence[ExamImage], labels: Mapping[str, LabelMap], folder: Path, *, scheme: str | None
) -> tuple[str, ...]:
    """Write the label map of each image that has one, named after the file it came from.

    Returns:
        Names of what was written in the folder: files, or folders of images.

    Raises:
        UsageError: there is no such label scheme.
    """
    for image in images:
        if image.name in labels:
            _write_labels(image.name, labels[image.name], folder, scheme)
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.name != UNCORRECTED))


def write_uncorrected_of(
    images: Sequence[ExamImage], labels: Mapping[str, LabelMap], folder: Path, *, scheme: str | None
) -> None:
    """Write what was labelled before a corrector changed it into a folder of its own, `UNCORRECTED`, if anything was.

    Raises:
        UsageError: there is no such label scheme.
    """
    if labels:
        (folder / UNCORRECTED).mkdir()
        write_labels_of(images, labels, folder / UNCORRECTED, scheme=scheme)


def _write_labels(name: str, labels: LabelMap, folder: Path, scheme: str | None) -> None:
    written = labels if scheme is None else labels.to(known_scheme(scheme))
    if written.source is None:
        write_labels(written, folder / f"{name}_labels.nii.gz")
    else:
        path = labels_path(written.source, folder)
        write_labels(written, path.with_name(name + path.name.removeprefix(written.source.stem)))
