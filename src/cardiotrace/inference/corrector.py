"""Brings labels that can be no heart's to the nearest shape that can: an autoencoder of valid shapes, searched.

A label map is framed and coded. Shapes are drawn of its own code and of codes on the way to those of the nearest known
valid shapes; of each as much is taken as the autoencoder is sure of, by several degrees of sureness. Of all these maps
that pass the criteria the one nearest to the given labels is theirs.

Source:
    Painchaud et al. 2020, IEEE Trans Med Imaging 39:3703, for the search among codes. That only as much of a shape is
    taken as the criteria ask for is this project's.
"""

import functools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.clinical.anatomy.criterion import Axis, Measured
from cardiotrace.clinical.anatomy.limits import preset
from cardiotrace.clinical.anatomy.plane import Plane
from cardiotrace.clinical.correction import ImageCorrection, Outcome, PlaneCorrection
from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.inference.engine import Engine, Provider, make_engine, run_single
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.sample import softmax
from cardiotrace.inference.shape_bank import ShapeBank
from cardiotrace.inference.shape_frame import ShapeFrame
from cardiotrace.inference.spec import ModelSpec, fits_modality

_LOG = logging.getLogger(__name__)

DECODER = "decoder"
"""Name of the further graph that draws shapes; the first graph codes them."""
STEPS = (0.25, 0.5, 0.75, 1.0)
"""On the way from a map's own code, which is tried first, to that of a valid shape."""
NEIGHBOURS = 3
"""So many valid shapes are walked towards, the nearest first."""
KEPT = (0.45, 0.35, 0.2, 0.0)
"""Weight of the labels as they were beside the probabilities of a shape; 0 takes the shape as it is."""

Labels = UInt8[np.ndarray, "height width"]
Code = Float[np.ndarray, " code"]
Shares = Float[np.ndarray, "classes height width"]
"""Probability of each class, background first."""
PixelSize = tuple[float, float]
"""Of a row and a column, mm."""
_SQUARE: PixelSize = (1.0, 1.0)


@dataclass(frozen=True)
class Projection:
    """The nearest valid labels of one plane."""

    labels: Labels
    """Those that were given, where they are valid already or no valid shape is near."""
    outcome: Outcome
    failed: tuple[str, ...] = ()
    """Criteria that the given labels fail, each in words with the value."""
    dice: float | None = None
    """Between the given labels and the nearest valid ones, whether taken or not; None where there are none."""


@dataclass(frozen=True)
class Corrector:
    """Corrects label maps with one small network; may be used by several threads at a time.

    Args:
        spec: what is to be known of the network.
        encoder: label maps to codes, as ONNX bytes.
        decoder: codes to shapes, as ONNX bytes.
        sha256: of the model file.
        provider: what runs both; by default `chosen_provider`.

    Raises:
        ModelFileError: it is another kind of model.
    """

    spec: ModelSpec
    encoder: bytes
    decoder: bytes
    sha256: str = ""
    provider: Provider | None = None

    def __post_init__(self) -> None:
        if self.spec.corrects is None:
            raise ModelFileError(
                f"model {self.spec.name!r} corrects no labels", remedy="name one that does, such as corrector-4ch."
            )

    @classmethod
    def of(cls, model: Model) -> "Corrector":
        """The corrector that a model file is.

        Raises:
            ModelFileError: it is another kind of model.
        """
        # Asked first: the message about a graph that is not there would help nobody.
        decoder = b"" if model.spec.corrects is None else model.graph(DECODER)
        return cls(model.spec, model.graph(), decoder, model.sha256)

    @functools.cached_property
    def bank(self) -> ShapeBank:
        """What it knows of valid shapes."""
        assert self.spec.corrects is not None  # refused when it was made
        return self.spec.corrects

    @functools.cached_property
    def _engines(self) -> tuple[Engine, Engine]:
        return make_engine(self.encoder, provider=self.provider), make_engine(self.decoder, provider=self.provider)

    @property
    def scheme(self) -> LabelScheme:
        """What its labels stand for."""
        return self.spec.label_scheme

    @property
    def axis(self) -> Axis:
        """How the planes that it corrects cut the heart."""
        axis = Axis.of(self.bank.views[0])
        if axis is None:
            raise ModelFileError(f"no anatomical criteria speak of view {self.bank.views[0]}")
        return axis

    def why_not(self, image: Image, labels: LabelMap) -> str:
        """Why it cannot look at the labels of an image, in words; empty where it can."""
        if image.view not in self.bank.views or not fits_modality(self.spec, image.modality):
            return f"{self.spec.name} knows no shapes of view {image.view_name}"
        if set(labels.scheme.values) != set(self.scheme.values):
            known, found = (", ".join(each.structures) for each in (self.scheme, labels.scheme))
            return f"{self.spec.name} knows shapes of {known}, and the labels are of {found}"
        if labels.spacing_mm is None:
            return "the size of its pixels is not known, and with it the proportions of the shape are not"
        return ""

    def correct(self, image: Image, labels: LabelMap, *, is_upright: bool = True) -> tuple[LabelMap, ImageCorrection]:
        """Correct the planes of an image that fail the criteria; all others stay as they are.

        Args:
            image: what was labelled.
            labels: on its grid; they are not changed.
            is_upright: whether the apex is known to be at the top of a long axis.

        Returns:
            The labels, those given where nothing was corrected; and what was done.

        Raises:
            ModelFileError: the network fails.
        """
        if reason := self.why_not(image, labels):
            return labels, ImageCorrection(self.spec.name, labels, (), reason)
        assert labels.spacing_mm is not None  # `why_not` says so
        own = labels.to(self.scheme)
        places = [place for place in np.ndindex(*own.array.shape[:2]) if own.array[place].any()]
        found = self.project([own.array[place] for place in places], labels.spacing_mm[1:], is_upright=is_upright)
        array, planes = own.array.copy(), []
        for (frame, depth), each in zip(places, found, strict=True):
            if each.outcome is not Outcome.VALID:
                planes.append(PlaneCorrection(frame, depth, each.outcome, each.failed, each.dice))
                array[frame, depth] = each.labels
        done = ImageCorrection(self.spec.name, labels, tuple(planes))
        if not done.corrected:
            return labels, done
        corrected = LabelMap(array, self.scheme, labels.geometry, labels.source, labels.notes)
        return corrected.to(labels.scheme), done

    def project(
        self, planes: Sequence[Labels], pixel_mm: PixelSize | None, *, is_upright: bool = True
    ) -> tuple[Projection, ...]:
        """The nearest valid labels of each of several planes.

        Args:
            planes: label values of its `scheme`; planes without labels are valid.
            pixel_mm: size of a pixel (row, column); None takes pixels for squares and asks no criterion in mm.
            is_upright: whether the apex is known to be at the top of a long axis.

        Raises:
            InputError: a value is of no structure.
            ModelFileError: the network fails.
        """
        return tuple(self._projected(plane, pixel_mm, is_upright) for plane in planes)

    def redrawn(self, planes: Sequence[Labels], pixel_mm: PixelSize | None) -> tuple[Labels, ...]:
        """Each plane as the autoencoder draws it from its own code: how well it can say what it is shown.

        Args:
            planes: label values of its `scheme`.
            pixel_mm: size of a pixel (row, column); None takes pixels for squares.

        Raises:
            InputError: a value is of no structure.
            ModelFileError: the network fails.
        """
        return tuple(self._redrawn(plane, pixel_mm) for plane in planes)

    def code_of(self, plane: Labels, pixel_mm: PixelSize | None) -> Code:
        """What the autoencoder says of a labelled plane.

        Raises:
            InputError: nothing is labelled, or a value is of no structure.
            ModelFileError: the network fails.
        """
        frame = ShapeFrame.of(plane, pixel_mm or _SQUARE)
        if frame is None:
            raise InputError("a plane without labels has no shape")
        return self._code(self.spec.classes_of(plane), frame)

    def described_by(self, spec: ModelSpec) -> "Corrector":
        """The same network under another description."""
        return replace(self, spec=spec)

    def failures(self, plane: Labels, pixel_mm: PixelSize | None, *, is_upright: bool = True) -> tuple[str, ...]:
        """Criteria that a plane fails, each in words; what is missing is told by other rules.

        Args:
            plane: label values of its `scheme`.
            pixel_mm: size of a pixel (row, column); None asks no criterion in mm.
            is_upright: whether the apex is known to be at the top of a long axis.
        """
        geometry = NO_GEOMETRY if pixel_mm is None else Geometry.of_spacing((1.0, *pixel_mm))
        labels = LabelMap(plane[None, None], self.scheme, geometry)
        measured = Measured.of(Plane.of(labels, 0, is_upright=is_upright and self.axis is Axis.LONG), self.axis)
        found = preset(self.bank.limits).failures(measured, self.axis)
        return tuple(failure.words for failure in found if not failure.is_missing)

    def _code(self, classes: Labels, frame: ShapeFrame) -> Code:
        maps = frame.maps(classes, self.spec.classes, self.bank.side)
        code: Code = run_single(self._engines[0], maps[None])[0]
        return code

    def _redrawn(self, plane: Labels, pixel_mm: PixelSize | None) -> Labels:
        frame = ShapeFrame.of(plane, pixel_mm or _SQUARE)
        if frame is None:
            return plane.copy()
        (shape,) = self._drawn(self._code(self.spec.classes_of(plane), frame)[None], frame)
        return np.asarray(self.spec.class_values[shape.argmax(axis=0)])

    def _projected(self, plane: Labels, pixel_mm: PixelSize | None, is_upright: bool) -> Projection:
        frame, classes = ShapeFrame.of(plane, pixel_mm or _SQUARE), self.spec.classes_of(plane)
        failed = () if frame is None else self.failures(plane, pixel_mm, is_upright=is_upright)
        if frame is None or not failed:
            return Projection(plane, Outcome.VALID)
        tried = [self.spec.class_values[each] for each in self._candidates(classes, frame)]
        # The nearest first: what passes then is the least change.
        for dice, index in sorted(((mean_dice(plane, each), -index) for index, each in enumerate(tried)), reverse=True):
            labels = tried[-index]
            if not self.failures(labels, pixel_mm, is_upright=is_upright):
                is_near = dice >= self.bank.lowest_dice
                _LOG.debug("a plane that fails (%s) has a valid one at Dice %.3f", "; ".join(failed), dice)
                outcome = Outcome.CORRECTED if is_near else Outcome.FAR
                return Projection(labels if is_near else plane, outcome, failed, dice)
        return Projection(plane, Outcome.FAR, failed)

    def _candidates(self, classes: Labels, frame: ShapeFrame) -> Iterator[Labels]:
        """Planes of classes on the ways to valid shapes."""
        code = self._code(classes, frame)
        given = (classes == np.arange(self.spec.classes)[:, None, None]).astype(np.float32)
        for shape in self._shapes(code, frame):
            for kept in KEPT:
                yield (kept * given + (1 - kept) * shape).argmax(axis=0).astype(np.uint8)

    def _shapes(self, code: Code, frame: ShapeFrame) -> Iterator[Shares]:
        """Probabilities of shapes between a code and the nearest valid ones; each way is drawn when it is asked for."""
        yield from self._drawn(code[None], frame)
        for valid in self.bank.nearest(code, NEIGHBOURS):
            yield from self._drawn(np.stack([code + step * (valid - code) for step in STEPS]), frame)

    def _drawn(self, codes: Float[np.ndarray, "shapes code"], frame: ShapeFrame) -> Iterator[Shares]:
        """Probabilities on the plane of the shapes that codes stand for."""
        shapes = softmax(run_single(self._engines[1], codes.astype(np.float32)))
        grid = frame.grid(shapes.shape[-1])
        return (grid.invert(shape) for shape in shapes)


def mean_dice(first: Labels, second: Labels) -> float:
    """Mean Dice of all values that either plane has; 1 where neither has any.

    Example:
        >>> one, other = np.array([[1, 1, 2, 2]], np.uint8), np.array([[1, 1, 2, 0]], np.uint8)
        >>> round(mean_dice(one, other), 3)
        0.833
    """
    values = sorted({*np.unique(first).tolist(), *np.unique(second).tolist()} - {0})
    parts = [
        2
        * np.count_nonzero((first == value) & (second == value))
        / (np.count_nonzero(first == value) + np.count_nonzero(second == value))
        for value in values
    ]
    return float(np.mean(parts)) if parts else 1.0
