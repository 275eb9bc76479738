"""EchoNet-Dynamic: apical four-chamber videos of 10 030 patients with the left ventricle traced at ED and ES."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.core import label
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case, Exam, Patient
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.camus import ejection_fraction_class
from cardiotrace.datasets.dataset import FilePair, MirrorAxis, exam_named, existing_root, nothing_found, relative_files
from cardiotrace.datasets.frame import read_frame, video_with_instants, with_frame_rate
from cardiotrace.datasets.split import Split
from cardiotrace.datasets.table import number, read_rows, read_table
from cardiotrace.geometry.contour import polygon_area
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.io import read_image

_EXPECTED = "the folder that holds Videos, FileList.csv and VolumeTracings.csv"
_PARTS = {"training": "TRAIN", "validation": "VAL", "testing": "TEST"}
_CORNERS = ("X1", "Y1", "X2", "Y2")

Outline = Float[np.ndarray, "n 2"]


@dataclass(frozen=True)
class EchonetConfig:
    """Where EchoNet-Dynamic lies."""

    root: Path
    """Folder that holds `Videos`, `FileList.csv` and `VolumeTracings.csv`."""


@dataclass(frozen=True)
class Echonet:
    """The EchoNet-Dynamic data set: videos without pixel size, two frames of each traced.

    A tracing is a long axis and about twenty chords across it, as (X1, Y1, X2, Y2) of each in pixels; the outline
    runs down one end of the chords and up the other. Of the two traced frames the larger cavity is ED.

    Raises:
        InputError: the root is missing or has no list of files.

    Source:
        Ouyang et al. 2020, Nature 580:252.
    """

    config: EchonetConfig

    name: ClassVar[str] = "echonet"
    scheme: ClassVar[LabelScheme] = label.LV_ONLY
    views: ClassVar[tuple[View, ...]] = (View.FOUR_CHAMBER,)
    modality: ClassVar[Modality] = Modality.US
    mirror_axes: ClassVar[tuple[MirrorAxis, ...]] = ()
    """None: the left ventricle lies on one side in an apical view, and the apex at the top."""
    channels: ClassVar[int] = 1
    licence: ClassVar[str] = "Stanford University research use agreement, not for redistribution"
    citation: ClassVar[str] = (
        "Ouyang D, et al. Video-Based AI for Beat-to-Beat Assessment of Cardiac Function. "
        "Nature 2020;580:252-256. doi:10.1038/s41586-020-2145-8"
    )

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether a file is a video that the data set's list names, which lies beside it or one folder above."""
        root = None if path.suffix.lower() != ".avi" else _root_of(path)
        return root is not None and path.stem in listed_videos(root)

    @staticmethod
    def root_of(path: Path) -> Path:
        """The data set that a video belongs to, which `recognises` has found."""
        return _root_of(path) or path.parent

    def __post_init__(self) -> None:
        if not (self.root / "FileList.csv").is_file():
            raise nothing_found(self.root, "FileList.csv", expected=_EXPECTED)

    @cached_property
    def root(self) -> Path:
        """The folder that was given."""
        return existing_root(self.config.root, expected=_EXPECTED)

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
        ejection_fraction = number(row, "EF")
        facts = {} if ejection_fraction is None else {"reference_ejection_fraction_percent": f"{ejection_fraction:g}"}
        image = video_with_instants(name, video, _instants(self._outlines_of(name).get(name, {})))
        return Exam(name, (image,), patient=_patient(row), frame_rate_hz=number(row, "FPS"), facts=facts)

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
        rows = read_rows(path, columns=("FileName", "Frame", *_CORNERS), beginning=beginning)
        chords: dict[str, dict[int, list[list[float]]]] = {}
        for line, row in enumerate(rows, start=2):
            values = [number(row, key) for key in ("Frame", *_CORNERS)]
            if any(value is None for value in values):
                raise InputError(f"line {line} lacks a number", where=path)
            frame, *ends = (float(value or 0) for value in values)
            chords.setdefault(Path(row["FileName"]).stem, {}).setdefault(int(frame), []).append(ends)
        return {
            name: {frame: outline(np.array(ends)) for frame, ends in frames.items()} for name, frames in chords.items()
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
        groups = {"patient": name}
        if ejection_fraction is not None:
            groups["ef_class"] = ejection_fraction_class(ejection_fraction)
        return Case(
            name=f"{name}_{phase}",
            view=View.FOUR_CHAMBER,
            phase=phase,
            groups=groups,
            read_image=partial(read_frame, self._video(name), frame, view=View.FOUR_CHAMBER, modality=self.modality),
            read_labels=partial(_traced, self._video(name), frame, self._outlines[name][frame]),
            files=(*relative_files([self._video(name)], self.root), "VolumeTracings.csv"),
            facts={}
            if ejection_fraction is None
            else {"left_ventricular_ejection_fraction_percent": ejection_fraction},
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


def _root_of(video: Path) -> Path | None:
    """The folder of the list that a video belongs to."""
    return next((place for place in (video.parent, video.parent.parent) if (place / "FileList.csv").is_file()), None)


def _patient(row: Mapping[str, str]) -> Patient:
    """What EchoNet-Pediatric says of its patients; EchoNet-Dynamic says nothing."""
    sex = row.get("Sex", "").strip().upper()[:1]
    return Patient(
        sex=sex if sex in ("F", "M") else None,
        age_years=number(row, "Age"),
        height_cm=number(row, "Height"),
        weight_kg=number(row, "Weight"),
    )


def _traced(video: Path, frame: int, points_rc: Outline) -> LabelMap:
    """The outline as a mask on the video's own grid."""
    shape = read_frame(video, frame, view=View.FOUR_CHAMBER, modality=Modality.US).grid_shape[2:]
    mask: Bool[np.ndarray, "height width"] = fill_polygon(points_rc, shape)
    return LabelMap(mask[np.newaxis, np.newaxis].astype(np.uint8), label.LV_ONLY, NO_GEOMETRY)
