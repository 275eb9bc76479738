"""ACDC: cine-MRI short-axis stacks of 150 patients with both ventricles and the myocardium traced at ED and ES."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cardiotrace.core import label
from cardiotrace.core.exam import Case, Exam, ExamImage, Instant
from cardiotrace.core.geometry import Known
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.dataset import (
    NO_OPTIONS,
    DatasetFacts,
    FilePair,
    NoOptions,
    PatientFolders,
    exam_named,
    folders_named,
)
from cardiotrace.datasets.file_case import CaseFacts, file_case, still
from cardiotrace.datasets.frame import video_with_instants
from cardiotrace.datasets.reference import person
from cardiotrace.datasets.split import Split
from cardiotrace.datasets.table import number, read_settings, whole
from cardiotrace.io import read_image

_PATIENT = re.compile(r"patient\d{3}")
_AS_SHOWN = Known.DATA_SET
"""Its files have no orientation, but rows and columns as the scanner showed them: of 60 patients at hand all are seen
from the feet or the left, the liver on the left or the spine on the right."""
_FRAME = re.compile(r"(patient\d{3}_frame(\d+))(_gt)?\.nii(\.gz)?")


@dataclass(frozen=True)
class Acdc(PatientFolders):
    """The ACDC data set: `patientNNN/Info.cfg`, `patientNNN_frameNN.nii.gz` with `_gt`, and `patientNNN_4d.nii.gz`.

    Args:
        root: folder that holds `database`, `training` and `testing`, one of these, or one patient's folder.

    Raises:
        InputError: the root is missing or holds no patients.

    Source:
        Bernard et al. 2018, IEEE Trans Med Imaging 37:2514.
    """

    config: NoOptions = NO_OPTIONS

    files: ClassVar[re.Pattern[str]] = re.compile(r"(patient\d{3})_(?:4d|frame\d+(?:_gt)?)\.nii(?:\.gz)?")
    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="acdc",
        summary="Short-axis cine-MRI, 150 patients: LV, myocardium and RV at ED and ES.",
        source="Bernard et al. 2018, IEEE Trans Med Imaging 37:2514",
        citation="Bernard O, et al. Deep Learning Techniques for Automatic MRI Cardiac Multi-Structures Segmentation"
        " and Diagnosis: Is the Problem Solved? IEEE Trans Med Imaging 2018;37:2514-2525."
        " doi:10.1109/TMI.2018.2837502",
        licence="CC BY-NC-SA 4.0",
        scheme=label.ACDC,
        views=(View.SAX,),
        modality=Modality.MR,
        # The plane keeps the scanner's own axes, and nnU-Net mirrors cine-MRI along every axis (Isensee et al. 2021,
        # Nat Methods 18:203, supplementary note on augmentation).
        mirror_axes=("height", "width"),
        expected="the folder that holds training (and testing), one of these, or one patient's (patient001)",
        sought="ACDC patients (patient001, ...)",
    )

    def cases(self) -> list[Case]:
        """ED and ES stacks in order of name; a frame that `Info.cfg` does not name has phase `other`."""
        return [self._case(*item) for item in self._items() if item[2].image.exists()]

    def exam(self, name: str) -> Exam:
        """The stacks of a patient, and the video of the whole beat where there is one.

        Raises:
            InputError: no such patient, or an image cannot be read.
        """
        patient = exam_named(name, self._folders, self.name)
        facts = self._facts(patient)
        stills = [
            still(pair, View.SAX, self._phase(facts, frame), self.modality, _AS_SHOWN)
            for owner, frame, pair in self._items()
            if owner == patient and pair.image.exists()
        ]
        return Exam(
            name=patient,
            images=(*stills, *self._whole_beats(patient, facts)),
            patient=person(facts),
            facts={"pathology": facts["Group"]} if "Group" in facts else {},
        )

    def _whole_beats(self, patient: str, facts: Mapping[str, str]) -> Iterator[ExamImage]:
        """The video of the beat, its instants counted from one in the settings file."""
        numbers = {phase: number(facts, phase.value) for phase in (Phase.ED, Phase.ES)}
        instants = {phase: int(value) - 1 for phase, value in numbers.items() if value}
        for suffix in (".nii.gz", ".nii"):
            path = self._folders[patient] / f"{patient}_4d{suffix}"
            if path.exists():
                # Three axes are one stack, whatever the name says: ACDC has no video of a single slice.
                video = read_image(path, third_axis="depth", view=View.SAX, modality=self.modality, as_shown=_AS_SHOWN)
                yield video_with_instants(f"{patient}_4d", video, instants)

    def splits(self) -> Mapping[str, Split]:
        """`official`: the folders training and testing, where both are at hand."""
        parts = self._by_parent()
        if not {"training", "testing"} <= set(parts):
            return {}
        return {"official": Split(training=parts["training"], testing=parts["testing"])}

    def pairs(self) -> list[FilePair]:
        """Image and reference of every frame of which one at least is on disk."""
        return [pair for _, _, pair in self._items()]

    def _folders_below(self) -> Mapping[str, Path]:
        bases = (self.root / "database", self.root)
        return folders_named(
            _PATIENT, [place for base in bases for place in (base, base / "training", base / "testing")]
        )

    def _items(self) -> Iterator[tuple[str, int, FilePair]]:
        """Patient, frame number counted from one, and the files."""
        for patient, folder in self._folders.items():
            frames: dict[str, FilePair] = {}
            for file in sorted(folder.iterdir()):
                match = _FRAME.fullmatch(file.name)
                if match is not None and match[1] not in frames:
                    suffix = file.name.removeprefix(match[1]).removeprefix("_gt")
                    image, labels = folder / f"{match[1]}{suffix}", folder / f"{match[1]}_gt{suffix}"
                    frames[match[1]] = FilePair(match[1], image, labels)
            for stem, pair in frames.items():
                yield patient, int(stem.rpartition("frame")[2]), pair

    def _case(self, patient: str, frame: int, pair: FilePair) -> Case:
        facts = self._facts(patient)
        groups = {"patient": patient}
        if facts.get("Group"):
            groups["pathology"] = facts["Group"]
        instant = Instant(frame - 1, whole(facts, "NbFrame"), self._cine(patient))
        phase = self._phase(facts, frame)
        facts_of_case = CaseFacts(View.SAX, groups, phase, third_axis="depth", instant=instant, as_shown=_AS_SHOWN)
        return file_case(pair, self, facts_of_case)

    def _cine(self, patient: str) -> str | None:
        paths = (self._folders[patient] / f"{patient}_4d{suffix}" for suffix in (".nii.gz", ".nii"))
        return next((path.relative_to(self.root).as_posix() for path in paths if path.exists()), None)

    def _facts(self, patient: str) -> Mapping[str, str]:
        path = self._folders[patient] / "Info.cfg"
        return read_settings(path) if path.exists() else {}

    @staticmethod
    def _phase(facts: Mapping[str, str], frame: int) -> Phase:
        named = (phase for phase in (Phase.ED, Phase.ES) if number(facts, phase.value) == frame)
        return next(named, Phase.OTHER)
