"""Label maps to DICOM Segmentation objects of the image's study, and back.

One object holds all frames of an image: of an echo cine, whose pixels have no place in the patient, and of a stack of
slices over time. Structures are binary segments; planes without any of a structure are left out, as is usual. Every
segmented plane says which frame of which object it lies on, and which instant and slice of the image that is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace import __version__
from cardiotrace.core.errors import InputError
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.io.dicom.code import ALGORITHM_FAMILY, ANATOMY, STRUCTURES, Code, structure_of
from cardiotrace.io.dicom.derived import (
    Kind,
    derived_object,
    reference_to,
    series_references,
    uid_of,
)
from cardiotrace.io.dicom.source import DicomFrame, DicomSource

if TYPE_CHECKING:
    from pydicom import Dataset

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"
_KIND = Kind(SOP_CLASS, "SEG", 9001, "CardioTrace outlines")
_DERIVATION = Code("113076", "DCM", "Segmentation")
_PURPOSE = Code("121322", "DCM", "Source image for image processing operation")
_COLOURS = {
    Structure.LV: (45759, 29805, 23962),
    Structure.MYO: (46275, 37131, 52088),
    Structure.LA: (42019, 45416, 28796),
    Structure.RV: (58402, 29471, 52288),
    Structure.RA: (42286, 20058, 36477),
    Structure.VESSEL: (45759, 29805, 23962),
}
"""Those of the report's figures, in CIELab as DICOM scales it: from 0 to 65535."""

Plane = tuple[int, int]
"""Time and depth in the image, from 0."""


@dataclass(frozen=True)
class Author:
    """Who drew the outlines."""

    name: str = ""
    """Of the model; empty where a person drew them."""
    version: str = __version__
    """Of the program that ran it."""


@dataclass(frozen=True)
class Place:
    """Where a plane lies in the patient, as its source says it."""

    position: tuple[float, ...]
    """Of the first pixel, mm, in DICOM's coordinates (LPS+)."""
    orientation: tuple[float, ...]
    spacing_mm: tuple[float, ...]
    """(height, width) of a pixel."""
    thickness_mm: float | None = None


def segmentation_of(
    labels: LabelMap, source: DicomSource, *, author: Author, made: datetime, name: str = "", number: int = 1
) -> "Dataset":
    """A label map as a DICOM Segmentation of the image's study.

    Args:
        labels: on the grid of the image, which is not empty everywhere.
        source: where every plane of the image came from.
        author: who drew them.
        made: when, as the object says.
        name: what the image is called, such as "A4C"; no part of an identity.
        number: of the object in its series.

    Raises:
        InputError: the labels hold nothing, or lie on another grid than the source's planes.
    """
    _check_grid(labels, source)
    masks = {item: mask for item in labels.scheme.structures if (mask := labels.mask(item)).any()}
    if not masks:
        raise InputError(f"{name or 'the label map'} holds no structure: there is nothing to write as a segmentation")
    planes = [(item, *plane) for item, mask in masks.items() for plane in _filled(mask)]
    frames = [source.frames[time][depth] for _, time, depth in planes]
    places = _places_of(frames)
    first = source.frames[0][0].file.header
    frame_of_reference = "" if places is None else str(first.FrameOfReferenceUID)
    content = labels.array.tobytes() + repr((name, author, [item.value for item in masks])).encode()
    result = derived_object(first, _KIND, made, series=[frame_of_reference], content=content)
    result.InstanceNumber = number
    _describe(result, name, first)
    result.Rows, result.Columns = labels.array.shape[2:]
    result.NumberOfFrames = len(planes)
    result.SegmentSequence = [_segment_item(index, item, author) for index, item in enumerate(masks, start=1)]
    if frame_of_reference:
        result.FrameOfReferenceUID = frame_of_reference
        result.PositionReferenceIndicator = first.get("PositionReferenceIndicator", "")
    else:
        result.PatientOrientation = first.get("PatientOrientation", "")
    result.ReferencedSeriesSequence = series_references([frame.file.header for frame in frames])
    _add_dimensions(result)
    numbered = [(list(masks).index(item) + 1, time + 1, depth + 1) for item, time, depth in planes]
    _add_groups(result, numbered, frames, places)
    bits = np.packbits([masks[item][time, depth] for item, time, depth in planes], axis=None, bitorder="little")
    result.PixelData = bits.tobytes() + b"\0" * (bits.size % 2)
    return result


def read_segmentation(paths: Path | Sequence[Path], scheme: LabelScheme, image: Image) -> LabelMap:
    """The label map of an image from DICOM Segmentation objects, whoever wrote them.

    Args:
        paths: of the object; of several that share the structures or the instants of one image.
        scheme: of the label map.
        image: from DICOM files; the segmented planes lie on its planes, pixel by pixel.

    Returns:
        The label map on the image's grid; its notes say which segments were left out.

    Raises:
        InputError: no binary segmentation, or one of another image, or of unknown structures, or damaged, or one
            whose segments overlap.
    """
    files = [paths] if isinstance(paths, Path) else list(paths)
    source = None if image.source is None else image.source.header
    if not isinstance(source, DicomSource):
        raise InputError("a DICOM segmentation lies on a DICOM image, and this image is none", where=files[0])
    array = np.zeros(image.grid_shape, np.uint8)
    notes: list[str] = []
    for path in files:
        notes += _lay(_read(path), array, scheme, _Planes.of(source), path)
    return LabelMap(array, scheme, image.geometry, image.source, tuple(notes))


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


def frame_key(frame: DicomFrame) -> tuple[str, int]:
    """What tells a frame from all others: its object and its number there."""
    return str(frame.file.header.SOPInstanceUID), frame.number


def _check_grid(labels: LabelMap, source: DicomSource) -> None:
    """Refuse labels that do not lie on the planes of the source, pixel by pixel.

    Raises:
        InputError: naming both shapes.
    """
    header = source.frames[0][0].file.header
    there = (len(source.frames), len(source.frames[0]), int(header.Rows), int(header.Columns))
    if labels.array.shape != there:
        raise InputError(f"labels of shape {labels.array.shape} do not lie on DICOM planes of shape {there}")


def _filled(mask: NDArray[np.bool_]) -> list[Plane]:
    """Planes of a structure that hold any of it."""
    return [(int(time), int(depth)) for time, depth in np.argwhere(mask.any(axis=(2, 3)))]


def _describe(result: "Dataset", name: str, source: "Dataset") -> None:
    """Constants of a binary segmentation, and what its source lost on the way, which nothing made of it regains."""
    result.ImageType = ["DERIVED", "PRIMARY"]
    result.SamplesPerPixel, result.PhotometricInterpretation = 1, "MONOCHROME2"
    result.BitsAllocated, result.BitsStored, result.HighBit, result.PixelRepresentation = 1, 1, 0, 0
    result.LossyImageCompression = source.get("LossyImageCompression") or "00"
    if result.LossyImageCompression == "01":
        for lost in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
            if lost in source:
                result[lost] = source[lost]
    result.SegmentationType = "BINARY"
    result.SegmentsOverlap = "NO"
    result.ContentLabel = "OUTLINES"
    result.ContentDescription = f"Chambers of the heart, {name}" if name else "Chambers of the heart"
    result.ContentCreatorName = ""


def _segment_item(number: int, structure: Structure, author: Author) -> "Dataset":
    item = _empty()
    item.SegmentNumber = number
    item.SegmentLabel = structure.value
    item.SegmentedPropertyCategoryCodeSequence = [ANATOMY.item()]
    item.SegmentedPropertyTypeCodeSequence = [STRUCTURES[structure].item()]
    item.SegmentAlgorithmType = "AUTOMATIC" if author.name else "MANUAL"
    if author.name:
        item.SegmentAlgorithmName = author.name
        algorithm = _empty()
        algorithm.AlgorithmFamilyCodeSequence = [ALGORITHM_FAMILY.item()]
        algorithm.AlgorithmName, algorithm.AlgorithmVersion = author.name, author.version
        item.SegmentationAlgorithmIdentificationSequence = [algorithm]
    item.RecommendedDisplayCIELabValue = [*_COLOURS[structure]]
    return item


def _add_dimensions(result: "Dataset") -> None:
    """By which a viewer sorts the frames: structure, instant, slice."""
    from pydicom.datadict import tag_for_keyword

    uid = uid_of(str(result.SOPInstanceUID), "dimensions")
    organisation = _empty()
    organisation.DimensionOrganizationUID = uid
    result.DimensionOrganizationSequence = [organisation]
    items = []
    for pointer, group, label in (
        ("ReferencedSegmentNumber", "SegmentIdentificationSequence", "Segment"),
        ("TemporalPositionIndex", "FrameContentSequence", "Instant"),
        ("InStackPositionNumber", "FrameContentSequence", "Slice"),
    ):
        item = _empty()
        item.DimensionOrganizationUID = uid
        item.DimensionIndexPointer = tag_for_keyword(pointer)
        item.FunctionalGroupPointer = tag_for_keyword(group)
        item.DimensionDescriptionLabel = label
        items.append(item)
    result.DimensionIndexSequence = items


def _add_groups(
    result: "Dataset",
    numbered: Sequence[tuple[int, int, int]],
    frames: Sequence[DicomFrame],
    places: Sequence[Place] | None,
) -> None:
    """What all frames have in common, and of each which structure it shows, where, when, and what it was made from."""
    shared = _empty()
    items = [_frame_groups(*numbers, frame) for numbers, frame in zip(numbered, frames, strict=True)]
    if places is not None:
        alike = len({(place.orientation, place.spacing_mm, place.thickness_mm) for place in places}) == 1
        for groups, place in zip(items, places, strict=True):
            position = _empty()
            position.ImagePositionPatient = [*place.position]
            groups.PlanePositionSequence = [position]
        for groups, place in zip([shared] if alike else items, places, strict=False):
            _add_size(groups, place)
    result.SharedFunctionalGroupsSequence = [shared]
    result.PerFrameFunctionalGroupsSequence = items


def _add_size(groups: "Dataset", place: Place) -> None:
    """Size of a pixel, and direction of the plane."""
    measures, orientation = _empty(), _empty()
    measures.PixelSpacing = [*place.spacing_mm]
    if place.thickness_mm is not None:
        measures.SliceThickness = place.thickness_mm
    orientation.ImageOrientationPatient = [*place.orientation]
    groups.PixelMeasuresSequence = [measures]
    groups.PlaneOrientationSequence = [orientation]


def _frame_groups(segment: int, time: int, depth: int, frame: DicomFrame) -> "Dataset":
    """Which structure a frame shows, at which instant, on which slice, all from 1, and what it was made from."""
    groups, content, which = _empty(), _empty(), _empty()
    content.DimensionIndexValues = [segment, time, depth]
    content.TemporalPositionIndex = time
    content.StackID, content.InStackPositionNumber = "1", depth
    which.ReferencedSegmentNumber = segment
    groups.FrameContentSequence = [content]
    groups.SegmentIdentificationSequence = [which]
    groups.DerivationImageSequence = [_derivation(frame)]
    return groups


def _derivation(frame: DicomFrame) -> "Dataset":
    derivation, source = _empty(), reference_to(frame.file.header)
    if "NumberOfFrames" in frame.file.header:
        source.ReferencedFrameNumber = frame.number
    source.PurposeOfReferenceCodeSequence = [_PURPOSE.item()]
    source.SpatialLocationsPreserved = "YES"
    derivation.DerivationCodeSequence = [_DERIVATION.item()]
    derivation.SourceImageSequence = [source]
    return derivation


def _places_of(frames: Sequence[DicomFrame]) -> list[Place] | None:
    """Where planes lie in the patient; None where one of them does not say it, or not in one frame of reference."""
    references = {str(frame.file.header.get("FrameOfReferenceUID") or "") for frame in frames}
    places = [place for frame in frames if (place := _place_of(frame)) is not None]
    is_known = len(places) == len(frames) and len(references) == 1 and "" not in references
    return places if is_known else None


def _place_of(frame: DicomFrame) -> Place | None:
    """Where a plane lies: said by its object or, in an enhanced one, by the groups of its frame or of all frames."""
    header = frame.file.header
    position = _stated(frame, "PlanePositionSequence", "ImagePositionPatient")
    orientation = _stated(frame, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = _stated(frame, "PixelMeasuresSequence", "PixelSpacing")
    if "SequenceOfUltrasoundRegions" in header or not (position and orientation and spacing):
        return None
    thickness = _stated(frame, "PixelMeasuresSequence", "SliceThickness")
    return Place(tuple(position), tuple(orientation), tuple(spacing), None if thickness is None else float(thickness))


def _stated(frame: DicomFrame, group: str, name: str) -> Any:
    header = frame.file.header
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or ()
    for holder in (per_frame[frame.number - 1 : frame.number], header.get("SharedFunctionalGroupsSequence") or ()):
        for groups in holder:
            if group in groups and name in groups[group].value[0]:
                return groups[group].value[0].get(name)
    return header.get(name)


def _read(path: Path) -> "Dataset":
    """A binary segmentation, with its pixels not yet unpacked.

    Raises:
        InputError: it is something else, or damaged.
    """
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        read = dcmread(path)
        kind, sop_class = read.get("SegmentationType"), read.get("SOPClassUID")
    except (InvalidDicomError, OSError, ValueError, KeyError, AttributeError, NotImplementedError) as error:
        raise InputError(f"cannot be read as DICOM: {error}", where=path, remedy="export it again.") from None
    if sop_class != SOP_CLASS or kind != "BINARY":
        what = f"a {str(kind).lower()} segmentation" if kind else "no segmentation"
        raise InputError(f"is {what}, and not a binary one", where=path, remedy="export it as BINARY segments.")
    return read


def _lay(read: "Dataset", array: NDArray[np.uint8], scheme: LabelScheme, planes: _Planes, path: Path) -> list[str]:
    """Write the segments of one object into a label map, and say which have no place in it.

    Raises:
        InputError: see `read_segmentation`.
    """
    structures, notes = _structures_of(read, scheme, path)
    for item, mask in _frames_of(read, array.shape, path):
        structure = structures.get(int(item.SegmentIdentificationSequence[0].ReferencedSegmentNumber))
        if structure is None:
            continue
        for time, depth in planes.find(item, path):
            plane, value = array[time, depth], scheme.value(structure)
            if (there := set(np.unique(plane[mask]).tolist()) - {0, value}):
                other = next(known for known, number in scheme.values.items() if number in there)
                raise InputError(
                    f"segments {other} and {structure} overlap in frame {time + 1}, and a label map holds one of them",
                    where=path,
                    remedy="correct the segmentation so that every pixel is of one structure.",
                )
            plane[mask] = value
    return notes


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
    from pydicom.pixels import pixel_array

    time, depth, height, width = shape
    count = int(read.get("NumberOfFrames") or 0)
    if (read.get("Rows"), read.get("Columns")) != (height, width):
        size = f"{read.get('Rows')} x {read.get('Columns')} pixels"
        raise InputError(f"has frames of {size}, and the image has {height} x {width}", where=path)
    groups = list(read.get("PerFrameFunctionalGroupsSequence") or ())
    most = time * depth * max(1, len(read.get("SegmentSequence") or ()))
    if count != len(groups) or not 0 < count <= most:
        raise InputError(f"says {count} frames and describes {len(groups)}, of {most} that can be", where=path)
    try:
        # Frames are packed bit by bit, across the borders of bytes: they are unpacked together.
        pixels = pixel_array(read).reshape(count, height, width)
    except (ValueError, AttributeError, RuntimeError, NotImplementedError) as error:
        raise InputError(f"its pixels cannot be read: {error}", where=path, remedy="export it again.") from None
    for item, pixel in zip(groups, pixels, strict=True):
        yield item, pixel.astype(bool)


def _sources_in(groups: "Dataset") -> Iterator[tuple[str, int | None]]:
    """The objects that a segmented frame says it was made from, with the numbers of the frames where it says them."""
    for derivation in groups.get("DerivationImageSequence") or ():
        for source in derivation.get("SourceImageSequence") or ():
            stated = source.get("ReferencedFrameNumber")
            numbers = [None] if stated is None else np.atleast_1d(stated).tolist()
            for uid, number in product([str(source.ReferencedSOPInstanceUID)], numbers):
                yield uid, None if number is None else int(number)


def _stated_plane(groups: "Dataset") -> Plane | None:
    """Instant and slice that a segmented frame names; None where it does not."""
    content = next(iter(groups.get("FrameContentSequence") or ()), None)
    if content is None or "TemporalPositionIndex" not in content or "InStackPositionNumber" not in content:
        return None
    return int(content.TemporalPositionIndex) - 1, int(content.InStackPositionNumber) - 1


def _empty() -> "Dataset":
    from pydicom import Dataset

    return Dataset()

