"""M&Ms and M&Ms-2: cine-MRI of several vendors and centres with both ventricles and the myocardium traced."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar, Literal

from cardiotrace.core import label
from cardiotrace.core.exam import Case, Exam, ExamImage, Instant
from cardiotrace.core.image import Acquisition
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.dataset import (
    NO_OPTIONS,
    DatasetFacts,
    FilePair,
    NoOptions,
    PatientFolders,
    Recognised,
    exam_named,
    folders_named,
    patient_of,
)
from cardiotrace.datasets.file_case import CaseFacts, file_case, read_aligned, relative_files, still
from cardiotrace.datasets.frame import read_frame, read_label_frame, video_with_instants, with_acquisition
from cardiotrace.datasets.reference import person
from cardiotrace.datasets.split import Split
from cardiotrace.datasets.table import known, number, read_table
from cardiotrace.io import read_grid, read_image
from cardiotrace.io.stored import ThirdAxis

AxisName = Literal["SA", "LA"]
AXES: Mapping[str, View] = {"SA": View.SAX, "LA": View.FOUR_CHAMBER}

_PHASES = (Phase.ED, Phase.ES)
_MNMS_FOLDERS = ("Training/Labeled", "Training/Unlabeled", "Validation", "Testing", "unlabelled", "")
_MNMS_STILL = re.compile(r"(?P<patient>\w{6})_sa_(?P<phase>ED|ES)(_gt)?\.nii(\.gz)?")
_MNMS_VIDEO = re.compile(r"(?P<patient>\w{6})_sa(_gt)?\.nii(\.gz)?")
_CODE = re.compile(r"([A-Z]\d[A-Z]\d[A-Z]\d)_sa(?:_E[DS])?(?:_gt)?\.nii(?:\.gz)?")
_MNMS2_PATIENT = re.compile(r"\d{3}")
_MNMS2_PARTS = {"training": range(1, 161), "validation": range(161, 201), "testing": range(201, 361)}


@dataclass(frozen=True)
class Mnms(PatientFolders):
    """The M&Ms data set: `CODE/CODE_sa.nii.gz` with `_gt`, videos traced at ED and ES, and one table of facts.

    Copies that hold ED and ES as files of their own (`CODE_sa_ED.nii.gz`) are read as well. Frame numbers of the
    table count from zero. Patients without reference are cases without a label reader.

    Args:
        root: folder that holds Training, Validation and Testing, a folder of patients, or one patient's folder.

    Raises:
        InputError: the root is missing or holds no patients.

    Source:
        Campello et al. 2021, IEEE Trans Med Imaging 40:3543.
    """

    config: NoOptions = NO_OPTIONS

    files: ClassVar[re.Pattern[str]] = re.compile(r"(\w{6})_sa(?:_E[DS])?(?:_gt)?\.nii(?:\.gz)?")
    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="mnms",
        summary="M&Ms: short-axis cine-MRI of four vendors, 375 patients: LV, myocardium and RV at ED and ES.",
        source="Campello et al. 2021, IEEE Trans Med Imaging 40:3543",
        citation="Campello VM, et al. Multi-Centre, Multi-Vendor and Multi-Disease Cardiac Segmentation: The M&Ms"
        " Challenge. IEEE Trans Med Imaging 2021;40:3543-3554. doi:10.1109/TMI.2021.3090082",
        licence="research use, on application",
        scheme=label.MNMS,
        views=(View.SAX,),
        modality=Modality.MR,
        mirror_axes=("height", "width"),  # as for ACDC
        expected="the folder that holds Training, Validation and Testing, or one of patients (A0S9V9)",
        sought="M&Ms patients (A0S9V9/A0S9V9_sa.nii.gz, ...)",
    )

    @classmethod
    def recognise(cls, path: Path) -> Recognised | None:
        """A folder of one patient's files, by the codes of M&Ms: any six letters may be somebody else's."""
        return None if patient_of(path, _CODE) is None else Recognised(path)

    def cases(self) -> list[Case]:
        """ED and ES stacks in order of name; of a video, the two frames that the table names."""
        return [case for patient in self._folders for case in self._cases_of(patient)]

    def exam(self, name: str) -> Exam:
        """The images of a patient as they are on disk.

        Raises:
            InputError: no such patient, or an image cannot be read.
        """
        patient = exam_named(name, self._folders, self.name)
        row = self._table.get(patient, {})
        vendor = next((row[key].strip() for key in ("VendorName", "Vendor") if row.get(key, "").strip()), None)
        images = []
        for pair in self._pairs_of(patient):
            if pair.image.exists():
                cine = read_image(pair.image, third_axis="depth", view=View.SAX, modality=self.modality)
                phase = _phase_in(pair.name)
                image = video_with_instants(pair.name, cine, {phase: 0} if phase else self._instants(patient))
                images.append(with_acquisition(image, Acquisition(vendor=vendor)))
        return Exam(patient, tuple(images), patient=person(row), facts=known(row, _MNMS_GROUPS))

    def splits(self) -> Mapping[str, Split]:
        """`official`: the folders Training/Labeled, Validation and Testing, where they are at hand."""
        parts = self._by_parent()
        if "Labeled" not in parts or not {"Validation", "Testing"} & set(parts):
            return {}
        labelled, validation, testing = (parts.get(name, ()) for name in ("Labeled", "Validation", "Testing"))
        return {"official": Split(labelled, validation, testing)}

    def pairs(self) -> list[FilePair]:
        """Image and reference files of every patient of which one at least is on disk."""
        return [pair for patient in self._folders for pair in self._pairs_of(patient)]

    def _folders_below(self) -> Mapping[str, Path]:
        places = (self.root / name for name in _MNMS_FOLDERS)
        folders = (folder for place in places if place.is_dir() for folder in place.iterdir() if folder.is_dir())
        found: dict[str, Path] = {}
        for folder in folders:
            if any(_matches(file.name) for file in folder.iterdir()):
                found.setdefault(folder.name, folder)
        return dict(sorted(found.items()))

    @cached_property
    def _table(self) -> Mapping[str, Mapping[str, str]]:
        """Facts of each patient, from the tables at the root, in its folders and just above it."""
        root = self.root.resolve()
        places = (*reversed(root.parents[:3]), root, *(root / name for name in _MNMS_FOLDERS[:-1]))
        tables = [path for place in places if place.is_dir() for path in sorted(place.glob("*.csv"))]
        rows: dict[str, Mapping[str, str]] = {}
        for path in tables:
            with path.open(encoding="utf-8-sig", errors="replace") as file:
                with_codes = file.readline(1000)
            if "External code" in with_codes:
                rows |= read_table(path, key="External code")
        return rows

    def _pairs_of(self, patient: str) -> Iterator[FilePair]:
        folder = self._folders[patient]
        is_unlabelled = folder.parent.name.lower() in ("unlabeled", "unlabelled")
        names = {file.name for file in folder.iterdir() if _matches(file.name)}
        stems = {name.partition(".")[0].removesuffix("_gt"): name.partition(".")[2] for name in sorted(names)}
        for stem, suffix in sorted(stems.items()):
            labels = folder / f"{stem}_gt.{suffix}"
            yield FilePair(stem, folder / f"{stem}.{suffix}", None if is_unlabelled else labels)

    def _cases_of(self, patient: str) -> Iterator[Case]:
        groups = {"patient": patient, **known(self._table.get(patient, {}), _MNMS_GROUPS)}
        for pair in self._pairs_of(patient):
            phase = _phase_in(pair.name)
            if not pair.image.exists():
                continue
            if phase:
                instant = Instant(self._instants(patient).get(phase))
                yield file_case(pair, self, CaseFacts(View.SAX, groups, phase, third_axis="depth", instant=instant))
            else:
                yield from self._video_cases(patient, pair, groups)

    def _video_cases(self, patient: str, pair: FilePair, groups: Mapping[str, str]) -> Iterator[Case]:
        labels = pair.labels if pair.labels is not None and pair.labels.exists() else None
        grid = partial(read_grid, pair.image, view=View.SAX)
        for phase, index in self._instants(patient).items():
            stored = None if labels is None else partial(read_label_frame, labels, self.scheme, index)
            yield Case(
                name=f"{pair.name}_{phase}",
                view=View.SAX,
                phase=phase,
                groups=groups,
                read_image=partial(read_frame, pair.image, index, view=View.SAX, modality=self.modality),
                read_labels=None if stored is None else partial(read_aligned, stored, grid),
                read_stored_labels=stored,
                read_grid=grid,
                files=relative_files([pair.image] if labels is None else [pair.image, labels], self.root),
                modality=self.modality,
                instant=Instant(index, cine=pair.image.relative_to(self.root).as_posix()),
            )

    def _instants(self, patient: str) -> dict[Phase, int]:
        numbers = {phase: number(self._table.get(patient, {}), phase.value) for phase in _PHASES}
        return {phase: int(value) for phase, value in numbers.items() if value is not None}


@dataclass(frozen=True)
class Mnms2Config:
    """What of M&Ms-2 to use."""

    axes: tuple[AxisName, ...] = ("SA", "LA")
    """Short-axis stacks, long-axis (four-chamber) planes."""


@dataclass(frozen=True)
class Mnms2(PatientFolders):
    """The M&Ms-2 data set: `NNN/NNN_{SA,LA}_{ED,ES}.nii.gz` with `_gt`, and `NNN_{SA,LA}_CINE.nii.gz`.

    Args:
        root: folder that holds `dataset`, the folder `dataset` itself, or one patient's folder.
        config: what of it to use.

    Raises:
        InputError: the root is missing or holds no patients.

    Source:
        Martín-Isla et al. 2023, IEEE J Biomed Health Inform 27:3302.
    """

    config: Mnms2Config = Mnms2Config()

    files: ClassVar[re.Pattern[str]] = re.compile(r"(\d{3})_[SL]A_(?:E[DS](?:_gt)?|CINE)\.nii(?:\.gz)?")
    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="mnms2",
        summary="M&Ms-2: short- and long-axis cine-MRI of three vendors, 360 patients: LV, myocardium and RV.",
        source="Martín-Isla et al. 2023, IEEE J Biomed Health Inform 27:3302",
        citation="Martín-Isla C, et al. Deep Learning Segmentation of the Right Ventricle in Cardiac MRI: The M&Ms"
        " Challenge. IEEE J Biomed Health Inform 2023;27:3302-3313. doi:10.1109/JBHI.2023.3267857",
        licence="research use, on application",
        scheme=label.MNMS,
        views=tuple(AXES.values()),
        modality=Modality.MR,
        mirror_axes=("height", "width"),  # as for ACDC
        expected="the folder that holds dataset, the folder dataset itself, or one patient's (001)",
        sought="M&Ms-2 patients (001/001_SA_ED.nii.gz, ...)",
    )

    @classmethod
    def recognise(cls, path: Path) -> Recognised | None:
        """A folder of one patient's files, named as they are numbered, or with a short axis among them.

        A lone `001_LA_ED.nii.gz` in a folder of another name may as well be somebody's left atrium.
        """
        patient = patient_of(path, cls.files)
        is_theirs = patient is not None and (path.resolve().name == patient or any(path.glob(f"{patient}_SA_*")))
        return Recognised(path) if is_theirs else None

    @property
    def views(self) -> tuple[View, ...]:
        """The views that were asked for."""
        return tuple(AXES[name] for name in self.config.axes)

    def cases(self) -> list[Case]:
        """ED and ES of each view, in order of name."""
        return [self._case(*item) for item in self._items() if item[3].image.exists()]

    def exam(self, name: str) -> Exam:
        """The stills and videos of a patient.

        Raises:
            InputError: no such patient, or an image cannot be read.
        """
        patient = exam_named(name, self._folders, self.name)
        images = [
            still(pair, AXES[axis], phase, self.modality)
            for owner, axis, phase, pair in self._items()
            if owner == patient and pair.image.exists()
        ]
        for axis in self.config.axes:
            video = self._folders[patient] / f"{patient}_{axis}_CINE.nii.gz"
            if video.exists():
                # A short axis of three axes is one stack, of a long axis the third is time.
                third: ThirdAxis = "time" if AXES[axis].is_long_axis else "depth"
                moving = read_image(video, third_axis=third, view=AXES[axis], modality=self.modality)
                images.append(ExamImage(f"{patient}_{axis}_CINE", moving))
        facts = known(self._table.get(patient, {}), _MNMS2_GROUPS)
        field = number(facts, "field")
        acquisition = Acquisition(vendor=facts.get("vendor"), scanner=facts.get("scanner"), field_strength_t=field)
        return Exam(patient, tuple(with_acquisition(image, acquisition) for image in images), facts=facts)

    def splits(self) -> Mapping[str, Split]:
        """`official`: patients 1 to 160, 161 to 200 and 201 to 360, where at least two parts are at hand."""
        numbers = {part: tuple(f"{index:03d}" for index in indices) for part, indices in _MNMS2_PARTS.items()}
        split = Split(**numbers).on_disk(self._folders)
        parts_at_hand = [part for part in (split.training, split.validation, split.testing) if part]
        return {"official": split} if len(parts_at_hand) > 1 else {}

    def pairs(self) -> list[FilePair]:
        """Image and reference of every view and instant of which one at least is on disk."""
        return [pair for *_, pair in self._items()]

    def _folders_below(self) -> Mapping[str, Path]:
        inner = self.root / "dataset"
        return folders_named(_MNMS2_PATIENT, [inner if inner.is_dir() else self.root])

    @cached_property
    def _table(self) -> Mapping[str, Mapping[str, str]]:
        path = self._release_file("dataset_information.csv")
        if path is None:
            return {}
        return {code.zfill(3): row for code, row in read_table(path, key="SUBJECT_CODE").items()}

    def _case(self, patient: str, axis: AxisName, phase: Phase, pair: FilePair) -> Case:
        groups = {"patient": patient, **known(self._table.get(patient, {}), _MNMS2_GROUPS)}
        video = self._folders[patient] / f"{patient}_{axis}_CINE.nii.gz"
        instant = Instant(cine=video.relative_to(self.root).as_posix() if video.exists() else None)
        return file_case(pair, self, CaseFacts(AXES[axis], groups, phase, third_axis="depth", instant=instant))

    def _items(self) -> Iterator[tuple[str, AxisName, Phase, FilePair]]:
        for patient, folder in self._folders.items():
            for axis in self.config.axes:
                for phase in _PHASES:
                    name = f"{patient}_{axis}_{phase}"
                    image, labels = folder / f"{name}.nii.gz", folder / f"{name}_gt.nii.gz"
                    if image.exists() or labels.exists():
                        yield patient, axis, phase, FilePair(name, image, labels)


_MNMS_GROUPS = {"vendor": "Vendor", "centre": "Centre", "pathology": "Pathology", "sex": "Sex"}
_MNMS2_GROUPS = {"vendor": "VENDOR", "scanner": "SCANNER", "field": "FIELD", "pathology": "DISEASE"}


def _matches(name: str) -> bool:
    return bool(_MNMS_STILL.fullmatch(name) or _MNMS_VIDEO.fullmatch(name))


def _phase_in(stem: str) -> Phase | None:
    ending = stem.rpartition("_")[2]
    return Phase(ending) if ending in _PHASES else None
