"""How unlike an image is to all that a model was tried on: other view, other modality, damaged.

Of every plane a network says what its deepest layer holds (`engine.FEATURES`), beside which stands what the grey values
show (`plane_signs`). Both together are standardised, turned onto few axes, and compared with the nearest planes of a
bank of patients that the network had not learned from; what lies off the axes counts as some axes more. The
distance is scaled so that 1 is the limit.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.evidence import Evidence, Rows

NEAREST = 5
"""The distance to this neighbour counts: the nearest ones may be oddities themselves."""
_FARTHEST = 20.0
"""Standard deviations that a single feature may tell."""

Table = Float[np.ndarray, "_ _"]


def packed(values: Float[np.ndarray, "..."]) -> str:
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
        raise ModelFileError(
            "the model's bank of known images is damaged", remedy="calibrate the model again."
        ) from None


@dataclass(frozen=True)
class Unlikeness:
    """Where known planes lie, and how far from them is too far; as a model file holds it."""

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
    """Distance beyond which a frame is unlike."""
    false_alarms: float
    """Share of frames of patients outside the bank that may lie beyond the limit."""
    frames: int
    """Those that the limit was chosen on."""
    patients: int

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

    def of_frame(self, rows: Rows) -> float:
        """Distance of a frame's planes as a share of the limit; NaN of another network's, or where there are none."""
        fits = len(rows) > 0 and rows.shape[1] == self.columns
        return self.distance(rows) / self.limit if fits else float("nan")


def placed(standard: Table, turn: Table, lengths: Table, off: float) -> Table:
    """Standardised features on axes that are unit vectors, in lengths of the axes; then the rest, in units of `off`."""
    on = standard @ turn
    rest = np.sqrt(np.mean((standard - on @ turn.T) ** 2, axis=1)) / off
    # As many axes together are worth: planes that lie off all axes are no smaller matter than those far along them.
    return np.column_stack([on / lengths, rest * np.sqrt(turn.shape[1])])


def unlikeness_of(known: Unlikeness | None, evidence: Sequence[Evidence | None]) -> Float[np.ndarray, "time"]:
    """How unlike each frame is, 1 at the limit; NaN without an image, and without calibration or features."""
    found = np.full(len(evidence), np.nan)
    for frame, item in enumerate(evidence):
        if known is not None and item is not None:
            found[frame] = known.of_frame(item.rows)
    return found
