"""The images of an exam, traced by models that are loaded once."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.adaptation import ImageAdaptation
from cardiotrace.clinical.correction import ImageCorrection
from cardiotrace.clinical.expected import Doubt
from cardiotrace.clinical.intervals.filling import TracedBy
from cardiotrace.core.errors import ModelFileError, NoModelError
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.label import LabelMap
from cardiotrace.core.licence import Terms
from cardiotrace.core.progress import OnProgress
from cardiotrace.core.terms import Modality, View
from cardiotrace.core.trust import ImageTrust
from cardiotrace.inference.judge import Judge
from cardiotrace.inference.model_file import Model, read_checksum, read_model
from cardiotrace.inference.predictor import Predictor, open_predictor
from cardiotrace.inference.segmentation import Segmentation
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.inference.zoo import default_model, find_model, list_models

LOG = logging.getLogger(__name__)
MUCH_REMOVED = 0.1
"""Share of a structure that post-processing may remove before the frame is flagged."""

_FileState = tuple[int, int]
T = TypeVar("T")


class Models:
    """Predictors by model file, each built once; may be used by several threads at a time.

    Args:
        named: name or path of the model for every image; None takes the default of each image's view.
    """

    def __init__(self, named: str | None = None) -> None:
        self._named = named
        self._built: dict[Path, tuple[_FileState, Predictor]] = {}
        self._judges: dict[Path, tuple[_FileState, Judge | None]] = {}
        self._lock = Lock()

    def predictor(self, view: View, modality: Modality = Modality.UNKNOWN) -> Predictor:
        """The predictor for a view of a modality; built anew only where its file is another one by now.

        Raises:
            NoModelError: there is no model for it.
            ModelFileError: the model file is damaged.
        """
        return self._built_once(self._built, open_predictor, view, modality)

    def judge(self, view: View, modality: Modality = Modality.UNKNOWN) -> Judge | None:
        """What judges the labels of the model for a view of a modality; None where its file holds nothing that does.

        Raises:
            NoModelError: there is no model for it.
            ModelFileError: the model file is damaged.
        """
        if self.predictor(view, modality).spec.judge is None:
            return None
        return self._built_once(self._judges, lambda path: Judge.within(read_model(path)), view, modality)

    def _built_once(
        self, built: dict[Path, tuple[_FileState, T]], build: Callable[[Path], T], view: View, modality: Modality
    ) -> T:
        path = self._path(view, modality)
        # Held while a model is built as well: whoever asks for the same one meanwhile waits for it.
        with self._lock:
            state = _state_of(path)
            known = built.get(path)
            if known is None or known[0] != state:
                LOG.debug("loading %s", path)
                known = built[path] = state, build(path)
            return known[1]

    def model(self, view: View, modality: Modality = Modality.UNKNOWN) -> Model:
        """The file of `predictor` with its graphs, read anew: what runs them keeps none.

        Raises:
            NoModelError: there is no model for the view.
            ModelFileError: the model file is damaged, or another one by now.
        """
        model = read_model(self._path(view, modality))
        if model.sha256 != self.predictor(view, modality).sha256:
            raise ModelFileError("the model file was changed while it was used", where=model.path, remedy="try again.")
        return model

    def _path(self, view: View, modality: Modality) -> Path:
        return default_model(view, modality) if self._named is None else find_model(self._named)

    def ready(self) -> "Models":
        """Load the named model now, so that a wrong name or a damaged file ends the work before it begins.

        Raises:
            InputError: there is no model of the name.
            ModelFileError: the model file is damaged.
        """
        if self._named is not None:
            self.predictor(View.UNKNOWN)
        return self

    def fingerprint(self) -> dict[str, str]:
        """What changes when another model might be taken: checksums of the models that can be, by name."""
        if self._named is not None:
            path = find_model(self._named)
            return {path.name: read_checksum(path)}
        return {listed.path.name: read_checksum(listed.path) for listed in list_models() if listed.spec is not None}


def _state_of(path: Path) -> _FileState:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@dataclass(frozen=True)
class TracingModel:
    """What is to be known of a model that traced: no network is in it, so that a tracing can be copied and pickled."""

    spec: ModelSpec
    sha256: str
    """Of the whole file, as `sha256sum` prints it."""


@dataclass(frozen=True)
class Tracing:
    """What models say of an exam's images, with all that is to be known of it."""

    exam: Exam
    """The images that there are; some may have no segmentation."""
    segmentations: Mapping[str, Segmentation]
    """By name of the image; those of a view that no model is at hand for have none."""
    models: tuple[TracingModel, ...] = field(default=(), repr=False)
    """Those that traced, each once."""
    with_variants: bool = False
    """Whether each is the mean over slightly changed versions of the images."""
    corrections: Mapping[str, ImageCorrection] = field(default_factory=dict, repr=False)
    """By name of the image, what a corrector did to its labels; empty where none was asked for."""
    adaptations: Mapping[str, ImageAdaptation] = field(default_factory=dict, repr=False)
    """By name of the image, what came of adapting its model to it; empty where nobody asked for that."""

    @cached_property
    def labels(self) -> dict[str, LabelMap]:
        """Label map of each image that was traced, by its name."""
        return {name: segmentation.labels for name, segmentation in self.segmentations.items()}

    @property
    def uncorrected(self) -> dict[str, LabelMap]:
        """What the models said of the images that were corrected, by name."""
        return {name: done.before for name, done in self.corrections.items() if done.corrected}

    @property
    def unadapted(self) -> dict[str, LabelMap]:
        """What the models as they are said of the images that they were adapted to, by name."""
        return {name: done.before for name, done in self.adaptations.items() if done.is_adapted}

    @property
    def traced_by(self) -> dict[str, str]:
        """Name of the model of each image."""
        return {name: segmentation.model for name, segmentation in self.segmentations.items()}

    @property
    def doubts(self) -> dict[str, Doubt]:
        """How unsure the models were of each frame, by name of the image."""
        return {name: segmentation.doubt for name, segmentation in self.segmentations.items()}

    @property
    def trust(self) -> dict[str, ImageTrust]:
        """What the models expect of their labels, by name of the image; nothing of those whose files tell nothing."""
        found = {
            name: ImageTrust(each.expected_dice, _nothing(each) if each.unlikeness is None else each.unlikeness)
            for name, each in self.segmentations.items()
        }
        return {name: trust for name, trust in found.items() if trust.is_known}

    @property
    def traced_with(self) -> dict[str, TracedBy]:
        """What each image was traced by, by its name, for the intervals of what is measured in it.

        Those that were corrected have none, nor those that a model was adapted to: the errors of labels of models as
        they are were calibrated.
        """
        calibrations = {model.spec.name: model.spec.calibration.intervals for model in self.models}
        return {
            name: TracedBy(calibrations[found.model], found.doubt, found.soft, self.with_variants, found.unlikeness)
            for name, found in self.segmentations.items()
            # A reader's empty labels are no model's, and corrected ones no longer.
            if found.model in calibrations and name not in self.uncorrected and name not in self.unadapted
        }

    @property
    def terms(self) -> dict[str, str] | None:
        """Names, licence and citation of the models; None where none traced."""
        return terms_of(self.models)

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """What network and post-processing say against trusting the labels, and which images were left out."""
        found = [flag for image in self.exam.images for flag in _left_out(image.name, image.image.view_name, self)]
        for name, segmentation in self.segmentations.items():
            found.extend(replace(flag.of(name), about=name) for flag in segmentation.warnings)
            found.extend(_removal_flags(name, segmentation))
        return tuple(dict.fromkeys(found))


def trace_exam(
    exam: Exam, models: Models, *, test_time_augmentation: bool = False, on_progress: OnProgress | None = None
) -> Tracing:
    """Label the images of an exam; those of a view that no model is at hand for are left out if others are not.

    Args:
        exam: the exam.
        models: predictors to use.
        test_time_augmentation: average over slightly changed versions of each image.
        on_progress: told how many planes are done, of all planes of the exam.

    Raises:
        NoModelError: there is no model for any of the views.
        InputError: an image that the model cannot take.
        ModelFileError: a model file is damaged.
    """
    segmentations: dict[str, Segmentation] = {}
    used: dict[tuple[str, str], TracingModel] = {}
    lacking: NoModelError | None = None
    planes = [math.prod(image.image.grid_shape[:2]) for image in exam.images]
    for index, image in enumerate(exam.images):
        try:
            predictor = models.predictor(image.image.view, image.image.modality)
        except NoModelError as error:
            lacking = error
            continue
        segmentations[image.name] = predictor.segment(
            image.image,
            test_time_augmentation=test_time_augmentation,
            on_progress=on_progress and partial(_onward, on_progress, sum(planes[:index]), sum(planes)),
        )
        LOG.debug("%s: traced by %s", image.name, predictor.spec.name)
        used[predictor.spec.name, predictor.sha256] = TracingModel(predictor.spec, predictor.sha256)
    if lacking is not None and not segmentations:
        raise lacking
    return Tracing(exam, segmentations, tuple(used.values()), test_time_augmentation)


def _onward(progress: OnProgress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def _nothing(segmentation: Segmentation) -> Float[np.ndarray, "time"]:
    """Of an image whose model cannot tell how unlike its frames are."""
    return np.full(len(next(iter(segmentation.expected_dice.values()), ())), np.nan)


def terms_of(models: tuple[TracingModel, ...]) -> dict[str, str] | None:
    """Names, licence and citation of the models that made labels, for the page; None where there are none."""
    if not models:
        return None
    terms = Terms.together(model.spec.terms for model in models)
    name = ", ".join(model.spec.name for model in models)
    return {"name": name, "licence": terms.licence, "citation": terms.citation}


def _left_out(name: str, view_name: str, tracing: Tracing) -> Iterator[Flag]:
    if name not in tracing.segmentations:
        text = f"{name} was left out: no model is at hand for view {view_name}"
        yield Flag(Grade.LOOK_TWICE, text, "left-out", name)


def _removal_flags(name: str, segmentation: Segmentation) -> Iterator[Flag]:
    for structure, removed in segmentation.removed.items():
        after = [np.count_nonzero(frame) for frame in segmentation.labels.mask(structure)]
        share = (removed / (after + removed).clip(min=1)).max()
        if share > MUCH_REMOVED:
            text = f"{name}: {share:.0%} of {structure} lay apart from the rest and was removed"
            yield Flag(Grade.LOOK_TWICE, text, "much-removed", structure.value)
