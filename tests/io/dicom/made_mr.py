"""Cine-MRI as scanners write it, made of numbers: each plane tells by its pixels which slice and instant it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from cardiotrace.io.dicom.source import DicomFile

CLASSIC, ENHANCED = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
SAX = (0.792067, 7.87262e-07, 0.610434, 0.377686, 0.785613, -0.490067)
"""Rows and columns of the short axis of a volunteer; its long axes follow."""
FOUR_CHAMBER = (0.9954, -2.8117e-07, 0.0958042, 0.0787602, -0.569348, -0.818315)
TWO_CHAMBER = (-0.621421, 0.783462, -0.00474517, 0.0391428, 0.0249969, -0.998921)
THREE_CHAMBER = (0.198338, 0.966008, 0.165804, 0.64138, -6.18667e-07, -0.767224)
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
FRAME_OF_REFERENCE = "1.2.3.4"


@dataclass(frozen=True)
class MadeSeries:
    """One series: slices at places along the normal, each with instants over a beat."""

    number: int = 1
    places_mm: Sequence[float] = (0.0, 10.0, 20.0, 30.0)
    count: int = 12
    interval_ms: float = 900.0
    directions: tuple[float, ...] = SAX
    description: str = ""
    shape: tuple[int, int] = (6, 5)
    pixel_mm: tuple[float, float] = (1.5, 1.25)
    aside_mm: float = 0.0
    facts: tuple[tuple[str, object], ...] = ()
    """Further elements of every object."""
    base: int = 0
    """What is added to all pixels."""

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.directions[:3], self.directions[3:])

    def with_facts(self, **facts: object) -> "MadeSeries":
        return replace(self, facts=(*self.facts, *facts.items()))

    def objects(self) -> list[Dataset]:
        """One object a plane, slice after slice."""
        uid = f"1.2.3.{self.number}"
        return [
            self._object(uid, depth, place, instant)
            for depth, place in enumerate(self.places_mm)
            for instant in range(self.count)
        ]

    def _object(self, series: str, depth: int, place: float, instant: int) -> Dataset:
        made = Dataset()
        made.SOPClassUID, made.SOPInstanceUID = CLASSIC, f"{series}.{depth}.{instant}"
        made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3", series
        made.FrameOfReferenceUID, made.Modality = FRAME_OF_REFERENCE, "MR"
        made.SeriesNumber, made.InstanceNumber = self.number, 1 + instant + self.count * depth
        made.SeriesDescription, made.PatientName = self.description, "Doe^Jane"
        made.ImageType, made.ScanningSequence = ["ORIGINAL", "PRIMARY", "M"], "GR"
        made.ImageOrientationPatient = [float(f"{value:.6g}") for value in self.directions]
        aside = self.aside_mm * np.array(self.directions[:3])
        made.ImagePositionPatient = [float(f"{value:.6g}") for value in place * self.normal + aside]
        made.PixelSpacing, made.SliceThickness = list(self.pixel_mm), 6.0
        made.TriggerTime, made.NominalInterval = self.interval_ms * instant / self.count, self.interval_ms
        made.CardiacNumberOfImages = self.count
        made.Manufacturer, made.MagneticFieldStrength = "Maker", 1.5
        made.Rows, made.Columns = self.shape
        made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        pixels = np.full(self.shape, self.base + 100 * depth + instant, np.uint16)
        pixels[0, 1] += 1000  # so that any turn moves it
        made.PixelData = pixels.tobytes()
        for keyword, value in self.facts:
            setattr(made, keyword, value)
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
        made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
        return made


def held(objects: Sequence[Dataset]) -> list[DicomFile]:
    """Objects as files that were found; their paths are of no account."""
    return [
        DicomFile(Path("study") / f"{number}.dcm", each, partial(_given, each)) for number, each in enumerate(objects)
    ]


def _given(each: Dataset) -> Dataset:
    return each


def real_files(folder: Path) -> list[DicomFile]:
    """The files below a folder, in no helpful order."""
    paths = sorted(folder.rglob("*.dcm"), key=lambda path: path.name[::-1])
    return [DicomFile(path, dcmread(path, stop_before_pixels=True), partial(dcmread, path)) for path in paths]


def enhanced(objects: Sequence[Dataset], *, seed: int = 0) -> Dataset:
    """Classic objects as one enhanced object: its frames shuffled, its dimension indices in yet another order."""
    rng = np.random.default_rng(seed)
    first = objects[0]
    shuffled = [objects[index] for index in rng.permutation(len(objects))]
    made = Dataset()
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SeriesNumber", "Rows", "Columns"):
        setattr(made, keyword, first[keyword].value)
    for keyword in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel", "Modality"):
        setattr(made, keyword, first[keyword].value)
    made.PhotometricInterpretation, made.Manufacturer = "MONOCHROME2", first.Manufacturer
    made.SOPClassUID, made.SOPInstanceUID = ENHANCED, generate_uid(entropy_srcs=["enhanced"])
    made.MagneticFieldStrength, made.NumberOfFrames = first.MagneticFieldStrength, len(objects)
    made.DimensionIndexSequence = [_item(DimensionIndexPointer=0x00209153), _item(DimensionIndexPointer=0x00209057)]
    shared = _item(
        PlaneOrientationSequence=[_item(ImageOrientationPatient=first.ImageOrientationPatient)],
        PixelMeasuresSequence=[_item(PixelSpacing=first.PixelSpacing, SliceThickness=first.SliceThickness)],
    )
    made.SharedFunctionalGroupsSequence = [shared]
    triggers = sorted({float(each.TriggerTime) for each in objects})
    places = sorted({tuple(each.ImagePositionPatient) for each in objects})
    made.PerFrameFunctionalGroupsSequence = [_groups(each, triggers, places) for each in shuffled]
    made.PixelData = b"".join(each.PixelData for each in shuffled)
    made.file_meta = first.file_meta
    return made


def _groups(each: Dataset, triggers: list[float], places: list[tuple[float, ...]]) -> Dataset:
    indices = [1 + triggers.index(float(each.TriggerTime)), 1 + places.index(tuple(each.ImagePositionPatient))]
    return _item(
        FrameContentSequence=[_item(DimensionIndexValues=indices, StackID="1")],
        PlanePositionSequence=[_item(ImagePositionPatient=each.ImagePositionPatient)],
        CardiacSynchronizationSequence=[
            _item(
                NominalCardiacTriggerDelayTime=float(each.TriggerTime),
                RRIntervalTimeNominal=float(each.NominalInterval),
            )
        ],
        MRImageFrameTypeSequence=[_item(FrameType=["ORIGINAL", "PRIMARY", "M", "NONE"], AcquisitionContrast="UNKNOWN")],
        PixelValueTransformationSequence=[_item(RescaleSlope=1, RescaleIntercept=0)],
    )


def _item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made
