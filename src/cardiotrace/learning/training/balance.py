"""Groups of samples in equal shares, whatever their sizes: a large data set must not drown a small one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int64

Shares = Literal["equal", "square-root"]


@dataclass(frozen=True)
class Balance:
    """Which groups an epoch draws from, and how much from each."""

    key: str
    """Group key, such as dataset, vendor or centre."""
    shares: Shares = "equal"
    """As many of each group, or as the square root of its size: between equal shares and those that the data have."""

    def counts(self, sizes: Mapping[str, int], total: int) -> dict[str, int]:
        """How many samples an epoch takes of each group: whole numbers, each less than one off its share.

        Args:
            sizes: samples that there are, by group.
            total: samples of the epoch.

        Example:
            >>> Balance("vendor").counts({"GE": 90, "Siemens": 10}, 101)
            {'GE': 51, 'Siemens': 50}
            >>> Balance("vendor", "square-root").counts({"GE": 90, "Siemens": 10}, 100)
            {'GE': 75, 'Siemens': 25}
        """
        weights = {name: 1.0 if self.shares == "equal" else math.sqrt(size) for name, size in sizes.items()}
        wanted = {name: total * weight / sum(weights.values()) for name, weight in weights.items()}
        counts = {name: int(share) for name, share in wanted.items()}
        # Largest remainders; rounded, so that equal shares are equal on every machine.
        order = sorted(counts, key=lambda name: -round(wanted[name] - counts[name], 9))
        for name in order[: total - sum(counts.values())]:
            counts[name] += 1
        return counts


def balanced_order(
    groups: Sequence[str], total: int, balance: Balance, generator: torch.Generator
) -> Int64[torch.Tensor, " total"]:
    """Indices of an epoch: of each group its share, pass after pass over its members, all of them mixed.

    Args:
        groups: that of each unit of samples.
        total: units of the epoch.
        balance: the shares.
        generator: of the draw; a group that has more members than its share shows others in another epoch.
    """
    members: dict[str, list[int]] = {}
    for index, name in enumerate(groups):
        members.setdefault(name, []).append(index)
    counts = balance.counts({name: len(members[name]) for name in sorted(members)}, total)
    drawn = torch.cat([_passes(members[name], count, generator) for name, count in counts.items()])
    return drawn[torch.randperm(total, generator=generator)]


def _passes(members: Sequence[int], count: int, generator: torch.Generator) -> torch.Tensor:
    """So many of the members: nobody a further time before everybody had a turn."""
    indices = torch.tensor(members)
    passes = [indices[torch.randperm(len(members), generator=generator)] for _ in range(-(-count // len(members)))]
    return torch.cat([indices[:0], *passes])[:count]
