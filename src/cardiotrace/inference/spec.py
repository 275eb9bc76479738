"""What a model file says about itself: all that is needed to use it, and where it came from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from cardiotrace.clinical.intervals.calibration import NOT_CALIBRATED, IntervalCalibration
from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import from_plain, known_only, to_plain
from cardiotrace.core.contract import MODEL
from cardiotrace.core.errors import CardioTraceError, InputError, ModelFileError
from cardiotrace.core.former import with_present_keys
from cardiotrace.core.label import LabelScheme, scheme_from_mapping
from cardiotrace.core.licence import Terms
from cardiotrace.core.terms import Modality, Structure, View, modality_meant, view_name
from cardiotrace.inference.learned_images import LearnedImages
from cardiotrace.inference.quality import QualityModel
from cardiotrace.inference.shape_bank import ShapeBank
from cardiotrace.inference.tta import SectorTransforms
from cardiotrace.inference.unlikeness import Unlikeness
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.preprocessing import MOST_NEIGHBOURS, NeighboursOf, Preprocessing, channels_with_neighbours

_NO_CLASS = 255
"""In place of a class, of a label value that the network does not know."""
FORMER_KEYS: dict[int, dict[str, str]] = {
    # Version 1 knew no table of calibration, nor files of several graphs or networks of volumes.
    1: {
        "preparation": "preprocessing",
        "threshold": "calibration.threshold",
        "shape_limits": "calibration.shape_limits",
        "lowest_confidence": "calibration.lowest_confidence",
    },
    # Version 2 knew no samples that need more than their own plane, no windows and no localiser: a program of its time
    # would normalise over all of a sample, or look at the middle of the image.
    2: {},
    # Version 3 knew no classifiers of views: a program of its time would look for the structures that they label.
    3: {},
    # Version 4 knew no neighbouring frames: a program of its time would show slices in their place.
    4: {},
    # Version 5 knew no correctors of labels: a program of its time would show them images.
    5: {},
    MODEL.version: {},
}
"""For each version that is read, keys as they were called in it, and as they are called now."""
_OWN_PLANE_VERSION = 2
"""The version that is still written where samples are seen whole, and need their own plane alone and no localiser:
older programs can use those."""
_LABELLING_VERSION = 3
"""The version that is still written where pixels are labelled, and nothing is seen of other frames."""
_TELLING_VERSION = 4
"""The version that is still written where views are told apart."""
_FRAMES_VERSION = 5
"""The version that is still written where neighbouring frames are seen."""


@dataclass(frozen=True)
class SchemeSpec:
    """Label scheme that the model's results are written in."""

    name: str
    values: dict[str, int]
    """Structure name to label value."""


@dataclass(frozen=True)
class TargetSpec:
    """A domain that a model was adapted to, and what was seen of it."""

    name: str
    """Such as a data set or a vendor."""
    patients: int
    images: int
    labelled: int = 0
    """Images whose labels were learned from as well; 0 where it was adapted to without a label."""


@dataclass(frozen=True)
class AdaptationSpec:
    """What a model was adapted to beside the domain whose labels it learned from."""

    method: str
    domain: str
    """What tells domains apart, such as dataset or vendor."""
    source: tuple[str, ...]
    """Domains whose labels were learned from."""
    targets: tuple[TargetSpec, ...]

    def told(self) -> str:
        """In words.

        Example:
            >>> AdaptationSpec("dann", "dataset", ("acdc",), (TargetSpec("sunnybrook", 18, 160),)).told()
            'dann, from dataset acdc to sunnybrook (160 images of 18 patients without a label)'
        """
        seen = [
            f"{each.name} ({each.images} images of {each.patients} patients {_labels(each)})" for each in self.targets
        ]
        return f"{self.method}, from {self.domain} {', '.join(self.source)} to {', '.join(seen)}"


def _labels(target: TargetSpec) -> str:
    return f"with {target.labelled} labels" if target.labelled else "without a label"


@dataclass(frozen=True)
class TrainingSpec:
    """How the model was made."""

    data_set: str = ""
    split: str = ""
    """Name of the split or fold, or what was held out."""
    fold: int | None = None
    """Number of the fold, from 1, where the split has folds."""
    recipe: dict[str, Any] = field(default_factory=dict)
    """The resolved recipe."""
    commit: str = ""
    seed: int | None = None
    versions: dict[str, str] = field(default_factory=dict)
    """Package name to version."""
    epochs: int | None = None
    started_from: str = ""
    """The run whose weights it began with; empty for random ones."""
    pseudo_labels: str = ""
    """What came of labels that another model made where there were none; empty where it learned from none."""
    adaptation: AdaptationSpec | None = None
    """What it was adapted to; None where it learned from labels alone."""


@dataclass(frozen=True)
class Calibration:
    """How the answers of a finished network are to be read.

    All of it but `learned` was fitted on data that the network had not learned from.
    """

    threshold: float | None = None
    """Of a model of a single structure: the probability above which a pixel is the structure, chosen on validation
    images. None: the most probable class wins."""
    shape_limits: dict[str, dict[str, float]] = field(default_factory=dict)
    """Lowest plausible simplicity and convexity for each region, of the references of the training and validation
    parts. Empty in older files, and where the data are stacks or thin structures."""
    shape_quantile: float = 0.0
    """Share of those references that may lie below the limits; 0 in older files, whose limits are the least of them."""
    lowest_confidence: float | None = None
    """Lowest confidence of any validation image: a frame below it is unlike all that the model was chosen on."""
    # A minimum and no quantile, unlike the limits of shapes: the error model of the clinical rules was fitted to doubts
    # on this scale, and another would move every expected error.
    quality: dict[str, QualityModel] = field(default_factory=dict)
    """By structure, what tells the Dice that is to be expected; empty where nothing was fitted."""
    unlikeness: Unlikeness | None = None
    """What tells images that are unlike all that the model was tried on."""
    temperature: float = 1.0
    """That probabilities are brought to before they are handed out, see `metrics.reliability`; labels do not depend on
    it."""
    intervals: IntervalCalibration = NOT_CALIBRATED
    """How far the truth lies from what is measured on its labels; nothing in files that were not calibrated."""
    learned: LearnedImages | None = None
    """What the training images were like; None in older files, which cannot be adapted to an exam by statistics."""

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ModelFileError(f"a temperature of {self.temperature} is no positive number")
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise ModelFileError(f"a threshold of {self.threshold} is no probability between 0 and 1")


@dataclass(frozen=True)
class LocaliserSpec:
    """The network that finds the heart for another one; its graph travels in the other's file.

    Class 0 of it is background, all others are parts of the heart.

    Raises:
        ModelFileError: it needs a localiser itself.
    """

    name: str
    classes: int
    """Channels of the network's output: the structures and background."""
    preprocessing: Preprocessing
    """Image to network input."""
    sha256: str = ""
    """Of the model file that it was."""

    def __post_init__(self) -> None:
        if self.preprocessing.needs_centre:
            raise ModelFileError(
                f"{self.name} cannot be a localiser: it needs to know where the heart lies itself",
                remedy="name a model that sees whole images, such as heart-localiser.",
            )

    @classmethod
    def of(cls, spec: "ModelSpec", *, sha256: str) -> "LocaliserSpec":
        """What must be known of a model that is to be a localiser.

        Raises:
            ModelFileError: it labels nothing, sees volumes or colours, or needs a localiser itself.
        """
        spec.require_labels()
        if (spec.dimensions, spec.channels) != (2, 1):
            raise ModelFileError(
                f"{spec.name} cannot be a localiser: it does not work on grey planes",
                remedy="name a model of grey planes, such as heart-localiser.",
            )
        return cls(spec.name, spec.classes, spec.preprocessing, sha256)


@dataclass(frozen=True)
class JudgeSpec:
    """The network that tells where labels are probably wrong; its graph travels in the file of the model it judges.

    It sees a prepared image, after whose own channels there is one for each class of the labels, and tells right from
    wrong.

    Raises:
        ModelFileError: its temperature is no positive number.
    """

    temperature: float = 1.0
    """What its logits are divided by before the softmax, fitted on outlines that it had not learned from."""
    outlines: int = 0
    """That it learned from."""
    calibration_error: float | None = None
    """Expected calibration error of what it says, on outlines that it had not learned from; None where none were held
    out."""

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ModelFileError(f"a temperature of {self.temperature} is no positive number")


@dataclass(frozen=True)
class ViewClass:
    """One of the views that a classifier tells apart: the plane, and how the image was made."""

    view: View
    modality: Modality
    lowest: float = 0.5
    """The least probability at which it is named: some views are taken for another oftener than others."""

    @property
    def name(self) -> str:
        """What a cardiologist calls it.

        Example:
            >>> ViewClass(View.FOUR_CHAMBER, Modality.US).name, ViewClass(View.SAX, Modality.MR).name
            ('A4C', 'SAX')
        """
        return view_name(self.view, self.modality)


@dataclass(frozen=True)
class ModelSpec:
    """The description that travels inside a model file.

    Class 0 of the network is background; class i is the i-th structure of the scheme in order of label value. Where
    it tells views apart and labels nothing, class 0 is none of them and class i is the i-th of `tells_apart`.

    Raises:
        ModelFileError: a structure is unknown, the number of classes does not fit the scheme, or a fact about planes
            is told of a network of volumes.
    """

    name: str
    summary: str
    scheme: SchemeSpec
    views: tuple[View, ...]
    """Views it was trained on; none for a network that helps others, such as a localiser, and analyses no exam."""
    classes: int
    """Channels of the network's output: the structures and background."""
    preprocessing: Preprocessing
    """Image to network input, and network output back to the image's grid."""
    modality: Modality = Modality.UNKNOWN
    """How the images that it was trained on were made; in older files it follows from the words for the views."""
    channels: int = 1
    """Channels of the network's input, after the preprocessing; those of its neighbours among them."""
    neighbours: int = 0
    """Planes on each side of a plane that the network sees as channels before and after its own, see `planes_around`;
    each is prepared by itself."""
    neighbours_of: NeighboursOf = "slices"
    """Whether those are slices of the same stack, or frames of the same film."""
    dimensions: Literal[2, 3] = 2
    """Axes of what the network sees at once: 2 for planes, 3 for volumes."""
    window: tuple[int, ...] | None = None
    """Sides of what the network sees at once where samples may be larger: it then slides over them, and each window is
    normalised by itself, as in training. None: a sample is seen whole."""
    tells_apart: tuple[ViewClass, ...] = ()
    """Views that a classifier of whole images tells apart, which labels no pixel; empty for all other models."""
    corrects: ShapeBank | None = None
    """What a corrector of labels knows, which is shown label maps and no images; None of all other models."""
    graphs: tuple[str, ...] = ()
    """Names of further graphs in the file, beside the first one, which labels samples."""
    postprocessing: Postprocessing = field(default_factory=Postprocessing)
    """Label map to label map."""
    mirror_axes: tuple[str, ...] = ()
    """Axes ("height", "width") along which a mirrored image is still a possible image; apical views have none."""
    sector: SectorTransforms | None = None
    """Changes of ultrasound sectors that test-time augmentation averages over; None: other changes."""
    calibration: Calibration = Calibration()
    """Threshold, limits of shapes, lowest confidence."""
    default_for: tuple[View, ...] = ()
    """Views for which it is preferred over other models."""
    architecture: Choice = field(default_factory=lambda: Choice("unknown"))
    """The network: its name among the architectures, and its options."""
    training: TrainingSpec = TrainingSpec()
    scores: dict[str, Any] = field(default_factory=dict)
    """Nested table of held-out results."""
    localiser: LocaliserSpec | None = None
    """What finds the heart, for a network that sees a crop around it; its graph is the further graph "localiser"."""
    judge: JudgeSpec | None = None
    """What tells where labels are probably wrong; its graph is the further graph "judge". None where nobody can."""
    within_field_of_view: bool = False
    """Whether it learned only from what the camera saw: around a photograph's field of view all is background then."""
    licence: str = ""
    citation: str = ""
    created: str = ""
    """Date, ISO 8601."""
    format_version: int = MODEL.version

    def __post_init__(self) -> None:
        if not set(self.mirror_axes) <= {"height", "width"}:
            raise ModelFileError(f"mirror axes are height and width, got {', '.join(self.mirror_axes)}")
        self._require_classes()
        if self.calibration.threshold is not None and self.classes != 2:
            raise ModelFileError(
                f"model {self.name!r} has a threshold for {self.classes} classes",
                remedy="a threshold is for two classes: the structure and background.",
            )
        if self.preprocessing.needs_centre and self.localiser is None:
            raise ModelFileError(
                f"model {self.name!r} sees a crop around the heart and has no localiser that finds it",
                remedy='train it with a localiser: `localiser = "heart-localiser"` in the recipe.',
            )
        if self.window is not None and (len(self.window) != self.dimensions or min(self.window) < 1):
            raise ModelFileError(
                f"model {self.name!r} has a window of {'x'.join(map(str, self.window))}, and its network sees"
                f" {self.dimensions} axes"
            )
        if self.judge is not None and self.dimensions == 3:
            raise ModelFileError(f"model {self.name!r} of volumes has a judge, which only planes have")
        if self.dimensions == 3 and (self.sector is not None or self.within_field_of_view):
            raise ModelFileError(
                f"model {self.name!r} of volumes has a sector or field of view, which only planes have"
            )
        self._require_neighbours()

    def _require_classes(self) -> None:
        """Refuse a network that has not as many classes as it is told to have."""
        if self.tells_apart and (self.scheme.values or self.views or self.classes != len(self.tells_apart) + 1):
            raise ModelFileError(
                f"model {self.name!r} tells {len(self.tells_apart)} views apart with {self.classes} classes,"
                f" {len(self.scheme.values)} structures and {len(self.views)} views to analyse",
                remedy="a classifier has one class for each view and one for none of them, and labels nothing.",
            )
        if not self.tells_apart and self.classes != self.label_scheme.class_count:
            raise ModelFileError(
                f"model {self.name!r} has {self.classes} classes for {self.label_scheme.class_count - 1} structures"
                " and background"
            )

    def require_labels(self) -> None:
        """Refuse to label pixels with a classifier of views, or a corrector of labels.

        Raises:
            ModelFileError: it is one.
        """
        if self.tells_apart:
            raise ModelFileError(
                f"model {self.name!r} tells views apart and labels nothing",
                remedy="name a model that traces; `cardiotrace models list` tells which structures each knows.",
            )
        if self.corrects is not None:
            raise ModelFileError(
                f"model {self.name!r} corrects labels and sees no images",
                remedy="name a model that traces with --model; `--correct` takes this one.",
            )

    def _require_neighbours(self) -> None:
        """Refuse neighbours that cannot be, before anything is labelled by them."""
        what = self.neighbours_of
        if not 0 <= self.neighbours <= MOST_NEIGHBOURS:
            raise ModelFileError(f"model {self.name!r} sees {self.neighbours} {what} on each side of a plane")
        if self.neighbours and self.dimensions == 3:
            raise ModelFileError(f"model {self.name!r} of volumes has neighbouring {what}, which only planes have")
        if self.neighbours and self.channels != channels_with_neighbours(1, self.neighbours):
            beside = f"a grey plane and {self.neighbours} {what} on each side"
            raise ModelFileError(f"model {self.name!r} has {self.channels} channels for {beside}")

    @property
    def plane_channels(self) -> int:
        """Channels of one prepared plane."""
        return 1 if self.neighbours else self.channels

    @property
    def terms(self) -> Terms:
        """What is owed to the data that it learned from."""
        return Terms(self.licence, self.citation)

    @property
    def label_scheme(self) -> LabelScheme:
        """The scheme as the rest of the package speaks of it."""
        return scheme_from_mapping(self.scheme.name, self.scheme.values)

    def channel_of(self, structure: Structure) -> int | None:
        """Which channel of the network's output is a structure; None if it does not know it."""
        scheme = self.label_scheme
        return scheme.structures.index(structure) + 1 if structure in scheme.values else None

    @property
    def class_values(self) -> NDArray[np.uint8]:
        """Label value of each class of the network, (classes,)."""
        scheme = self.label_scheme
        return np.array([0, *(scheme.value(structure) for structure in scheme.structures)], np.uint8)

    def classes_of(self, labels: UInt8[np.ndarray, "*axes"]) -> UInt8[np.ndarray, "*axes"]:
        """Class of the network for each label value, the way back from `class_values`.

        Raises:
            InputError: a value is of no structure.
        """
        table = np.full(256, _NO_CLASS, np.uint8)
        table[self.class_values] = np.arange(self.classes, dtype=np.uint8)
        classes: UInt8[np.ndarray, "*axes"] = table[labels]
        if (classes == _NO_CLASS).any():
            raise InputError(f"labels have values that are of no structure of {self.name}")
        return classes


def spec_from_plain(values: Mapping[str, Any]) -> ModelSpec:
    """Read a description from plain data.

    Facts that a newer program added are passed over: one without which the model cannot be used has another
    `format_version`.

    Raises:
        ModelFileError: a newer `format_version`, or a missing or bad key.
    """
    former = FORMER_KEYS[MODEL.version_of(values, kind=ModelFileError)]
    try:
        present = known_only(ModelSpec, with_present_keys(values, former))
        modality = _modality_of_views(values)
        return from_plain(ModelSpec, {"modality": modality, **present, "format_version": MODEL.version})
    except CardioTraceError as error:
        raise ModelFileError(f"the model's description cannot be used: {error.what}", remedy=error.remedy) from None


def _modality_of_views(values: Mapping[str, Any]) -> str:
    """What older files say of it: their views are "A4C" of echo or "SAX" of MRI."""
    views = values.get("views")
    found = {modality_meant(str(word)) for word in views} if isinstance(views, list | tuple) else set()
    return found.pop() if len(found) == 1 else Modality.UNKNOWN


def spec_to_plain(spec: ModelSpec) -> dict[str, Any]:
    """Plain data that `spec_from_plain` reads; numbers that JSON lacks (NaN, infinity) become null.

    In the oldest version that holds all that the model needs.
    """
    needs_more = spec.neighbours or spec.window is not None or spec.localiser is not None
    labelling = _LABELLING_VERSION if needs_more else _OWN_PLANE_VERSION
    version = _TELLING_VERSION if spec.tells_apart else labelling
    if spec.neighbours and spec.neighbours_of == "frames":
        version = _FRAMES_VERSION
    if spec.corrects is not None:
        version = MODEL.version
    plain: dict[str, Any] = _jsonable(to_plain(replace(spec, format_version=version)))
    return plain


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _jsonable(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(entry) for entry in value]
    if isinstance(value, np.generic | np.ndarray):
        return _jsonable(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def view_names(spec: ModelSpec) -> str:
    """The views that a model is for, as a cardiologist calls them; what classifiers and correctors do in them."""
    if spec.tells_apart:
        return f"tells apart {', '.join(each.name for each in spec.tells_apart)}"
    if spec.corrects is not None:
        return f"corrects {', '.join(view_name(view, spec.modality) for view in spec.corrects.views)}"
    return ", ".join(view_name(view, spec.modality) for view in spec.views)


def fits_modality(spec: ModelSpec, modality: Modality) -> bool:
    """Whether a model may have seen such images: both say the same, or one says nothing."""
    return modality is spec.modality or Modality.UNKNOWN in (modality, spec.modality)
