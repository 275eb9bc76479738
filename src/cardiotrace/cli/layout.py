"""Tables as lines of text that fit a width: columns shrink and wrap, and stand in blocks where there are many."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

GAP = "  "
_NUMBER = re.compile(r"[<+-]?[\d.,]+( ?%)?|-?(inf|nan)|-|")
_SPACE = re.compile(r" (?![^\[(]*[\])])(?![±/]|x )(?<![±/] )(?<! x )")
"""Where a cell may be broken: not around "±", "/" and "x", and not inside brackets."""
_SOFT = re.compile(r"(?<=[_/,;:=.-])(?=.)")
"""Where a long word may be."""
_LONG_WORD = 14
"""Words are broken only beyond it."""
_LEAST = 3


@dataclass(frozen=True)
class Block:
    """Columns that fit beside each other, as lines."""

    head: tuple[str, ...]
    """Titles of the columns."""
    body: tuple[str, ...]
    """A rule, then the rows."""


@dataclass(frozen=True)
class TableColumn:
    """One column of text, and how it may be set."""

    title: str
    cells: tuple[str, ...]

    @property
    def is_number(self) -> bool:
        """Whether its cells are numbers, which stand to the right."""
        return all(_NUMBER.fullmatch(text) for text in self.cells)

    @property
    def natural(self) -> int:
        """Width that needs no wrapping."""
        return max(map(cell_len, (self.title, *self.cells)))

    @property
    def least(self) -> int:
        """Width below which pieces of words would be cut."""
        return max(cell_len(piece) for text in (self.title, *self.cells) for piece in _pieces(text))


def lay_out(rows: Sequence[Mapping[str, str]], width: int, *, keys: int = 1, below: Sequence[str] = ()) -> list[Block]:
    r"""Rows of texts as blocks of lines, none wider than `width`.

    Args:
        rows: texts by column, all with the same columns. Columns without any text are left out.
        width: of the terminal, in characters.
        keys: how many of the first columns tell rows apart; they begin every block.
        below: columns whose text is prose: it stands on lines of its own below the row.

    Example:
        >>> (block,) = lay_out([{"region": "LV", "n": "2", "note": "fine"}], 30, below=["note"])
        >>> print("\n".join([*block.head, *block.body]))
        region  n
        ─────────
        LV      2
            fine
    """
    names = _with_text(rows, [name for name in rows[0] if name not in below])
    columns = [TableColumn(name, tuple(row[name] for row in rows)) for name in names]
    prose = [[row[name] for name in below if row.get(name)] for row in rows]
    first, *others = _blocks(columns, width, min(keys, len(columns)))
    return [_block(first, prose, width), *(_block(block, [], width) for block in others)]


def _with_text(rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> Sequence[str]:
    """Columns that hold any text; where none does, the first one, so that there is a table at all."""
    return [name for name in names if any(row[name] for row in rows)] or names[:1]


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most `width`, broken between words, long words at their joints, and anywhere if it must.

    Example:
        >>> wrapped("0.900 ± 0.141 [0.800, 1.000]", 15), wrapped("patient001_frame01_labels", 12)
        (['0.900 ± 0.141', '[0.800, 1.000]'], ['patient001_', 'frame01_', 'labels'])
    """
    lines = [""]
    for whole, glue in _joined(text):
        # Only one that has no joint left is cut; the cutter would drop a text that takes no room.
        *cut, piece = [whole] if cell_len(whole) <= width else chop_cells(whole, width)
        lines += cut
        extended = lines[-1] + (glue if lines[-1] and not cut else "") + piece
        if cell_len(extended) <= width:
            lines[-1] = extended
        else:
            lines.append(piece)
    return [line for line in lines if line] or [""]


def _joined(text: str) -> list[tuple[str, str]]:
    """Pieces that stay whole, each with what stands between it and the one before."""
    pairs = []
    for word in _SPACE.split(text):
        for place, piece in enumerate(_SOFT.split(word) if cell_len(word) > _LONG_WORD else [word]):
            pairs.append((piece, " " if place == 0 else ""))
    return pairs


def _pieces(text: str) -> list[str]:
    return [piece for piece, _ in _joined(text)]


def _blocks(columns: Sequence[TableColumn], width: int, keys: int) -> list[list[TableColumn]]:
    """Columns in as few blocks as fit, each begun by the keys."""
    head = list(columns[:keys])
    blocks: list[list[TableColumn]] = [list(head)]
    for column in columns[keys:]:
        if len(blocks[-1]) > keys and _total([item.least for item in (*blocks[-1], column)]) > width:
            blocks.append(list(head))
        blocks[-1].append(column)
    return blocks


def _block(columns: Sequence[TableColumn], prose: Sequence[Sequence[str]], width: int) -> Block:
    widths = _widths(columns, width)
    numbers = [column.is_number for column in columns]
    head = _lines([column.title for column in columns], widths, numbers)
    lines = ["─" * min(width, _total(widths))]
    for place in range(len(columns[0].cells) if columns else 0):
        lines += _lines([column.cells[place] for column in columns], widths, numbers)
        for text in prose[place] if prose else ():
            lines += [f"    {line}" for line in wrapped(text, max(width - 4, 1))]
    return Block(tuple(head), tuple(lines))


def _widths(columns: Sequence[TableColumn], width: int) -> list[int]:
    """Natural widths, the widest reduced first until all fit: to whole words, and below that only if they must."""
    widths = [column.natural for column in columns]
    for least in ([column.least for column in columns], [_LEAST] * len(columns), [2] * len(columns)):
        while _total(widths) > width:
            reducible = [place for place, wide in enumerate(widths) if wide > least[place]]
            if not reducible:
                break
            widths[max(reducible, key=widths.__getitem__)] -= 1
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _lines(texts: Sequence[str], widths: Sequence[int], numbers: Sequence[bool]) -> list[str]:
    """One row of cells, as many lines as its highest cell."""
    cells = [wrapped(text, width) for text, width in zip(texts, widths, strict=True)]
    height = max(map(len, cells))
    lines = []
    for place in range(height):
        parts = [
            _aligned(cell[place] if place < len(cell) else "", width, is_number)
            for cell, width, is_number in zip(cells, widths, numbers, strict=True)
        ]
        lines.append(GAP.join(parts).rstrip())
    return lines


def _aligned(text: str, width: int, to_the_right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if to_the_right else text + space
