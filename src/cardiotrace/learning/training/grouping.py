"""Samples that are learned from together: which belong beside each other in a batch."""

from collections.abc import Sequence

import torch
from jaxtyping import Int64

from cardiotrace.core.terms import Phase
from cardiotrace.datasets.packed import PackedSample
from cardiotrace.learning.models.network import Group

PAIR = 2
"""Samples of a unit that is grouped by phase."""
_DOMAIN_KEYS = ("data_set", "dataset", "vendor")


def domain_of(sample: PackedSample) -> str:
    """The data set of a joined one and the vendor that a sample is of, as far as they are known; else empty.

    Example:
        >>> groups = {"patient": "A0S9V9", "vendor": "GE", "dataset": "mnms"}
        >>> domain_of(PackedSample("case", groups, "ED", "SAX", 0, 0, 0.0, 255.0))
        'mnms GE'
    """
    return " ".join(sample.groups[key] for key in _DOMAIN_KEYS if sample.groups.get(key))


def units_of(samples: Sequence[PackedSample], group: Group | None) -> Int64[torch.Tensor, "units members"]:
    """Indices of the samples that stay together; each unit alone where nothing is grouped.

    Args:
        samples: what each sample is.
        group: "phases" pairs the phases of each slice in order of time, ED before ES where they are named. A sample
            without a partner is its own: nothing that is labelled is left out.

    Example:
        >>> who = {"patient": "patient1"}
        >>> ed, es = (PackedSample("case", who, phase, "A4C", 0, 0, 0.0, 255.0) for phase in ("ED", "ES"))
        >>> units_of([es, ed, es], None).tolist(), units_of([es, ed, es], "phases").tolist()
        ([[0], [1], [2]], [[1, 0], [2, 2]])
    """
    if group is None:
        return torch.arange(len(samples)).unsqueeze(1)
    slices: dict[tuple[str, str, int], list[int]] = {}
    for index, sample in enumerate(samples):
        slices.setdefault((sample.patient, sample.view, sample.depth), []).append(index)
    pairs = []
    for members in slices.values():
        ordered = sorted(members, key=lambda index: (_rank(samples[index]), samples[index].time, samples[index].case))
        ordered += ordered[-1:] * (len(ordered) % PAIR)
        pairs += [ordered[first : first + PAIR] for first in range(0, len(ordered), PAIR)]
    return torch.tensor(pairs)


def _rank(sample: PackedSample) -> int:
    named = (str(Phase.ED), str(Phase.ES))
    return named.index(sample.phase) if sample.phase in named else len(named)
