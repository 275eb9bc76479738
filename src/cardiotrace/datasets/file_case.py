"""Cases and exam images whose readers open files, and what such a case may have beside its reference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import NO_INSTANT, Case, ExamImage, Instant
from cardiotrace.core.geometry import Known, Spacing
from cardiotrace.core.image import Grid
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.dataset import Dataset, FilePair
from cardiotrace.geometry.alignment import aligned, voxel_order
from cardiotrace.io import pixel_files, read_grid, read_image, read_labels, read_labels_of
from cardiotrace.io.options import AS_STORED, ReadOptions
from cardiotrace.io.stored import ThirdAxis


@dataclass(frozen=True)
class CaseFacts:
    """What a data set says of a case beside its files."""

    view: View
    groups: Mapping[str, str]
    """See `Case.groups`."""
    phase: Phase = Phase.OTHER
    reference: Mapping[str, float] = field(default_factory=dict)
    """Reference numbers, see `Case.facts`."""
    third_axis: ThirdAxis = "auto"
    spacing_mm: Spacing | None = None
    """(depth, height, width), mm, where the files do not say."""
    instant: Instant = NO_INSTANT
    as_shown: Known = Known.UNKNOWN
    """Whether its files keep rows and columns as the scanner showed them, where they do not tell their place."""


def file_case(pair: FilePair, dataset: Dataset, facts: CaseFacts) -> Case:
    """A case whose readers open the pair's files; `files` names the image first, the reference second.

    The labels come in the image's voxel order. The readers can be sent to another process.
    """
    read = ReadOptions(facts.view, dataset.modality, facts.spacing_mm, facts.third_axis, as_shown=facts.as_shown)
    labels = pair.labels if pair.labels is not None and pair.labels.exists() else None
    grid = partial(read_grid, pair.image, read)
    stored = None if labels is None else partial(read_labels_of, labels, dataset.scheme, grid, read)
    return Case(
        name=pair.name,
        view=facts.view,
        phase=facts.phase,
        groups=facts.groups,
        read_image=partial(read_image, pair.image, read),
        read_labels=None if stored is None else partial(read_aligned, stored, grid),
        read_stored_labels=stored,
        read_grid=grid,
        files=relative_files([pair.image] if labels is None else [pair.image, labels], dataset.root),
        facts=facts.reference,
        modality=dataset.modality,
        instant=facts.instant,
    )


def read_aligned(stored: Callable[[], LabelMap], grid: Callable[[], Grid]) -> LabelMap:
    """Labels in the voxel order of their image.

    Args:
        stored: reads the label file.
        grid: reads where the image's voxels lie.

    Raises:
        InputError: the labels cannot be read, or lie elsewhere than the image.
    """
    return aligned(stored(), grid())


def with_field_of_view(case: Case, path: Path | None, root: Path) -> Case:
    """The case with the pixels that count read from an image of them; as it is where there is no such file.

    The reader can be sent to another process.

    Args:
        case: the case.
        path: the image, dark outside and bright inside.
        root: folder that `Case.files` are relative to.
    """
    if path is None or not path.exists():
        return case
    files = (*case.files, *relative_files([path], root))
    return replace(case, read_field_of_view=partial(read_field_of_view, path, case.read_grid), files=files)


def read_field_of_view(path: Path, grid: Callable[[], Grid] | None = None) -> Bool[np.ndarray, "depth height width"]:
    """The pixels that count: those brighter than half the brightest of the image.

    Args:
        path: the image.
        grid: reads where the voxels of the image lie, in whose order the pixels come.

    Raises:
        InputError: the image cannot be read, or moves, or does not lie on the image.
    """
    image = read_image(path, channels=1)
    if len(image.frames) != 1:
        raise InputError(f"a field of view is one still image, this one has {len(image.frames)} frames", where=path)
    inside: Bool[np.ndarray, "depth height width"] = image.frames[0] > image.frames.max() / 2
    return inside if grid is None else voxel_order(image.grid, grid()).applied(inside)


def with_second_labels(case: Case, path: Path | None, dataset: Dataset, read: ReadOptions = AS_STORED) -> Case:
    """The case with another observer's labels, in the image's voxel order; as it is where there is no such file."""
    if path is None or not path.exists():
        return case
    files = (*case.files, *relative_files([path], dataset.root))
    if case.read_grid is None:
        return replace(case, read_second_labels=partial(read_labels, path, dataset.scheme, read), files=files)
    stored = partial(read_labels_of, path, dataset.scheme, case.read_grid, read)
    return replace(case, read_second_labels=partial(read_aligned, stored, case.read_grid), files=files)


def still(pair: FilePair, view: View, phase: Phase, modality: Modality, as_shown: Known = Known.UNKNOWN) -> ExamImage:
    """The pair's image as one instant of an exam; `as_shown` as in `CaseFacts`.

    Raises:
        InputError: it cannot be read.
    """
    options = ReadOptions(view, modality, third_axis="depth", as_shown=as_shown)
    return ExamImage(pair.name, read_image(pair.image, options), {phase: 0})


def relative_files(paths: Sequence[Path], root: Path) -> tuple[str, ...]:
    """The paths and the pixel files of MetaImage headers, relative to `root`, with forward slashes."""
    beside = [file for path in paths for file in _pixel_files_at_hand(path)]
    return tuple(path.relative_to(root).as_posix() for path in (*paths, *beside))


def _pixel_files_at_hand(path: Path) -> tuple[Path, ...]:
    """The pixel files of a MetaImage header in its own folder or below it; none where they are missing."""
    try:
        files = pixel_files(path)
    except InputError:  # said when the image is read
        return ()
    return tuple(file for file in files if file.is_relative_to(path.parent))
