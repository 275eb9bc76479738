"""Phantoms as a data set: patients who are rendered when they are asked for, without any file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool

from cardiotrace.core import label
from cardiotrace.core.exam import Case, Exam
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.dataset import FilePair, MirrorAxis, exam_named
from cardiotrace.datasets.split import Split
from cardiotrace.phantoms.choice import VIEWS, Kind, PhantomConfig, choice_digest, draw_patient
from cardiotrace.phantoms.cmr import CmrPhantom
from cardiotrace.phantoms.fundus import FundusPhantom
from cardiotrace.phantoms.patient import RenderedPatient, render_patient

_PHASES = (Phase.ED, Phase.ES)


@lru_cache(maxsize=2)
def _made(config: PhantomConfig, number: int) -> RenderedPatient:
    return render_patient(draw_patient(config, number), config.views)


def _read_image(config: PhantomConfig, number: int, image: str, phase: Phase) -> Image:
    made = _made(config, number)
    cine = next(each.cine for each in made.exam.images if each.name.endswith(image))
    frame = _frame(made, phase)
    return cine if frame is None else replace(cine, frames=cine.frames[frame : frame + 1].copy(), times_ms=None)


def _read_labels(config: PhantomConfig, number: int, image: str, phase: Phase) -> LabelMap:
    made = _made(config, number)
    labels = next(each for name, each in made.labels.items() if name.endswith(image))
    frame = _frame(made, phase)
    return labels if frame is None else replace(labels, array=labels.array[frame : frame + 1].copy())


def _read_field_of_view(config: PhantomConfig, number: int) -> Bool[np.ndarray, "depth height width"]:
    photograph = _made(config, number).photograph
    if photograph is None:
        raise TypeError("only photographs have a field of view")
    return photograph.field_of_view[np.newaxis]


def _frame(made: RenderedPatient, phase: Phase) -> int | None:
    names = {Phase.ED: "end_diastolic_frame", Phase.ES: "end_systolic_frame"}
    return int(made.truth[names[phase]]) if phase in names else None


@dataclass(frozen=True)
class Phantom:
    """Phantom patients, rendered lazily; ED and ES of each view of a heart, one photograph of an eye.

    Names hold a digest of the choice and of the rendering code, so that caches never mix phantoms of different making.
    """

    config: PhantomConfig

    channel_counts: ClassVar[Mapping[Kind, int]] = {"echo": 1, "cmr": 1, "fundus": 3}
    licence: ClassVar[str] = "phantoms, free of terms"
    citation: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """Says which kind it is."""
        return f"phantom-{self.config.kind}"

    @property
    def root(self) -> Path:
        """The folder that was given; nothing is read from it."""
        return self.config.root

    @property
    def scheme(self) -> LabelScheme:
        """Echo as CAMUS, cine-MRI as ACDC, photographs with vessels."""
        return {"echo": label.CAMUS, "cmr": label.ACDC, "fundus": label.VESSEL}[self.config.kind]

    @property
    def views(self) -> tuple[View, ...]:
        """Apical views, short axis, or fundus."""
        if self.config.kind == "echo":
            return tuple(VIEWS[name] for name in self.config.views)
        return (View.SAX,) if self.config.kind == "cmr" else (View.FUNDUS,)

    @property
    def modality(self) -> Modality:
        """As of the real images."""
        return {"echo": Modality.US, "cmr": Modality.MR, "fundus": Modality.PHOTOGRAPH}[self.config.kind]

    @property
    def mirror_axes(self) -> tuple[MirrorAxis, ...]:
        """As of the real data sets: none for echo, both for cine-MRI and photographs."""
        return () if self.config.kind == "echo" else ("height", "width")

    @property
    def channels(self) -> int:
        """Photographs are coloured."""
        return self.channel_counts[self.config.kind]

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
        made = _made(self.config, self._numbers[exam_named(name, self._numbers, self.name)])
        return replace(made.exam, name=name, patient=made.drawn.patient)

    def splits(self) -> Mapping[str, Split]:
        """`official`: of every ten patients the ninth for validation and the tenth for testing."""
        names = list(self._numbers)
        if len(names) < 3:
            return {}
        return {"official": tenths(names)}

    def pairs(self) -> list[FilePair]:
        """None: there are no files."""
        return []

    def made(self, name: str) -> RenderedPatient:
        """A patient with the truth.

        Raises:
            InputError: no such patient.
        """
        return _made(self.config, self._numbers[exam_named(name, self._numbers, self.name)])

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        digest = choice_digest(self.config)
        return {f"{self.config.kind}-{digest}-{n:04d}": n for n in range(1, self.config.count + 1)}

    def _cases_of(self, number: int) -> list[Case]:
        drawn = draw_patient(self.config, number)
        name = f"{self.config.kind}-{choice_digest(self.config)}-{number:04d}"
        groups = {"patient": name, "pathology": str(drawn.pathology)}
        if drawn.patient.sex:
            groups["sex"] = drawn.patient.sex
        phantom = drawn.phantom
        if isinstance(phantom, FundusPhantom):
            groups |= {"quality": phantom.quality, "vendor": phantom.camera}
            return [self._case(name, number, View.FUNDUS, Phase.OTHER, groups, {})]
        if isinstance(phantom, CmrPhantom):
            groups |= {"quality": phantom.quality, "vendor": phantom.scanner.vendor}
            groups |= {"centre": str(phantom.scanner.centre)}
        else:
            groups |= {"quality": phantom.quality, "vendor": phantom.vendor}
        facts = {"left_ventricular_ejection_fraction_percent": phantom.ejection_fraction_percent}
        return [self._case(name, number, view, phase, groups, facts) for view in self.views for phase in _PHASES]

    def _case(
        self, patient: str, number: int, view: View, phase: Phase, groups: dict[str, str], facts: dict[str, float]
    ) -> Case:
        image = {View.FOUR_CHAMBER: "_4CH", View.TWO_CHAMBER: "_2CH", View.SAX: "_SA"}.get(view, "")
        return Case(
            name=patient if phase is Phase.OTHER else f"{patient}{image}_{phase}",
            view=view,
            phase=phase,
            groups=groups,
            read_image=partial(_read_image, self.config, number, image, phase),
            read_labels=partial(_read_labels, self.config, number, image, phase),
            read_field_of_view=(
                partial(_read_field_of_view, self.config, number) if self.config.kind == "fundus" else None
            ),
            facts=facts,
        )


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
