"""EchoNet-Dynamic: apical four-chamber videos of 10 030 patients with the left ventricle traced at ED and ES."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.core import label
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case, Exam
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
from cardiotrace.datasets.frame import read_frame, video_with_instants, with_frame_rate
from cardiotrace.datasets.reference import case_class, case_reference, exam_reference, person
from cardiotrace.datasets.split import Split
from cardiotrace.datasets.table import number, read_rows, read_table
from cardiotrace.geometry.contour import polygon_area
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.io import read_image

_PARTS = {"training": "TRAIN", "validation": "VAL", "testing": "TEST"}
_CHORD = ("X1", "Y1", "X2", "Y2")
_POINT = ("X", "Y")
_NO_FRAME = ("no systolic", "no diastolic")
"""What EchoNet-Pediatric writes in place of a frame's number where an instant was not traced."""

Outline = Float[np.ndarray, "n 2"]


@dataclass(frozen=True)
class Echonet(PublishedDataset):
    """The EchoNet-Dynamic data set: videos without pixel size, two frames of each traced.

    A tracing is a long axis and about twenty chords across it, as (X1, Y1, X2, Y2) of each in pixels; the outline
    runs down one end of the chords and up the other. Of the two traced frames the larger cavity is ED. The folders of
    EchoNet-Pediatric, A4C and PSAX, are read as well: a tracing there is a row (X, Y) for each point of the outline.

    Args:
        root: folder that holds `Videos`, `FileList.csv` and `VolumeTracings.csv`.

    Raises:
        InputError: the root is missing or has no list of files.

    Source:
        Ouyang et al. 2020, Nature 580:252.
    """

    config: NoOptions = NO_OPTIONS

    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="echonet",
        summary="EchoNet-Dynamic: apical four-chamber videos, 10 030 patients: LV at ED and ES.",
        source="Ouyang et al. 2020, Nature 580:252",
        citation="Ouyang D, et al. Video-Based AI for Beat-to-Beat Assessment of Cardiac Function."
        " Nature 2020;580:252-256. doi:10.1038/s41586-020-2145-8",
        licence="Stanford University research use agreement, not for redistribution",
        scheme=label.LV_ONLY,
        views=(View.FOUR_CHAMBER,),
        modality=Modality.US,
        mirror_axes=(),  # the left ventricle lies on one side in an apical view, and the apex at the top
        expected="the folder that holds Videos, FileList.csv and VolumeTracings.csv",
        sought="FileList.csv",
    )

    @classmethod
    def recognise(cls, path: Path) -> Recognised | None:
        """A video that the data set's list names, which lies beside it or one folder above."""
        if path.suffix.lower() != ".avi" or not path.is_file():
            return None
        places = (place for place in (path.parent, path.parent.parent) if (place / "FileList.csv").is_file())
        root = next(places, None)
        is_listed = root is not None and path.stem in listed_videos(root)
        return Recognised(root, (path.stem,)) if root is not None and is_listed else None

    def _is_there(self) -> bool:
        return (self.root / "FileList.csv").is_file()

    @property
    def views(self) -> tuple[View, ...]:
        """The one view of the folder."""
        return (self._view,)

    def cases(self) -> list[Case]:
        """The traced frames of each video that is on disk, in order of name.

        Raises:
            InputError: a table cannot be read.
        """
        return [
            self._case(name, frame, phase)
            for name in self._videos
            if self._video(name).exists()
            for phase, frame in self._instants(name).items()
        ]

    def exams(self) -> list[str]:
        """Names of the videos that are on disk, one for each patient."""
        return [name for name in self._videos if self._video(name).exists()]

    def exam(self, name: str) -> Exam:
        """The video of a patient.

        Raises:
            InputError: no such video, or it cannot be read.
        """
        name = exam_named(name, self.exams(), self.name)
        row = self._videos[name]
        video = read_image(self._video(name), view=self._view, modality=self.modality)
        video = with_frame_rate(video, number(row, "FPS"))
        facts = exam_reference(number(row, "EF"))
        image = video_with_instants(name, video, _instants(self._outlines_of(name).get(name, {})))
        return Exam(name, (image,), patient=person(row), frame_rate_hz=number(row, "FPS"), facts=facts)

    def splits(self) -> Mapping[str, Split]:
        """`official`, from the column Split.

        Raises:
            InputError: the table cannot be read.
        """
        parts = {
            part: tuple(name for name, row in self._videos.items() if row.get("Split", "").upper() == word)
            for part, word in _PARTS.items()
        }
        return {"official": Split(**parts).on_disk(self.exams())} if parts["training"] else {}

    def pairs(self) -> list[FilePair]:
        """The listed videos; their tracings stand in a table."""
        return [FilePair(name, self._video(name), None) for name in self._videos]

    @cached_property
    def _videos(self) -> Mapping[str, Mapping[str, str]]:
        return listed_videos(self.root)

    @property
    def _view(self) -> View:
        """EchoNet-Dynamic is of one view; the folders of EchoNet-Pediatric are called A4C and PSAX."""
        return View.SAX if self.root.resolve().name.upper() == "PSAX" else View.FOUR_CHAMBER

    @cached_property
    def _outlines(self) -> Mapping[str, Mapping[int, Outline]]:
        """Outline of each traced frame of each video."""
        return self._outlines_of("")

    def _outlines_of(self, beginning: str) -> Mapping[str, Mapping[int, Outline]]:
        """Outline of each traced frame of the videos whose names begin so: half a million lines in all."""
        path = self.root / "VolumeTracings.csv"
        if not path.exists():
            return {}
        traced: dict[str, dict[int, list[list[float]]]] = {}
        for name, frame, ends in _traced_rows(path, beginning):
            traced.setdefault(name, {}).setdefault(frame, []).append(ends)
        return {
            name: {frame: _outline_of(np.array(ends)) for frame, ends in frames.items()}
            for name, frames in traced.items()
        }

    def _instants(self, name: str) -> dict[Phase, int]:
        """Frame index of ED and ES: the largest and the smallest outline."""
        return _instants(self._outlines.get(name, {}))

    def _video(self, name: str) -> Path:
        beside = self.root / f"{name}.avi"
        return beside if beside.exists() else self.root / "Videos" / f"{name}.avi"

    def _case(self, name: str, frame: int, phase: Phase) -> Case:
        row = self._videos[name]
        ejection_fraction = number(row, "EF")
        groups = {"patient": name, **case_class(ejection_fraction)}
        return Case(
            name=f"{name}_{phase}",
            view=self._view,
            phase=phase,
            groups=groups,
            read_image=partial(read_frame, self._video(name), frame, view=self._view, modality=self.modality),
            read_labels=partial(_traced, self._video(name), frame, self._outlines[name][frame]),
            files=(*relative_files([self._video(name)], self.root), "VolumeTracings.csv"),
            facts=case_reference(ejection_fraction),
            modality=self.modality,
        )


def outline(chords: Float[np.ndarray, "chords 4"]) -> Outline:
    """Closed outline (row, column) of a tracing.

    Args:
        chords: X1, Y1, X2, Y2 in pixels; the first row is the long axis, the others run from base to apex.

    Returns:
        The first ends of the chords downwards, then their second ends upwards.

    Example:
        >>> outline(np.array([[2.0, 0, 2, 9], [0, 1, 4, 1], [1, 5, 3, 5]])).tolist()
        [[1.0, 0.0], [5.0, 1.0], [5.0, 3.0], [1.0, 4.0]]
    """
    across = chords[1:]
    return np.concatenate([across[:, [1, 0]], across[::-1][:, [3, 2]]])


def _traced_rows(path: Path, beginning: str) -> Iterator[tuple[str, int, list[float]]]:
    """Video, frame and coordinates of each row of a table of tracings.

    Raises:
        InputError: a row lacks a number.
    """
    rows = read_rows(path, columns=("FileName", "Frame"), beginning=beginning)
    corners = _POINT if rows and "X" in rows[0] else _CHORD
    for line, row in enumerate(rows, start=2):
        if row["Frame"].strip().lower() in _NO_FRAME:
            continue
        values = [value for key in ("Frame", *corners) if (value := number(row, key)) is not None]
        if len(values) <= len(corners):
            raise InputError(f"line {line} lacks a number", where=path)
        yield Path(row["FileName"]).stem, int(values[0]), values[1:]


def _outline_of(rows: Float[np.ndarray, "rows k"]) -> Outline:
    """The outline of a frame's rows: a long axis and chords, or points around the cavity (X, Y)."""
    return rows[:, ::-1] if rows.shape[1] == len(_POINT) else outline(rows)


def listed_videos(root: Path) -> Mapping[str, Mapping[str, str]]:
    """Rows of the list of videos by name without suffix, in order of name; read once.

    Raises:
        InputError: the list cannot be read.
    """
    path = root / "FileList.csv"
    return _listed(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _listed(path: Path, changed: int) -> Mapping[str, Mapping[str, str]]:
    rows = read_table(path, key="FileName")
    return {name.removesuffix(".avi"): row for name, row in sorted(rows.items())}


def _instants(outlines: Mapping[int, Outline]) -> dict[Phase, int]:
    if len(outlines) < 2:
        return {}
    by_area = sorted(outlines, key=lambda frame: polygon_area(outlines[frame]))
    return {Phase.ED: by_area[-1], Phase.ES: by_area[0]}


def _traced(video: Path, frame: int, points_rc: Outline) -> LabelMap:
    """The outline as a mask on the video's own grid."""
    shape = read_frame(video, frame, view=View.FOUR_CHAMBER, modality=Modality.US).grid_shape[2:]
    mask: Bool[np.ndarray, "height width"] = fill_polygon(points_rc, shape)
    return LabelMap(mask[np.newaxis, np.newaxis].astype(np.uint8), label.LV_ONLY, NO_GEOMETRY)
