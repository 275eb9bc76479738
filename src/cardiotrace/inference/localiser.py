"""Where the heart lies in an image: a small network on coarse planes, asked before the one that labels.

It sees the image alone, never a reference, so that an image without labels goes the same way as one with them, in
training as in use.
"""

import functools
import logging
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Shaped

from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.image import Image
from cardiotrace.geometry.blank import blank_planes
from cardiotrace.geometry.component import largest_component
from cardiotrace.inference.engine import Engine, Provider, make_engine, run_single
from cardiotrace.inference.model_file import LOCALISER, Model
from cardiotrace.inference.sample import softmax
from cardiotrace.inference.spec import LocaliserSpec
from cardiotrace.io import as_grey
from cardiotrace.preprocessing import Centre, ResamplingTransform, middle_of

_LOG = logging.getLogger(__name__)

FEWEST_PIXELS = 20
"""Of the coarse grid, all slices together: less is no heart. A heart that fills a hundredth of each of ten planes of
96 x 96 has 900."""
TAIL = 0.005
"""Share of what is marked that may lie beyond each end of the heart's extent: a leak of a few pixels moves nothing."""

Extent = tuple[tuple[float, float], tuple[float, float]]
"""First and last edge along height and along width, in pixels of the image from its first edges."""


@dataclass(frozen=True)
class HeartPlace:
    """Where the heart lies in the planes of an image."""

    centre: Centre
    """Middle of its extent, or of the image where it was not found."""
    extent: Extent | None
    """What is marked as heart, over all slices and phases; None where nothing is."""
    pixel: Centre = (1.0, 1.0)
    """Side of a pixel of the coarse grid along height and width, in pixels of the image: how well it can be known."""
    localiser: str = "the localiser"
    """Name of what looked."""

    def flags(self, view: ResamplingTransform | None = None) -> tuple[Flag, ...]:
        """What speaks against it.

        Args:
            view: what the network that labels sees of the image, where that is to be checked too.
        """
        if self.extent is None:
            text = f"the heart was not found by {self.localiser}; the middle of the image was taken"
            return (Flag(Grade.LOOK_TWICE, text, "heart-not-found"),)
        cut = 0.0 if view is None else self._cut(view)
        if not cut:
            return ()
        text = f"the heart that {self.localiser} marks reaches {cut:.0f} pixels beyond what the model sees of the image"
        return (Flag(Grade.LOOK_TWICE, text, "heart-cut"),)

    def _cut(self, view: ResamplingTransform) -> float:
        """Pixels of the extent that lie outside a view, at the worst of its four sides; 0 within a coarse pixel."""
        beyond = 0.0
        for axis, (first, last), pixel in zip(view.axes[-2:], self.extent or (), self.pixel, strict=True):
            end = axis.offset + axis.target_size * axis.scale
            # The image's own edge cuts as well, and no crop can help it.
            most = max(axis.offset - first, last - end)
            beyond = max(beyond, most if most > pixel else 0.0)
        return beyond


@dataclass(frozen=True)
class Localiser:
    """Finds the heart in images with one small network.

    Args:
        spec: what is to be known of the network.
        graph: the network, as ONNX bytes.
        provider: what runs it; by default `chosen_provider`.
    """

    spec: LocaliserSpec
    graph: bytes
    provider: Provider | None = None

    @classmethod
    def of(cls, model: Model) -> "Localiser":
        """The localiser that a model file of its own is.

        Raises:
            ModelFileError: it sees volumes or colours, or needs another localiser itself.
        """
        return cls(LocaliserSpec.of(model.spec, sha256=model.sha256), model.graph())

    @classmethod
    def within(cls, model: Model, *, provider: Provider | None = None) -> "Localiser | None":
        """The localiser that travels in a model file; None where there is none."""
        spec = model.spec.localiser
        return None if spec is None else cls(spec, model.graph(LOCALISER), provider)

    @property
    def sha256(self) -> str:
        """Of the model file that it was, by which caches of what it cut are told apart."""
        return self.spec.sha256

    @functools.cached_property
    def _engine(self) -> Engine:
        return make_engine(self.graph, provider=self.provider)

    def centre(self, image: Image) -> Centre:
        """Where the heart lies; where it is not found the middle of the image, told by the log."""
        place = self.locate(image)
        for flag in place.flags():
            _LOG.warning("%s: %s", "an image" if image.source is None else image.source.path, flag)
        return place.centre

    def locate(self, image: Image) -> HeartPlace:
        """Where the heart lies in an image of one or several slices and phases.

        Of many phases two are looked at, the first and the one after a third: about end-diastole and end-systole where
        a cine begins with the R wave.

        Args:
            image: grey or coloured, planes or stacks.

        Raises:
            InputError: no pixel size where the localiser needs it.
            ModelFileError: the network fails.
        """
        grey = as_grey(image) if image.is_colour else image
        blank = blank_planes(grey.frames)
        phases = [frame for frame in _phases(len(blank)) if not blank[frame].all()]
        spacing_mm = grey.spacing_mm
        transform = self.spec.preprocessing.transform_for(grey.grid_shape[2:], spacing_mm and spacing_mm[1:])
        nowhere = HeartPlace(middle_of(grey.grid_shape), None, _scales(transform), self.spec.name)
        if not phases:
            return nowhere
        share = np.mean([self._heart(grey.frames[frame], blank[frame], transform) for frame in phases], axis=0)
        extent = _extent(share)
        if extent is None:
            return nowhere
        (top, bottom), (left, right) = native = _on_image(extent, transform)
        return replace(nowhere, centre=((top + bottom) / 2, (left + right) / 2), extent=native)

    def _heart(
        self,
        stack: Shaped[np.ndarray, "depth height width"],
        blank: Bool[np.ndarray, "depth"],
        transform: ResamplingTransform,
    ) -> Float[np.ndarray, "depth rows columns"]:
        """Probability of any structure of the heart on the coarse grid; 0 in blank planes."""
        heart = np.zeros((len(stack), *transform.shape), np.float32)
        shown = np.flatnonzero(~blank)
        planes = np.stack([self.spec.preprocessing.apply(stack[depth], transform) for depth in shown])
        heart[shown] = 1 - softmax(run_single(self._engine, planes))[:, 0]
        return heart


def _phases(count: int) -> list[int]:
    """The frames that are looked at.

    Example:
        >>> _phases(1), _phases(2), _phases(25)
        ([0], [0, 1], [0, 8])
    """
    return sorted({0, round(count / 3)} if count > 1 else {0})


def _scales(transform: ResamplingTransform) -> Centre:
    rows, columns = transform.axes
    return rows.scale, columns.scale


def _extent(share: Float[np.ndarray, "depth rows columns"]) -> Extent | None:
    """Edges of what is heart along rows and columns, in pixels of the grid; None where nothing is.

    The largest connected part of what is more likely heart than not counts, each pixel by its probability, all slices
    together: a slice with much of the heart counts more than a doubtful one at its ends.

    Example:
        >>> share = np.zeros((1, 9, 12), np.float32)
        >>> share[0, 2:7, 3:8] = 1
        >>> _extent(share)
        ((2.025, 6.975), (3.025, 7.975))
    """
    heart = largest_component(share > 0.5)
    if np.count_nonzero(heart) < FEWEST_PIXELS:
        return None
    mass = np.where(heart, share, 0).sum(axis=0, dtype=np.float64)
    return _between_tails(mass.sum(axis=1)), _between_tails(mass.sum(axis=0))


def _between_tails(mass: Float[np.ndarray, "pixels"]) -> tuple[float, float]:
    """The edges between which all but the tails of a mass lie that is spread evenly over each pixel."""
    below = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    seen = np.flatnonzero(mass)
    # Within what is marked, where the sum grows at every edge, so that each share has one place.
    edges = slice(int(seen[0]), int(seen[-1]) + 2)
    first, last = np.interp([TAIL, 1 - TAIL], below[edges], np.arange(len(below))[edges])
    return round(float(first), 6), round(float(last), 6)


def _on_image(extent: Extent, transform: ResamplingTransform) -> Extent:
    """The extent in pixels of the image, none of it beyond the image's edges."""
    rows, columns = (
        tuple(min(max(axis.offset + edge * axis.scale, 0.0), float(axis.source_size)) for edge in edges)
        for axis, edges in zip(transform.axes, extent, strict=True)
    )
    return (rows[0], rows[1]), (columns[0], columns[1])
