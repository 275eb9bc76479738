"""A list of steps as one new image, one transform onto the network's grid and one change of values.

A *sample* is what a network sees at once: a plane (height, width) or a volume (depth, height, width). Nothing here asks
which of the two it is: the transform has one map for each axis, and all else follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8
from numpy.typing import NDArray

from cardiotrace.core.catalog import Choice, choices_from_plain
from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import InputError
from cardiotrace.geometry.box import bounding_box
from cardiotrace.geometry.resample import AxisMap, Maps, resample, resample_labels, strongest
from cardiotrace.preprocessing.intensity import IntensityStep, Values, unit_range
from cardiotrace.preprocessing.step import STEPS, Centre, CentredStep, GeometricStep, PixelStep, Spacing, Step

_ROUNDING = 1e-4
"""Probabilities of float16 networks and of averages need not sum to 1 exactly."""


@dataclass(frozen=True)
class ResamplingTransform:
    """Where the network's grid lies on one sample's own grid: the record that undoes the preprocessing."""

    axes: Maps
    """One map for each axis: (height, width) or (depth, height, width)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the network's input, one size for each axis."""
        return tuple(axis.target_size for axis in self.axes)

    @property
    def inverse_axes(self) -> Maps:
        """The maps back from the network's grid."""
        return tuple(axis.inverse() for axis in self.axes)

    def apply(self, values: Float[np.ndarray, "*batch_and_axes"]) -> Float[np.ndarray, "*batch_and_target_axes"]:
        """Values on the network's grid; 0 outside the sample."""
        return resample(values, self.axes)

    def invert(
        self, probabilities: Float[np.ndarray, "classes *target_axes"]
    ) -> Float[np.ndarray, "classes *native_axes"]:
        """Class probabilities on the sample's own grid; pure background outside the network's view."""
        native = resample(probabilities, self.inverse_axes)
        # Where the network looked at nothing, all its classes come back as 0: what is missing to 1 is background.
        native[0] += 1.0 - native.sum(axis=0)
        return native

    def invert_labels(
        self, probabilities: Float[np.ndarray, "classes *target_axes"]
    ) -> UInt8[np.ndarray, "*native_axes"]:
        """The most probable class on the sample's own grid."""
        back = self.inverse_axes
        labels = np.zeros([axis.target_size for axis in back], np.uint8)
        # Wherever all pixels near are background by more than half, so is what lies between them.
        seen = probabilities[0] <= 0.5 + _ROUNDING
        if not seen.any():
            return labels
        likely = bounding_box(seen)
        part = tuple(axis.reach(extent) for axis, extent in zip(back, likely, strict=True))
        labels[part] = strongest(resample(probabilities[1:], back, part))
        return labels


class Preprocessing:
    """Pixel steps in order, then geometric steps fused to a single resampling, then intensity steps in order.

    Pixel steps see the file's own pixels wherever they stand in the list.

    Args:
        choices: names and options of the steps, as a recipe or a model file holds them.

    Raises:
        ConfigError: unknown step or option.

    Example:
        >>> preprocessing = Preprocessing([Choice("resize", {"height": 2, "width": 2}), Choice("z-score")])
        >>> transform = preprocessing.transform_for((4, 4), None)
        >>> preprocessing.apply(np.full((4, 4), 7, np.uint8), transform).tolist()
        [[[0.0, 0.0], [0.0, 0.0]]]
    """

    def __init__(self, choices: Sequence[Choice], *, path: str = "preprocessing") -> None:
        self.choices = tuple(STEPS.resolve(choice, path=f"{path}[{index}]") for index, choice in enumerate(choices))
        steps: list[Step] = [STEPS.make(choice, path=path) for choice in self.choices]
        self._pixel = _of_kind(steps, PixelStep)
        self._geometric = _of_kind(steps, GeometricStep)
        self._intensity = _of_kind(steps, IntensityStep)

    @classmethod
    def __from_plain__(cls, value: Any, path: str) -> "Preprocessing":
        """Read a list of steps from a recipe or a model file."""
        return cls(choices_from_plain(value, path), path=path)

    def __to_plain__(self) -> list[Any]:
        """The list of steps, every option written out."""
        return [to_plain(choice) for choice in self.choices]

    @property
    def stored_choices(self) -> tuple[Choice, ...]:
        """The steps before the intensity ones: all that a cache of prepared images depends on."""
        return tuple(choice for choice in self.choices if not issubclass(STEPS[choice.name].config, IntensityStep))

    def channels(self, given: int) -> int:
        """Channels of the network's input for images of `given` channels.

        Raises:
            InputError: a step cannot work on such images.

        Example:
            >>> Preprocessing([Choice("channel", {"colour": "green"})]).channels(3)
            1
        """
        for step in self._pixel:
            given = int(step.channels(given))
        return given

    @property
    def needs_centre(self) -> bool:
        """Whether `transform_for` has to be told where the heart lies.

        Example:
            >>> Preprocessing([Choice("crop-or-pad", {"around": "heart"})]).needs_centre
            True
        """
        return any(map(_is_centred, self._geometric))

    def transform_for(
        self, shape: tuple[int, ...], spacing_mm: Spacing | None, centre: Centre | None = None
    ) -> ResamplingTransform:
        """The network's grid on samples of one shape.

        Args:
            shape: (height, width) of a plane, (depth, height, width) of a volume.
            spacing_mm: distance of neighbouring pixels along each of these axes; None where it is not known.
            centre: where the heart lies along (height, width), in the sample's own pixels from its first edges; only
                asked for where `needs_centre`.

        Raises:
            InputError: a step needs to know a distance or a place that is not known, or an axis that is not there.
        """
        # Every step composes its map with those before it: however many there are, pixels are interpolated once.
        axes: Maps = tuple(AxisMap(size, size) for size in shape)
        for step in self._geometric:
            axes = _extended(step, axes, spacing_mm, centre)
        return ResamplingTransform(axes)

    def shape_for(self, shape: tuple[int, ...], spacing_mm: Spacing | None) -> tuple[int, ...]:
        """Of the network's grid on samples of one shape, wherever the heart lies in them.

        Raises:
            InputError: see `transform_for`.
        """
        return self.transform_for(shape, spacing_mm, middle_of(shape)).shape

    def resample(self, sample: Shaped[np.ndarray, "*axes_and_channel"], transform: ResamplingTransform) -> NDArray[Any]:
        """The sample after the pixel steps on the network's grid, (channels, *axes), dtype kept."""
        image = sample[None] if sample.ndim == len(transform.axes) else np.moveaxis(sample, -1, 0)
        for step in self._pixel:
            image = step.change(image)
        moved = transform.apply(image.astype(np.float32))
        if np.issubdtype(image.dtype, np.integer):
            # Rounded here so that a cache in the file's own dtype loses nothing against direct use.
            rounded: NDArray[Any] = np.rint(moved).astype(image.dtype)
            return rounded
        return moved

    def resample_labels(
        self, labels: UInt8[np.ndarray, "*axes"], transform: ResamplingTransform, *, class_count: int
    ) -> UInt8[np.ndarray, "*target_axes"]:
        """Class indices on the network's grid."""
        return resample_labels(labels, transform.axes, class_count=class_count)

    def resample_mask(
        self, mask: Bool[np.ndarray, "*axes"], transform: ResamplingTransform
    ) -> Bool[np.ndarray, "*target_axes"]:
        """Where the network's pixels lie in a mask of the sample by at least half; nowhere outside the sample."""
        inside: Bool[np.ndarray, "*target_axes"] = transform.apply(mask.astype(np.float32)) >= 0.5
        return inside

    def normalise(self, values: Values, *, dimensions: int = 2) -> Values:
        """Intensity steps on unit-range values, numpy or torch, whose last axes, `dimensions` of them, are a sample."""
        for step in self._intensity:
            values = step.normalise(values, dimensions)
        return values

    def apply(
        self, sample: Shaped[np.ndarray, "*axes_and_channel"], transform: ResamplingTransform
    ) -> Float[np.ndarray, "channels *target_axes"]:
        """What the network sees of a sample of a file: resampled, brought to unit range, normalised."""
        return self.normalised(self.unit(sample, transform))

    def unit(
        self, sample: Shaped[np.ndarray, "*axes_and_channel"], transform: ResamplingTransform
    ) -> Float[np.ndarray, "channels *target_axes"]:
        """A sample of a file on the network's grid, in unit range."""
        return unit_range(self.resample(sample, transform))

    def normalised(self, values: Float[np.ndarray, "channels *axes"]) -> Float[np.ndarray, "channels *axes"]:
        """What the network sees of a sample, or of a window of one, in unit range."""
        result: NDArray[Any] = self.normalise(values, dimensions=values.ndim - 1)
        return result.astype(np.float32, copy=False)


def middle_of(shape: tuple[int, ...]) -> Centre:
    """The middle of planes of a shape, in pixels from their first edges.

    Example:
        >>> middle_of((10, 216, 256))
        (108.0, 128.0)
    """
    return shape[-2] / 2, shape[-1] / 2


def _extended(step: GeometricStep, axes: Maps, spacing_mm: Spacing | None, centre: Centre | None) -> Maps:
    """The maps after one more step."""
    if not isinstance(step, CentredStep) or not step.needs_centre:
        return step.extend(axes, spacing_mm)
    if centre is None:
        raise InputError(
            "the preprocessing needs to know where the heart lies, and nobody has looked",
            remedy='say in the recipe what does, `localiser = "heart-localiser"`, or leave out `around` of the step.',
        )
    return step.extend_around(axes, centre)


def _is_centred(step: GeometricStep) -> bool:
    return isinstance(step, CentredStep) and step.needs_centre


def _of_kind(steps: Sequence[Step], kind: Any) -> list[Any]:
    return [step for step in steps if isinstance(step, kind)]
