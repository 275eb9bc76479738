"""A cine of magnetic resonance as an image: its place in the patient, its instants, and its pixels, read on demand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.image import Acquisition, FileSource, Image
from cardiotrace.core.terms import Modality, View
from cardiotrace.io.dicom.beat import Beat, common_beat
from cardiotrace.io.dicom.decoding import frames_of
from cardiotrace.io.dicom.fact import number, text
from cardiotrace.io.dicom.plane import Plane
from cardiotrace.io.dicom.slice_stack import SliceStack
from cardiotrace.io.dicom.source import DicomFile, DicomSource
from cardiotrace.io.stored import MAX_PIXEL_BYTES, reading

if TYPE_CHECKING:
    from pydicom import Dataset

_TO_RAS = np.diag([-1.0, -1.0, 1.0])
"""DICOM counts to the patient's left and back, `core.geometry.COORDINATES` to the right and the front."""


@dataclass(frozen=True, eq=False)
class MrCine:
    """A stack of slices over the beat, or a single one, not yet read."""

    stack: SliceStack
    view: View
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @cached_property
    def beat(self) -> Beat:
        """Its planes on one clock."""
        return common_beat(self.stack)

    @property
    def first(self) -> Plane:
        """The first plane of the first slice."""
        return self.stack.slices[0].planes[0]

    @property
    def files(self) -> tuple[DicomFile, ...]:
        """Its files, each once, by time and then by depth."""
        held = (plane.frame.file for instant in self.beat.planes for plane in instant)
        return tuple({id(file): file for file in held}.values())

    def read(self) -> Image:
        """The image.

        Raises:
            InputError: pixels are missing, damaged, not those that the header states, or more than may be read.
        """
        beat, series = self.beat, self.first.series
        told = dict.fromkeys(note for each in self.stack.slices for note in each.notes)
        return Image(
            _frames(beat.planes),
            _geometry(self.stack),
            beat.times_ms,
            self.view,
            self._source(),
            modality=Modality.MR,
            times=beat.times,
            acquisition=Acquisition(
                heart_rate_bpm=beat.heart_rate_bpm,
                r_waves_ms=beat.r_waves_ms,
                vendor=series.vendor,
                scanner=series.scanner,
                field_strength_t=series.field_strength_t,
            ),
            notes=(*self.notes, *self.stack.notes, *beat.notes, *told),
            doubts=self.doubts,
        )

    def _source(self) -> FileSource:
        planes = self.beat.planes
        height, width = self.stack.place.shape
        lengths = {"x": width, "y": height, "z": len(planes[0]), "t": len(planes)}
        axes = "".join(axis for axis, length in lengths.items() if axis in "xy" or length > 1)
        paths = {file.path for file in self.files}
        path = paths.pop() if len(paths) == 1 else _common_folder(paths)
        return FileSource(
            path,
            "dicom",
            path.suffix if path.is_file() else "",
            axes,
            tuple(lengths[axis] for axis in axes),
            frame_interval_ms=_interval_ms(self.beat.times_ms),
            header=DicomSource(tuple(tuple(plane.frame for plane in instant) for instant in planes)),
        )


def _common_folder(paths: set[Path]) -> Path:
    first, *others = sorted(paths)
    shared = (folder for folder in first.parents if all(other.is_relative_to(folder) for other in others))
    return next(shared, first.parent)


def _interval_ms(times_ms: Float[np.ndarray, " time"] | None) -> float | None:
    return None if times_ms is None or len(times_ms) < 2 else float(np.diff(times_ms).mean())


def _geometry(stack: SliceStack) -> Geometry:
    place = stack.place
    height, width = place.pixel_mm
    affine = np.eye(4)
    affine[:3] = _TO_RAS @ np.stack([stack.step, place.down * height, place.right * width, place.corner], axis=1)
    return Geometry(affine, Known.FILE, Known.FILE, Known.FILE)


def _frames(planes: Sequence[Sequence[Plane]]) -> NDArray[Any]:
    """Grey values (time, depth, height, width): integers as stored, where no scale is asked for."""
    height, width = planes[0][0].place.shape
    listed = [plane for instant in planes for plane in instant]
    kind = _kind([plane.frame.file.header for plane in listed], [plane.scaling for plane in listed])
    shape = (len(planes), len(planes[0]), height, width)
    if np.prod(shape, dtype=float) * kind.itemsize > MAX_PIXEL_BYTES:
        where = listed[0].frame.file.path
        raise InputError(f"claims {' x '.join(map(str, shape))} pixels", where=where, remedy="read fewer files.")
    frames = np.empty(shape, kind)
    wanted = sorted(
        ((plane, (time, depth)) for time, instant in enumerate(planes) for depth, plane in enumerate(instant)),
        key=lambda entry: id(entry[0].frame.file),
    )
    for _, members in groupby(wanted, key=lambda entry: id(entry[0].frame.file)):
        entries = list(members)
        values = _values(entries[0][0].frame.file, (height, width))
        if max(plane.frame.number for plane, _ in entries) > len(values):
            raise InputError(f"ends after {len(values)} of its frames", where=entries[0][0].frame.file.path)
        for plane, index in entries:
            frames[index] = _scaled(values[plane.frame.number - 1], plane.scaling)
    return frames


def _scaled(values: NDArray[Any], scaling: tuple[float, float]) -> NDArray[Any]:
    slope, intercept = scaling
    return values if (slope, intercept) == (1.0, 0.0) else values.astype(np.float64) * slope + intercept


def _kind(headers: Sequence["Dataset"], scalings: Sequence[tuple[float, float]]) -> np.dtype[Any]:
    """The type of pixel that holds all of them."""
    stored = {(text(header, "BitsAllocated"), text(header, "PixelRepresentation")) for header in headers}
    known: Mapping[tuple[str, str], type] = {("8", "0"): np.uint8, ("16", "0"): np.uint16, ("16", "1"): np.int16}
    is_plain = len(stored) == 1 and set(scalings) == {(1.0, 0.0)}
    return np.dtype(known.get(stored.pop(), np.float32) if is_plain else np.float32)


def _values(file: DicomFile, shape: tuple[int, int]) -> NDArray[Any]:
    """Stored values (frame, height, width) of an object."""
    with reading(file.path, "a DICOM"):
        dataset = file.read()
        planes = [frame.values for frame in frames_of(dataset, file.path)]
        if odd := {plane.shape for plane in planes} - {shape}:
            raise InputError(f"holds a plane of {odd.pop()} pixels, its header states {shape}", where=file.path)
        return _in_stored_bits(planes[0][np.newaxis] if len(planes) == 1 else np.stack(planes), dataset)


def _in_stored_bits(pixels: NDArray[Any], header: "Dataset") -> NDArray[Any]:
    """Values without what older writers keep in the bits beside them, such as graphics; dark is low.

    Example:
        >>> from pydicom import Dataset
        >>> header = Dataset()
        >>> header.BitsAllocated, header.BitsStored, header.HighBit, header.PhotometricInterpretation = 16, 12, 11, ""
        >>> _in_stored_bits(np.array([0x1005, 0x0FFF], np.uint16), header).tolist()
        [5, 4095]
    """
    allocated = pixels.dtype.itemsize * 8
    stored = int(number(header, "BitsStored") or allocated)
    high = int(number(header, "HighBit") or stored - 1)
    if pixels.dtype.kind not in "iu" or not 0 < stored <= high + 1 <= allocated:
        return pixels
    if stored < allocated:
        # Up to the top, and down again with the sign.
        pixels = (pixels << (allocated - 1 - high)) >> (allocated - stored)
    if text(header, "PhotometricInterpretation") == "MONOCHROME1":
        pixels = ~pixels if pixels.dtype.kind == "i" else (1 << stored) - 1 - pixels
    return pixels


def cine_order(cine: MrCine) -> tuple[int, float, int]:
    """Short axes first, then long ones, by number of their series, the stack of more slices first."""
    views = list(_ORDER)
    place = views.index(cine.view) if cine.view in views else len(views)
    return place, cine.first.series.number or 0.0, -len(cine.stack.slices)


_ORDER: tuple[View, ...] = (View.SAX, View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER)


def names_of(cines: Sequence[MrCine]) -> Iterator[str]:
    """A name of each: its view, numbered from the second of a view on."""
    seen: dict[str, int] = {}
    for cine in cines:
        word = "cine" if cine.view is View.UNKNOWN else cine.view.value
        seen[word] = seen.get(word, 0) + 1
        yield word if seen[word] == 1 else f"{word}_{seen[word]}"
