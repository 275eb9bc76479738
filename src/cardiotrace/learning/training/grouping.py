"""Planes that are learned from together: which belong beside each other in a batch."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Int64

from cardiotrace.core.terms import Phase
from cardiotrace.datasets.packed import PackedPlane

Group = Literal["phases"]
"""What makes planes belong together: two phases of the same slice of the same view of a patient."""

PAIR = 2
"""Planes of a unit that is grouped by phase."""


def units_of(planes: Sequence[PackedPlane], group: Group | None) -> Int64[torch.Tensor, "units members"]:
    """Indices of the planes that stay together; each unit alone where nothing is grouped.

    Args:
        planes: what each plane is.
        group: "phases" pairs the phases of each slice in order of time, ED before ES where they are named. A plane
            without a partner is its own: nothing that is labelled is left out.

    Example:
        >>> ed, es = (PackedPlane("case", "patient1", phase, "A4C", 0, 0, 0.0, 255.0) for phase in ("ED", "ES"))
        >>> units_of([es, ed, es], None).tolist(), units_of([es, ed, es], "phases").tolist()
        ([[0], [1], [2]], [[1, 0], [2, 2]])
    """
    if group is None:
        return torch.arange(len(planes)).unsqueeze(1)
    slices: dict[tuple[str, str, int], list[int]] = {}
    for index, plane in enumerate(planes):
        slices.setdefault((plane.patient, plane.view, plane.depth), []).append(index)
    pairs = []
    for members in slices.values():
        ordered = sorted(members, key=lambda index: (_rank(planes[index]), planes[index].time, planes[index].case))
        ordered += ordered[-1:] * (len(ordered) % PAIR)
        pairs += [ordered[first : first + PAIR] for first in range(0, len(ordered), PAIR)]
    return torch.tensor(pairs)


def _rank(plane: PackedPlane) -> int:
    named = (str(Phase.ED), str(Phase.ES))
    return named.index(plane.phase) if plane.phase in named else len(named)
