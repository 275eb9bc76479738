"""Which image files of a folder belong to one patient, and which images of them to one video.

Patients are never mixed: files whose names leave different words over when view, phase and number are taken away are
different patients, unless the folder itself is named after the one they all begin with. Images are a video where their
numbers count frames, or where they are numbered and look like a video; what cannot be told is asked for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase
from cardiotrace.core.text import natural_order
from cardiotrace.datasets.naming import FileName, read_name
from cardiotrace.datasets.stack import are_parallel
from cardiotrace.io import raster_suffixes, read_image, read_metadata
from cardiotrace.io.formats import stem_of
from cardiotrace.io.vocabulary import PEOPLE, Counting

ImageFilesAs = Literal["auto", "video", "stills"]


@dataclass(frozen=True)
class Series:
    """Files that are one image: one file, or the images of a video in order."""

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Group:
    """Files of one patient."""

    patient: str
    """As the names tell it; empty where they do not, or all files of the folder are one patient's."""
    series: tuple[Series, ...]


@dataclass(frozen=True)
class _Named:
    path: Path
    name: FileName

    @property
    def is_image(self) -> bool:
        return self.path.name.lower().endswith(raster_suffixes())

    @property
    def stem_and_number(self) -> tuple[str, int] | None:
        """What stands before a number that may count images or people, and the number; None where it is told."""
        if self.name.phase is not Phase.OTHER or self.name.counting is not Counting.UNSAID:
            return None
        if self.name.index is not None:
            return f"{self.name.patient} {self.name.view}", self.name.index
        match = re.fullmatch(r"(.*?)(\d+)", self.name.patient)
        if match is None or match[1].casefold().strip("_") in PEOPLE:
            return None
        return f"{match[1]} {self.name.view}", int(match[2])


def group_files(files: Sequence[Path], folder: Path, images: ImageFilesAs = "auto") -> list[Group]:
    """The image files of a folder by patient, in order of name.

    Args:
        files: images, no label files.
        folder: where they lie.
        images: what the caller knows of numbered images: frames of a video, or stills.

    Raises:
        InputError: nothing tells whether images are a video.
    """
    named = [_Named(path, read_name(stem_of(path))) for path in files]
    shown = [file for file in named if file.is_image]
    if images == "video" and shown:
        video = Series(folder.resolve().name, _in_order(shown))
        others = _by_patient([file for file in named if not file.is_image], folder, {})
        return [Group("", (video,)), *others] if not others else _joined(video, others)
    videos = _videos(shown, folder) if images == "auto" else {}
    return _by_patient(named, folder, videos)


def _joined(video: Series, others: list[Group]) -> list[Group]:
    if len(others) == 1:
        return [Group(others[0].patient, (video, *others[0].series))]
    return [Group("", (video,)), *others]


def _by_patient(named: Sequence[_Named], folder: Path, videos: Mapping[Path, tuple[Path, ...]]) -> list[Group]:
    """One group per patient; the files of a video count as its first."""
    firsts = [file for file in named if file.path not in videos or videos[file.path][0] == file.path]
    # Stacks overrule: where headers place files as slices of one body, their names do not count.
    keys = {file.path: _patient(file, videos) for file in firsts} | _in_stacks(named)
    if _are_one(list(keys.values()), folder):
        keys = dict.fromkeys(keys, "")
    grouped: dict[str, list[Series]] = {}
    names: dict[str, str] = {}
    for file in firsts:
        key = keys[file.path]
        # Case tells nobody apart; the first way of writing is the one that is shown.
        names.setdefault(key.casefold(), key)
        parts = videos.get(file.path, (file.path,))
        is_whole = len(parts) == len(named) > 1
        name = _video_name(file, folder, is_whole=is_whole) if len(parts) > 1 else stem_of(file.path)
        grouped.setdefault(key.casefold(), []).append(Series(name, parts))
    return [Group(names[key], tuple(series)) for key, series in grouped.items()]


def _in_stacks(named: Sequence[_Named]) -> dict[Path, str]:
    """Files that are numbered without a word of what the number counts, and lie as slices do: one patient's."""
    sets: dict[str, list[_Named]] = {}
    for file in named:
        if not file.is_image and file.name.index is None and file.stem_and_number is not None:
            sets.setdefault(file.stem_and_number[0].casefold(), []).append(file)
    stacks = (files for files in sets.values() if len(files) > 1 and _is_stack(files))
    return {file.path: _without_number(file.name.patient) for files in stacks for file in files}


def _is_stack(files: Sequence[_Named]) -> bool:
    return all(_is_plane(file.path) for file in files) and are_parallel([read_image(file.path) for file in files])


def _without_number(patient: str) -> str:
    """What tells a patient, without the number of an image at its end."""
    return re.sub(r"[_\d]*\d$", "", patient)


def _is_plane(path: Path) -> bool:
    try:
        shape = read_metadata(path)["shape"]
    except InputError:  # said when the exam is read
        return False
    return all(length == 1 for length in shape[2:])


def _video_name(first: _Named, folder: Path, *, is_whole: bool) -> str:
    if is_whole:
        return folder.resolve().name
    stem = re.sub(r"[^A-Za-z0-9]*\d+$", "", first.name.image)
    return stem or folder.resolve().name


def _patient(file: _Named, videos: Mapping[Path, tuple[Path, ...]]) -> str:
    """Whose a file is: the words of its name; of a video without its number; of a still that has but a number, that."""
    counted = file.stem_and_number
    if file.path in videos:
        return file.name.patient if file.name.index is not None else _without_number(file.name.patient)
    is_nameless = not file.name.patient and file.name.index is not None
    is_counted = counted is not None or file.name.phase is not Phase.OTHER or file.name.counting is Counting.FRAME
    if file.is_image and is_nameless and is_counted:
        return f"{file.name.index:03d}"
    return file.name.patient


def _are_one(keys: Sequence[str], folder: Path) -> bool:
    """Whether files are one patient's: nothing tells them apart, or they all are named after the folder."""
    different = {key.casefold() for key in keys}
    if len(different - {""}) <= 1:
        return True
    own = re.sub(r"[^a-z0-9]", "", folder.resolve().name.casefold())
    rests = [re.sub(r"[^a-z0-9]", "", key) for key in different]
    begins = bool(own) and all(rest.startswith(own) for rest in rests)
    # A digit behind the folder's name is another number: p1 does not own p12.
    return begins and not any(rest[len(own) :][:1].isdigit() for rest in rests)


def _videos(shown: Sequence[_Named], folder: Path) -> dict[Path, tuple[Path, ...]]:
    """The images of each video by each of them.

    Raises:
        InputError: nothing tells.
    """
    videos: dict[Path, tuple[Path, ...]] = {}
    for files in _sets(shown):
        if files[0].name.counting is Counting.SLICE:
            raise _unclear(files, folder, "are named as slices, and images state no distance between them")
        is_video = _is_video(files, folder)
        if is_video:
            ordered = _in_order(files)
            videos |= dict.fromkeys(ordered, ordered)
    return videos


def _sets(shown: Sequence[_Named]) -> list[list[_Named]]:
    """Images that differ in a number alone, which may be that of a frame."""
    sets: dict[tuple[str, str], list[_Named]] = {}
    for file in shown:
        counted = file.stem_and_number
        if counted is not None:
            key = (counted[0].casefold(), str(Counting.UNSAID))
        elif file.name.index is not None and file.name.phase is Phase.OTHER:
            key = (f"{file.name.patient} {file.name.view}".casefold(), str(file.name.counting))
        else:
            continue
        sets.setdefault(key, []).append(file)
    return [files for files in sets.values() if len(files) > 1]


def _is_video(files: Sequence[_Named], folder: Path) -> bool:
    """Whether numbered images are a video: one size, and numbers of frames or neighbours that look alike.

    Raises:
        InputError: nothing tells.
    """
    sizes = {tuple(read_metadata(file.path)["shape"]) for file in files}
    have_one_size = len(sizes) == 1
    if have_one_size and len(sizes.pop()) > 2:  # TIFF stacks: a video each
        return False
    likeness = None if not have_one_size else _likeness(_in_order(files)[:_MOST_COMPARED])
    if all(file.name.counting is Counting.FRAME for file in files):
        why = _why_no_frames(likeness)
        if why:
            raise _unclear(files, folder, f"are named as frames, and {why}")
        return True
    is_video = _looks_moving(likeness)
    if is_video is None:
        raise _unclear(files, folder, "can be the frames of a video, or stills")
    return is_video


def _looks_moving(likeness: Float[np.ndarray, " n"] | None) -> bool | None:
    """Whether images look like neighbours in a video; None where that is not clear, or nothing is seen in them.

    Args:
        likeness: correlations of neighbours; None of images that differ in size.
    """
    if likeness is None:
        return False
    # One pair in ten may differ: where a loop closes, or a frame is disturbed.
    if likeness.size and np.percentile(likeness, 10) >= _ALIKE:
        return True
    return False if likeness.size and np.median(likeness) <= _UNLIKE else None


def _why_no_frames(likeness: Float[np.ndarray, " n"] | None) -> str:
    """What speaks against images being frames, though they are named so; empty where nothing does."""
    if likeness is None:
        return "differ in size"
    is_unlike = likeness.size > 1 and np.median(likeness) <= _UNLIKE
    return "do not look like those of one video" if is_unlike else ""


_ALIKE, _UNLIKE = 0.95, 0.9
"""Correlation of neighbouring images. In videos it is 0.97 and more; ED and ES of one patient of CAMUS have a median
of 0.90, different patients of 0.76 and at most 0.91, photographs of different retinas 0.92 to 0.95."""
_MOST_COMPARED = 25
_SIDE = 64


def _likeness(paths: Sequence[Path]) -> Float[np.ndarray, " n"]:
    """Correlation of each image with the one before, at low resolution; one of constant images is left out."""
    small = [_small(read_image(path).frames[0, 0]) for path in paths]
    pairs = [(one, other) for one, other in pairwise(small) if one.std() > 0 and other.std() > 0]
    return np.array([np.corrcoef(one, other)[0, 1] for one, other in pairs])


def _small(image: NDArray[np.generic]) -> Float[np.ndarray, " n"]:
    """Means over blocks, as many as there are in `_SIDE` rows and columns."""
    grey = image.astype(np.float64).mean(axis=2) if image.ndim == 3 else image.astype(np.float64)
    # Means of blocks and not every n-th pixel: by speckle alone neighbouring frames would look unlike.
    rows, columns = (np.linspace(0, length, min(_SIDE, length) + 1).astype(int)[:-1] for length in grey.shape)
    sums = np.add.reduceat(np.add.reduceat(grey, rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff([*rows, grey.shape[0]]), np.diff([*columns, grey.shape[1]]))
    means: Float[np.ndarray, " n"] = (sums / counts).ravel()
    return means


def _in_order(files: Sequence[_Named]) -> tuple[Path, ...]:
    """By the numbers in their names: frame2 before frame10."""
    return tuple(file.path for file in sorted(files, key=lambda file: natural_order(file.path.name)))


def _unclear(files: Sequence[_Named], folder: Path, why: str) -> InputError:
    first, last = (path.name for path in (_in_order(files)[0], _in_order(files)[-1]))
    return InputError(
        f"its {len(files)} images {first} ... {last} {why}",
        where=folder,
        remedy="say which with --image-files video or --image-files stills.",
    )
