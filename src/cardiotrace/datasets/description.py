"""What a data set holds, from headers and tables alone: who was scanned where, how images and cines are sized."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cardiotrace.core.errors import CardioTraceError
from cardiotrace.core.exam import Case
from cardiotrace.core.geometry import Spacing
from cardiotrace.core.image import Grid
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.core.terms import Phase, View, view_name
from cardiotrace.core.text import class_order
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import PARTS
from cardiotrace.io import read_metadata

UNKNOWN = "unknown"
ROW_KEYS = ("pathology", "ef_class", "quality", "sex")
"""Group keys that a table of patients can have a row for each of; the first that a data set knows is taken."""
COLUMN_KEYS = ("part", "dataset", "centre", "vendor", "field", "scanner", "quality", "ef_class", "sex")
"""Group keys that it can have columns for."""
_UNITS = {"field": " T"}


@dataclass(frozen=True)
class CaseHeader:
    """What a case's header and the data set's tables say of it; None where neither does."""

    name: str
    patient: str
    view: str
    phase: Phase
    groups: Mapping[str, str]
    """Without the patient; `part` is that of the official split."""
    is_labelled: bool
    shape: tuple[int, int, int] | None = None
    """(depth, height, width)."""
    spacing_mm: Spacing | None = None
    """(depth, height, width), mm; NaN in depth where the slice distance is not known."""
    frame: int | None = None
    """Which frame of the cine it is, from zero."""
    frame_count: int | None = None
    """How many frames the cine has."""
    problem: str = ""
    """Why the header cannot be read."""

    @property
    def is_stack(self) -> bool:
        """Whether it has several slices."""
        return self.shape is not None and self.shape[0] > 1


@dataclass(frozen=True)
class DatasetDescription:
    """What a data set holds."""

    name: str
    licence: str
    citation: str
    headers: tuple[CaseHeader, ...]

    @property
    def patients(self) -> dict[str, CaseHeader]:
        """The first case of each patient."""
        return {header.patient: header for header in reversed(self.headers)}

    @property
    def headline(self) -> str:
        """Its name, and how much it holds, in one line."""
        labelled = sum(header.is_labelled for header in self.headers)
        counts = (_counted(len(self.patients), "patient"), _counted(len(self.headers), "image"), f"{labelled} labelled")
        return f"{self.name}: {', '.join(counts)}"

    @property
    def row_key(self) -> str:
        """The group key that tables of patients have a row for each of; "" where the data set knows none."""
        return next((key for key in ROW_KEYS if self._knows(key)), "")

    @property
    def column_keys(self) -> tuple[str, ...]:
        """The group keys that they have columns for."""
        return tuple(key for key in COLUMN_KEYS if key != self.row_key and self._knows(key))

    def counts(self, key: str) -> dict[str, Counter[str]]:
        """Patients by the group of the row key, and within it by the group of another key, both in order."""
        found: dict[str, Counter[str]] = {}
        for header in sorted(self.patients.values(), key=lambda header: class_order(self._row(header))):
            found.setdefault(self._row(header), Counter())[header.groups.get(key, UNKNOWN)] += 1
        return found

    def _row(self, header: CaseHeader) -> str:
        return header.groups.get(self.row_key, UNKNOWN) if self.row_key else "all"

    def _knows(self, key: str) -> bool:
        return any(key in header.groups for header in self.headers)

    def __to_plain__(self) -> dict[str, Any]:
        """Plain data: totals, the tables, and what is known of each case."""
        return {
            "data_set": self.name,
            "patients": len(self.patients),
            "images": len(self.headers),
            "labelled": sum(header.is_labelled for header in self.headers),
            "licence": self.licence,
            "citation": self.citation,
            "groups": group_rows(self),
            "sizes": size_rows(self),
            "instants": instant_rows(self),
            "cases": [_plain_case(header) for header in self.headers],
        }


def describe(dataset: Dataset, *, on_progress: OnProgress | None = None) -> DatasetDescription:
    """Look at every case's header, and read no pixels; a header that cannot be read is told of, and stops nothing.

    Args:
        dataset: what to describe; of phantoms, which have no files, sizes are not known.
        on_progress: told after each case.
    """
    parts = _parts(dataset)
    cines: dict[str, int | None] = {}
    headers = [_header(case, dataset, parts, cines) for case in counted(dataset.cases(), on_progress)]
    return DatasetDescription(dataset.name, dataset.licence, dataset.citation, tuple(headers))


def _parts(dataset: Dataset) -> dict[str, str]:
    """Part of the official split of each patient."""
    split = dataset.splits().get("official")
    return {} if split is None else {patient: part for part in PARTS for patient in getattr(split, part)}


def _header(case: Case, dataset: Dataset, parts: Mapping[str, str], cines: dict[str, int | None]) -> CaseHeader:
    groups = {key: value for key, value in case.groups.items() if key != "patient"}
    if case.patient in parts:
        groups["part"] = parts[case.patient]
    grid, problem = _grid(case)
    count = case.instant.frame_count
    if count is None and case.instant.cine is not None:
        if case.instant.cine not in cines:
            cines[case.instant.cine] = _frame_count(dataset, case.instant.cine, case.view)
        count = cines[case.instant.cine]
    return CaseHeader(
        name=case.name,
        patient=case.patient,
        view=UNKNOWN if case.view is View.UNKNOWN else view_name(case.view, case.modality),
        phase=case.phase,
        groups=groups,
        is_labelled=case.read_labels is not None,
        shape=None if grid is None else grid.shape[1:],
        spacing_mm=None if grid is None else grid.geometry.spacing_mm,
        frame=case.instant.frame,
        frame_count=count,
        problem=problem,
    )


def _grid(case: Case) -> tuple[Grid | None, str]:
    if case.read_grid is None:
        return None, ""
    try:
        return case.read_grid(), ""
    except CardioTraceError as error:
        return None, error.what


def _frame_count(dataset: Dataset, cine: str, view: View) -> int | None:
    """Frames of a cine by its header: the last of four axes, and of three unless these are one short-axis stack."""
    try:
        shape = read_metadata(dataset.root / cine)["shape"]
    except CardioTraceError:  # the image itself is what is described; its own header has been read
        return None
    return int(shape[-1]) if len(shape) == 4 or (len(shape) == 3 and view is not View.SAX) else None


def group_rows(described: DatasetDescription) -> list[dict[str, Any]]:
    """Patients by pathology (or what else the data set knows first), and of these by part, centre, vendor and so on."""
    columns = {key: described.counts(key) for key in described.column_keys}
    totals = {row: sum(counts.values()) for row, counts in described.counts("").items()}
    rows = []
    for row, total in totals.items():
        cells: dict[str, Any] = {described.row_key or "group": row, "patients": total}
        for key, by_row in columns.items():
            groups = sorted({group for counts in by_row.values() for group in counts}, key=_part_order)
            cells |= {_group_words(key, group): by_row[row][group] for group in groups}
        rows.append(cells)
    return rows


def _part_order(group: str) -> tuple[int, str]:
    return (PARTS.index(group) if group in PARTS else len(PARTS)), group


def _group_words(key: str, group: str) -> str:
    """What a column is called: the group alone where its name tells what it is."""
    words = key.replace("_", " ")
    return (
        group if key in ("part", "dataset", "scanner") and group != UNKNOWN else f"{words} {group}{_UNITS.get(key, '')}"
    )


def size_rows(described: DatasetDescription) -> list[dict[str, Any]]:
    """Images of each view, how many are ED and ES and labelled, and how large they are: least, median, largest."""
    rows = []
    for view, headers in _by_view(described):
        shapes = [header.shape for header in headers if header.shape is not None]
        sizes = [header.spacing_mm for header in headers if header.spacing_mm is not None]
        stacks = [header.spacing_mm[0] for header in headers if header.is_stack and header.spacing_mm is not None]
        rows.append(
            {
                "view": view,
                "images": len(headers),
                "labelled": sum(header.is_labelled for header in headers),
                "ED": sum(header.phase is Phase.ED for header in headers),
                "ES": sum(header.phase is Phase.ES for header in headers),
                "slices": spread(shape[0] for shape in shapes),
                "height": spread(shape[1] for shape in shapes),
                "width": spread(shape[2] for shape in shapes),
                "pixel_height_mm": spread(size[1] for size in sizes),
                "pixel_width_mm": spread(size[2] for size in sizes),
                "slice_distance_mm": spread(stacks),
                "unreadable": sum(bool(header.problem) for header in headers),
            }
        )
    return rows


def instant_rows(described: DatasetDescription) -> list[dict[str, Any]]:
    """Where ED and ES lie in the cines of each view, and how long these are; nothing where no table or cine tells."""
    rows = []
    for view, headers in _by_view(described):
        for phase in (Phase.ED, Phase.ES):
            found = [header for header in headers if header.phase is phase]
            frames = [header.frame for header in found if header.frame is not None]
            counts = [header.frame_count for header in found if header.frame_count is not None]
            if frames or counts:
                row = {"view": view, "phase": str(phase), "frame": spread(frames), "frames of the cine": spread(counts)}
                rows.append(row | {"share of the beat": spread(_shares(found), digits=2)})
    return rows


def _shares(headers: Iterable[CaseHeader]) -> Iterator[float]:
    for header in headers:
        if header.frame is not None and header.frame_count:
            yield header.frame / header.frame_count


def _by_view(described: DatasetDescription) -> Iterator[tuple[str, Sequence[CaseHeader]]]:
    for view in dict.fromkeys(header.view for header in described.headers):
        yield view, [header for header in described.headers if header.view == view]


def spread(values: Iterable[float], *, digits: int = 4) -> str:
    """Least, median and largest of some numbers in words; one number where all are the same, "" where there is none.

    Example:
        >>> spread([8, 10, 9]), spread([1.4, 1.4]), spread([])
        ('8 - 9 - 10', '1.4', '')
    """
    known = sorted(value for value in values if not math.isnan(value))
    if not known:
        return ""
    numbers = (known[0], statistics.median(known), known[-1])
    words = [f"{number:.{digits}g}" for number in numbers]
    return words[0] if words[0] == words[2] else " - ".join(words)


def _plain_case(header: CaseHeader) -> dict[str, Any]:
    plain = asdict(header) | {"phase": str(header.phase)}
    sizes = header.spacing_mm
    plain["spacing_mm"] = None if sizes is None else [None if math.isnan(size) else size for size in sizes]
    return plain


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
