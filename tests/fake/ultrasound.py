"""Made ultrasound: DICOM objects of a few pixels, right but for what a test asks for."""

from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, UltrasoundMultiFrameImageStorage, generate_uid

ROWS, COLUMNS = 40, 60
NAME, NUMBER, INSTITUTION = "Roe^Jane", "PID-4711", "Saint Elsewhere"
"""What must be in no output."""


def region(box=(10, 5, 49, 34), delta=(0.05, 0.04), *, units=(3, 3), spatial=1, kind=1):
    """One item of the Sequence of Ultrasound Regions; the box is left, top, right, bottom."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = spatial, kind, 2
    item.RegionLocationMinX0, item.RegionLocationMinY0, item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = delta
    return item


def pixels(frames=5, shape=(ROWS, COLUMNS), channels=()):
    """Frames that differ at every pixel, bright enough that black is what was masked."""
    return np.random.default_rng(7).integers(20, 236, (frames, *shape, *channels)).astype(np.uint8)


def ultrasound(values=None, *, regions=(), syntax=ExplicitVRLittleEndian, patient=NUMBER, study="1.2.3.4", **elements):
    """An object; an element that is given as None is left out."""
    values = pixels() if values is None else values
    colour = values.ndim == 4
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.SOPClassUID = UltrasoundMultiFrameImageStorage if len(values) > 1 else UltrasoundImageStorage
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.StudyInstanceUID, made.SeriesInstanceUID = study, f"{study}.1"
    made.PatientName, made.PatientID, made.PatientBirthDate = NAME, patient, "19610412"
    made.InstitutionName, made.AccessionNumber, made.StudyDate = INSTITUTION, "ACC-815", "20240413"
    made.Modality, made.Manufacturer, made.ManufacturerModelName = "US", "Maker", "Scanner 5"
    made.PatientSex, made.PatientAge, made.PatientSize, made.PatientWeight = "F", "063Y", "1.7", "70"
    made.Rows, made.Columns = values.shape[1:3]
    made.SamplesPerPixel, made.PhotometricInterpretation = (3, "RGB") if colour else (1, "MONOCHROME2")
    if colour:
        made.PlanarConfiguration = 0
    made.BitsAllocated = made.BitsStored = 8 * values.dtype.itemsize
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, 0
    if len(values) > 1:
        made.NumberOfFrames, made.FrameTime = len(values), "25.0"
        made.FrameIncrementPointer = 0x00181063
    made.SequenceOfUltrasoundRegions = list(regions)
    made.PixelData = values.tobytes()
    for keyword, value in elements.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def write(path: Path, made: Dataset) -> Path:
    """The object as a file; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
    return path
