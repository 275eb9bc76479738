"""What the corrector's autoencoder of valid shapes says of answers: how well it draws them, what it would correct."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.correction import Outcome
from cardiotrace.core.errors import InputError
from cardiotrace.inference.corrector import Corrector, mean_dice
from cardiotrace.learning.rl4seg.answer import Anatomy, Classes, PixelSize

AGREEMENT_QUANTILE = 0.1
"""Share of the source's references that the autoencoder draws less well than a pseudo-label must be."""
LANDMARK_QUANTILE = 0.98
"""Share of the source's references whose annulus lies within the limit of where the autoencoder draws it."""
FEWEST_REFERENCES = 5
"""From which limits are fitted."""


@dataclass(frozen=True)
class ValidShapes:
    """A corrector that is asked about maps of classes."""

    corrector: Corrector
    anatomy: Anatomy
    """Of the answers."""

    @classmethod
    def of(cls, corrector: Corrector, anatomy: Anatomy) -> "ValidShapes":
        """A corrector that calls valid what the anatomy does, whatever limits it was made with.

        Raises:
            InputError: it knows other structures, or planes that cut the heart otherwise.
        """
        name, known, asked = corrector.spec.name, corrector.scheme.structures, anatomy.scheme.structures
        if set(known) != set(asked):
            raise InputError(
                f"corrector {name} knows shapes of {', '.join(known)}, and the data label {', '.join(asked)}",
                remedy="name one of the same structures in adaptation.method.corrector, or train one on the source.",
            )
        if corrector.axis is not anatomy.axis:
            raise InputError(
                f"corrector {name} knows shapes of {corrector.axis} axes, and the data show {anatomy.axis} axes",
                remedy="name one of the same view in adaptation.method.corrector.",
            )
        bank = replace(corrector.bank, limits=anatomy.limits.name)
        return cls(corrector.described_by(replace(corrector.spec, corrects=bank)), anatomy)

    def agreement(self, classes: Classes, pixel_mm: PixelSize | None) -> float:
        """Mean Dice of a map and what the autoencoder draws of it."""
        values = self._own(classes)
        return mean_dice(values, self.corrector.redrawn([values], pixel_mm)[0])

    def corrected(self, classes: Classes, pixel_mm: PixelSize | None) -> Classes | None:
        """The nearest valid map; None where none is near, or nothing is labelled."""
        if not classes.any():
            return None
        (found,) = self.corrector.project([self._own(classes)], pixel_mm, is_upright=self.anatomy.is_upright)
        return None if found.outcome is Outcome.FAR else self._classes(found.labels)

    def annulus_shift(self, classes: Classes, pixel_mm: PixelSize | None) -> "AnnulusShift | None":
        """How far the mitral annulus of a map lies from that of what the autoencoder draws of it.

        Returns:
            None where either has none.
        """
        own = self.anatomy.annulus(classes, pixel_mm)
        if own is None:
            return None
        redrawn = self.corrector.redrawn([self._own(classes)], pixel_mm)[0]
        drawn = self.anatomy.annulus(self._classes(redrawn), pixel_mm)
        if drawn is None:
            return None
        return AnnulusShift(own[0], drawn[0], own[1])

    def _own(self, classes: Classes) -> Classes:
        """Values of the corrector's scheme."""
        table = np.array([0, *(self.corrector.scheme.value(name) for name in self.anatomy.scheme.structures)], np.uint8)
        values: Classes = table[classes]
        return values

    def _classes(self, values: Classes) -> Classes:
        table = np.zeros(256, np.uint8)
        for index, name in enumerate(self.anatomy.scheme.structures, start=1):
            table[self.corrector.scheme.value(name)] = index
        classes: Classes = table[values]
        return classes


@dataclass(frozen=True)
class AnnulusShift:
    """Where an answer puts the mitral annulus, and where the autoencoder does."""

    own: Float[np.ndarray, "2 2"]
    """(row, column) of each point, mm or pixels."""
    drawn: Float[np.ndarray, "2 2"]
    length: float
    """Of the long axis."""

    @property
    def shares(self) -> Float[np.ndarray, "2"]:
        """Distance of both points over the length of the long axis."""
        return np.asarray(np.linalg.norm(self.own - self.drawn, axis=1) / max(self.length, 1e-9))


@dataclass(frozen=True)
class ShapeLimits:
    """What is right as often as the source's own references are, so that a perfect answer is not punished."""

    agreement: float
    """Least mean Dice of a pseudo-label with what the autoencoder draws of it."""
    annulus_share: float | None
    """Distance of a point of the mitral annulus, as a share of the long axis, up to which it is right; None where the
    references have none."""


def fitted_limits(
    shapes: ValidShapes,
    references: Iterable[tuple[Classes, PixelSize | None]],
    *,
    agreement: float | None,
) -> ShapeLimits:
    """Limits that the source's references keep.

    Args:
        shapes: who draws them.
        references: maps of the training part of the source.
        agreement: least Dice that is asked for; None takes `AGREEMENT_QUANTILE` of the references.

    Raises:
        InputError: there are too few references.
    """
    dice, shifts = [], []
    for classes, pixel_mm in references:
        if not classes.any():
            continue
        dice.append(shapes.agreement(classes, pixel_mm))
        shift = shapes.annulus_shift(classes, pixel_mm)
        if shift is not None:
            shifts.extend(shift.shares.tolist())
    if len(dice) < FEWEST_REFERENCES:
        raise InputError(
            f"limits of shapes are fitted on {FEWEST_REFERENCES} references of the source or more, got {len(dice)}",
            remedy="give more patients of the source.",
        )
    annulus = float(np.quantile(shifts, LANDMARK_QUANTILE)) if len(shifts) >= 2 * FEWEST_REFERENCES else None
    return ShapeLimits(float(np.quantile(dice, AGREEMENT_QUANTILE)) if agreement is None else agreement, annulus)


def annulus_reward(
    shift: AnnulusShift | None, limits: ShapeLimits, shape: tuple[int, int], pixel_mm: PixelSize | None
) -> Float[np.ndarray, "height width"]:
    """1 but along the way from a point of the annulus that lies too far off to where the autoencoder draws it.

    The way is blurred by half of the limit.

    Args:
        shift: of an answer; None where it has no annulus, of which nothing is said here.
        limits: how far is too far.
        shape: of the answer.
        pixel_mm: size of a pixel.

    Example:
        >>> shift = AnnulusShift(np.array([[8.0, 2.0], [8.0, 12.0]]), np.array([[8.0, 2.0], [8.0, 8.0]]), 20.0)
        >>> reward = annulus_reward(shift, ShapeLimits(0.9, 0.1), (12, 16), None)
        >>> reward[8, [2, 8, 10, 12]].round(2).tolist()
        [1.0, 0.0, 0.0, 0.0]
    """
    reward = np.ones(shape)
    if shift is None or limits.annulus_share is None:
        return reward
    size = np.array(pixel_mm or (1.0, 1.0))
    places = np.moveaxis(np.mgrid[: shape[0], : shape[1]], 0, -1) * size
    sigma = max(limits.annulus_share * shift.length / 2, float(size.max()))
    for own, drawn, share in zip(shift.own, shift.drawn, shift.shares, strict=True):
        if share > limits.annulus_share:
            near = np.exp(-((_distance(places, own, drawn) / sigma) ** 2) / 2)
            reward = np.minimum(reward, 1 - near)
    return reward


def _distance(
    places: Float[np.ndarray, "height width 2"], start: Sequence[float] | np.ndarray, end: Sequence[float] | np.ndarray
) -> Float[np.ndarray, "height width"]:
    """Of each place to the straight way between two points."""
    first, way = np.asarray(start), np.asarray(end) - np.asarray(start)
    along = ((places - first) @ way) / max(float(way @ way), 1e-12)
    nearest = first + np.clip(along, 0, 1)[..., None] * way
    return np.asarray(np.linalg.norm(places - nearest, axis=-1))
