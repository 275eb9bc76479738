"""CAMUS: apical echo of 500 patients with left ventricle, myocardium and left atrium traced at ED and ES."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from cardiotrace.core import label
from cardiotrace.core.ejection import ejection_fraction_class
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.exam import Case, Exam, ExamImage, Patient
from cardiotrace.core.image import Acquisition
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.dataset import (
    FilePair,
    MirrorAxis,
    PatientFolders,
    exam_named,
    file_case,
    folders_named,
    patient_of,
    still,
)
from cardiotrace.datasets.frame import with_acquisition, with_frame_rate
from cardiotrace.datasets.split import Split, read_lists
from cardiotrace.datasets.table import number, read_settings, read_table
from cardiotrace.io import read_image, read_metadata

ViewName = Literal["2CH", "4CH"]
VIEWS: Mapping[str, View] = {"2CH": View.TWO_CHAMBER, "4CH": View.FOUR_CHAMBER}
OFFICIAL_FOLDS = 10

_PATIENT = re.compile(r"patient\d{4}")
_FILE = re.compile(r"(patient\d{4})_[24]CH_(?:ED|ES|half_sequence|sequence)(?:_gt)?\.(?:nii\.gz|mhd)")
_PHASES = (Phase.ED, Phase.ES)
_SEQUENCES = ("half_sequence", "sequence")


@dataclass(frozen=True)
class CamusConfig:
    """Where CAMUS lies and what of it to use."""

    root: Path
    """Folder that holds database_nifti, database_nifti itself, the folder of the older release, or one patient's."""
    views: tuple[ViewName, ...] = ("2CH", "4CH")
    """Apical views: two chambers, four chambers."""
    sequences: bool = False
    """Whether labelled sequences are cases too, beside the ED and ES frames."""

    def __post_init__(self) -> None:
        if not self.views:
            raise ConfigError("views: at least one of '2CH', '4CH' is needed")


@dataclass(frozen=True)
class Camus(PatientFolders):
    """The CAMUS data set, in either of its layouts.

    The release of 2022 holds `patientNNNN_{2CH,4CH}_{ED,ES,half_sequence}.nii.gz` with `_gt`, and
    `patients_info.csv` is its reference for ejection fraction and image quality. The release of 2019 holds
    MetaImage files with anisotropic pixels and one `Info_*.cfg` per view, from an earlier round of annotation:
    its ejection fractions differ.

    Raises:
        InputError: the root is missing or holds no patients.

    Source:
        Leclerc et al. 2019, IEEE Trans Med Imaging 38:2198.
    """

    config: CamusConfig

    expected: ClassVar[str] = "the folder that holds database_nifti, that folder itself, or one patient's (patient0001)"
    sought: ClassVar[str] = "CAMUS patients (patient0001, ...)"
    name: ClassVar[str] = "camus"
    scheme: ClassVar[LabelScheme] = label.CAMUS
    modality: ClassVar[Modality] = Modality.US
    mirror_axes: ClassVar[tuple[MirrorAxis, ...]] = ()
    """None: the left ventricle lies on one side in an apical view, and the apex at the top."""
    channels: ClassVar[int] = 1
    licence: ClassVar[str] = "CC BY-NC-SA 4.0"
    citation: ClassVar[str] = (
        "Leclerc S, et al. Deep Learning for Segmentation Using an Open Large-Scale Dataset in 2D Echocardiography. "
        "IEEE Trans Med Imaging 2019;38:2198-2210. doi:10.1109/TMI.2019.2900516"
    )

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether a folder is one patient's, of either release, whatever the folder is called."""
        return patient_of(path, _FILE) is not None

    @property
    def views(self) -> tuple[View, ...]:
        """The views that were asked for."""
        return tuple(VIEWS[name] for name in self.config.views)

    def cases(self) -> list[Case]:
        """ED and ES of each view, and labelled sequences if asked for, in order of name."""
        kinds = (*_PHASES, *_SEQUENCES) if self.config.sequences else _PHASES
        return [self._case(*item) for item in self._items() if item[2] in kinds and item[3].image.exists()]

    def exam(self, name: str) -> Exam:
        """Every readable image of a patient, sequences included, with its named instants.

        Raises:
            InputError: no such patient, or an image cannot be read.
        """
        patient = exam_named(name, self._folders, self.name)
        items = [item for item in self._items() if item[0] == patient and item[3].image.exists()]
        without_pixels = {item[3].image: why for item in items if (why := _why_without_pixels(*item[2:]))}
        items = [item for item in items if item[3].image not in without_pixels]
        facts = self._facts(patient, items[0][1]) if items else {}
        return Exam(
            name=patient,
            images=tuple(self._exam_image(*item) for item in items),
            patient=Patient(sex=facts.get("Sex") or None, age_years=number(facts, "Age")),
            frame_rate_hz=number(facts, "FrameRate"),
            facts=_exam_facts(facts),
            left_out=tuple(f"{image.name}: {why}" for image, why in without_pixels.items()),
        )

    def splits(self) -> Mapping[str, Split]:
        """`official` and the ten folds `fold1` ... `fold10` of the publication, where their lists are at hand.

        Patients of a list that are not on disk are kept in `Split.missing`.

        Raises:
            InputError: a list leaks a patient.
        """
        folder = self._beside("database_split")
        if folder is None:
            return {}
        lists = {"official": (folder, "subgroup")}
        lists |= {f"fold{fold}": (folder / "subgroups", f"subGroup{fold}") for fold in range(1, OFFICIAL_FOLDS + 1)}
        return {
            name: read_lists(*place).on_disk(self._folders)
            for name, place in lists.items()
            if (place[0] / f"{place[1]}_training.txt").exists()
        }

    def pairs(self) -> list[FilePair]:
        """Image and reference of every view and instant of which one at least is on disk."""
        return [item[3] for item in self._items()]

    @cached_property
    def _folders(self) -> Mapping[str, Path]:
        """Folder of each patient, in order of name."""
        patient = patient_of(self.root, _FILE)
        if patient is not None:
            return {patient: self.root}
        places = (("database_nifti",), ("",), ("training", "testing"), ("legacy_mhd",))
        found = (folders_named(_PATIENT, [self.root / name for name in names]) for names in places)
        return next((folders for folders in found if folders), {})

    @cached_property
    def _table(self) -> Mapping[str, Mapping[str, str]]:
        path = self._beside("patients_info.csv")
        return {} if path is None else read_table(path, key="Patient")

    def _items(self) -> Iterator[tuple[str, ViewName, str, FilePair]]:
        """Patient, view, "ED", "ES" or kind of sequence, and the files."""
        for patient, folder in self._folders.items():
            present = {file.name for file in folder.iterdir()}
            suffix = ".mhd" if any(name.endswith(".mhd") for name in present) else ".nii.gz"
            for view in self.config.views:
                for kind in (*_PHASES, *_SEQUENCES):
                    name = f"{patient}_{view}_{kind}"
                    image, labels = f"{name}{suffix}", f"{name}_gt{suffix}"
                    if image in present or labels in present:
                        # Sequences are traced in one release only: no reference is expected, but one is used.
                        has_labels = kind in _PHASES or labels in present
                        pair = FilePair(name, folder / image, folder / labels if has_labels else None)
                        yield patient, view, kind, pair

    def _case(self, patient: str, view: ViewName, kind: str, pair: FilePair) -> Case:
        facts = self._facts(patient, view)
        ejection_fraction = _ejection_fraction_percent(facts)
        groups = {"patient": patient, "quality": facts.get("ImageQuality", ""), "sex": facts.get("Sex", "")}
        if ejection_fraction is not None:
            groups["ef_class"] = ejection_fraction_class(ejection_fraction)
        return file_case(
            pair,
            dataset=self,
            view=VIEWS[view],
            phase=Phase(kind) if kind in _PHASES else Phase.OTHER,
            groups={key: value for key, value in groups.items() if value},
            facts={}
            if ejection_fraction is None
            else {"left_ventricular_ejection_fraction_percent": ejection_fraction},
            third_axis="depth" if kind in _PHASES else "time",
        )

    def _exam_image(self, patient: str, view: ViewName, kind: str, pair: FilePair) -> ExamImage:
        facts = self._facts(patient, view)
        rate = number(facts, "FrameRate")
        if kind in _PHASES:
            image = still(pair, VIEWS[view], Phase(kind), self.modality)
            return with_acquisition(image, Acquisition(frame_rate_hz=rate))
        cine = with_frame_rate(
            read_image(pair.image, third_axis="time", view=VIEWS[view], modality=self.modality), rate
        )
        return ExamImage(pair.name, cine, _instants(facts, len(cine.frames), whole_beat=kind == "sequence"))

    def _facts(self, patient: str, view: str) -> Mapping[str, str]:
        """What is known of a patient and view: the table's row, or the settings file of the older release."""
        folder = self._folders[patient]
        settings = folder / f"Info_{view}.cfg"
        own = read_settings(settings) if settings.exists() else {}
        row = self._table.get(patient, {})
        if any(folder.glob("*.mhd")):
            return own or row
        # The table has one row per patient, but ED and ES are frame numbers of a view.
        return {**own, **row, **{key: own[key] for key in ("ED", "ES", "NbFrame") if key in own}}


def _ejection_fraction_percent(facts: Mapping[str, str]) -> float | None:
    value = number(facts, "EF")
    return number(facts, "LVef") if value is None else value


def _exam_facts(facts: Mapping[str, str]) -> dict[str, str]:
    ejection_fraction = _ejection_fraction_percent(facts)
    known = {
        "quality": facts.get("ImageQuality", ""),
        "reference_ejection_fraction_percent": "" if ejection_fraction is None else f"{ejection_fraction:g}",
    }
    return {key: value for key, value in known.items() if value}


def _why_without_pixels(kind: str, pair: FilePair) -> str | None:
    """Why a sequence cannot be read: public copies of the older release hold headers of sequences without pixels."""
    if kind in _PHASES or pair.image.suffix != ".mhd":
        return None
    try:
        read_metadata(pair.image)
    except InputError as error:
        return error.what
    return None


def _instants(facts: Mapping[str, str], frames: int, *, whole_beat: bool) -> dict[Phase, int]:
    """Frame index of ED and ES from their numbers, which count from one.

    A half sequence runs from one to the other, in the order of their numbers.
    """
    end_diastole, end_systole = number(facts, "ED") or 1, number(facts, "ES") or frames
    if whole_beat and max(end_diastole, end_systole) <= frames:
        return {Phase.ED: int(end_diastole) - 1, Phase.ES: int(end_systole) - 1}
    first, last = (Phase.ED, Phase.ES) if end_diastole <= end_systole else (Phase.ES, Phase.ED)
    return {first: 0, last: frames - 1}
