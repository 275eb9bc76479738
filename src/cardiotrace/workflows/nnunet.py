"""A data set as nnU-Net v2 reads it."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace import __version__
from cardiotrace.core.contract import NNUNET
from cardiotrace.core.errors import InputError, UsageError, WorkError
from cardiotrace.core.exam import Case
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.plain import read_json
from cardiotrace.core.progress import counted
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.core.text import some
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split, k_folds, patient_groups
from cardiotrace.io import write_image, write_json
from cardiotrace.io.atomic import as_work_error
from cardiotrace.workflows.data import DatasetConfig
from cardiotrace.workflows.services.dataset import OFFICIAL, reading_options

LOG = logging.getLogger(__name__)
SUFFIX = ".nii.gz"
RECORD = "cardiotrace.json"
"""Says what an export was made from, beside it: files that are kept must have been made in the same way."""
CHANNELS = {1: ("grey",), 3: ("red", "green", "blue")}
"""Names of the channels, by their number; nnU-Net normalises channels of these names by their mean and spread."""


@dataclass(frozen=True, kw_only=True)
class NnunetConfig(DatasetConfig):
    """Which data set, which part of it is kept for testing, and where to."""

    out: Path
    """The folder to be, such as nnUNet_raw/Dataset101_CAMUS."""
    split: str = OFFICIAL
    """Published split: its testing part goes to imagesTs and labelsTs."""
    folds: int | None = None
    """Make this many folds by patient instead, none kept for testing."""
    seed: int = 0
    """Of the shuffle of the folds."""


@dataclass(frozen=True)
class Exported:
    """What stands in the folder."""

    folder: Path
    training: int
    """Images for training and validation."""
    testing: int
    kept: int
    """Images that were there already, newer than what they are made from."""
    left_out: tuple[str, ...] = ()
    """In words: patients that are in the data and not in the split, the other way round, and unlabelled images."""


@dataclass(frozen=True)
class _NnunetFolders:
    """Where the images and labels of a part go."""

    images: Path
    labels: Path

    def image_file(self, name: str, channel: int) -> Path:
        return self.images / f"{name}_{channel:04d}{SUFFIX}"

    def label_file(self, name: str) -> Path:
        return self.labels / f"{name}{SUFFIX}"


def export_for_nnunet(config: NnunetConfig, reporter: ProgressReporter = SILENT) -> Exported:
    """Open a data set and write it as nnU-Net reads it, see `export_nnunet`."""
    dataset = config.open()
    splits = nnunet_splits(dataset, split=config.split, folds=config.folds, seed=config.seed)
    return export_nnunet(dataset, config.out, splits, reporter)


def nnunet_splits(dataset: Dataset, *, split: str = OFFICIAL, folds: int | None = None, seed: int = 0) -> list[Split]:
    """One published split, or folds by patient in which each is validated on once and none is kept for testing.

    Raises:
        InputError: the data set has no such split, or too few patients for the folds.
    """
    if folds is not None:
        made = k_folds(patient_groups(dataset.cases()), folds=folds, seed=seed, validation=False)
        return [Split(fold.training, fold.testing) for fold in made]
    published = dataset.splits()
    if split not in published:
        there = ", ".join(published) or "none"
        raise InputError(f"{dataset.name} has no split {split!r}", remedy=f"it has {there}; --folds 5 makes some.")
    return [published[split]]


def export_nnunet(
    dataset: Dataset, out: Path, splits: Sequence[Split], reporter: ProgressReporter = SILENT
) -> Exported:
    """Write a data set in nnU-Net v2's raw layout: one file per channel and one of labels for each labelled frame.

    nnU-Net reads planes and stacks: frames of a sequence become images of their own, colour one file per channel.
    Label values become 1, 2, ... in the order of the data set's. `splits_final.json` belongs into nnU-Net's folder of
    preprocessed data; no patient stands in two parts of it. Files that are newer than what they are made from are
    kept, so that an interrupted export goes on where it was.

    Args:
        dataset: with labelled cases.
        out: the folder to be, such as nnUNet_raw/Dataset101_CAMUS.
        splits: see `nnunet_splits`; patients of the testing part go to imagesTs and labelsTs.
        reporter: told of progress.

    Returns:
        What stands there.

    Raises:
        InputError: no case of the split is labelled, or a file cannot be read.
        UsageError: the folder is one of the data set's own.
        WorkError: nothing can be written there, or the folder holds images of something else.

    Source:
        Isensee et al. 2021, Nature Methods 18:203; nnU-Net 2's documentation of its dataset format.
    """
    part_of = _parts(splits)
    everything = dataset.cases()
    cases = [case for case in everything if case.read_labels is not None and case.patient in part_of]
    if not cases:
        raise InputError(f"{dataset.name} has no labelled image in this split", where=dataset.root)
    _require_apart(out, dataset.root, everything)
    is_current = _begin(out, dataset)
    places = {part: _place(out, ending) for part, ending in (("training", "Tr"), ("testing", "Ts"))}
    written = _Written(part_of)
    with reporter.stage(f"writing {dataset.name} for nnU-Net") as on_progress:
        for case in counted(cases, on_progress):
            place = places[part_of[case.patient]]
            there = _up_to_date(case, place, dataset.root) if is_current else []
            written.add(case.patient, there or _write_case(case, place, dataset), kept=len(there))
    for part, place in places.items():
        _check_alone(place, written.listed(part))
    training, testing = len(written.listed("training")), len(written.listed("testing"))
    write_json(out / "dataset.json", _description(dataset, training))
    write_json(out / "splits_final.json", [_fold(split, written.names) for split in splits])
    LOG.debug("%s: %d images for training, %d for testing, %d of them kept", out, training, testing, written.kept)
    return Exported(out, training, testing, written.kept, _left_out(everything, part_of, splits))


@dataclass
class _Written:
    """Names of the images that stand in the folders."""

    part_of: Mapping[str, str]
    """Of each patient."""
    names: dict[str, list[str]] = field(default_factory=dict)
    """By patient."""
    kept: int = 0

    def add(self, patient: str, names: Sequence[str], *, kept: int) -> None:
        self.names.setdefault(patient, []).extend(names)
        self.kept += kept

    def listed(self, part: str) -> list[str]:
        return [name for patient, names in self.names.items() if self.part_of[patient] == part for name in names]


def _parts(splits: Sequence[Split]) -> dict[str, str]:
    """Patient to the part it goes to; whoever trains in one fold is not kept for testing in another."""
    part_of = {name: "testing" for split in splits for name in split.testing}
    return part_of | {name: "training" for split in splits for name in (*split.training, *split.validation)}


def _require_apart(out: Path, root: Path, cases: Iterable[Case]) -> None:
    """Refuse a folder in which the data set itself lies, or would find what is written."""
    own = {root.resolve(), *((root / file).resolve().parent for case in cases for file in case.files)}
    place = out.resolve()
    if place in own or any(above in own - {root.resolve()} for above in place.parents):
        raise UsageError("is a folder of the data set itself", where=out, remedy="choose another --out.")


def _begin(out: Path, dataset: Dataset) -> bool:
    """Write down what the export is made from; whether what is there was made from the same by the same program.

    Raises:
        WorkError: the folder holds labels that were made from something else, or by something else.
    """
    record = out / RECORD
    about = {"data_set": dataset.name, "options": reading_options(dataset)}
    known = read_json(record) if record.exists() else {}
    known = NNUNET.read(known, where=record) if isinstance(known, dict) else {}
    others = [path for ending in ("Tr", "Ts") for path in (out / f"labels{ending}").glob(f"*{SUFFIX}")]
    if others and {key: known.get(key) for key in about} != json.loads(json.dumps(about)):
        how = "with other options or from another data set" if known else "by something else"
        remedy = "choose another --out, or remove the older export first."
        raise WorkError(f"holds {len(others)} label files that were made {how}", where=out, remedy=remedy)
    with as_work_error(out):
        out.mkdir(parents=True, exist_ok=True)
    write_json(record, NNUNET.stamp({**about, "program": __version__}))
    return known.get("program") == __version__


def _left_out(cases: Sequence[Case], part_of: Mapping[str, str], splits: Sequence[Split]) -> tuple[str, ...]:
    """A line for each kind of thing that is not in the export."""
    at_hand = {case.patient for case in cases}
    listed = part_of.keys() | {name for split in splits for name in split.missing}
    strangers, absent = sorted(at_hand - listed), sorted(listed - at_hand)
    bare = [case.name for case in cases if case.read_labels is None and case.patient in part_of]
    kinds = (
        ("patients are in no part of the split", strangers),
        ("patients of the split are not in the data", absent),
        ("images have no labels", bare),
    )
    return tuple(f"left out: {len(names)} {what}: {some(names)}" for what, names in kinds if names)


def dense(scheme: LabelScheme) -> LabelScheme:
    """The scheme with values 1, 2, ... in the same order, as networks count classes.

    Example:
        >>> from cardiotrace.core.label import VESSEL255
        >>> dict(dense(VESSEL255).values)
        {<Structure.VESSEL: 'VESSEL'>: 1}
    """
    return LabelScheme(scheme.name, {structure: value for value, structure in enumerate(scheme.structures, start=1)})


def image_names(case: str, frames: int) -> list[str]:
    """What the frames of a case are called in nnU-Net's folders, in order of time.

    Example:
        >>> image_names("patient1", 1), image_names("patient1", 2)
        (['patient1'], ['patient1_frame000', 'patient1_frame001'])
    """
    return [case] if frames == 1 else [_numbered(case, frame) for frame in range(frames)]


def _place(out: Path, ending: str) -> _NnunetFolders:
    place = _NnunetFolders(out / f"images{ending}", out / f"labels{ending}")
    try:
        for folder in (place.images, place.labels):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"cannot be made: {error.strerror}", where=out, remedy="choose another --out.") from None
    return place


def _up_to_date(case: Case, place: _NnunetFolders, root: Path) -> list[str]:
    """Names of the images of a case if all of them are written and newer than its files, else nothing."""
    names = [case.name]
    if place.image_file(_numbered(case.name, 0), 0).exists():
        first = f"{case.name}_frame*_0000{SUFFIX}"
        names = sorted(path.name.removesuffix(f"_0000{SUFFIX}") for path in place.images.glob(first))
    # Labels are written after all images: where every image has its labels, the case is complete.
    made = [path for name in names for path in (place.image_file(name, 0), place.label_file(name))]
    if not all(path.exists() for path in made):
        return []
    oldest = min(path.stat().st_mtime for path in made)
    return names if all((root / file).stat().st_mtime <= oldest for file in case.files) else []


def _write_case(case: Case, place: _NnunetFolders, dataset: Dataset) -> list[str]:
    """Write the frames of a case; labels have the very grid of their image. Returns their names."""
    if case.read_labels is None:
        raise InputError(f"case {case.name} has no labels")
    cine, labels = case.read_image(), case.read_labels()
    if labels.scheme.values.keys() != dataset.scheme.values.keys():
        raise InputError(
            f"{case.name} labels {', '.join(labels.scheme.structures)} alone: nnU-Net would learn others as absent",
            remedy="export data sets that label the same structures.",
        )
    labels = labels.to(dense(dataset.scheme))
    if labels.array.shape != cine.grid_shape:
        raise InputError(f"{case.name}: labels {labels.array.shape} on an image {cine.grid_shape}", where=dataset.root)
    count = len(cine.frames)
    names = image_names(case.name, count)
    stills = [_still(cine, frame) for frame in range(count)]
    for name, still in zip(names, stills, strict=True):
        for channel, plane in enumerate(_channels(still)):
            write_image(plane, place.image_file(name, channel))
    for name, still, plane in zip(names, stills, labels.array, strict=True):
        write_image(replace(still, frames=plane[np.newaxis]), place.label_file(name))
    return names


def _numbered(name: str, frame: int) -> str:
    return f"{name}_frame{frame:03d}"


def _still(cine: Image, frame: int) -> Image:
    """One frame; where the file has a time axis, off its grid, as nnU-Net would take that axis for channels."""
    has_time = cine.source is not None and "t" in cine.source.axes
    source = None if has_time else cine.source
    return replace(cine, frames=cine.frames[frame : frame + 1], times_ms=None, source=source)


def _channels(cine: Image) -> Iterable[Image]:
    if not cine.is_colour:
        return [cine]
    return [replace(cine, frames=np.ascontiguousarray(cine.frames[..., channel])) for channel in range(3)]


def _check_alone(place: _NnunetFolders, names: Sequence[str]) -> None:
    """Refuse a folder with further images: nnU-Net would train on them, whatever the split says.

    Raises:
        WorkError: naming one of them.
    """
    known = set(names)
    others = [path for path in sorted(place.labels.glob(f"*{SUFFIX}")) if path.name.removesuffix(SUFFIX) not in known]
    if others:
        raise WorkError(
            f"holds {len(others)} label files that are not of this split, such as {others[0].name}",
            where=place.labels,
            remedy="choose another --out, or remove the older export first.",
        )


def _description(dataset: Dataset, training: int) -> dict[str, Any]:
    labels = {"background": 0, **{str(structure): value for structure, value in dense(dataset.scheme).values.items()}}
    return {
        "name": dataset.name,
        "channel_names": {str(index): name for index, name in enumerate(CHANNELS[dataset.channels])},
        "labels": labels,
        "numTraining": training,
        "file_ending": SUFFIX,
        "overwrite_image_reader_writer": "SimpleITKIO",
        "licence": dataset.licence,
        "reference": dataset.citation,
    }


def _fold(split: Split, names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {
        key: [name for patient in patients for name in names.get(patient, ())]
        for key, patients in (("train", split.training), ("val", split.validation))
    }
