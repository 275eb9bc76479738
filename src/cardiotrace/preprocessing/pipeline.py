"""A list of steps as one new image, one placement on the grid and one change of values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8

from cardiotrace.core.catalog import Choice, choices_from_plain
from cardiotrace.core.config import to_plain
from cardiotrace.geometry.box import bounding_box
from cardiotrace.geometry.resample import AxisMap, resample, resample_labels, strongest
from cardiotrace.preprocessing.step import STEPS, Step, Values, unit_range

_ROUNDING = 1e-4
"""Probabilities of float16 networks and of averages need not sum to 1 exactly."""


@dataclass(frozen=True)
class ResamplingTransform:
    """Where the network's grid lies on one image's own grid: the record that undoes the preprocessing."""

    rows: AxisMap
    columns: AxisMap

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the network's input."""
        return self.rows.target_size, self.columns.target_size

    def restore(
        self, probabilities: Float[np.ndarray, "classes height width"]
    ) -> Float[np.ndarray, "classes native_height native_width"]:
        """Class probabilities on the image's own grid; pure background outside the network's view."""
        native = resample(probabilities, self.rows.inverse(), self.columns.inverse())
        native[0] += 1.0 - native.sum(axis=0)
        return native

    def restore_labels(
        self, probabilities: Float[np.ndarray, "classes height width"]
    ) -> UInt8[np.ndarray, "native_height native_width"]:
        """The most probable class on the image's own grid."""
        rows, columns = self.rows.inverse(), self.columns.inverse()
        labels = np.zeros((rows.target_size, columns.target_size), np.uint8)
        # Wherever all pixels near are background by more than half, so is what lies between them.
        likely = bounding_box(probabilities[0] <= 0.5 + _ROUNDING)
        part = rows.reach(likely[0]), columns.reach(likely[1])
        labels[part] = strongest(resample(probabilities[1:], rows, columns, part))
        return labels


class Preprocessing:
    """Pixel steps in order, then geometric steps fused to a single resampling, then intensity steps in order.

    Pixel steps see the file's own pixels wherever they stand in the list.

    Args:
        choices: names and options of the steps, as a recipe or a model file holds them.

    Raises:
        ConfigError: unknown step or option.

    Example:
        >>> prepare = Preprocessing([Choice("resize", {"height": 2, "width": 2}), Choice("z-score")])
        >>> placement = prepare.place((4, 4), None)
        >>> prepare.apply(np.full((4, 4), 7, np.uint8), placement).tolist()
        [[[0.0, 0.0], [0.0, 0.0]]]
    """

    def __init__(self, choices: Sequence[Choice], *, path: str = "preprocessing") -> None:
        self.choices = tuple(STEPS.resolve(choice, path=f"{path}[{index}]") for index, choice in enumerate(choices))
        steps: list[Step] = [STEPS.make(choice, path=path) for choice in self.choices]
        self._image: list[Any] = [step for step in steps if hasattr(step, "change")]
        self._geometric = [step for step in steps if hasattr(step, "place")]
        self._intensity = [step for step in steps if hasattr(step, "normalise")]

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
        return tuple(choice for choice in self.choices if not hasattr(STEPS[choice.name].config, "normalise"))

    def channels(self, given: int) -> int:
        """Channels of the network's input for images of `given` channels.

        Raises:
            InputError: a step cannot work on such images.

        Example:
            >>> Preprocessing([Choice("channel", {"colour": "green"})]).channels(3)
            1
        """
        for step in self._image:
            given = int(step.channels(given))
        return given

    def place(self, shape: tuple[int, int], spacing_mm: tuple[float, float] | None) -> ResamplingTransform:
        """The network's grid on an image of `shape` (height, width) with `spacing_mm` (row, column)."""
        rows, columns = AxisMap(shape[0], shape[0]), AxisMap(shape[1], shape[1])
        for step in self._geometric:
            rows, columns = step.place(rows, columns, spacing_mm)
        return ResamplingTransform(rows, columns)

    def move(
        self, plane: Shaped[np.ndarray, "height width *channel"], placement: ResamplingTransform
    ) -> np.ndarray[Any, Any]:
        """The plane after the pixel steps on the network's grid, (channels, height, width), dtype kept."""
        image = plane[None] if plane.ndim == 2 else np.moveaxis(plane, -1, 0)
        for step in self._image:
            image = step.change(image)
        moved = resample(image.astype(np.float32), placement.rows, placement.columns)
        if np.issubdtype(image.dtype, np.integer):
            # Rounded here so that a cache in the file's own dtype loses nothing against direct use.
            rounded: np.ndarray[Any, Any] = np.rint(moved).astype(image.dtype)
            return rounded
        return moved

    def move_labels(
        self, labels: UInt8[np.ndarray, "height width"], placement: ResamplingTransform, *, class_count: int
    ) -> UInt8[np.ndarray, "target_height target_width"]:
        """Class indices on the network's grid."""
        return resample_labels(labels, placement.rows, placement.columns, class_count=class_count)

    def move_mask(
        self, mask: Bool[np.ndarray, "height width"], placement: ResamplingTransform
    ) -> Bool[np.ndarray, "target_height target_width"]:
        """Where the network's pixels lie in a mask of the image by at least half; nowhere outside the image."""
        share = resample(mask.astype(np.float32), placement.rows, placement.columns)
        inside: Bool[np.ndarray, "target_height target_width"] = share >= 0.5
        return inside

    def normalise(self, values: Values) -> Values:
        """Intensity steps on unit-range values (..., height, width), numpy or torch."""
        for step in self._intensity:
            values = step.normalise(values)
        return values

    def apply(
        self, plane: Shaped[np.ndarray, "height width *channel"], placement: ResamplingTransform
    ) -> Float[np.ndarray, "channels target_height target_width"]:
        """What the network sees of a plane of a file: moved, brought to unit range, normalised."""
        normalised: np.ndarray[Any, Any] = self.normalise(unit_range(self.move(plane, placement)))
        return normalised.astype(np.float32, copy=False)
