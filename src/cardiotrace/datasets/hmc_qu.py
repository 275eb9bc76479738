"""HMC-QU: apical echo films with infarcts by segment; in 109 of them the left wall is traced over a beat."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import UInt8

from cardiotrace.core import label
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case, Exam, ExamImage
from cardiotrace.core.geometry import NO_GEOMETRY
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
from cardiotrace.datasets.file_case import relative_files
from cardiotrace.datasets.frame import read_frames
from cardiotrace.datasets.split import Split
from cardiotrace.datasets.workbook import read_workbook
from cardiotrace.geometry.resample import AxisMap, resample_labels
from cardiotrace.io import read_grid, read_image

VIEWS: Mapping[str, View] = {"A4C": View.FOUR_CHAMBER, "A2C": View.TWO_CHAMBER}
"""Workbooks and folders of films are called so."""
FILMS, MASKS = "HMC-QU", "LV Ground-truth Segmentation Masks"
"""Folders: of the films of either view, and of the masks."""
MASK_VARIABLE = "predicted"
"""The masks in their MATLAB file, whoever made them."""
SEGMENTS = slice(1, 7)
"""Columns of the workbook that say of six segments whether they are infarcted; the first names the film."""
INFARCT, NO_INFARCT = "MI", "non-MI"

_FIRST, _LAST = 7, 8
"""Columns with the numbers of a beat's first and last frame, counted from one."""
_MOST_MASK_PIXELS = 2**28
_NUMBER = re.compile(r"\d{1,6}")


@dataclass(frozen=True)
class _Film:
    """A film that a workbook lists and that is on disk."""

    name: str
    view: View
    video: Path
    first: int
    """Frame that the beat begins with, from zero."""
    end: int
    """Frame after the beat's last one."""
    segments: Mapping[str, str] = field(default_factory=dict)
    """What the workbook says of each segment, under its own heading."""
    mask: Path | None = None

    @property
    def patient(self) -> str:
        """Whose it is."""
        return _patient_of(self.name)

    @property
    def pathology(self) -> str | None:
        """Infarcted where any segment is; None where not all of the segments are told of."""
        found = set(self.segments.values())
        if INFARCT in found:
            return INFARCT
        return NO_INFARCT if found == {NO_INFARCT} else None


@dataclass(frozen=True)
class HmcQu(PublishedDataset):
    """The HMC-QU data set: films of two and four chambers, listed in two workbooks with a beat and infarcts of each.

    A case is the beat that the workbook names of a film; where there is a mask file, each of its frames is labelled.
    Masks are small and square, made for the whole image shrunk to their size: they are brought back onto the film's
    own grid, each frame linearly and cut at one half. Their one structure is the wall.

    The layout is known from seven public readers and not from the files themselves, see `docs/data/hmc-qu.md`.

    Args:
        root: folder that holds `HMC-QU`, `A4C.xlsx` and `A2C.xlsx`.

    Raises:
        InputError: the root is missing or has no workbook.

    Source:
        Degerli et al. 2021, IEEE Access 9:34442.
    """

    config: NoOptions = NO_OPTIONS

    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="hmc-qu",
        summary="HMC-QU: apical films of two and four chambers, infarcts by segment: LV wall over a beat of 109 films.",
        source="Degerli et al. 2021, IEEE Access 9:34442",
        citation="Degerli A, et al. Early Detection of Myocardial Infarction in Low-Quality Echocardiography."
        " IEEE Access 2021;9:34442-34453. doi:10.1109/ACCESS.2021.3059595",
        licence="CC BY-NC-SA 3.0 IGO",
        scheme=label.WALL_ONLY,
        views=tuple(VIEWS.values()),
        modality=Modality.US,
        mirror_axes=(),  # the left ventricle lies on one side in an apical view, and the apex at the top
        expected=f"the folder that holds {FILMS}, A4C.xlsx and A2C.xlsx",
        sought="A4C.xlsx or A2C.xlsx",
    )

    @classmethod
    def recognise(cls, path: Path) -> Recognised | None:
        """A film in the folder of its view, below which the workbook of that view lies."""
        root = path.parent.parent.parent
        if path.suffix.lower() != ".avi" or path.parent.parent.name != FILMS or path.parent.name not in VIEWS:
            return None
        is_ours = path.is_file() and (root / f"{path.parent.name}.xlsx").is_file()
        return Recognised(root, (_patient_of(path.stem.strip()),)) if is_ours else None

    def _is_there(self) -> bool:
        return any((self.root / f"{view}.xlsx").is_file() for view in VIEWS)

    def cases(self) -> list[Case]:
        """The beat of each film that is on disk, in order of name.

        Raises:
            InputError: a workbook cannot be read.
        """
        return [self._case(film) for film in self._films.values()]

    def exams(self) -> list[str]:
        """Names of the patients of whom a film is on disk."""
        return sorted({film.patient for film in self._films.values()})

    def exam(self, name: str) -> Exam:
        """All films of a patient, as long as they are; no frame is named as ED or ES.

        Raises:
            InputError: no such patient, or a film cannot be read.
        """
        patient = exam_named(name, self.exams(), self.name)
        films = [film for film in self._films.values() if film.patient == patient]
        facts = {f"{film.name} {heading}": word for film in films for heading, word in film.segments.items()}
        beats = {f"{film.name} beat": f"frames {film.first + 1} to {film.end}" for film in films}
        images = (
            ExamImage(film.name, read_image(film.video, view=film.view, modality=self.modality)) for film in films
        )
        return Exam(patient, tuple(images), facts={**beats, **facts})

    def splits(self) -> Mapping[str, Split]:
        """None is published: its authors train and test by folds that they drew."""
        return {}

    def pairs(self) -> list[FilePair]:
        """The films, with the masks that are on disk."""
        return [FilePair(film.name, film.video, film.mask) for film in self._films.values()]

    @cached_property
    def _films(self) -> Mapping[str, _Film]:
        """Films on disk by name, in its order."""
        films: dict[str, _Film] = {}
        for film in self._listed():
            if film.name in films:
                raise InputError(f"film {film.name!r} is listed twice", where=self.root, remedy="mend the workbooks.")
            films[film.name] = film
        return dict(sorted(films.items()))

    def _listed(self) -> Iterator[_Film]:
        masks = _by_stem(self.root / MASKS, ".mat")
        for word, view in VIEWS.items():
            path = self.root / f"{word}.xlsx"
            videos = _by_stem(self.root / FILMS / word, ".avi")
            for name, first, last, segments in _rows(read_workbook(path), path) if path.is_file() else ():
                if name in videos:
                    mask = masks.get(f"Mask_{name}")
                    yield _Film(name, view, videos[name], first - 1, last, segments, mask)

    def _case(self, film: _Film) -> Case:
        groups = {"patient": film.patient} | ({"pathology": film.pathology} if film.pathology else {})
        files = [film.video] if film.mask is None else [film.video, film.mask]
        read = partial(read_frames, film.video, film.first, film.end, view=film.view, modality=self.modality)
        return Case(
            name=film.name,
            view=film.view,
            phase=Phase.OTHER,
            groups=groups,
            read_image=read,
            read_labels=None if film.mask is None else partial(_walls, film, film.mask),
            files=(*relative_files(files, self.root), f"{_WORDS[film.view]}.xlsx"),
            modality=self.modality,
        )


_WORDS = {view: word for word, view in VIEWS.items()}


def _patient_of(film: str) -> str:
    """What stands before the first underscore or blank of a film's name.

    Example:
        >>> _patient_of("ES0001 _4CH_1")
        'ES0001'
    """
    return re.split(r"[_\s]", film)[0]


def _by_stem(folder: Path, suffix: str) -> dict[str, Path]:
    """Files of a folder by their stem, without the blanks around it that some names have."""
    files = folder.iterdir() if folder.is_dir() else ()
    return {file.stem.strip(): file for file in files if file.suffix.lower() == suffix}


def _rows(cells: Sequence[Sequence[str]], path: Path) -> Iterator[tuple[str, int, int, dict[str, str]]]:
    """Name, first and last frame and segments of each film: rows that number frames, not headings or footnotes.

    Raises:
        InputError: a beat ends before it begins.
    """
    headings: list[str] = []
    for row in cells:
        if len(row) <= _LAST or not row[0] or not all(_NUMBER.fullmatch(row[at]) for at in (_FIRST, _LAST)):
            headings = _filled_in(headings, row)
            continue
        first, last = int(row[_FIRST]), int(row[_LAST])
        if not 1 <= first <= last:
            raise InputError(f"{row[0]}: a beat of frames {first} to {last} cannot be", where=path)
        words = row[SEGMENTS]
        names = headings[SEGMENTS] + [""] * len(words)
        yield row[0], first, last, {names[at] or f"segment {at + 1}": word for at, word in enumerate(words)}


def _filled_in(headings: list[str], row: Sequence[str]) -> list[str]:
    """Headings that may take two rows: the lower one counts where it says something."""
    width = max(len(headings), len(row))
    upper, lower = ([*each, *[""] * (width - len(each))] for each in (headings, row))
    return [low or up for up, low in zip(upper, lower, strict=True)]


def _walls(film: _Film, mask_file: Path) -> LabelMap:
    """The masks of a film on its own grid.

    Raises:
        InputError: the mask file cannot be read, or has another number of frames than the beat.
    """
    masks = read_masks(mask_file)
    if len(masks) != film.end - film.first:
        raise InputError(
            f"has {len(masks)} frames, and the beat that the workbook names has {film.end - film.first}",
            where=mask_file,
            remedy="correct the frame numbers in the workbook, or leave the mask out.",
        )
    height, width = read_grid(film.video).shape[2:]
    maps = (AxisMap.resize(masks.shape[1], height), AxisMap.resize(masks.shape[2], width))
    walls = np.stack([resample_labels(mask, maps, class_count=2) for mask in masks])
    return LabelMap(walls[:, np.newaxis], label.WALL_ONLY, NO_GEOMETRY)


def read_masks(path: Path) -> UInt8[np.ndarray, "frames height width"]:
    """Masks of a film, 1 inside, from a MATLAB file of version 5 to 7.

    Raises:
        InputError: no such file, or no masks of zeros and ones in it, or absurdly many.
    """
    import scipy.io

    try:
        shapes = {name: shape for name, shape, _ in scipy.io.whosmat(path)}
        if int(np.prod(shapes.get(MASK_VARIABLE, (0,)), dtype=np.float64)) > _MOST_MASK_PIXELS:
            raise InputError(f"claims masks of shape {shapes[MASK_VARIABLE]}", where=path)
        found: Any = scipy.io.loadmat(path, variable_names=[MASK_VARIABLE]).get(MASK_VARIABLE)
    except InputError:
        raise
    except NotImplementedError:
        remedy = "save it again with `save -v7`."
        raise InputError("is a MATLAB file of version 7.3, which is not read", where=path, remedy=remedy) from None
    except Exception as error:  # the reader fails in many ways on damaged files
        raise InputError(f"cannot be read as a MATLAB file: {error}", where=path) from None
    if not isinstance(found, np.ndarray) or found.ndim != 3 or found.dtype.kind not in "buif":
        raise InputError(f"holds no masks {MASK_VARIABLE!r} of three axes", where=path)
    if not np.isin(found, (0, 1)).all():
        raise InputError("holds masks of other values than 0 and 1", where=path)
    masks: UInt8[np.ndarray, "frames height width"] = found.astype(np.uint8)
    return masks
