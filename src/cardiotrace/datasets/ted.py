"""TED: apical four-chamber echo of 98 patients over a whole beat, the left ventricle traced in every frame."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cardiotrace.core import label
from cardiotrace.core.exam import Case, Exam
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
from cardiotrace.datasets.file_case import CaseFacts, file_case
from cardiotrace.datasets.frame import video_with_instants, with_frame_rate
from cardiotrace.datasets.reference import case_class, case_reference, exam_reference, person
from cardiotrace.datasets.split import Split
from cardiotrace.datasets.table import known, number, read_settings, whole
from cardiotrace.io import read_image

_PATIENT = re.compile(r"patient\d{3}")
_PHASES = (Phase.ED, Phase.ES)


@dataclass(frozen=True)
class Ted(PatientFolders):
    """The TED data set: in each folder `patientNNN_4CH_sequence.mhd` with `_gt`, and `patientNNN_4CH_info.cfg`.

    Both files hold the frames of one beat along their third axis, on anisotropic pixels, and the settings file numbers
    ED and ES from one. A case is a whole film: its phase is `other`.

    The layout is known from four public readers and not from the files themselves, see `docs/data/ted.md`.

    Args:
        root: folder that holds database, database itself, or one patient's.

    Raises:
        InputError: the root is missing or holds no patients.

    Source:
        Painchaud et al. 2022, IEEE Trans Med Imaging 41:2867.
    """

    config: NoOptions = NO_OPTIONS

    files: ClassVar[re.Pattern[str]] = re.compile(r"(patient\d{3})_4CH_sequence(?:_gt)?\.mhd")
    facts: ClassVar[DatasetFacts] = DatasetFacts(
        name="ted",
        summary="TED: apical four-chamber echo, 98 patients: LV and myocardium in every frame of a beat.",
        source="Painchaud et al. 2022, IEEE Trans Med Imaging 41:2867",
        citation="Painchaud N, et al. Echocardiography Segmentation With Enforced Temporal Consistency."
        " IEEE Trans Med Imaging 2022;41:2867-2878. doi:10.1109/TMI.2022.3173669",
        licence="CC BY-NC-SA 4.0",
        scheme=label.LEFT_VENTRICLE,
        views=(View.FOUR_CHAMBER,),
        modality=Modality.US,
        mirror_axes=(),  # the left ventricle lies on one side in an apical view, and the apex at the top
        expected="the folder that holds database, that folder itself, or one patient's (patient001)",
        sought="TED patients (patient001, ... with a 4CH_sequence)",
    )

    def cases(self) -> list[Case]:
        """The film of each patient, in order of name."""
        return [self._case(patient) for patient in self._folders if self._pair(patient).image.exists()]

    def exam(self, name: str) -> Exam:
        """The film of a patient with the frames that are named as ED and ES.

        Raises:
            InputError: no such patient, or the film cannot be read.
        """
        patient = exam_named(name, self._folders, self.name)
        facts, pair = self._facts(patient), self._pair(patient)
        film = read_image(pair.image, third_axis="time", view=View.FOUR_CHAMBER, modality=self.modality)
        numbers = {phase: whole(facts, phase.value) for phase in _PHASES}
        instants = {phase: frame - 1 for phase, frame in numbers.items() if frame is not None}
        rate = number(facts, "FrameRate")
        quality = {"quality": facts["ImageQuality"]} if facts.get("ImageQuality") else {}
        return Exam(
            name=patient,
            images=(video_with_instants(pair.name, with_frame_rate(film, rate), instants),),
            patient=person(facts),
            frame_rate_hz=rate,
            facts={**quality, **exam_reference(number(facts, "EF"))},
        )

    def splits(self) -> Mapping[str, Split]:
        """None is published."""
        return {}

    def pairs(self) -> list[FilePair]:
        """Film and reference of every patient."""
        return [self._pair(patient) for patient in self._folders]

    def _folders_below(self) -> Mapping[str, Path]:
        found = folders_named(_PATIENT, (self.root, self.root / "database"))
        # ACDC calls its patients alike: only the files tell.
        return {name: folder for name, folder in found.items() if any(map(self.files.fullmatch, _names_in(folder)))}

    def _pair(self, patient: str) -> FilePair:
        folder, stem = self._folders[patient], f"{patient}_4CH_sequence"
        return FilePair(stem, folder / f"{stem}.mhd", folder / f"{stem}_gt.mhd")

    def _case(self, patient: str) -> Case:
        facts = self._facts(patient)
        ejection_fraction = number(facts, "EF")
        groups = {"patient": patient, **known(facts, {"quality": "ImageQuality", "sex": "Sex"})}
        case = CaseFacts(
            View.FOUR_CHAMBER,
            {**groups, **case_class(ejection_fraction)},
            reference=case_reference(ejection_fraction),
            third_axis="time",
        )
        return file_case(self._pair(patient), self, case)

    def _facts(self, patient: str) -> Mapping[str, str]:
        path = self._folders[patient] / f"{patient}_4CH_info.cfg"
        return read_settings(path) if path.exists() else {}


def _names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]
