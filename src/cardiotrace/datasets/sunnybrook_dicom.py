"""Sunnybrook Cardiac Data as they left the scanner: short-axis cines in DICOM, with outlines of the left ventricle."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.core import label
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case, Exam, Instant
from cardiotrace.core.file import read_text
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.plain import LARGEST_TABLE
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.datasets.dataset import (
    NO_OPTIONS,
    DatasetFacts,
    FilePair,
    NoOptions,
    PublishedDataset,
    Recognised,
    exam_named,
)
from cardiotrace.datasets.frame import video_with_instants
from cardiotrace.datasets.split import Split
from cardiotrace.datasets.sunnybrook import CITATION, LICENCE, SOURCE
from cardiotrace.datasets.table import read_rows
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.io.dicom.magnetic_resonance import stacks_of
from cardiotrace.io.dicom.object_file import open_file
from cardiotrace.io.dicom.source import DicomSource

TABLE, OUTLINES = "link.csv", "contours"
PHASE_COUNT = 20
"""Instants of every cine: outline `IM-0001-0059` belongs to `59.dcm`, whose instant is (59 - 1) % 20, from 0."""

_EXPECTED = f"the folder that holds {TABLE}, {OUTLINES} and the folders of DICOM files (SCD0000101, ...)"
_OUTLINE = re.compile(r"IM-\d+-(\d+)-([io])contour-manual\.txt")
_PATIENT = re.compile(r"SC-([A-Z]+(?:-[A-Z]+)?)-\d+")
_CENTRE = 0.5
"""Of the first pixel, in the outlines' coordinates: whole numbers are the corners of pixels. Where blood turns to
muscle around the outlines of the two patients at hand lies .62 (standard error .09) to the left of and .44 (.06) above
what whole numbers at pixel centres would mean."""
_NOTE_LV_ALONE = "the epicardium was not traced: the myocardium is not known"


@dataclass(frozen=True)
class SunnybrookDicom(PublishedDataset):
    """The Sunnybrook data as DICOM files, one a frame, with outlines in pixels.

    `link.csv` pairs the folder of a patient's files with that of his outlines: `i-contours` hold the endocardium at
    end-diastole and end-systole, `o-contours` the epicardium at end-diastole alone. So the myocardium is labelled at
    end-diastole, and not known at end-systole. Slices beyond the outlined ones show no left ventricle.

    Args:
        root: folder that holds `link.csv`.

    Raises:
        InputError: the folder is missing or holds something else.

    Source:
        Radau et al. 2009, MIDAS Journal, Cardiac MR Left Ventricle Segmentation Challenge.
    """

    config: NoOptions = NO_OPTIONS

    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="sunnybrook-dicom",
        summary="Short-axis cine-MRI as DICOM: LV at ED and ES, myocardium at ED.",
        source=SOURCE,
        citation=CITATION,
        licence=LICENCE,
        scheme=label.LEFT_VENTRICLE,
        views=(View.SAX,),
        modality=Modality.MR,
        mirror_axes=("height", "width"),  # as for ACDC
        expected=_EXPECTED,
        sought=f"{TABLE} with {OUTLINES} beside it",
    )

    @classmethod
    def recognise(cls, path: Path) -> Recognised | None:
        """A folder that holds the table and the outlines."""
        return Recognised(path) if _is_root(path) else None

    def cases(self) -> list[Case]:
        """The stacks at end-diastole and end-systole of each patient.

        Raises:
            InputError: a table or folder cannot be read, or outlines belong to more than two instants.
        """
        return [
            self._case(patient, traced) for patient in self._patients.values() for traced in _traced(patient.outlines)
        ]

    def exams(self) -> list[str]:
        """Patients, as their outlines are called: SC-HF-I-1 and so on."""
        return list(self._patients)

    def exam(self, name: str) -> Exam:
        """The cine of one patient.

        Raises:
            InputError: no such patient, or a file cannot be read.
        """
        patient = self._patients[exam_named(name, self._patients, self.name)]
        phases = {traced.phase: traced.instant for traced in _traced(patient.outlines)}
        return Exam(name, (video_with_instants(name, _cine(patient.folder), phases),), facts=_pathology(name))

    def splits(self) -> Mapping[str, Split]:
        """None is published."""
        return {}

    def pairs(self) -> list[FilePair]:
        """None: an image is many files, and so are its outlines."""
        return []

    def _is_there(self) -> bool:
        return _is_root(self.root)

    @cached_property
    def _patients(self) -> Mapping[str, "_Patient"]:
        """Patients whose files and outlines are both at hand, in order of name."""
        rows = read_rows(self.root / TABLE, columns=())
        linked = [tuple(value.strip() for value in row.values())[:2] for row in rows]
        found = [
            _Patient(pair[1], self.root / pair[0], self.root / OUTLINES / pair[1]) for pair in linked if len(pair) == 2
        ]
        at_hand = [each for each in found if each.folder.is_dir() and each.outlines.is_dir()]
        return {each.name: each for each in sorted(at_hand, key=lambda each: each.name)}

    def _case(self, patient: "_Patient", traced: "_Traced") -> Case:
        files = (*sorted(patient.folder.glob("*.dcm")), *(outline.path for outline in traced.outlines))
        return Case(
            name=f"{patient.name}_{traced.phase}",
            view=View.SAX,
            phase=traced.phase,
            groups={"patient": patient.name, **_pathology(patient.name)},
            read_image=partial(_read_image, patient.folder, traced),
            read_labels=partial(_read_labels, patient.folder, traced),
            files=tuple(file.relative_to(self.root).as_posix() for file in files),
            modality=self.modality,
            instant=Instant(traced.instant, PHASE_COUNT),
        )


@dataclass(frozen=True)
class _Patient:
    name: str
    folder: Path
    """Of the DICOM files."""
    outlines: Path


@dataclass(frozen=True)
class _Outline:
    path: Path
    file: int
    """Number of the DICOM file it was drawn on."""
    is_inner: bool

    @property
    def instant(self) -> int:
        """Of the beat, from 0."""
        return (self.file - 1) % PHASE_COUNT


@dataclass(frozen=True)
class _Traced:
    """The outlines of one instant."""

    phase: Phase
    instant: int
    outlines: tuple[_Outline, ...]

    @property
    def has_epicardium(self) -> bool:
        """Whether the epicardium was drawn wherever the endocardium was."""
        inner, outer = ({each.file for each in self.outlines if each.is_inner is kind} for kind in (True, False))
        return bool(inner) and inner <= outer


def _is_root(path: Path) -> bool:
    return (path / TABLE).is_file() and (path / OUTLINES).is_dir()


def _pathology(patient: str) -> dict[str, str]:
    """What a patient's name says of his heart: heart failure with or without infarct, hypertrophy, normal.

    Example:
        >>> _pathology("SC-HF-NI-03"), _pathology("SC-N-5"), _pathology("someone")
        ({'pathology': 'HF-NI'}, {'pathology': 'N'}, {})
    """
    found = _PATIENT.fullmatch(patient)
    return {} if found is None else {"pathology": found[1]}


def _traced(folder: Path) -> list[_Traced]:
    """End-diastole and end-systole: the former is where the epicardium was drawn."""
    found: dict[int, list[_Outline]] = {}
    for path in sorted(folder.rglob("*.txt")):
        if match := _OUTLINE.fullmatch(path.name):
            outline = _Outline(path, int(match[1]), match[2] == "i")
            found.setdefault(outline.instant, []).append(outline)
    diastoles = [instant for instant, outlines in found.items() if any(not each.is_inner for each in outlines)]
    if len(diastoles) != 1 or len(found) > 2:
        raise InputError(
            f"outlines of {len(found)} instants, of which {len(diastoles)} have the epicardium",
            where=folder,
            remedy="there should be end-diastole with both outlines, and end-systole with the endocardium.",
        )
    phase = {instant: Phase.ED if instant in diastoles else Phase.ES for instant in found}
    ordered = sorted(found, key=lambda instant: phase[instant] is not Phase.ED)
    return [_Traced(phase[instant], instant, tuple(found[instant])) for instant in ordered]


@lru_cache(maxsize=2)
def _cine(folder: Path) -> Image:
    """The whole cine of a patient, whose two instants are asked for one after the other.

    Raises:
        InputError: the files are not one short-axis cine.
    """
    found = stacks_of([open_file(path) for path in sorted(folder.glob("*.dcm"))])
    stacks = [image for image in found.images if image.view is View.SAX]
    if len(stacks) != 1:
        told = f": {found.left_out[0]}" if found.left_out else ""
        raise InputError(f"holds {len(stacks)} short-axis cines where there should be one{told}", where=folder)
    image = stacks[0].read()
    if len(image.frames) != PHASE_COUNT:
        raise InputError(f"has {len(image.frames)} instants, not {PHASE_COUNT}", where=folder)
    image.frames.flags.writeable = False  # it is handed out more than once
    return image


def _read_image(folder: Path, traced: _Traced) -> Image:
    """One instant as a still."""
    cine = _cine(folder)
    frames = cine.frames[traced.instant : traced.instant + 1].copy()
    return Image(
        frames,
        cine.geometry,
        view=cine.view,
        modality=cine.modality,
        acquisition=cine.acquisition,
        notes=cine.notes,
        doubts=cine.doubts,
    )


def _read_labels(folder: Path, traced: _Traced) -> LabelMap:
    """The areas inside the outlines of one instant.

    Raises:
        InputError: an outline cannot be read, or belongs to a file that is not of this instant.
    """
    cine = _cine(folder)
    slices = _slices_of(cine, traced.instant)
    scheme = label.LEFT_VENTRICLE
    notes: tuple[str, ...] = ()
    if not traced.has_epicardium:
        scheme = LabelScheme(scheme.name, {Structure.LV: scheme.value(Structure.LV)})
        notes = (_NOTE_LV_ALONE,) if traced.phase is Phase.ED else ()
    array = np.zeros((1, *cine.grid_shape[1:]), np.uint8)
    # Outer ones first, so that the cavity lies inside.
    for outline in sorted(traced.outlines, key=lambda each: each.is_inner):
        structure = Structure.LV if outline.is_inner else Structure.MYO
        if structure not in scheme.values:
            continue
        if outline.file not in slices:
            raise InputError(f"belongs to no slice at instant {traced.instant + 1}", where=outline.path)
        inside = _inside(outline.path, cine.grid_shape[2:])
        array[0, slices[outline.file]][inside] = scheme.value(structure)
    return LabelMap(array, scheme, cine.geometry, notes=notes)


def _slices_of(cine: Image, instant: int) -> dict[int, int]:
    """The slice of each file of an instant, by the number that the file is called."""
    source = None if cine.source is None else cine.source.header
    if not isinstance(source, DicomSource):
        raise TypeError("the cine was not read from DICOM")
    names = [frame.file.path.stem for frame in source.frames[instant]]
    return {int(name): depth for depth, name in enumerate(names) if name.isdecimal()}


def _inside(path: Path, shape: tuple[int, int]) -> Bool[np.ndarray, "height width"]:
    """Pixels whose centres lie inside an outline."""
    return fill_polygon(read_outline(path)[:, ::-1] - _CENTRE, shape)


def read_outline(path: Path) -> Float[np.ndarray, "n 2"]:
    """The corners of an outline, (x, y) in pixels from the image's corner.

    Raises:
        InputError: it holds no three pairs of numbers.
    """
    try:
        rows: Sequence[list[float]] = [
            [float(word) for word in line.split()]
            for line in read_text(path, largest=LARGEST_TABLE).splitlines()
            if line
        ]
        points = np.array(rows, np.float64)
    except ValueError:
        points = np.empty((0, 2))
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.isfinite(points).all():
        raise InputError("is no outline: pairs of numbers, x and y, one a line", where=path)
    return points
