"""CAMUS: apical echo of 500 patients with left ventricle, myocardium and left atrium traced at ED and ES."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import ClassVar, Literal

from cardiotrace.core import label
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.exam import NO_INSTANT, Case, Exam, ExamImage, Instant
from cardiotrace.core.image import Acquisition
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.dataset import DatasetFacts, FilePair, PatientFolders, exam_named, folders_named
from cardiotrace.datasets.file_case import CaseFacts, file_case, still
from cardiotrace.datasets.frame import with_acquisition, with_frame_rate
from cardiotrace.datasets.reference import case_class, case_reference, exam_reference, person
from cardiotrace.datasets.split import Split, read_lists
from cardiotrace.datasets.table import known, number, read_settings, read_table, whole
from cardiotrace.io import read_image, read_metadata

ViewName = Literal["2CH", "4CH"]
VIEWS: Mapping[str, View] = {"2CH": View.TWO_CHAMBER, "4CH": View.FOUR_CHAMBER}
OFFICIAL_FOLDS = 10

_PATIENT = re.compile(r"patient\d{4}")
_PHASES = (Phase.ED, Phase.ES)
_SEQUENCES = ("half_sequence", "sequence")


@dataclass(frozen=True)
class CamusConfig:
    """What of CAMUS to use."""

    views: tuple[ViewName, ...] = ("2CH", "4CH")
    """Apical views: two chambers, four chambers."""
    sequences: bool = False
    """Whether labelled sequences are cases too, beside the ED and ES frames."""

    def __post_init__(self) -> None:
        if not self.views:
            raise ConfigError("views: at least one of '2CH', '4CH' is needed")


@dataclass(frozen=True)
class _Item:
    """One image of a patient."""

    patient: str
    view: ViewName
    kind: str
    """"ED", "ES" or a kind of sequence."""
    pair: FilePair

    @property
    def is_sequence(self) -> bool:
        return self.kind in _SEQUENCES

    @property
    def phase(self) -> Phase:
        return Phase.OTHER if self.is_sequence else Phase(self.kind)


@dataclass(frozen=True)
class Camus(PatientFolders):
    """The CAMUS data set, in either of its layouts.

    The release of 2022 holds `patientNNNN_{2CH,4CH}_{ED,ES,half_sequence}.nii.gz` with `_gt`, and
    `patients_info.csv` is its reference for ejection fraction and image quality. The release of 2019 holds
    MetaImage files with anisotropic pixels and one `Info_*.cfg` per view, from an earlier round of annotation:
    its ejection fractions differ.

    Args:
        root: folder that holds database_nifti, database_nifti itself, that of the older release, or one patient's.
        config: what of it to use.

    Raises:
        InputError: the root is missing or holds no patients.

    Source:
        Leclerc et al. 2019, IEEE Trans Med Imaging 38:2198.
    """

    config: CamusConfig = CamusConfig()

    files: ClassVar[re.Pattern[str]] = re.compile(
        r"(patient\d{4})_[24]CH_(?:ED|ES|half_sequence|sequence)(?:_gt)?\.(?:nii\.gz|mhd)"
    )
    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="camus",
        summary="Apical echo, 500 patients: LV, myocardium and left atrium at ED and ES.",
        source="Leclerc et al. 2019, IEEE Trans Med Imaging 38:2198",
        citation="Leclerc S, et al. Deep Learning for Segmentation Using an Open Large-Scale Dataset in 2D"
        " Echocardiography. IEEE Trans Med Imaging 2019;38:2198-2210. doi:10.1109/TMI.2019.2900516",
        licence="CC BY-NC-SA 4.0",
        scheme=label.CAMUS,
        views=tuple(VIEWS.values()),
        modality=Modality.US,
        mirror_axes=(),  # the left ventricle lies on one side in an apical view, and the apex at the top
        expected="the folder that holds database_nifti, that folder itself, or one patient's (patient0001)",
        sought="CAMUS patients (patient0001, ...)",
    )

    @property
    def views(self) -> tuple[View, ...]:
        """The views that were asked for."""
        return tuple(VIEWS[name] for name in self.config.views)

    def cases(self) -> list[Case]:
        """ED and ES of each view, and labelled sequences if asked for, in order of name."""
        kinds = (*_PHASES, *_SEQUENCES) if self.config.sequences else _PHASES
        return [self._case(item) for item in self._items() if item.kind in kinds and item.pair.image.exists()]

    def exam(self, name: str) -> Exam:
        """Every readable image of a patient, sequences included, with its named instants.

        Raises:
            InputError: no such patient, or an image cannot be read.
        """
        patient = exam_named(name, self._folders, self.name)
        items = [item for item in self._items_of(patient) if item.pair.image.exists()]
        left_out = {item.pair.image: why for item in items if (why := _why_without_pixels(item))}
        items = [item for item in items if item.pair.image not in left_out]
        facts = self._facts(patient, items[0].view) if items else {}
        quality = {"quality": facts["ImageQuality"]} if facts.get("ImageQuality") else {}
        return Exam(
            name=patient,
            images=tuple(map(self._exam_image, items)),
            patient=person(facts),
            frame_rate_hz=number(facts, "FrameRate"),
            facts={**quality, **exam_reference(_ejection_fraction_percent(facts))},
            left_out=tuple(f"{image.name}: {why}" for image, why in left_out.items()),
        )

    def splits(self) -> Mapping[str, Split]:
        """`official` and the ten folds `fold1` ... `fold10` of the publication, where their lists are at hand.

        Patients of a list that are not on disk are kept in `Split.missing`.

        Raises:
            InputError: a list leaks a patient.
        """
        folder = self._release_file("database_split")
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
        return [item.pair for item in self._items()]

    def _folders_below(self) -> Mapping[str, Path]:
        places = (("database_nifti",), ("",), ("training", "testing"), ("legacy_mhd",))
        found = (folders_named(_PATIENT, [self.root / name for name in names]) for names in places)
        return next((folders for folders in found if folders), {})

    @cached_property
    def _table(self) -> Mapping[str, Mapping[str, str]]:
        path = self._release_file("patients_info.csv")
        return {} if path is None else read_table(path, key="Patient")

    def _items(self) -> Iterator[_Item]:
        return (item for patient in self._folders for item in self._items_of(patient))

    def _items_of(self, patient: str) -> Iterator[_Item]:
        folder = self._folders[patient]
        present = {file.name for file in folder.iterdir()}
        suffix = ".mhd" if any(name.endswith(".mhd") for name in present) else ".nii.gz"
        for view, kind in product(self.config.views, (*_PHASES, *_SEQUENCES)):
            name = f"{patient}_{view}_{kind}"
            image, labels = f"{name}{suffix}", f"{name}_gt{suffix}"
            if image in present or labels in present:
                # Sequences are traced in one release only: no reference is expected, but one is used.
                has_labels = kind in _PHASES or labels in present
                pair = FilePair(name, folder / image, folder / labels if has_labels else None)
                yield _Item(patient, view, kind, pair)

    def _case(self, item: _Item) -> Case:
        facts = self._facts(item.patient, item.view)
        ejection_fraction = _ejection_fraction_percent(facts)
        groups = {"patient": item.patient, **known(facts, {"quality": "ImageQuality", "sex": "Sex"})}
        case = CaseFacts(
            VIEWS[item.view],
            {**groups, **case_class(ejection_fraction)},
            item.phase,
            case_reference(ejection_fraction),
            third_axis="time" if item.is_sequence else "depth",
            instant=_instant(item, facts),
        )
        return file_case(item.pair, self, case)

    def _exam_image(self, item: _Item) -> ExamImage:
        facts, view = self._facts(item.patient, item.view), VIEWS[item.view]
        rate = number(facts, "FrameRate")
        if not item.is_sequence:
            image = still(item.pair, view, item.phase, self.modality)
            return with_acquisition(image, Acquisition(frame_rate_hz=rate))
        cine = read_image(item.pair.image, third_axis="time", view=view, modality=self.modality)
        instants = _instants(facts, len(cine.frames), whole_beat=item.kind == "sequence")
        return ExamImage(item.pair.name, with_frame_rate(cine, rate), instants)

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


def _instant(item: _Item, facts: Mapping[str, str]) -> Instant:
    """Which frame of its cine a still is: numbers of the tables count from one."""
    if item.is_sequence:
        return NO_INSTANT
    frame = whole(facts, item.phase.value)
    return Instant(None if frame is None else frame - 1, whole(facts, "NbFrame"))


def _ejection_fraction_percent(facts: Mapping[str, str]) -> float | None:
    value = number(facts, "EF")
    return number(facts, "LVef") if value is None else value


def _why_without_pixels(item: _Item) -> str | None:
    """Why a sequence cannot be read: public copies of the older release hold headers of sequences without pixels."""
    if not item.is_sequence or item.pair.image.suffix != ".mhd":
        return None
    try:
        read_metadata(item.pair.image)
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
