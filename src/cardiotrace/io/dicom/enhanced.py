"""Planes of enhanced magnetic resonance: many in one object, with functional groups of their own or shared by all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cardiotrace.core.errors import InputError
from cardiotrace.io.dicom.fact import instant_s, items, number, numbers, text, texts
from cardiotrace.io.dicom.plane import Clock, Contrast, Place, Plane, SeriesFacts, beat_ms, kinds_of, scaling_of
from cardiotrace.io.dicom.source import DicomFile, DicomFrame

if TYPE_CHECKING:
    from pydicom import Dataset

_TEMPORAL = ("TemporalPositionIndex", "TemporalPositionTimeOffset")
_TRIGGER = "NominalCardiacTriggerDelayTime"
_FRAME_TYPE = ("FrameType", "ComplexImageComponent", "AcquisitionContrast")
_WEIGHTED = {"AcquisitionContrast": ("T1", "T2")}
"""Words that say how grey values of a cine are weighted, where the same words elsewhere name a map."""


def enhanced_planes(file: DicomFile, series: SeriesFacts) -> Iterator[Plane]:
    """The planes of an object with several frames, in stored order.

    Raises:
        InputError: the object lacks the groups of a frame, or one states no place, or one that cannot be.
    """
    header = file.header
    shared = next(iter(items(header, "SharedFunctionalGroupsSequence")), None)
    frames = items(header, "PerFrameFunctionalGroupsSequence")
    stated = int(number(header, "NumberOfFrames") or 1)
    if len(frames) != stated:
        raise InputError(f"describes {len(frames)} of the {stated} frames that it states")
    sequences = texts(header, "ScanningSequence")
    for index, item in enumerate(frames):
        yield _plane(_Frame(file, index + 1, item, shared), series, sequences)


@dataclass(frozen=True)
class _Frame:
    """The functional groups of one frame."""

    file: DicomFile
    number: int
    own: "Dataset"
    shared: "Dataset | None"

    def group(self, keyword: str) -> "Dataset":
        """The frame's own group, or else the one of all frames; an empty one where there is none."""
        from pydicom import Dataset

        for holder in (self.own, self.shared):
            if holder is not None and (found := items(holder, keyword)):
                return found[0]
        return Dataset()

    @cached_property
    def indices(self) -> Mapping[str, float]:
        """The dimension indices of the frame, by the standard's name of what they count."""
        from pydicom.datadict import keyword_for_tag

        pointers = [text(item, "DimensionIndexPointer") for item in items(self.file.header, "DimensionIndexSequence")]
        values = numbers(self.group("FrameContentSequence"), "DimensionIndexValues")
        names = [keyword_for_tag(_tag_of(pointer)) if pointer else "" for pointer in pointers]
        return dict(zip(names, values, strict=False))


def _tag_of(pointer: str) -> int:
    """A tag as the library writes it, such as "(0020,9128)"."""
    try:
        return int(pointer.strip("()").replace(",", "").replace(" ", ""), 16)
    except ValueError:
        return 0


def _plane(frame: _Frame, series: SeriesFacts, sequences: tuple[str, ...]) -> Plane:
    header, measures = frame.file.header, frame.group("PixelMeasuresSequence")
    heart = frame.group("CardiacSynchronizationSequence")
    return Plane(
        frame=DicomFrame(frame.file, frame.number),
        series=series,
        place=Place.of(
            numbers(frame.group("PlanePositionSequence"), "ImagePositionPatient"),
            numbers(frame.group("PlaneOrientationSequence"), "ImageOrientationPatient"),
            numbers(measures, "PixelSpacing"),
            (number(header, "Rows"), number(header, "Columns")),
        ),
        clock=_clock(frame, heart),
        contrast=_contrast(frame, sequences),
        interval_ms=beat_ms(
            number(heart, "RRIntervalTimeNominal") or number(header, "NominalInterval"), number(header, "HeartRate")
        ),
        acquisition=number(frame.group("FrameContentSequence"), "FrameAcquisitionNumber"),
        phase_count=number(header, "CardiacNumberOfImages") or None,
        thickness_mm=number(measures, "SliceThickness") or None,
        scaling=scaling_of(frame.group("PixelValueTransformationSequence")),
        frame_of_reference=text(header, "FrameOfReferenceUID"),
        uid=text(header, "SOPInstanceUID"),
    )


def _clock(frame: _Frame, heart: "Dataset") -> Clock:
    content = frame.group("FrameContentSequence")
    temporal = number(content, "TemporalPositionIndex")
    if temporal is None:
        temporal = next((frame.indices[name] for name in (*_TEMPORAL, _TRIGGER) if name in frame.indices), None)
    return Clock(
        trigger_ms=number(heart, _TRIGGER),
        temporal=temporal,
        acquired_s=instant_s(content, date_time="FrameAcquisitionDateTime", date="", time=""),
        content_s=instant_s(content, date_time="FrameReferenceDateTime", date="", time=""),
        instance=float(frame.number),
    )


def _contrast(frame: _Frame, sequences: tuple[str, ...]) -> Contrast:
    kind, modifier = frame.group("MRImageFrameTypeSequence"), frame.group("MRModifierSequence")
    is_inverted = text(modifier, "InversionRecovery") == "YES"
    pulse = text(frame.file.header, "EchoPulseSequence")
    return Contrast(
        kinds=kinds_of(
            *(
                word
                for keyword in _FRAME_TYPE
                for word in texts(kind, keyword)
                if word not in _WEIGHTED.get(keyword, ())
            )
        ),
        sequences=(*sequences, *(("SE",) if pulse == "SPIN" else ()), *(("IR",) if is_inverted else ())),
        echo_ms=number(frame.group("MREchoSequence"), "EffectiveEchoTime"),
        inversion_ms=next(iter(numbers(modifier, "InversionTimes")), None) or None,
        is_velocity_encoded=bool(_velocity(frame)),
    )


def _velocity(frame: _Frame) -> float:
    """Largest velocity that is encoded, 0 where none is."""
    return number(frame.group("MRVelocityEncodingSequence"), "VelocityEncodingMaximumValue") or 0.0
