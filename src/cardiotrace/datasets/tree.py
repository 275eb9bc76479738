"""The folder trees of real data sets, filled with phantoms: what `cardiotrace.datasets` reads back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.image import Image
from cardiotrace.core.label import LEFT_VENTRICLE, MNMS, WALL_ONLY, LabelMap
from cardiotrace.core.terms import Phase, View
from cardiotrace.core.text import csv_text
from cardiotrace.datasets.hmc_qu import FILMS, INFARCT, MASK_VARIABLE, MASKS, NO_INFARCT
from cardiotrace.datasets.hmc_qu import VIEWS as HMC_VIEWS
from cardiotrace.datasets.phantom import tenths
from cardiotrace.datasets.split import Split, write_lists
from cardiotrace.datasets.workbook import write_workbook
from cardiotrace.geometry.resample import AxisMap, resample_labels
from cardiotrace.io import read_grid, write_bytes, write_image, write_labels, write_text
from cardiotrace.io.metaimage import write_image as write_metaimage
from cardiotrace.io.raster import write_raster
from cardiotrace.io.video import write_video
from cardiotrace.phantoms.choice import ViewName
from cardiotrace.phantoms.patient import RenderedPatient

FOLDS = 10
PARTS = ".parts"
"""Where files that go to shared folders are gathered."""
GROUPS = {"normal": "NOR", "dilated": "DCM", "hypertrophic": "HCM", "infarct": "MINF", "rv-dilated": "RV"}
"""What ACDC calls a disease."""

Row = Mapping[str, float | str]


class Tree(Protocol):
    """A data set's folder tree."""

    @property
    def most(self) -> int:
        """Patients that its names have room for."""

    @property
    def views(self) -> tuple[ViewName, ...]:
        """Planes of the heart that it has a place for."""

    @property
    def shared(self) -> tuple[str, ...]:
        """Folders that all patients share, where none has one of its own: files are gathered apart first."""

    def name(self, number: int) -> str:
        """Of patient `number`, from 1."""

    def folder(self, name: str) -> str:
        """Folder of a patient, relative to the root."""

    def write(self, made: RenderedPatient, name: str, folder: Path) -> None:
        """Fill a patient's folder."""

    def finish(self, root: Path, rows: Mapping[str, Row]) -> None:
        """Write the tables and lists of the whole data set."""


@dataclass(frozen=True)
class CamusTree:
    """CAMUS, release of 2022: database_nifti, patients_info.csv, database_split."""

    most: int = 9999
    views: tuple[ViewName, ...] = ("4CH", "2CH")
    shared: tuple[str, ...] = ()

    def name(self, number: int) -> str:
        """As in patient0001."""
        return f"patient{number:04d}"

    def folder(self, name: str) -> str:
        """Below database_nifti."""
        return f"database_nifti/{name}"

    def write(self, made: RenderedPatient, name: str, folder: Path) -> None:
        """ED, ES and the half sequence between them, each with its labels, and one settings file per view."""
        first, last = int(made.truth["end_diastolic_frame"]), int(made.truth["end_systolic_frame"])
        for image in made.exam.images:
            view = image.name.rpartition("_")[2]
            labels = made.labels[image.name]
            for phase, frame in ((Phase.ED, first), (Phase.ES, last)):
                stem = f"{name}_{view}_{phase}"
                _write_pair(_frame(image.image, frame), _label_frame(labels, frame), folder, stem)
            between = np.arange(first, last + 1)
            _write_pair(
                _as_stack(image.image, between),
                _labels_as_stack(labels, between),
                folder,
                f"{name}_{view}_half_sequence",
            )
            rows = self._facts(made.truth)
            write_text(folder / f"Info_{view}.cfg", "".join(f"{key}: {value}\n" for key, value in rows.items()))

    def finish(self, root: Path, rows: Mapping[str, Row]) -> None:
        """The table of patients, the official split and its ten folds."""
        table = [{"Patient": name, **self._facts(row)} for name, row in rows.items()]
        write_text(root / "patients_info.csv", as_csv(table, end="\r\n"))
        names = list(rows)
        if len(names) < 3:
            return
        subgroups = root / "database_split" / "subgroups"
        subgroups.mkdir(parents=True, exist_ok=True)
        write_lists(tenths(names), subgroups.parent, "subgroup")
        for fold in range(1, FOLDS + 1):
            write_lists(_fold(names, fold), subgroups, f"subGroup{fold}")

    @staticmethod
    def _facts(row: Row) -> dict[str, float | str]:
        count = int(row["end_systolic_frame"]) - int(row["end_diastolic_frame"]) + 1
        return {"ED": 1, "ES": count, "NbFrame": count, **_person_and_film(row)}


def _person_and_film(row: Row) -> dict[str, float | str]:
    """What CAMUS and TED say of a patient beside the numbers of frames."""
    return {
        "Sex": row["sex"],
        "Age": round(float(row["age_years"])),
        "ImageQuality": str(row["quality"]).capitalize(),
        "EF": f"{float(row['ejection_fraction_percent']):.1f}",
        "FrameRate": f"{float(row['frame_rate_hz']):.1f}",
    }


def _fold(names: Sequence[str], fold: int) -> Split:
    """Every tenth patient is tested, the next tenth chosen by; each patient is tested in one fold."""
    parts: dict[str, list[str]] = {"training": [], "validation": [], "testing": []}
    for index, name in enumerate(names):
        place = (index - fold + 1) % FOLDS
        parts["testing" if place == 0 else "validation" if place == 1 else "training"].append(name)
    return Split(**{part: tuple(members) for part, members in parts.items()})


@dataclass(frozen=True)
class AcdcTree:
    """ACDC: database/training/patientNNN with Info.cfg, the video and the two traced frames."""

    most: int = 999
    views: tuple[ViewName, ...] = ("SAX",)
    shared: tuple[str, ...] = ()

    def name(self, number: int) -> str:
        """As in patient001."""
        return f"patient{number:03d}"

    def folder(self, name: str) -> str:
        """Below database/training."""
        return f"database/training/{name}"

    def write(self, made: RenderedPatient, name: str, folder: Path) -> None:
        """Frames are named by their number, which counts from one."""
        image = made.exam.images[0]
        first, last = int(made.truth["end_diastolic_frame"]), int(made.truth["end_systolic_frame"])
        write_image(image.image, folder / f"{name}_4d.nii.gz")
        labels = made.labels[image.name]
        for frame in (first, last):
            _write_pair(_frame(image.image, frame), _label_frame(labels, frame), folder, f"{name}_frame{frame + 1:02d}")
        facts = {
            "ED": first + 1,
            "ES": last + 1,
            "Group": GROUPS[str(made.truth["pathology"])],
            "Height": made.truth["height_cm"],
            "NbFrame": len(image.image.frames),
            "Weight": made.truth["weight_kg"],
        }
        write_text(folder / "Info.cfg", "".join(f"{key}: {value}\n" for key, value in facts.items()))

    def finish(self, root: Path, rows: Mapping[str, Row]) -> None:
        """Nothing: every patient's folder says all."""


@dataclass(frozen=True)
class Mnms2Tree:
    """M&Ms-2: dataset/NNN with short and long axis, and dataset_information.csv."""

    most: int = 360
    views: tuple[ViewName, ...] = ("SAX", "4CH")
    shared: tuple[str, ...] = ()

    def name(self, number: int) -> str:
        """As in 001."""
        return f"{number:03d}"

    def folder(self, name: str) -> str:
        """Below dataset."""
        return f"dataset/{name}"

    def write(self, made: RenderedPatient, name: str, folder: Path) -> None:
        """ED, ES and the video of either axis."""
        frames = {Phase.ED: "end_diastolic_frame", Phase.ES: "end_systolic_frame"}
        for image in made.exam.images:
            axis = "LA" if "_LA" in image.name else "SA"
            labels = made.labels[image.name].to(MNMS)
            write_image(image.image, folder / f"{name}_{axis}_CINE.nii.gz")
            for phase, key in frames.items():
                frame = int(made.truth[key])
                stem = f"{name}_{axis}_{phase}"
                _write_pair(_as_stack(image.image, [frame]), _labels_as_stack(labels, [frame]), folder, stem)

    def finish(self, root: Path, rows: Mapping[str, Row]) -> None:
        """The table of patients."""
        table = [
            {
                "SUBJECT_CODE": int(name),
                "DISEASE": GROUPS[str(row["pathology"])],
                "VENDOR": row["vendor"],
                "SCANNER": row["style"],
                "FIELD": row["field_t"],
            }
            for name, row in rows.items()
        ]
        write_text(root / "dataset_information.csv", as_csv(table))


@dataclass(frozen=True)
class TedTree:
    """TED: database/patientNNN with the whole beat as MetaImage, its labels and settings; no atrium is labelled."""

    most: int = 999
    views: tuple[ViewName, ...] = ("4CH",)
    shared: tuple[str, ...] = ()

    def name(self, number: int) -> str:
        """As in patient001."""
        return f"patient{number:03d}"

    def folder(self, name: str) -> str:
        """Below database."""
        return f"database/{name}"

    def write(self, made: RenderedPatient, name: str, folder: Path) -> None:
        """The film and its labels, frames along the third axis, and the numbers of ED and ES, which count from one."""
        image = made.exam.images[0]
        stem, frames = f"{name}_4CH_sequence", np.arange(len(image.image.frames))
        labels = _labels_as_stack(made.labels[image.name].to(LEFT_VENTRICLE), frames)
        write_metaimage(_as_stack(image.image, frames), folder / f"{stem}.mhd")
        write_labels(labels, folder / f"{stem}_gt.mhd")
        instants = {"ED": int(made.truth["end_diastolic_frame"]) + 1, "ES": int(made.truth["end_systolic_frame"]) + 1}
        facts = {**instants, "NbFrame": len(frames), **_person_and_film(made.truth)}
        write_text(folder / f"{name}_4CH_info.cfg", "".join(f"{key}: {value}\n" for key, value in facts.items()))

    def finish(self, root: Path, rows: Mapping[str, Row]) -> None:
        """Nothing: every patient's folder says all."""


_HMC_WORDS = {view: word for word, view in HMC_VIEWS.items()}
_MASK_SIDE = 224


@dataclass(frozen=True)
class HmcQuTree:
    """HMC-QU: films of two and four chambers, masks of the wall in the latter, and a workbook for each view.

    Six segments stand in a workbook, and which part of the wall each is was not found out: of a phantom with an infarct
    all of them say so.
    """

    most: int = 9999
    views: tuple[ViewName, ...] = ("4CH", "2CH")
    shared: tuple[str, ...] = (*(f"{FILMS}/{word}" for word in HMC_VIEWS), MASKS)

    def name(self, number: int) -> str:
        """As in ES0001."""
        return f"ES{number:04d}"

    def folder(self, name: str) -> str:
        """Apart, until they are shared out."""
        return f"{PARTS}/{name}"

    def write(self, made: RenderedPatient, name: str, folder: Path) -> None:
        """A film of each view, all of it the beat, and the masks shrunk to a square whatever its shape is."""
        from scipy.io import savemat

        for place in self.shared:
            (folder / place).mkdir(parents=True)
        for image in made.exam.images:
            view, film = image.image.view, self._film(name, image.image.view)
            rate = float(made.truth["frame_rate_hz"])
            write_video(image.image.frames[:, 0], folder / FILMS / _HMC_WORDS[view] / f"{film}.avi", rate_hz=rate)
            if view is View.FOUR_CHAMBER:
                walls = made.labels[image.name].to(WALL_ONLY).array[:, 0]
                maps = tuple(AxisMap.resize(side, _MASK_SIDE) for side in walls.shape[1:])
                masks = np.stack([resample_labels(wall, maps, class_count=2) for wall in walls])
                content = BytesIO()
                savemat(content, {MASK_VARIABLE: masks}, do_compression=True)
                write_bytes(folder / MASKS / f"Mask_{film}.mat", _without_date(content.getvalue()))

    def finish(self, root: Path, rows: Mapping[str, Row]) -> None:
        """The workbooks: two rows of headings, then a row for each film that is there."""
        for word, view in HMC_VIEWS.items():
            has_masks = view is View.FOUR_CHAMBER
            segments = [f"SEG{number}" for number in (1, 2, 3, 5, 6, 7)]
            beat = ["One cardiac-cycle frames", "", *(["LV Wall Ground-truth Segmentation Masks"] if has_masks else [])]
            films: list[list[str | int]] = [
                [video.stem, *[self._word(row)] * len(segments), 1, read_grid(video).shape[0], *["ü"] * has_masks]
                for name, row in rows.items()
                if (video := root / FILMS / word / f"{self._film(name, view)}.avi").exists()
            ]
            if films:
                heads: list[list[str | int]] = [
                    ["ECHO", *segments, *beat],
                    [*[""] * 7, "Reference Frame", "End of Cycle"],
                ]
                write_workbook(root / f"{word}.xlsx", [*heads, *films])

    @staticmethod
    def _film(name: str, view: View) -> str:
        return f"{name}_{view}_1"

    @staticmethod
    def _word(row: Row) -> str:
        return INFARCT if row["pathology"] == "infarct" else NO_INFARCT


def _without_date(content: bytes) -> bytes:
    """A MATLAB file whose header says no date, so that the same masks give the same bytes."""
    return b"MATLAB 5.0 MAT-file".ljust(116) + content[116:]


FUNDUS_FOLDERS = ("images", "labels", "fields_of_view", "arteries_and_veins", "lesions")


@dataclass(frozen=True)
class FundusTree:
    """Images beside masks of the same names: images, labels (0 and 255) and what else is known of each pixel."""

    most: int = 9999
    views: tuple[ViewName, ...] = ()
    shared: tuple[str, ...] = FUNDUS_FOLDERS

    def name(self, number: int) -> str:
        """As in eye0001."""
        return f"eye{number:04d}"

    def folder(self, name: str) -> str:
        """Apart, until they are shared out."""
        return f"{PARTS}/{name}"

    def write(self, made: RenderedPatient, name: str, folder: Path) -> None:
        """One image in each folder; arteries are 1, veins 2, both 3."""
        photograph = made.photograph
        if photograph is None:
            raise TypeError("only photographs of eyes go into this tree")
        planes: dict[str, NDArray[np.uint8]] = {
            "images": photograph.image,
            "labels": photograph.vessels.astype(np.uint8) * 255,
            "fields_of_view": photograph.field_of_view.astype(np.uint8) * 255,
            "arteries_and_veins": photograph.arteries + 2 * photograph.veins.astype(np.uint8),
            "lesions": photograph.lesions.astype(np.uint8) * 255,
        }
        for place in self.shared:
            (folder / place).mkdir(parents=True)
            write_raster(planes[place], folder / place / f"{name}.png")

    def finish(self, root: Path, rows: Mapping[str, Row]) -> None:
        """Nothing: names say what belongs together."""


def _write_pair(cine: Image, labels: LabelMap, folder: Path, stem: str) -> None:
    write_image(cine, folder / f"{stem}.nii.gz")
    write_labels(labels, folder / f"{stem}_gt.nii.gz")


def _frame(cine: Image, frame: int) -> Image:
    return replace(cine, frames=cine.frames[frame : frame + 1], times_ms=None)


def _label_frame(labels: LabelMap, frame: int) -> LabelMap:
    return replace(labels, array=labels.array[frame : frame + 1])


def _as_stack(cine: Image, frames: Sequence[int] | NDArray[np.int64]) -> Image:
    """Frames of one plane along the third axis of the file, or one stack as it is."""
    chosen = cine.frames[list(frames)]
    if chosen.shape[1] == 1:
        chosen = chosen.swapaxes(0, 1)
    return replace(cine, frames=chosen, times_ms=None)


def _labels_as_stack(labels: LabelMap, frames: Sequence[int] | NDArray[np.int64]) -> LabelMap:
    chosen = labels.array[list(frames)]
    return replace(labels, array=chosen.swapaxes(0, 1) if chosen.shape[1] == 1 else chosen)


def as_csv(rows: Sequence[Row], *, end: str = "\n") -> str:
    """Rows as comma-separated text; a column that a row lacks stays empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return csv_text(columns, rows, end=end)
