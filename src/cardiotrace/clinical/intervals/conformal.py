"""Split conformal limits: how far a truth lies from what was said of it, as a share of all cases that were looked at.

Of n cases and a next one that could as well have been one of them, the next one's score is no larger than the k-th
smallest with probability k / (n + 1), whatever the scores are. No shape of errors is assumed; that cases are alike
(exchangeable) is.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError

ALL = ""
"""The group of all cases together: what holds where a case's own group is not known, or was too small."""


def fewest_cases(share: float) -> int:
    """How many cases limits of a coverage need, with a side of their own each.

    Example:
        >>> fewest_cases(0.90), fewest_cases(0.95)
        (19, 39)
    """
    # ceil((n + 1) (1 - a / 2)) <= n
    return math.ceil(round(2 / (1 - share), 6)) - 1


def require_cases(count: int, *, share: float) -> None:
    """Refuse to tell of a share that cannot be counted on so few cases.

    Raises:
        InputError: fewer than `fewest_cases`.
    """
    fewest = fewest_cases(share)
    if count < fewest:
        raise InputError(
            f"an interval that covers {100 * share:g} % needs at least {fewest} patients, there are {count}",
            remedy="calibrate with more patients; until then there is none.",
        )


def limits(scores: Float[np.ndarray, "cases"], *, share: float) -> tuple[float, float]:
    """Between which limits the score of one more case lies with a probability of `share`.

    Each side leaves out half of the rest: q = the (n + 1)(1 - a / 2)-th smallest score on the upper side, the same from
    above on the lower one. An error with a bias gets limits that are not symmetric.

    Args:
        scores: (truth - said) / spread of each case, with its sign.
        share: of cases that are to be covered, below 1.

    Raises:
        InputError: too few cases, see `fewest_cases`; or one has no score.

    Example:
        >>> limits(np.arange(1.0, 100.0), share=0.90)
        (5.0, 95.0)

    Source:
        Lei et al. 2018, J Am Stat Assoc 113:1094 (split conformal); each side apart as in Romano et al. 2019, Advances
        in Neural Information Processing Systems 32. They take the next whole number for the place, which covers more
        than was asked for: .92 in place of .90 with 50 cases. Here limits lie between two scores, in proportion.
    """
    count = len(scores)
    require_cases(count, share=share)
    if not np.isfinite(scores).all():
        raise InputError("a case without a score cannot set a limit")
    places = np.arange(1, count + 1)
    place = min(float(count), (count + 1) * (1 + share) / 2)
    low, high = np.interp([count + 1 - place, place], places, np.sort(scores))
    return float(low), float(high)


def limits_by_group(
    scores: Float[np.ndarray, "cases"], groups: Sequence[str], *, share: float
) -> dict[str, tuple[float, float]]:
    """Limits of all cases, and of each group by itself that is large enough (Mondrian).

    Groups that are too small share the limits of all cases.

    Args:
        scores: see `limits`.
        groups: of each case, such as the quality of its image; "" where it is not known.
        share: of cases that are to be covered.

    Returns:
        By group; those of all cases under "".

    Raises:
        InputError: see `limits`.

    Source:
        Vovk et al. 2003, Mondrian confidence machine, Royal Holloway technical report.
    """
    found = {ALL: limits(scores, share=share)}
    named = np.asarray(groups, dtype=object)
    for group in sorted(set(groups) - {ALL}):
        own = scores[named == group]
        if len(own) >= fewest_cases(share):
            found[group] = limits(own, share=share)
    return found


def limits_of(found: Mapping[str, tuple[float, float]], group: str) -> tuple[float, float]:
    """The limits that hold for a case of a group.

    Example:
        >>> limits_of({"": (-1.0, 1.0), "poor": (-2.0, 2.0)}, "poor"), limits_of({"": (-1.0, 1.0)}, "good")
        ((-2.0, 2.0), (-1.0, 1.0))
    """
    return found.get(group, found[ALL])
