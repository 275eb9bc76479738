"""CHASE_DB1: retinal photographs of both eyes of 14 children with the vessels traced by two observers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from cardiotrace.core import label
from cardiotrace.core.exam import Case, Exam, ExamImage
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.dataset import DatasetFacts, FilePair, PublishedDataset, Recognised, exam_named
from cardiotrace.datasets.file_case import CaseFacts, file_case, with_field_of_view, with_second_labels
from cardiotrace.datasets.split import Split
from cardiotrace.io import read_image

SUBJECTS = 14

_IMAGE = re.compile(r"Image_(?P<subject>\d{2})(?P<eye>[LR])")
_ENDINGS = {1: "1stHO", 2: "2ndHO"}


@dataclass(frozen=True)
class ChaseConfig:
    """Whose tracings of CHASE_DB1 count."""

    observer: Literal[1, 2] = 1
    """Whose tracings are the reference, the first observer's by custom; the other's are the second labels."""


@dataclass(frozen=True)
class Chase(PublishedDataset):
    """The CHASE_DB1 data set; both eyes of a child are one patient.

    Args:
        root: folder that holds `images`, `labels1`, `labels2` and `masks`, or the flat folder of the first release.
        config: whose tracings count.

    Raises:
        InputError: the root is missing or holds no images.

    Source:
        Fraz et al. 2012, IEEE Trans Biomed Eng 59:2538.
    """

    config: ChaseConfig = ChaseConfig()

    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="chase",
        summary="CHASE_DB1: retinal photographs, both eyes of 14 children: vessels, two observers.",
        source="Fraz et al. 2012, IEEE Trans Biomed Eng 59:2538",
        citation="Fraz MM, et al. An Ensemble Classification-Based Approach Applied to Retinal Blood Vessel"
        " Segmentation. IEEE Trans Biomed Eng 2012;59:2538-2548. doi:10.1109/TBME.2012.2205687",
        licence="public reference set of Kingston University, for research",
        scheme=label.VESSEL255,
        views=(View.FUNDUS,),
        modality=Modality.PHOTOGRAPH,
        mirror_axes=("height", "width"),  # a mirrored left eye looks like a right one; vessels branch up and down alike
        channels=3,
        expected="the folder that holds images, labels1 and labels2, or the folder with Image_01L.jpg",
        sought="CHASE_DB1 images (Image_01L.jpg, ...)",
    )

    @classmethod
    def recognise(cls, path: Path) -> Recognised | None:
        """The folder of the release, or the flat one with images and tracings side by side."""
        patterns = ("images/Image_[01][0-9][LR].jpg", "Image_*_1stHO.png")
        return Recognised(path) if path.is_dir() and any(any(path.glob(each)) for each in patterns) else None

    def _is_there(self) -> bool:
        return any(self._items())

    def cases(self) -> list[Case]:
        """One per photograph, in order of name; groups hold the eye, "L" or "R"."""
        return [self._case(match, pair) for match, pair in self._items() if pair.image.exists()]

    def exams(self) -> list[str]:
        """Subject numbers, two digits."""
        return sorted({match["subject"] for match, _ in self._items()})

    def exam(self, name: str) -> Exam:
        """The photographs of both eyes of a subject.

        Raises:
            InputError: no such subject, or an image cannot be read.
        """
        subject = exam_named(name, self.exams(), self.name)
        pairs = [pair for match, pair in self._items() if match["subject"] == subject and pair.image.exists()]
        return Exam(
            subject,
            tuple(
                ExamImage(pair.name, read_image(pair.image, view=View.FUNDUS, modality=self.modality)) for pair in pairs
            ),
        )

    def splits(self) -> Mapping[str, Split]:
        """The two splits in use, neither official: `train20` learns from the first 20 images, `train8` from 8.

        20 images are subjects 1 to 10, 8 images subjects 1 to 4: numbers in publications are not comparable
        between the two.
        """
        subjects = [f"{number:02d}" for number in range(1, SUBJECTS + 1)]
        return {
            f"train{2 * count}": Split(tuple(subjects[:count]), testing=tuple(subjects[count:])).on_disk(self.exams())
            for count in (10, 4)
        }

    def pairs(self) -> list[FilePair]:
        """Image and reference of every photograph of which one at least is on disk."""
        return [pair for _, pair in self._items()]

    def _case(self, match: re.Match[str], pair: FilePair) -> Case:
        groups = {"patient": match["subject"], "eye": match["eye"]}
        case = file_case(pair, self, CaseFacts(View.FUNDUS, groups))
        case = with_second_labels(case, self._traced(pair.name, 3 - self.config.observer), self)
        return with_field_of_view(case, self.root / "masks" / f"mask_{match['subject']}{match['eye']}.png", self.root)

    def _items(self) -> Iterator[tuple[re.Match[str], FilePair]]:
        images, labels = self._folder("images"), self._folder(f"labels{self.config.observer}")
        ending = _ENDINGS[self.config.observer]
        stems = {file.stem for file in images.glob("Image_*.jpg")}
        stems |= {file.stem.removesuffix(f"_{ending}") for file in labels.glob(f"Image_*_{ending}.png")}
        for stem in sorted(stems):
            match = _IMAGE.fullmatch(stem)
            if match is not None:
                yield match, FilePair(stem, images / f"{stem}.jpg", self._traced(stem, self.config.observer))

    def _traced(self, name: str, observer: int) -> Path:
        """The tracing of a photograph by one of the observers."""
        return self._folder(f"labels{observer}") / f"{name}_{_ENDINGS[observer]}.png"

    def _folder(self, name: str) -> Path:
        return self.root / name if (self.root / name).is_dir() else self.root
