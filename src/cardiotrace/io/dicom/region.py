"""The part of an ultrasound picture that shows the heart, and how large its pixels are.

A picture also holds text, logos, scales and an ECG. Scanners state where the tissue lies and what a pixel of it
measures: the Sequence of Ultrasound Regions.

Source:
    DICOM PS3.3 C.8.5.5, US Region Calibration Module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cardiotrace.core.errors import InputError
from cardiotrace.io.dicom.fact import items, number, numbers
from cardiotrace.io.dicom.header import whole_of
from cardiotrace.io.dicom.source import DicomFile

if TYPE_CHECKING:
    from pydicom import Dataset

_FLAT, _TISSUE, _FLOW = 1, 1, 2
"""Region Spatial Format 2D; Region Data Type tissue and colour flow."""
_CENTIMETRES = 3
"""Physical Units: the only code of a length."""
_OVER_THE_EDGE = 2
"""Pixels by which a box may end beyond the picture: some scanners count from one, or state the first pixel outside."""
_AS_LARGE = 0.5
"""Share of the largest region's area from which another one is no inset but its equal."""
_SIZES_MM = (1e-3, 20.0)
_DEEPEST_MM = 500.0
"""No ultrasound of the body reaches so far: a deeper region has its sizes in another unit than it says."""
_SAME_SIZE = 0.01
"""Share by which two statements of one pixel size may differ."""
_SPATIAL: Mapping[int | None, str] = {2: "M-mode", 3: "a spectrum", 4: "a curve", 5: "graphics"}
_REMEDY = "give it with --spacing-mm HEIGHT WIDTH"


@dataclass(frozen=True)
class Region:
    """What is used of a picture; the whole of it where nothing says more."""

    rows: slice
    columns: slice
    pixel_mm: tuple[float, float] | None = None
    """(height, width) of a pixel, mm; None where it is not known."""
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def part_of(self, height: int, width: int) -> tuple[int, int, int, int] | None:
        """(top, left, bottom, right) in a picture of this size; None where it is all of it.

        Example:
            >>> Region(slice(10, 90), slice(0, 100)).part_of(100, 100), Region(slice(0, 9), slice(0, 9)).part_of(9, 9)
            ((10, 0, 90, 100), None)
        """
        top, bottom, _ = self.rows.indices(height)
        left, right, _ = self.columns.indices(width)
        part = top, left, bottom, right
        return None if part == (0, 0, height, width) else part


@dataclass(frozen=True)
class _Box:
    """One item of the sequence: its edges, the last ones among its pixels, as they are stated."""

    left: int
    top: int
    right: int
    bottom: int
    units: tuple[int | None, int | None]
    deltas: tuple[float | None, float | None]
    """Per pixel along x and y."""

    @property
    def area(self) -> int:
        return max(0, self.right - self.left + 1) * max(0, self.bottom - self.top + 1)

    @property
    def pixel_mm(self) -> tuple[float, float] | None:
        """(height, width); None where the units are no centimetres or the sizes or the depth cannot be."""
        x, y = (None if delta is None else abs(10 * delta) for delta in self.deltas)
        if self.units != (_CENTIMETRES, _CENTIMETRES) or x is None or y is None:
            return None
        can_be = all(_SIZES_MM[0] <= size <= _SIZES_MM[1] for size in (x, y))
        return (y, x) if can_be and y * (self.bottom - self.top + 1) <= _DEEPEST_MM else None

    def overlap(self, other: "_Box") -> int:
        """Pixels that lie in both."""
        width = min(self.right, other.right) - max(self.left, other.left) + 1
        height = min(self.bottom, other.bottom) - max(self.top, other.top) + 1
        return max(0, width) * max(0, height)

    def __str__(self) -> str:
        return f"{self.left},{self.top} to {self.right},{self.bottom}"


def region_of(file: DicomFile, shape: tuple[int, int]) -> Region:
    """Which part of a picture shows tissue, and the size of its pixels.

    Args:
        file: the object.
        shape: (rows, columns) of the picture.

    Raises:
        InputError: it shows no two-dimensional picture, or several as large as each other.
    """
    stated = items(file.header, "SequenceOfUltrasoundRegions")
    if not stated:
        return _without_regions(file.header, shape)
    boxes = [box for item in stated if _is_flat(item) and (box := _box(item)) is not None and box.area]
    if not boxes:
        raise _not_flat(file, stated)
    largest = max(boxes, key=lambda box: box.area)
    _require_one(file, largest, boxes)
    return _agreed(_placed(largest, shape), largest, boxes, numbers(file.header, "PixelSpacing"))


def _is_flat(item: "Dataset") -> bool:
    kinds = (whole_of(item, "RegionSpatialFormat"), whole_of(item, "RegionDataType"))
    return kinds[0] == _FLAT and kinds[1] in (_TISSUE, _FLOW)


def _box(item: "Dataset") -> _Box | None:
    edges = [whole_of(item, f"RegionLocation{edge}") for edge in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
    if None in edges:
        return None
    left, top, right, bottom = (edge or 0 for edge in edges)
    units = (whole_of(item, "PhysicalUnitsXDirection"), whole_of(item, "PhysicalUnitsYDirection"))
    deltas = (number(item, "PhysicalDeltaX"), number(item, "PhysicalDeltaY"))
    return _Box(left, top, right, bottom, units, deltas)


def _not_flat(file: DicomFile, regions: tuple["Dataset", ...]) -> InputError:
    shown = " and ".join(sorted({_kind(item) for item in regions}))
    return InputError(f"shows {shown}, no two-dimensional picture of tissue", where=file.path)


def _kind(item: "Dataset") -> str:
    """What a region is that no tissue is seen in."""
    spatial = whole_of(item, "RegionSpatialFormat")
    if spatial in _SPATIAL:
        return _SPATIAL[spatial]
    if not _is_flat(item):
        return "a region of something else" if spatial == _FLAT else "a region of no known kind"
    box = _box(item)
    return "a region that states no edges" if box is None else f"a region whose edges are reversed ({box})"


def _require_one(file: DicomFile, largest: _Box, boxes: list[_Box]) -> None:
    """Refuse two pictures side by side: nothing tells which is meant, and their pixels may differ in size."""
    beside = [box for box in boxes if box.area >= _AS_LARGE * largest.area and box.overlap(largest) < box.area / 2]
    if beside:
        raise InputError(
            f"shows {len(beside) + 1} pictures side by side ({'; '.join(map(str, (largest, *beside)))})",
            where=file.path,
            remedy="export each of them by itself.",
        )


def _agreed(region: Region, largest: _Box, boxes: list[_Box], spacing: tuple[float, ...]) -> Region:
    """The region with what else is said of the size of its pixels: without one where two boxes contradict each other.

    Boxes of much the same place are of one picture, whose pixels have one size. The element PixelSpacing is no part of
    ultrasound and gives way.
    """
    if region.pixel_mm is None:
        return region
    over = [box.pixel_mm for box in boxes if box.overlap(largest) >= _AS_LARGE * largest.area]
    for other in over:
        if other is not None and not _is_same_size(other, region.pixel_mm):
            doubt = f"its regions say that a pixel is {_size(region.pixel_mm)} and {_size(other)}: its size is unknown"
            return replace(region, pixel_mm=None, doubts=(*region.doubts, f"{doubt}; {_REMEDY}"))
    if len(spacing) == 2 and not _is_same_size(spacing, region.pixel_mm):
        note = (
            f"its region says that a pixel is {_size(region.pixel_mm)}, and counts; PixelSpacing says {_size(spacing)}"
        )
        return replace(region, notes=(*region.notes, note))
    return region


def _is_same_size(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(abs(a - b) <= _SAME_SIZE * b for a, b in zip(one, other, strict=True))


def _size(pixel_mm: Sequence[float]) -> str:
    return f"{pixel_mm[0]:.3g} x {pixel_mm[1]:.3g} mm"


def _placed(box: _Box, shape: tuple[int, int]) -> Region:
    rows, columns = shape
    over = max(box.right - columns + 1, box.bottom - rows + 1)
    if box.left >= columns or box.top >= rows or over > _OVER_THE_EDGE:
        doubt = (
            f"its region of tissue ({box}) is larger than the picture ({columns} x {rows}): the picture was made"
            f" smaller after it was measured, so its pixel size is unknown; {_REMEDY}; nothing is masked"
        )
        return Region(slice(0, rows), slice(0, columns), doubts=(doubt,))
    where = (slice(box.top, min(box.bottom + 1, rows)), slice(box.left, min(box.right + 1, columns)))
    if box.pixel_mm is not None:
        return Region(*where, box.pixel_mm)
    why = "is not in centimetres" if box.units != (_CENTIMETRES, _CENTIMETRES) else "is none that can be"
    return Region(*where, notes=(f"the pixel size of its region {why}, so it is unknown; {_REMEDY}",))


def _without_regions(header: "Dataset", shape: tuple[int, int]) -> Region:
    whole = (slice(0, shape[0]), slice(0, shape[1]))
    spacing = numbers(header, "PixelSpacing")
    if len(spacing) == 2 and all(_SIZES_MM[0] <= size <= _SIZES_MM[1] for size in spacing):
        return Region(*whole, (spacing[0], spacing[1]), notes=("it states no region of tissue: nothing is masked",))
    ratio = numbers(header, "PixelAspectRatio")
    note = f"it states neither a region of tissue nor a pixel size; {_REMEDY}"
    if len(ratio) != 2 or ratio[0] == ratio[1]:
        return Region(*whole, notes=(note,))
    doubt = f"its pixels are no squares ({ratio[0]:g} : {ratio[1]:g}), and count as such; {_REMEDY}"
    return Region(*whole, notes=(note,), doubts=(doubt,))
