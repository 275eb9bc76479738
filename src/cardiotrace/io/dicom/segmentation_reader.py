"""DICOM Segmentation objects to label maps, whoever wrote them."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.image import Grid, Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.io.dicom.code import Code, structure_of
from cardiotrace.io.dicom.header import unwarned
from cardiotrace.io.dicom.segmentation import SOP_CLASS, Plane, frame_key
from cardiotrace.io.dicom.source import DicomSource

if TYPE_CHECKING:
    from pydicom import Dataset

_DAMAGE = (
    *(AttributeError, KeyError, IndexError, TypeError, ValueError, ArithmeticError, struct.error),
    *(NotImplementedError, RuntimeError, EOFError, OSError),
)
"""What pydicom, and whoever believes what a file says, may raise on one that is not as it should be."""


def read_segmentation(paths: Path | Sequence[Path], scheme: LabelScheme, image: Image | Grid) -> LabelMap:
    """The label map of an image from DICOM Segmentation objects, whoever wrote them.

    Args:
        paths: of the object; of several that share the structures or the instants of one image.
        scheme: of the label map.
        image: from DICOM files, or its grid; the segmented planes lie on its planes, pixel by pixel.

    Returns:
        The label map on the image's grid; its notes say which segments were left out.

    Raises:
        InputError: no binary segmentation, or one of another image, or of unknown structures, or damaged, or one
            whose segments overlap.
    """
    files = [paths] if isinstance(paths, Path) else list(paths)
    grid = image.grid if isinstance(image, Image) else image
    source = None if grid.source is None else grid.source.header
    if not isinstance(source, DicomSource):
        raise InputError("a DICOM segmentation lies on a DICOM image, and this image is none", where=files[0])
    array = np.zeros(grid.shape, np.uint8)
    notes: list[str] = []
    planes = _Planes.of(source)
    for path in files:
        with _as_input_error(path), unwarned():
            notes += _lay(_read(path), array, scheme, planes, path)
    return LabelMap(array, scheme, grid.geometry, grid.source, tuple(notes))


@dataclass(frozen=True)
class _Planes:
    """Which planes of the image every frame of its source became: several where an instant was taken twice."""

    of_frame: Mapping[tuple[str, int], Sequence[Plane]]
    of_object: Mapping[str, Sequence[Plane]]

    @classmethod
    def of(cls, source: DicomSource) -> "_Planes":
        of_frame: dict[tuple[str, int], list[Plane]] = {}
        of_object: dict[str, list[Plane]] = {}
        for time, row in enumerate(source.frames):
            for depth, frame in enumerate(row):
                of_frame.setdefault(frame_key(frame), []).append((time, depth))
                of_object.setdefault(frame_key(frame)[0], []).append((time, depth))
        return cls(of_frame, of_object)

    def find(self, groups: "Dataset", path: Path) -> Sequence[Plane]:
        """The planes that a segmented frame lies on.

        Raises:
            InputError: it names no frame of the image.
        """
        found = [plane for key in _sources_in(groups) for plane in self._at(key)]
        planes = list(dict.fromkeys(found))
        if not planes:
            raise InputError(
                "is a segmentation of another image: a frame of it names no frame of this one",
                where=path,
                remedy="name the study that it was made of.",
            )
        stated = _stated_plane(groups)
        return [stated] if stated in planes else planes

    def _at(self, key: tuple[str, int | None]) -> Sequence[Plane]:
        uid, number = key
        return self.of_object.get(uid, ()) if number is None else self.of_frame.get((uid, number), ())


@contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    """Turn what a damaged file makes of reading into one clear error.

    Raises:
        InputError: naming the file.
    """
    try:
        yield
    except InputError:
        raise
    except _DAMAGE as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"is no DICOM segmentation that can be read: {what}", where=path, remedy=_AGAIN) from None


_AGAIN = "export it again, as BINARY segments."


def _read(path: Path) -> "Dataset":
    """A binary segmentation, with its pixels not yet unpacked.

    Raises:
        InputError: it is something else.
    """
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        read = dcmread(path)
    except InvalidDicomError:
        raise InputError("is no DICOM file", where=path, remedy=_AGAIN) from None
    kind = read.get("SegmentationType")
    if read.get("SOPClassUID") != SOP_CLASS or kind != "BINARY":
        what = f"a {str(kind).lower()} segmentation" if kind else "no segmentation"
        raise InputError(f"is {what}, and not a binary one", where=path, remedy=_AGAIN)
    return read


def _lay(read: "Dataset", array: NDArray[np.uint8], scheme: LabelScheme, planes: _Planes, path: Path) -> list[str]:
    """Write the segments of one object into a label map, and say which have no place in it.

    Raises:
        InputError: see `read_segmentation`.
    """
    structures, notes = _structures_of(read, scheme, path)
    for item, mask in _frames_of(read, array.shape, path):
        structure = structures.get(_segment_number(item, read))
        if structure is None:
            continue
        for time, depth in planes.find(item, path):
            plane, value = array[time, depth], scheme.value(structure)
            if there := set(np.unique(plane[mask]).tolist()) - {0, value}:
                other = next(known for known, number in scheme.values.items() if number in there)
                raise InputError(
                    f"segments {other} and {structure} overlap in frame {time + 1}, and a label map holds one of them",
                    where=path,
                    remedy="correct the segmentation so that every pixel is of one structure.",
                )
            plane[mask] = value
    return notes


def _segment_number(groups: "Dataset", read: "Dataset") -> int:
    """Which segment a frame shows: said of the frame or, where there is but one, of all of them."""
    holder = groups if "SegmentIdentificationSequence" in groups else read.SharedFunctionalGroupsSequence[0]
    return int(holder.SegmentIdentificationSequence[0].ReferencedSegmentNumber)


def _structures_of(read: "Dataset", scheme: LabelScheme, path: Path) -> tuple[dict[int, Structure], list[str]]:
    """Segments by number, without those that the scheme has no value for, and what to say of these.

    Raises:
        InputError: none of them has.
    """
    found: dict[int, Structure] = {}
    notes = []
    for item in read.get("SegmentSequence") or ():
        codes = [Code.of(code) for code in item.get("SegmentedPropertyTypeCodeSequence") or ()]
        structure = next((known for code in codes if (known := structure_of(code)) is not None), None)
        if structure is None or structure not in scheme.values:
            notes.append(f"segment {item.get('SegmentLabel', item.SegmentNumber)} has no value in scheme {scheme.name}")
        else:
            found[int(item.SegmentNumber)] = structure
    if not found:
        raise InputError(f"none of its segments is a structure of scheme {scheme.name}", where=path)
    return found, notes


def _frames_of(read: "Dataset", shape: tuple[int, ...], path: Path) -> "Iterator[tuple[Dataset, NDArray[np.bool_]]]":
    """Functional groups and mask of every frame; the size is checked before anything is unpacked.

    Raises:
        InputError: frames of another size, more than there can be, or damaged ones.
    """
    from pydicom.pixels.utils import pixel_array

    time, depth, height, width = shape
    count = int(read.get("NumberOfFrames") or 0)
    if (read.get("Rows"), read.get("Columns")) != (height, width):
        size = f"{read.get('Rows')} x {read.get('Columns')} pixels"
        raise InputError(f"has frames of {size}, and the image has {height} x {width}", where=path)
    groups = list(read.get("PerFrameFunctionalGroupsSequence") or ())
    most = time * depth * max(1, len(read.get("SegmentSequence") or ()))
    if count != len(groups) or not 0 < count <= most:
        raise InputError(f"says {count} frames and describes {len(groups)}, of {most} that can be", where=path)
    # Frames are packed bit by bit, across the borders of bytes: they are unpacked together.
    pixels = pixel_array(read).reshape(count, height, width)
    for item, pixel in zip(groups, pixels, strict=True):
        yield item, pixel.astype(bool)


def _sources_in(groups: "Dataset") -> Iterator[tuple[str, int | None]]:
    """The objects that a segmented frame says it was made from, with the numbers of the frames where it says them."""
    for derivation in groups.get("DerivationImageSequence") or ():
        for source in derivation.get("SourceImageSequence") or ():
            uid, stated = str(source.ReferencedSOPInstanceUID), source.get("ReferencedFrameNumber")
            if stated is None:
                yield uid, None
            else:
                yield from ((uid, int(number)) for number in np.atleast_1d(stated))


def _stated_plane(groups: "Dataset") -> Plane | None:
    """Instant and slice that a segmented frame names; None where it does not."""
    content = next(iter(groups.get("FrameContentSequence") or ()), None)
    if content is None or "TemporalPositionIndex" not in content or "InStackPositionNumber" not in content:
        return None
    return int(content.TemporalPositionIndex) - 1, int(content.InStackPositionNumber) - 1
