"""DRIVE: retinal photographs of forty people, with the vessels traced by one observer, of the test half by two."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cardiotrace.core import label
from cardiotrace.core.exam import Case, Exam, ExamImage
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.dataset import (
    NO_OPTIONS,
    DatasetFacts,
    FilePair,
    NoOptions,
    PublishedDataset,
    Recognised,
    exam_named,
)
from cardiotrace.datasets.file_case import CaseFacts, file_case, with_field_of_view, with_second_labels
from cardiotrace.datasets.split import Split
from cardiotrace.io import read_image

HALVES = {"training": range(21, 41), "test": range(1, 21)}
"""Numbers of the photographs of each half."""

_IMAGE = re.compile(r"(?P<number>\d{2})_(?P<half>training|test)")
_PHOTOGRAPHS = (".tif", ".png")
_MASKS = (".gif", ".png")
"""As published, and as they are often passed on."""


@dataclass(frozen=True)
class Drive(PublishedDataset):
    """The DRIVE data set; every photograph is of another person, who is named as its file is.

    Args:
        root: folder that holds `training`, `test` or both, or one of these two itself.

    Raises:
        InputError: the root is missing or holds no images.

    Source:
        Staal et al. 2004, IEEE Trans Med Imaging 23:501.
    """

    config: NoOptions = NO_OPTIONS

    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="drive",
        summary="DRIVE: retinal photographs of 40 people, one observer, in the test half two: vessels.",
        source="Staal et al. 2004, IEEE Trans Med Imaging 23:501",
        citation="Staal J, et al. Ridge-Based Vessel Segmentation in Color Images of the Retina. IEEE Trans Med Imaging"
        " 2004;23:501-509. doi:10.1109/TMI.2004.825627",
        licence="research and educational use (DRIVE)",
        scheme=label.VESSEL255,
        views=(View.FUNDUS,),
        modality=Modality.PHOTOGRAPH,
        mirror_axes=("height", "width"),  # a mirrored left eye looks like a right one; vessels branch up and down alike
        channels=3,
        expected="the folder that holds training and test, or one of them with images, 1st_manual and mask",
        sought="DRIVE images (21_training.tif, 01_test.tif, ...)",
    )

    @classmethod
    def recognise(cls, path: Path) -> Recognised | None:
        """The folder of the release, or one half of it."""
        if not path.is_dir():
            return None
        halves = [folder for half in HALVES for folder in (path, path / half) if any(_photographs(folder, half))]
        return Recognised(path) if halves else None

    def _is_there(self) -> bool:
        return any(self._items())

    def cases(self) -> list[Case]:
        """One per photograph, the training half first."""
        return [self._case(folder, pair) for folder, pair in self._items() if pair.image.exists()]

    def exams(self) -> list[str]:
        """Names of the photographs, as in 21_training."""
        return [pair.name for _, pair in self._items()]

    def exam(self, name: str) -> Exam:
        """One photograph.

        Raises:
            InputError: no such photograph, or it cannot be read.
        """
        wanted = exam_named(name, self.exams(), self.name)
        pairs = [pair for _, pair in self._items() if pair.name == wanted and pair.image.exists()]
        images = (read_image(pair.image, view=View.FUNDUS, modality=self.modality) for pair in pairs)
        return Exam(wanted, tuple(ExamImage(wanted, image) for image in images))

    def splits(self) -> Mapping[str, Split]:
        """The two halves as published; nobody validates."""
        training, testing = (tuple(f"{number:02d}_{half}" for number in HALVES[half]) for half in ("training", "test"))
        return {"official": Split(training, testing=testing).on_disk(self.exams())}

    def pairs(self) -> list[FilePair]:
        """Image and first observer's tracing of every photograph of which one at least is on disk."""
        return [pair for _, pair in self._items()]

    def _case(self, folder: Path, pair: FilePair) -> Case:
        case = file_case(pair, self, CaseFacts(View.FUNDUS, {"patient": pair.name}))
        case = with_second_labels(case, _traced(folder, pair.name, 2), self)
        return with_field_of_view(case, _found(folder / "mask", f"{pair.name}_mask", _MASKS), self.root)

    def _items(self) -> Iterator[tuple[Path, FilePair]]:
        """The folder of each photograph's half, and its files."""
        for half in HALVES:
            folder = self.root / half if (self.root / half).is_dir() else self.root
            for name in sorted({*_photographs(folder, half), *_traced_ones(folder, half)}):
                image = _found(folder / "images", name, _PHOTOGRAPHS)
                yield folder, FilePair(name, image, _traced(folder, name, 1))


def _photographs(folder: Path, half: str) -> Iterator[str]:
    """Names of the photographs of a half in its folder."""
    for file in (folder / "images").glob(f"*_{half}.*"):
        match = _IMAGE.fullmatch(file.stem)
        if match is not None and file.suffix.lower() in _PHOTOGRAPHS:
            yield file.stem


def _traced_ones(folder: Path, half: str) -> Iterator[str]:
    """Names of the photographs of a half that the first observer traced: their numbers tell which half they are of."""
    for file in (folder / "1st_manual").glob("[0-9][0-9]_manual1.*"):
        number = file.stem[:2]
        if int(number) in HALVES[half] and file.suffix.lower() in _MASKS:
            yield f"{number}_{half}"


def _traced(folder: Path, name: str, observer: int) -> Path:
    """The tracing of a photograph by one of the observers."""
    place = folder / ("1st_manual" if observer == 1 else "2nd_manual")
    return _found(place, f"{name[:2]}_manual{observer}", _MASKS)


def _found(folder: Path, stem: str, endings: tuple[str, ...]) -> Path:
    """The file of that name with the first of the endings that is there; with the first where none is."""
    files = [folder / f"{stem}{ending}" for ending in endings]
    return next((file for file in files if file.exists()), files[0])
