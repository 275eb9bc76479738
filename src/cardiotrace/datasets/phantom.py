"""Phantoms as a data set: patients who are rendered when they are asked for, without any file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from cardiotrace.core import label
from cardiotrace.core.exam import Case, Exam
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.dataset import FilePair, MirrorAxis, exam_named
from cardiotrace.datasets.reference import case_reference
from cardiotrace.datasets.split import Split
from cardiotrace.phantoms.choice import VIEWS, Kind, PhantomConfig, choice_digest, draw_patient
from cardiotrace.phantoms.cmr import CmrPhantom
from cardiotrace.phantoms.echo import EchoPhantom
from cardiotrace.phantoms.fundus import FundusPhantom
from cardiotrace.phantoms.heart.heart import MYOCARDIAL_DENSITY_G_PER_ML, Heart
from cardiotrace.phantoms.patient import RenderedPatient, render_patient

_PHASES = (Phase.ED, Phase.ES)


@lru_cache(maxsize=2)
def _rendered(config: PhantomConfig, number: int) -> RenderedPatient:
    return render_patient(draw_patient(config, number), config.planes)


def _read_image(config: PhantomConfig, number: int, image: str, phase: Phase) -> Image:
    made = _rendered(config, number)
    cine = next(each.image for each in made.exam.images if each.name.endswith(image))
    frame = _frame(made, phase)
    return cine if frame is None else replace(cine, frames=cine.frames[frame : frame + 1].copy(), times_ms=None)


def _read_labels(config: PhantomConfig, number: int, image: str, phase: Phase) -> LabelMap:
    made = _rendered(config, number)
    labels = next(each for name, each in made.labels.items() if name.endswith(image))
    frame = _frame(made, phase)
    return labels if frame is None else replace(labels, array=labels.array[frame : frame + 1].copy())


def _read_field_of_view(config: PhantomConfig, number: int) -> Bool[np.ndarray, "depth height width"]:
    photograph = _rendered(config, number).photograph
    if photograph is None:
        raise TypeError("only photographs have a field of view")
    return photograph.field_of_view[np.newaxis]


def _frame(made: RenderedPatient, phase: Phase) -> int | None:
    names = {Phase.ED: "end_diastolic_frame", Phase.ES: "end_systolic_frame"}
    return int(made.truth[names[phase]]) if phase in names else None


@dataclass(frozen=True)
class _KindFacts:
    """What holds of all phantoms of a kind, as of the real images."""

    scheme: LabelScheme
    modality: Modality
    mirror_axes: tuple[MirrorAxis, ...]
    channels: int = 1


_KINDS: Mapping[Kind, _KindFacts] = {
    "echo": _KindFacts(label.CAMUS, Modality.US, ()),
    "cmr": _KindFacts(label.ACDC, Modality.MR, ("height", "width")),
    "fundus": _KindFacts(label.VESSEL, Modality.PHOTOGRAPH, ("height", "width"), channels=3),
}


@dataclass(frozen=True)
class Phantom:
    """Phantom patients, rendered lazily; of a heart ED and ES of each view or its whole beat, one photograph of an eye.

    Names hold a digest of the choice and of the rendering code, so that caches never mix phantoms of different making.
    """

    root: Path
    """Nothing is read from it."""
    config: PhantomConfig

    @property
    def _kind(self) -> "_KindFacts":
        return _KINDS[self.config.kind]

    @property
    def name(self) -> str:
        """Says which kind it is."""
        return f"phantom-{self.config.kind}"

    @property
    def scheme(self) -> LabelScheme:
        """Echo as CAMUS, cine-MRI as ACDC, with both atria where they were asked for, photographs with vessels."""
        return label.CHAMBERS if self.config.atria else self._kind.scheme

    @property
    def views(self) -> tuple[View, ...]:
        """Apical views, short and long axes, or fundus."""
        return tuple(VIEWS[name] for name in self.config.planes) or (View.FUNDUS,)

    @property
    def modality(self) -> Modality:
        """As of the real images."""
        return self._kind.modality

    @property
    def mirror_axes(self) -> tuple[MirrorAxis, ...]:
        """As of the real data sets: none for echo, both for cine-MRI and photographs."""
        return self._kind.mirror_axes

    @property
    def channels(self) -> int:
        """Photographs are coloured."""
        return self._kind.channels

    @property
    def licence(self) -> str:
        """Phantoms hold no person's data, so that no terms apply."""
        return "phantoms, free of terms"

    @property
    def citation(self) -> str:
        """Empty: phantoms are of no publication."""
        return ""

    def cases(self) -> list[Case]:
        """In order of number; nothing is rendered yet."""
        return [case for number in self._numbers.values() for case in self._cases_of(number)]

    def exams(self) -> list[str]:
        """Names of the patients."""
        return list(self._numbers)

    def exam(self, name: str) -> Exam:
        """All images of a patient, whole beats.

        Raises:
            InputError: no such patient.
        """
        made = _rendered(self.config, self._numbers[exam_named(name, self._numbers, self.name)])
        return replace(made.exam, name=name, patient=made.drawn.patient)

    def splits(self) -> Mapping[str, Split]:
        """`official`: of every ten patients the ninth for validation and the tenth for testing."""
        names = list(self._numbers)
        if len(names) < 3:
            return {}
        return {"official": tenths(names)}

    def pairs(self) -> list[FilePair]:
        """Empty: there are no files."""
        return []

    def rendered(self, name: str) -> RenderedPatient:
        """A rendered patient, with the truth.

        Raises:
            InputError: no such patient.
        """
        return _rendered(self.config, self._numbers[exam_named(name, self._numbers, self.name)])

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {self._name(number): number for number in range(1, self.config.count + 1)}

    def _name(self, number: int) -> str:
        return f"{self.config.kind}-{self._digest}-{number:04d}"

    @cached_property
    def _digest(self) -> str:
        return choice_digest(self.config)

    def _cases_of(self, number: int) -> list[Case]:
        drawn, name = draw_patient(self.config, number), self._name(number)
        sex = {"sex": drawn.patient.sex} if drawn.patient.sex else {}
        groups = {"patient": name, "pathology": str(drawn.pathology), **sex, **_groups_of(drawn.phantom)}
        # An eye has no beat.
        heart = None if isinstance(drawn.phantom, FundusPhantom) else drawn.phantom
        reference = {} if heart is None else _reference_of(heart)
        phases = (Phase.OTHER,) if heart is None or self.config.beats else _PHASES
        return [
            replace(self._case(number, view, phase), groups=groups, facts=reference)
            for view in self.views
            for phase in phases
        ]

    def _case(self, number: int, view: View, phase: Phase) -> Case:
        patient = self._name(number)
        image = _IMAGE_NAMES.get(view, "")
        return Case(
            name=f"{patient}{image}" if phase is Phase.OTHER else f"{patient}{image}_{phase}",
            view=view,
            phase=phase,
            groups={"patient": patient},
            read_image=partial(_read_image, self.config, number, image, phase),
            read_labels=partial(_read_labels, self.config, number, image, phase),
            read_field_of_view=(
                partial(_read_field_of_view, self.config, number) if self.config.kind == "fundus" else None
            ),
            modality=self.modality,
        )


_IMAGE_NAMES = {
    View.FOUR_CHAMBER: "_4CH", View.TWO_CHAMBER: "_2CH", View.THREE_CHAMBER: "_3CH", View.SAX: "_SA",
}  # fmt: skip


def _reference_of(heart: Heart) -> dict[str, float]:
    """What is true of the left ventricle, from the continuous heart."""
    (full,) = heart.at(np.zeros(1))
    return {
        **case_reference(heart.ejection_fraction_percent),
        "left_ventricular_end_diastolic_volume_ml": heart.end_diastolic_ml,
        "left_ventricular_end_systolic_volume_ml": heart.end_systolic_ml,
        "left_ventricular_mass_g": MYOCARDIAL_DENSITY_G_PER_ML * full.wall_ml,
    }


def _groups_of(phantom: EchoPhantom | CmrPhantom | FundusPhantom) -> dict[str, str]:
    """Group keys that follow from how a phantom is imaged."""
    if isinstance(phantom, FundusPhantom):
        return {"quality": phantom.quality, "vendor": phantom.camera}
    if isinstance(phantom, CmrPhantom):
        scanner = phantom.scanner
        made = {"vendor": scanner.vendor, "centre": str(scanner.centre), "style": phantom.style}
        return {"quality": phantom.quality, **made}
    return {"quality": phantom.quality, "vendor": phantom.vendor}


def tenths(names: list[str]) -> Split:
    """Of every ten names the ninth for validation, the tenth for testing; of fewer than ten, the last two.

    Example:
        >>> split = tenths(["a", "b", "c"])
        >>> split.training, split.validation, split.testing
        (('a',), ('b',), ('c',))
    """
    if len(names) < 10:
        return Split(tuple(names[:-2]), (names[-2],), (names[-1],))
    parts = {place: tuple(name for index, name in enumerate(names) if index % 10 == place) for place in (8, 9)}
    held = {*parts[8], *parts[9]}
    return Split(tuple(name for name in names if name not in held), parts[8], parts[9])
