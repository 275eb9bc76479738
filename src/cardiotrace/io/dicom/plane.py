"""What a header says of one plane of magnetic resonance: where it lies, when it was taken, how pixels are stored."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError
from cardiotrace.io.dicom.fact import instant_s, number, numbers, text, texts
from cardiotrace.io.dicom.source import DicomFile, DicomFrame

if TYPE_CHECKING:
    from pydicom import Dataset

_UNIT = 1e-2
"""By how much the length of a stated direction may differ from 1, and two directions from a right angle."""
BEAT_MS = (200.0, 3000.0)
"""Shortest and longest beat, of 300 and 20 a minute."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where the pixels of a plane lie, in the patient coordinates of DICOM: left, back, head, mm."""

    corner: Float[np.ndarray, " 3"]
    """Centre of the first pixel."""
    right: Float[np.ndarray, " 3"]
    """Direction of a row of pixels, of unit length."""
    down: Float[np.ndarray, " 3"]
    """Direction of a column of pixels, of unit length."""
    pixel_mm: tuple[float, float]
    """(height, width)."""
    shape: tuple[int, int]
    """(height, width), pixels."""

    @classmethod
    def of(
        cls,
        corner: tuple[float, ...],
        directions: tuple[float, ...],
        pixel_mm: tuple[float, ...],
        shape: tuple[float | None, float | None],
    ) -> "Place":
        """The place that a header's numbers state.

        Raises:
            InputError: they are not there, or cannot be.
        """
        if len(corner) != 3 or len(directions) != 6 or len(pixel_mm) != 2:
            raise InputError("states no place in the patient, or no size of a pixel")
        right, down = np.array(directions[:3]), np.array(directions[3:])
        lengths = np.linalg.norm(right), np.linalg.norm(down)
        if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(right @ down)) > _UNIT:
            raise InputError("its rows and columns are no directions at a right angle")
        height, width = (int(side or 0) for side in shape)
        if min(height, width) < 1 or min(pixel_mm) <= 0:
            raise InputError(f"claims {height} x {width} pixels of {pixel_mm[0]:g} x {pixel_mm[1]:g} mm")
        # Directions are written with six digits; over 500 pixels the difference to unit length is seen.
        return cls(np.array(corner), right / lengths[0], down / lengths[1], (pixel_mm[0], pixel_mm[1]), (height, width))

    @cached_property
    def normal(self) -> Float[np.ndarray, " 3"]:
        """The direction across the plane, of unit length: right-handed with rows and columns."""
        across = np.cross(self.right, self.down)
        normal: Float[np.ndarray, " 3"] = across / np.linalg.norm(across)
        return normal

    @property
    def middle(self) -> Float[np.ndarray, " 3"]:
        """Centre of the picture."""
        (height, width), (rows, columns) = self.pixel_mm, self.shape
        middle: Float[np.ndarray, " 3"] = (
            self.corner + self.right * width * (columns - 1) / 2 + self.down * height * (rows - 1) / 2
        )
        return middle


@dataclass(frozen=True)
class Clock:
    """What orders the instants of a slice; whatever is not stated is None."""

    trigger_ms: float | None = None
    """From the R wave."""
    temporal: float | None = None
    """Number of the instant."""
    acquired_s: float | None = None
    content_s: float | None = None
    instance: float | None = None
    """Number of the object in its series, or of the frame in its object."""


@dataclass(frozen=True)
class Contrast:
    """How the grey values of a plane came about, as far as it tells images of a beating heart from others."""

    kinds: tuple[str, ...] = ()
    """Image type, component and contrast in the standard's words, in capitals."""
    sequences: tuple[str, ...] = ()
    """Scanning sequence: "GR", "SE", "IR", "EP"."""
    echo_ms: float | None = None
    inversion_ms: float | None = None
    is_velocity_encoded: bool = False


@dataclass(frozen=True)
class SeriesFacts:
    """What all planes of a series have in common."""

    key: tuple[str, ...] = field(repr=False)
    """See `series_key`."""
    number: float | None = None
    words: str = field(default="", repr=False)
    """Description, protocol and name of the sequence: looked into, never shown, as they may name somebody."""
    vendor: str | None = None
    scanner: str | None = None
    field_strength_t: float | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return "a series without a number" if self.number is None else f"series {self.number:g}"


@dataclass(frozen=True, eq=False)
class Plane:
    """One plane at one instant."""

    frame: DicomFrame
    series: SeriesFacts
    place: Place
    clock: Clock = Clock()
    contrast: Contrast = Contrast()
    interval_ms: float | None = None
    """Length of the beat."""
    acquisition: float | None = None
    """Number of the acquisition, as the scanner counts them."""
    phase_count: float | None = None
    """Instants of the beat, as stated."""
    thickness_mm: float | None = None
    scaling: tuple[float, float] = (1.0, 0.0)
    """Slope and intercept from stored values to grey values."""
    frame_of_reference: str = ""
    uid: str = ""
    """Of its object."""

    @property
    def age(self) -> tuple[float, float, float]:
        """Orders acquisitions of the same plane, the later one last."""
        clock, number = self.clock, self.series.number
        # What is not stated is the same for both.
        stated = clock.acquired_s if clock.acquired_s is not None else clock.content_s
        return (stated or 0.0, number or 0.0, clock.instance or 0.0)


def series_facts(file: DicomFile) -> SeriesFacts:
    """What a file says of its series."""
    header = file.header
    return SeriesFacts(
        key=series_key(header),
        number=number(header, "SeriesNumber"),
        words=series_words(header),
        vendor=text(header, "Manufacturer") or None,
        scanner=text(header, "ManufacturerModelName") or None,
        field_strength_t=_positive(number(header, "MagneticFieldStrength")),
    )


def series_key(header: "Dataset") -> tuple[str, ...]:
    """What tells series apart: number and description as well, as programs may give several one identifier."""
    return tuple(text(header, keyword) for keyword in ("SeriesInstanceUID", "SeriesNumber", "SeriesDescription"))


def series_words(header: "Dataset") -> str:
    """Description, protocol and name of the sequence, which may name somebody."""
    return " | ".join(text(header, keyword) for keyword in ("SeriesDescription", "ProtocolName", "SequenceName"))


def classic_planes(file: DicomFile, series: SeriesFacts) -> Iterator[Plane]:
    """The plane of a file that holds one.

    Raises:
        InputError: it states no place, or one that cannot be.
    """
    header = file.header
    yield Plane(
        frame=DicomFrame(file),
        series=series,
        place=Place.of(
            numbers(header, "ImagePositionPatient"),
            numbers(header, "ImageOrientationPatient"),
            numbers(header, "PixelSpacing"),
            (number(header, "Rows"), number(header, "Columns")),
        ),
        clock=_clock(file),
        contrast=Contrast(
            kinds=kinds_of(*texts(header, "ImageType"), *texts(header, "ComplexImageComponent")),
            sequences=texts(header, "ScanningSequence"),
            echo_ms=number(header, "EchoTime"),
            inversion_ms=_positive(number(header, "InversionTime")),
        ),
        interval_ms=beat_ms(number(header, "NominalInterval"), number(header, "HeartRate")),
        acquisition=number(header, "AcquisitionNumber"),
        phase_count=_positive(number(header, "CardiacNumberOfImages")),
        thickness_mm=_positive(number(header, "SliceThickness")),
        scaling=scaling_of(header),
        frame_of_reference=text(header, "FrameOfReferenceUID"),
        uid=text(header, "SOPInstanceUID"),
    )


def scaling_of(header: "Dataset") -> tuple[float, float]:
    """Slope and intercept that a header, or a functional group, states; (1, 0) where it states none."""
    return number(header, "RescaleSlope") or 1.0, number(header, "RescaleIntercept") or 0.0


def beat_ms(interval_ms: float | None, beats_a_minute: float | None) -> float | None:
    """Length of the beat, ms, from what is stated of it; None where neither is, or can be.

    Example:
        >>> beat_ms(None, 75.0), beat_ms(75.0, None), beat_ms(0.0, 75.0)
        (800.0, None, 800.0)
    """
    by_rate = 60_000 / beats_a_minute if beats_a_minute else None
    stated = (each for each in (interval_ms, by_rate) if each is not None)
    return next((each for each in stated if BEAT_MS[0] <= each <= BEAT_MS[1]), None)


def kinds_of(*words: str) -> tuple[str, ...]:
    """Words of the standard in capitals, each once."""
    return tuple(dict.fromkeys(word.upper() for word in words if word))


def _clock(file: DicomFile) -> Clock:
    header = file.header
    return Clock(
        trigger_ms=number(header, "TriggerTime"),
        temporal=number(header, "TemporalPositionIdentifier"),
        acquired_s=instant_s(header, date_time="AcquisitionDateTime", date="AcquisitionDate", time="AcquisitionTime"),
        content_s=instant_s(header, date_time="", date="ContentDate", time="ContentTime"),
        instance=number(header, "InstanceNumber"),
    )


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None
