"""The frames that a method did worst on, best on, and between them."""

import math
from dataclasses import dataclass

from cardiotrace.evaluation.case_table import HIGHER_IS_BETTER, CaseRow, CaseTable


@dataclass(frozen=True)
class ScoredFrame:
    """All rows of one frame and what they come to."""

    case: str
    frame: int
    mean: float
    """Mean of the score over its regions; absent ones have none, missed ones count with theirs."""
    rows: tuple[CaseRow, ...]


def worst_frames(table: CaseTable, count: int, *, score: str = "dice") -> tuple[ScoredFrame, ...]:
    """The frames with the worst mean of a score over their regions, the worst first.

    Args:
        table: the cases.
        count: how many, at most.
        score: one of `SCORES`.
    """
    return ranked_frames(table, score=score)[:count]


def typical_frames(table: CaseTable, *, score: str = "dice") -> dict[str, ScoredFrame]:
    """The worst, the median and the best frame by the mean of a score over its regions, as many as there are.

    Of an even number the median is the worse one of the two in the middle.

    Args:
        table: the cases.
        score: one of `SCORES`.
    """
    ranked = ranked_frames(table, score=score)
    words = {len(ranked) - 1: "best", (len(ranked) - 1) // 2: "median", 0: "worst"}  # of one frame alone, "worst"
    return {words[place]: ranked[place] for place in sorted(words) if ranked}


def ranked_frames(table: CaseTable, *, score: str = "dice") -> tuple[ScoredFrame, ...]:
    """All frames that have a mean of a score over their regions, the worst first.

    Args:
        table: the cases.
        score: one of `SCORES`.
    """
    frames: dict[tuple[str, int], list[CaseRow]] = {}
    for row in table.rows:
        frames.setdefault((row.case, row.frame), []).append(row)
    scored = [
        ScoredFrame(case, frame, sum(known) / len(known), tuple(rows))
        for (case, frame), rows in frames.items()
        if (known := [value for row in rows if not math.isnan(value := row.score(score))])
    ]
    return tuple(sorted(scored, key=lambda item: item.mean, reverse=score not in HIGHER_IS_BETTER))
