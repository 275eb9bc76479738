"""Made cine-MRI: a short-axis stack and a long axis, each object a plane at an instant, with what identifies in it."""

from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from tests.fake.ultrasound import INSTITUTION, NAME, NUMBER, write

SHAPE, PHASES, SLICES = (24, 32), 10, 3
PIXEL_MM, STEP_MM, BEAT_MS = (1.5, 1.25), 9.0, 800.0
SHORT_AXIS = ((0.792, 0.0, 0.6104), (0.3777, 0.7856, -0.49))
FOUR_CHAMBERS = ((0.9954, 0.0, 0.0958), (0.0788, -0.5694, -0.8183))
"""Directions of a row and of a column of pixels, left, back, head; put at a right angle below."""
_STUDY = "1.2.826.0.1.3680043.8.498.77"


def directions(row, column):
    """Two directions of unit length at a right angle, and the one across them."""
    row = np.array(row) / np.linalg.norm(row)
    column = np.array(column) - (np.array(column) @ row) * row
    column /= np.linalg.norm(column)
    return row, column, np.cross(row, column)


def plane(series, words, place, axes, *, instance, trigger_ms, values, **elements):
    """One object."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = MRImageStorage
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    made.StudyInstanceUID, made.SeriesInstanceUID, made.FrameOfReferenceUID = (
        _STUDY,
        f"{_STUDY}.{series}",
        f"{_STUDY}.0",
    )
    made.PatientName, made.PatientID, made.PatientBirthDate = NAME, NUMBER, "19300412"
    made.InstitutionName, made.StudyDate, made.AcquisitionDate = INSTITUTION, "20240413", "20240413"
    made.AcquisitionTime, made.PatientSex, made.PatientWeight = f"10{series:02d}{instance:02d}.250000", "M", "81.5"
    made.Modality, made.Manufacturer, made.MagneticFieldStrength = "MR", "SIEMENS", "1.5"
    made.SeriesNumber, made.InstanceNumber, made.SeriesDescription = series, instance, words
    made.ImageType, made.ScanningSequence, made.EchoTime = ["ORIGINAL", "PRIMARY", "M"], "GR", "1.5"
    made.ImagePositionPatient = [f"{value:.9f}" for value in place]
    made.ImageOrientationPatient = [f"{value:.9f}" for value in (*axes[0], *axes[1])]
    made.PixelSpacing, made.SliceThickness = list(PIXEL_MM), "8"
    made.TriggerTime, made.NominalInterval, made.CardiacNumberOfImages = trigger_ms, int(BEAT_MS), PHASES
    made.Rows, made.Columns = values.shape
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PixelRepresentation = 1, "MONOCHROME2", 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.PixelData = values.astype("<u2").tobytes()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def write_study(folder: Path, *, name="IM", **elements) -> Path:
    """A stack of three slices and a four-chamber plane of ten instants, in one folder."""
    random = np.random.default_rng(5)
    across = directions(*SHORT_AXIS)
    along = directions(*FOUR_CHAMBERS)
    corner, number = np.array([-40.0, -110.0, 60.0]), 0
    for series, words, axes, count in ((3, "cine sax Roe", across, SLICES), (4, "Roe cine 4ch", along, 1)):
        for slice_number in range(count):
            for phase in range(PHASES):
                number += 1
                place = corner + (STEP_MM * slice_number * across[2] if count > 1 else 0)
                values = random.integers(0, 4096, SHAPE)
                made = plane(series, words, place, axes, instance=slice_number * PHASES + phase + 1,
                             trigger_ms=round(phase * BEAT_MS / PHASES, 2), values=values, **elements)  # fmt: skip
                write(folder / f"{name}{number:04d}", made)
    return folder
