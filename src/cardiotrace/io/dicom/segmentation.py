"""Label maps to DICOM Segmentation objects of the image's study; `segmentation_reader` reads them back.

One object holds all frames of an image: of an echo cine, whose pixels have no place in the patient, and of a stack of
slices over time. Structures are binary segments; planes without any of a structure are left out, as is usual. Every
segmented plane says which frame of which object it lies on, and which instant and slice of the image that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace import __version__
from cardiotrace.core.errors import InputError
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.io.dicom.code import ALGORITHM_FAMILY, ANATOMY, STRUCTURES, Code
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
SEGMENTATIONS = (SOP_CLASS, "1.2.840.10008.5.1.4.1.1.66.7")
"""Classes of segmentations: of segments apart, and of label maps, which are neither written nor read."""
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
    told = (name, author, number, labels.array.shape, [item.value for item in masks], [*map(frame_key, frames)])
    content = labels.array.tobytes() + repr(told).encode()
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
    pixels = np.stack([masks[item][time, depth] for item, time, depth in planes])
    bits = np.packbits(pixels, axis=None, bitorder="little")
    result.PixelData = bits.tobytes() + b"\0" * (bits.size % 2)
    return result


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


def _empty() -> "Dataset":
    from pydicom import Dataset

    return Dataset()
