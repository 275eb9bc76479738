"""How unlike an image is to all that a model was tried on: other view, other modality, damaged.

Two looks at every plane, each with a bank of planes of patients that the network had not learned from: what its deepest
layer says (`engine.FEATURES`), and what the grey values show (`plane_signs`). Each look is standardised, turned onto
few axes, and compared with the nearest planes of its bank; what lies off the axes counts as one axis more. The
larger of the two is the unlikeness, scaled so that 1 is the limit.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.evidence import Evidence, Rows
from cardiotrace.inference.plane_signs import SIGN_COUNT

LOOKS = ("features", "grey")
"""The deepest layer's features, and the signs of grey values."""
NEAREST = 2
"""The distance to this neighbour counts: the nearest alone may be an oddity itself."""
_FARTHEST = 20.0
"""Standard deviations that a single feature may tell."""

Table = Float[np.ndarray, "rows columns"]


def packed(values: Float[np.ndarray, "*axes"]) -> str:
    """Numbers as text, in half precision: three digits are more than any distance is worth.

    Example:
        >>> packed(np.array([1.0, -2.0]))
        'ADwAwA=='
    """
    return base64.b64encode(np.ascontiguousarray(values, "<f2").tobytes()).decode()


def unpacked(text: str, columns: int) -> Table:
    """The numbers of `packed`, in rows.

    Raises:
        ModelFileError: they are none, or do not fill their rows.
    """
    try:
        values = np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float64)
        return values.reshape(-1, columns)
    except ValueError:
        raise ModelFileError("the model's bank of known images is damaged", remedy="calibrate the model again.") from None


@dataclass(frozen=True)
class Bank:
    """One look: where known planes lie, and how far from them is too far."""

    columns: int
    """Features of a plane."""
    axes: int
    """On which the planes of the bank lie."""
    centre: str
    """`packed`: mean of every feature."""
    scale: str
    """Standard deviation of every feature."""
    turn: str
    """From standardised features to axes of unit variance, and their lengths below."""
    planes: str
    """Where the known planes lie on the axes, and off them."""
    off: float
    """Usual distance of a plane from the axes."""
    limit: float
    """Distance of a frame beyond which it is unlike: a share of held-out frames of patients that are not in the bank
    lie beyond, see `Unlikeness.false_alarms`."""

    @cached_property
    def _arrays(self) -> tuple[Table, Table, Table, Table, Table]:
        turn = unpacked(self.turn, self.axes)
        if len(turn) != self.columns + 1:
            raise ModelFileError("the model's bank of known images is damaged", remedy="calibrate the model again.")
        one = (unpacked(self.centre, self.columns), unpacked(self.scale, self.columns))
        return (*one, turn[:-1], turn[-1:], unpacked(self.planes, self.axes + 1))

    def placed(self, rows: Rows) -> Table:
        """Where planes lie on the axes, and, in the last column, how far off them."""
        centre, scale, turn, lengths, _ = self._arrays
        return placed(np.clip((rows - centre) / scale, -_FARTHEST, _FARTHEST), turn, lengths, self.off)

    def distance(self, rows: Rows) -> float:
        """Mean over a frame's planes of the distance to the known ones."""
        known = self._arrays[-1]
        squares = ((self.placed(rows)[:, None] - known[None]) ** 2).sum(axis=2)
        nearest = min(NEAREST, len(known)) - 1
        return float(np.sqrt(np.partition(squares, nearest, axis=1)[:, nearest]).mean())


def placed(standard: Table, turn: Table, lengths: Table, off: float) -> Table:
    """Standardised features on axes that are unit vectors, in lengths of the axes; then the rest, in units of `off`."""
    on = standard @ turn
    rest = np.sqrt(np.mean((standard - on @ turn.T) ** 2, axis=1)) / off
    # As many axes together are worth: planes that lie off all axes are no smaller matter than those far along them.
    return np.column_stack([on / lengths, rest * np.sqrt(turn.shape[1])])


@dataclass(frozen=True)
class Unlikeness:
    """What tells unlike images, as a model file holds it."""

    banks: dict[str, Bank]
    """By look, see `LOOKS`."""
    false_alarms: float
    """Share of held-out frames beyond a limit, at most."""
    frames: int
    """Held-out frames that the limits were chosen on."""
    patients: int

    def of_frame(self, rows: Rows) -> dict[str, float]:
        """By look, the distance of a frame's planes as a share of the limit; NaN where there are none."""
        return {
            look: bank.distance(part) / bank.limit if part.shape[1] == bank.columns and len(part) else float("nan")
            for look, part in split_rows(rows).items()
            if (bank := self.banks.get(look)) is not None
        }


def split_rows(rows: Rows) -> Mapping[str, Rows]:
    """The columns of each of `LOOKS`."""
    return dict(zip(LOOKS, (rows[:, :-SIGN_COUNT], rows[:, -SIGN_COUNT:]), strict=True))


def unlikeness_of(
    known: Unlikeness | None, evidence: Sequence[Evidence | None]
) -> dict[str, Float[np.ndarray, "time"]]:
    """By look, how unlike each frame is, 1 at the limit; NaN without an image, and without calibration or features."""
    found = {look: np.full(len(evidence), np.nan) for look in LOOKS}
    if known is None:
        return found
    for frame, item in enumerate(evidence):
        if item is not None and item.rows.size:
            for look, value in known.of_frame(item.rows).items():
                found[look][frame] = value
    return found
