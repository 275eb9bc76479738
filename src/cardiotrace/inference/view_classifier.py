"""Which view of the heart an image shows, proposed where nothing states it: a small network on coarse planes."""

import functools
import logging
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View
from cardiotrace.geometry.blank import blank_planes
from cardiotrace.inference.engine import Engine, Provider, make_engine, run_single
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.sample import softmax
from cardiotrace.inference.spec import ModelSpec, ViewClass
from cardiotrace.io import as_grey

_LOG = logging.getLogger(__name__)

MOST_FRAMES = 3
"""Instants of a cine that are looked at, spread over it."""
MOST_SLICES = 5
"""Slices of a stack that are looked at, in the middle half of it: beyond lie apex and great vessels."""


@dataclass(frozen=True)
class ViewProposal:
    """What a classifier says of one image."""

    classes: tuple[ViewClass, ...]
    probabilities: Float[np.ndarray, "classes"]
    """That it is none of the classes, then of each class; see `of_planes`."""
    is_stack: bool = False
    """Whether the image has several slices."""
    modality: Modality = Modality.UNKNOWN
    """As the image states it."""

    @property
    def likeliest(self) -> ViewClass | None:
        """The most probable class, however probable; None where that is none of them."""
        index = int(np.argmax(self.probabilities))
        return self.classes[index - 1] if index else None

    @property
    def probability(self) -> float:
        """Of the most probable class, or that it is none of them; of a short-axis stack among what a stack can be."""
        found, most = self.likeliest, float(self.probabilities.max())
        if found is None or not (self.is_stack and found.view is View.SAX):
            return most
        # Slices side by side are no long axes, whatever one of them looks like.
        could_be = [True, *(each.view is View.SAX for each in self.classes)]
        return most / float(self.probabilities[could_be].sum())

    @property
    def proposed(self) -> ViewClass | None:
        """The class to propose; None where the classifier abstains."""
        return None if self._why_not else self.likeliest

    @property
    def view(self) -> View:
        """The view to propose, or unknown."""
        return View.UNKNOWN if self.proposed is None else self.proposed.view

    @property
    def words(self) -> str:
        """What to say of it: "view 4CH proposed by the classifier (98 %): ..."."""
        if self.proposed is not None:
            return f"view {self.proposed.name} proposed by the classifier ({self.probability:.0%})"
        return f"the view is not stated, and the classifier proposes none: {self._why_not}"

    @property
    def _why_not(self) -> str:
        """Why nothing is proposed; empty where something is."""
        found = self.likeliest
        if found is None:
            return "it looks like no view that it knows"
        likely = f"{found.name}, {self.probability:.0%}"
        if self.modality not in (Modality.UNKNOWN, found.modality):
            return f"it looks like {likely}, and was not made so"
        if self.probability < found.lowest:
            return f"it is unsure ({likely})"
        if self.is_stack and found.view is not View.SAX:
            return f"each of its planes looks like {likely}, and slices side by side cannot: are they instants?"
        return ""


@dataclass(frozen=True)
class ViewClassifier:
    """Proposes views with one small network.

    Args:
        spec: what is to be known of the network.
        graph: the network, as ONNX bytes.
        provider: what runs it; by default `chosen_provider`.

    Raises:
        ModelFileError: the model labels pixels and tells no views apart.
    """

    spec: ModelSpec
    graph: bytes
    provider: Provider | None = None

    def __post_init__(self) -> None:
        if not self.spec.tells_apart:
            raise ModelFileError(
                f"model {self.spec.name!r} tells no views apart",
                remedy="name a model that does, such as view-classifier.",
            )

    @classmethod
    def of(cls, model: Model) -> "ViewClassifier":
        """The classifier that a model file is.

        Raises:
            ModelFileError: it is another kind of model.
        """
        return cls(model.spec, model.graph())

    @functools.cached_property
    def _engine(self) -> Engine:
        return make_engine(self.graph, provider=self.provider)

    def propose(self, image: Image) -> ViewProposal:
        """What an image shows, by its pixels alone.

        Args:
            image: grey or coloured, stills, cines, or stacks.

        Raises:
            ModelFileError: the network fails.
        """
        is_stack = image.grid_shape[1] > 1
        planes = self.prepared(image)
        found = np.eye(1, self.spec.classes, dtype=np.float32)
        if len(planes):
            found = softmax(run_single(self._engine, planes))
        proposal = ViewProposal(self.spec.tells_apart, of_planes(found), is_stack, image.modality)
        _LOG.debug("%s", proposal.words)
        return proposal

    def prepared(self, image: Image) -> Float[np.ndarray, "planes 1 rows columns"]:
        """The planes that the network sees of an image; none where all of it is blank."""
        grey = as_grey(image) if image.is_colour else image
        spacing_mm = grey.spacing_mm
        preprocessing = self.spec.preprocessing
        transform = preprocessing.transform_for(grey.grid_shape[2:], spacing_mm and spacing_mm[1:])
        planes = looked_at(grey.frames)
        if not planes:
            return np.zeros((0, 1, *transform.shape), np.float32)
        return np.stack([preprocessing.apply(plane, transform) for plane in planes])


def of_planes(found: Float[np.ndarray, "planes classes"]) -> Float[np.ndarray, "classes"]:
    """The probabilities of an image from those of its planes: their mean."""
    return np.asarray(found.mean(axis=0))


def looked_at(frames: Shaped[np.ndarray, "time depth height width"]) -> list[Shaped[np.ndarray, "height width"]]:
    """The planes of an image that a classifier looks at: some instants of some slices, none of them blank.

    Example:
        >>> len(looked_at(np.random.default_rng(0).random((25, 9, 20, 20))))
        15
    """
    times = _spread(0, len(frames) - 1, MOST_FRAMES)
    last = frames.shape[1] - 1
    slices = _spread(round(last / 4), round(3 * last / 4), MOST_SLICES)
    some = frames[np.ix_(times, slices)]
    blank = blank_planes(some)
    return [some[position] for position in np.ndindex(*some.shape[:2]) if not blank[position]]


def _spread(first: int, last: int, most: int) -> list[int]:
    """Whole numbers from first to last, evenly spread, at most so many.

    Example:
        >>> _spread(0, 24, 3), _spread(2, 3, 5)
        ([0, 12, 24], [2, 3])
    """
    return sorted({round(value) for value in np.linspace(first, last, most)})
