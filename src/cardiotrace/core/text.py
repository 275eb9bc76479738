"""Text that came from outside, such as names of files, made harmless where it is shown or written."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tab and newline: colours, titles, moves of the cursor
    "\u2028\u2029\u202a-\u202e\u2066-\u2069"  # ends of lines and changes of the direction of reading
    "\ud800-\udfff]"  # bytes of a name that is not UTF-8; printing them fails
)
_FORMULA = ("=", "+", "-", "@", "\t")


def printable(text: str) -> str:
    r"""The text, with all that a terminal would obey rather than show written out; it stays valid inside JSON.

    Example:
        >>> print(printable("patient\x1b[2J, \udcff"))
        patient\u001b[2J, \udcff
    """
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def on_one_line(text: str) -> str:
    r"""As `printable`, tabs and newlines written out too: for names and cells.

    Example:
        >>> print(on_one_line("two\nlines"))
        two\nlines
    """
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def some(names: Sequence[str], most: int = 3) -> str:
    """Names on one line: the first few, and "..." where there are more.

    Example:
        >>> some(["a", "b", "c", "d"])
        'a, b, c, ...'
    """
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def spreadsheet_cell(value: Any) -> Any:
    """A printable cell for a CSV file: text that a spreadsheet would take for a formula gets an apostrophe before it.

    Args:
        value: numbers, also those that stand as text, stay as they are.

    Example:
        >>> spreadsheet_cell("=1+1"), spreadsheet_cell("-2.5"), spreadsheet_cell(-2.5), spreadsheet_cell("ED")
        ("'=1+1", '-2.5', -2.5, 'ED')
    """
    if not isinstance(value, str):
        return value
    text = printable(value)
    if not text.lstrip(" ").startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, end: str = "\n") -> str:
    r"""Rows as comma-separated text that is safe to open with a spreadsheet; what a row lacks stays empty.

    Args:
        columns: keys of the rows, which are the head as well.
        rows: their cells, see `spreadsheet_cell`.
        end: of a line.

    Raises:
        ValueError: a row has a key that is no column.

    Example:
        >>> csv_text(("name", "ml"), [{"name": "=A1", "ml": 120}])
        "name,ml\n'=A1,120\n"
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator=end)
    writer.writerow({column: spreadsheet_cell(column) for column in columns})
    writer.writerows({key: spreadsheet_cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """A key to sort names by, which puts frame2 before frame10; a number of thousands of digits is text.

    Example:
        >>> sorted(["frame10.png", "frame2.png"], key=natural_order)
        ['frame2.png', 'frame10.png']
    """
    parts = re.findall(r"\d+|\D+", name.lower())
    return [(0, int(part), "") if part.isdecimal() and len(part) < 40 else (1, 0, part) for part in parts]


def markdown_cell(value: Any) -> str:
    r"""A cell for a table in Markdown: one line, its bars marked as text.

    Example:
        >>> markdown_cell("ED|ES")
        'ED\\|ES'
    """
    return on_one_line(str(value)).replace("|", "\\|")


def told_apart(names: Sequence[str], above: Sequence[Sequence[str]]) -> list[str]:
    """The names, equal ones with as many of the words above them in front as make them differ, if any number does.

    Args:
        names: of things.
        above: for each, what it lies in, the outermost first.

    Example:
        >>> told_apart(["ED", "ED", "ES"], [("study", "anna"), ("study", "ben"), ("study", "ben")])
        ['anna_ED', 'ben_ED', 'ES']
    """
    result = list(names)
    for depth in range(1, max(map(len, above), default=0) + 1):
        counts = Counter(result)
        result = [
            "_".join((*words[-depth:], name)) if counts[present] > 1 else present
            for present, name, words in zip(result, names, above, strict=True)
        ]
    return result


def numbered(names: Sequence[str]) -> list[str]:
    """The names, each that stood before with a number behind it that makes it differ from all others.

    Example:
        >>> numbered(["a", "a", "a-2", "a"])
        ['a', 'a-3', 'a-2', 'a-4']
    """
    taken, result = set(names), []
    for name in names:
        is_new = name not in result
        free = name if is_new else next(f"{name}-{number}" for number in count(2) if f"{name}-{number}" not in taken)
        taken.add(free)
        result.append(free)
    return result


def class_order(group: str) -> tuple[int, str]:
    """Groups in order of name, classes below a bound first and those above it last.

    Example:
        >>> sorted([">=55", "45-55", "<=45"], key=class_order)
        ['<=45', '45-55', '>=55']
    """
    return {"<": 0, ">": 2}.get(group[:1], 1), group
