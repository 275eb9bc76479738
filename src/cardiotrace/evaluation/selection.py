"""The cases or rows of some groups only, such as those of good image quality."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.evaluation.case_table import CaseRow, CaseTable, group_of

Item = TypeVar("Item", CaseRow, Case)
GroupFilter = Mapping[str, Sequence[str]]
"""Group key to the groups that are kept; upper and lower case are alike."""


def select_items(items: Sequence[Item], only: GroupFilter) -> list[Item]:
    """The items of the wanted groups, in order.

    Args:
        items: cases, or rows of a table.
        only: which groups of which keys; all keys must fit. Keys as in `group_of`.

    Raises:
        InputError: nothing is left.
    """
    kept = list(items)
    for key, groups in only.items():
        wanted = {group.casefold() for group in groups}
        there = sorted({group_of(item, key) for item in kept})
        kept = [item for item in kept if group_of(item, key).casefold() in wanted]
        if not kept:
            raise InputError(
                f"no case has {key} {' or '.join(groups)}", remedy=f"the groups of {key} are: {', '.join(there)}."
            )
    return kept


def select_rows(table: CaseTable, only: GroupFilter) -> CaseTable:
    """The table of the wanted groups; see `select_items`."""
    kept = {id(row) for row in select_items(table.rows, only)}
    return table.where(lambda row: id(row) in kept) if only else table
