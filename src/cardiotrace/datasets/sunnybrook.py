"""Sunnybrook Cardiac Data: short-axis cine-MRI of 30 patients with the left-ventricular myocardium traced."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core import label
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case, Exam, ExamImage
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.image import Grid, Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.dataset import (
    NO_OPTIONS,
    DatasetFacts,
    FilePair,
    NoOptions,
    PublishedDataset,
    Recognised,
    exam_named,
)
from cardiotrace.datasets.split import Split

FILE = "scd_lvsegs.npz"
MAX_BYTES = 2 * 1024**3
SOURCE = "Radau et al. 2009, MIDAS Journal"
CITATION = (
    "Radau P, et al. Evaluation Framework for Algorithms Segmenting Short Axis Cardiac MRI. The MIDAS Journal 2009."
)
LICENCE = "CC0 1.0"

_EXPECTED = f"the folder that holds {FILE}, or the file itself"
_SCALE = 2.0
"""Of the scanner's pixels to those of the archive: outlines drawn on the DICOM files of two patients enclose 4.0 times
the area of the archive's at the stated size."""
_NOTE = f"the pixel size was corrected: the archive states that of images {_SCALE:g} times as fine"
_ARRAYS = ("images", "segs", "caseIndices", "caseVoxelSize")


@dataclass(frozen=True)
class Sunnybrook(PublishedDataset):
    """The Sunnybrook data as one archive of 64 x 64 slices around the left ventricle.

    `images` and `segs` (slice, height, width) hold all patients, `caseIndices` (patient, 2) the first slice of
    each and the first after it, `caseVoxelSize` (slice, 3) the pixel size in the plane and the slice distance, mm.
    The images are the scanner's at half scale, and `caseVoxelSize` is still the scanner's in the plane: the true
    pixel is twice as large, which is corrected here. Its third value is the distance between the slices' positions.
    The archive does not say which instant of the beat is shown.

    Args:
        root: folder that holds `scd_lvsegs.npz`, or the file, whose folder is then the root.

    Raises:
        InputError: the file is missing or not such an archive.

    Source:
        Radau et al. 2009, MIDAS Journal, Cardiac MR Left Ventricle Segmentation Challenge.
    """

    config: NoOptions = NO_OPTIONS

    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="sunnybrook",
        summary="Short-axis cine-MRI, 30 patients: myocardium.",
        source=SOURCE,
        citation=CITATION,
        licence=LICENCE,
        scheme=label.SUNNYBROOK,
        views=(View.SAX,),
        modality=Modality.MR,
        mirror_axes=("height", "width"),  # a myocardial ring has no side; as for ACDC
        expected=_EXPECTED,
        sought=FILE,
    )

    file: str = field(default=FILE, init=False)
    """The archive in the root."""

    def __post_init__(self) -> None:
        given = self.root.expanduser()
        if given.is_file():
            object.__setattr__(self, "root", given.parent)
            object.__setattr__(self, "file", given.name)
        super().__post_init__()

    @classmethod
    def recognise(cls, path: Path) -> Recognised | None:
        """The archive, or a folder that holds it."""
        is_archive = path.name == FILE if path.is_file() else (path / FILE).is_file()
        return Recognised(path) if is_archive else None

    def _is_there(self) -> bool:
        return self._path.is_file()

    def cases(self) -> list[Case]:
        """One stack per patient.

        Raises:
            InputError: the archive is damaged.
        """
        arrays = _read(self._path, (*_ARRAYS[2:], "imageIsHyp"))
        hypertrophic = arrays.get("imageIsHyp")
        return [
            Case(
                name=name,
                view=View.SAX,
                phase=Phase.OTHER,
                groups={"patient": name, **_pathology(hypertrophic, int(first))},
                read_image=partial(_read_image, self._path, int(first), int(stop)),
                read_labels=partial(_read_labels, self._path, int(first), int(stop)),
                read_grid=partial(_read_grid, self._path, int(first), int(stop)),
                files=(self._path.name,),
                modality=self.modality,
            )
            for name, (first, stop) in _named(arrays["caseIndices"]).items()
        ]

    def exams(self) -> list[str]:
        """Patient names, case01 and so on."""
        return [case.name for case in self.cases()]

    def exam(self, name: str) -> Exam:
        """The stack of one patient.

        Raises:
            InputError: no such patient, or the archive is damaged.
        """
        cases = {case.name: case for case in self.cases()}
        case = cases[exam_named(name, cases, self.name)]
        return Exam(name, (ExamImage(name, case.read_image()),))

    def splits(self) -> Mapping[str, Split]:
        """None is published for this archive."""
        return {}

    def pairs(self) -> list[FilePair]:
        """None: one file holds everything."""
        return []

    @property
    def _path(self) -> Path:
        return self.root / self.file


def _named(indices: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {f"case{number:02d}": bounds for number, bounds in enumerate(indices, start=1)}


def _pathology(hypertrophic: NDArray[Any] | None, first: int) -> dict[str, str]:
    return {} if hypertrophic is None else {"pathology": "HYP" if hypertrophic[first] else "other"}


def _read_image(path: Path, first: int, stop: int) -> Image:
    arrays = _read(path, ("images", "caseVoxelSize"))
    return Image(
        arrays["images"][np.newaxis, first:stop].copy(),
        _geometry(arrays, first, path),
        view=View.SAX,
        modality=Modality.MR,
        notes=(_NOTE,),
    )


def _read_grid(path: Path, first: int, stop: int) -> Grid:
    """Where the voxels of a stack lie, without its pixels: the head of the array tells its planes."""
    height, width = _plane_shape(path)
    geometry = _geometry(_read(path, ("caseVoxelSize",)), first, path)
    return Grid(geometry, (1, stop - first, height, width))


def _plane_shape(path: Path) -> tuple[int, int]:
    """Height and width of the archive's images, from the head of their array."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("images.npy") as stream:
            np.lib.format.read_magic(stream)
            _, height, width = np.lib.format.read_array_header_1_0(stream)[0]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot be read as an archive of arrays: {error}", where=path) from None
    return height, width


def _read_labels(path: Path, first: int, stop: int) -> LabelMap:
    arrays = _read(path, ("segs", "caseVoxelSize"))
    values = arrays["segs"][np.newaxis, first:stop]
    if values.min() < 0 or values.max() > 255:
        raise InputError("label values lie outside 0..255", where=path)
    return LabelMap(values.astype(np.uint8), label.SUNNYBROOK, _geometry(arrays, first, path))


def _geometry(arrays: Mapping[str, NDArray[Any]], index: int, path: Path) -> Geometry:
    try:
        height, width, depth = (float(value) for value in arrays["caseVoxelSize"][index])
    except (IndexError, ValueError):
        raise InputError(f"caseVoxelSize has no three sizes for slice {index}", where=path) from None
    return Geometry.of_spacing((depth, height * _SCALE, width * _SCALE), Known.DATA_SET, where=path)


def _read(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The named arrays of the archive; nothing is ever unpickled, and sizes are checked before reading."""
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(member.file_size for member in archive.infolist())
        if total > MAX_BYTES:
            raise InputError(f"claims {total / 2**30:.1f} GiB of arrays", where=path, remedy="it is not this archive.")
        with np.load(path, allow_pickle=False) as archive:
            lacking = [name for name in _ARRAYS if name not in archive.files]
            if lacking:
                raise InputError(f"has no array {lacking[0]!r}", where=path, remedy=f"give {_EXPECTED}.")
            return {name: archive[name] for name in names if name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot be read as an archive of arrays: {error}", where=path) from None
