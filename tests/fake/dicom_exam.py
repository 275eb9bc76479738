"""Small DICOM objects with hearts in them, a film of ultrasound and a stack of cine-MRI, and what they are read as."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.image import FileSource, Image
from cardiotrace.core.label import ACDC, CAMUS, LabelMap
from cardiotrace.core.terms import Modality, View
from cardiotrace.io.dicom.source import DicomFile, DicomFrame, DicomSource
from tests.fake.heart import apical, heart_image, short_axis

ULTRASOUND, MR = "1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.5.1.4.1.1.4"
NAME, PATIENT_ID, BIRTH = "Müller^Jörg=山田", "H-4711", "19610203"
MADE = datetime(2026, 5, 4, 10, 30, 15)


def write_ultrasound(folder: Path, sizes=(1.0, 0.9, 0.75, 0.85), *, shape=(40, 48), study="1") -> Path:
    """A film in one object, without a frame of reference, as echo has it."""
    labels = np.stack([apical(shape, size=size) for size in sizes])
    header = _header(ULTRASOUND, "US", shape, study)
    header.NumberOfFrames = len(sizes)
    header.FrameTime, header.FrameIncrementPointer = "40", 0x00181063
    header.NumberOfStages, header.NumberOfViewsInStage = 1, 1
    header.ImageType = ["ORIGINAL", "PRIMARY"]
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = shape[1] - 1, shape[0] - 1
    region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection = 3, 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.25, 0.25
    header.SequenceOfUltrasoundRegions = [region]
    header.PixelData = heart_image(labels, np.random.default_rng(1)).tobytes()
    return _write(header, folder / "film.dcm")


def write_stack(folder: Path, sizes=(1.0, 0.8, 0.9), *, depth=4, shape=(40, 48), study="2") -> list[Path]:
    """A stack over time, one object a plane, in a folder; tilted, so that no axis is the patient's."""
    labels = np.stack([short_axis(depth, shape, size=size) for size in sizes])
    grey = heart_image(labels, np.random.default_rng(2), np.uint16)
    normal = np.cross(_ROW, _COLUMN)
    paths = []
    for time in range(len(sizes)):
        for plane in range(depth):
            number = time * depth + plane
            header = _header(MR, "MR", shape, study, bits=16, number=number + 1)
            header.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame", study])
            header.ImageType = ["ORIGINAL", "PRIMARY", "M"]
            header.PositionReferenceIndicator = ""
            header.ScanningSequence, header.SequenceVariant, header.ScanOptions = "GR", "NONE", ""
            header.MRAcquisitionType, header.EchoTime, header.EchoTrainLength = "2D", "1.2", "1"
            header.ImageOrientationPatient = [*_ROW, *_COLUMN]
            header.ImagePositionPatient = [float(f"{value:.6f}") for value in _CORNER + 9.0 * plane * normal]
            header.PixelSpacing, header.SliceThickness = [1.5, 1.5], "8"
            header.TriggerTime = str(30 * time)
            header.PixelData = grey[time, plane].tobytes()
            paths.append(_write(header, folder / f"{number:03d}.dcm"))
    return paths


def write_enhanced(path: Path, *, depth=6, shape=(40, 48)) -> Path:
    """All planes of a stack in one object: what they share stands once, where they lie with each."""
    header = _header("1.2.840.10008.5.1.4.1.1.4.1", "MR", shape, "3", bits=16)
    header.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame", "3"])
    header.NumberOfFrames = depth
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1.5, 1.25], "8"
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    header.SharedFunctionalGroupsSequence = [shared]
    header.PerFrameFunctionalGroupsSequence = []
    for plane in range(depth):
        groups, position = Dataset(), Dataset()
        position.ImagePositionPatient = [-40, 12.5, 9 * plane]
        groups.PlanePositionSequence = [position]
        header.PerFrameFunctionalGroupsSequence.append(groups)
    header.PixelData = np.zeros((depth, *shape), np.uint16).tobytes()
    return _write(header, path)


def film(path: Path) -> tuple[Exam, dict[str, LabelMap]]:
    """The film as it is read, with the labels that lie in it."""
    file = _file(path)
    count = int(file.header.NumberOfFrames)
    frames = file.read().pixel_array[:, None]
    source = DicomSource([[DicomFrame(file, number)] for number in range(1, count + 1)])
    image = Image(
        np.ascontiguousarray(frames),
        Geometry.of_spacing((1.0, 2.5, 2.5)),
        times_ms=np.arange(count) * 40.0,
        view=View.FOUR_CHAMBER,
        source=FileSource(path, "dicom", ".dcm", header=source),
        modality=Modality.US,
        times=Known.FILE,
    )
    sizes = np.linspace(1.0, 0.7, count)
    array = np.stack([apical(frames.shape[-2:], size=size)[None] for size in sizes])
    return Exam("film", (ExamImage("A4C", image),)), {"A4C": _labels(array, CAMUS, image)}


def stack(paths: list[Path], *, depth=4) -> tuple[Exam, dict[str, LabelMap]]:
    """The stack as it is read, with the labels that lie in it."""
    files = [_file(path) for path in paths]
    rows = [files[start : start + depth] for start in range(0, len(files), depth)]
    frames = np.stack([np.stack([file.read().pixel_array for file in row]) for row in rows])
    # From (depth, height, width) to the patient: steps and corner in DICOM's coordinates, the first two signs turned.
    flip = np.array([-1.0, -1.0, 1.0])
    affine = np.eye(4)
    steps = (9.0 * np.cross(_ROW, _COLUMN), 1.5 * np.array(_COLUMN), 1.5 * np.array(_ROW))
    affine[:3, :3] = np.stack([step * flip for step in steps], axis=1)
    affine[:3, 3] = _CORNER * flip
    source = DicomSource([[DicomFrame(file) for file in row] for row in rows])
    image = Image(
        frames,
        Geometry(affine, orientation=Known.FILE),
        times_ms=np.arange(len(rows)) * 30.0,
        view=View.SAX,
        source=FileSource(paths[0], "dicom", ".dcm", header=source),
        modality=Modality.MR,
        times=Known.FILE,
    )
    array = np.stack([short_axis(depth, frames.shape[-2:], size=size) for size in np.linspace(1.0, 0.7, len(rows))])
    return Exam("stack", (ExamImage("SAX", image),)), {"SAX": _labels(array, ACDC, image)}


def without_frame(exam: Exam, labels: dict[str, LabelMap], time: int) -> dict[str, LabelMap]:
    """The labels with nothing at one instant."""
    name = exam.images[0].name
    array = labels[name].array.copy()
    array[time] = 0
    return {name: replace(labels[name], array=array)}


_ROW, _COLUMN = (0.6, 0.8, 0.0), (0.0, 0.0, -1.0)
_CORNER = np.array([-40.0, 12.5, 30.25])


def _labels(array, scheme, image: Image) -> LabelMap:
    return LabelMap(array, scheme, image.geometry, image.source)


def _file(path: Path) -> DicomFile:
    return DicomFile(path, dcmread(path, stop_before_pixels=True), lambda: dcmread(path))


def _header(sop_class: str, modality: str, shape, study: str, *, bits=8, number=1) -> Dataset:
    header = Dataset()
    header.SpecificCharacterSet = ["ISO 2022 IR 100", "ISO 2022 IR 87"]
    header.PatientName, header.PatientID = NAME, PATIENT_ID
    header.PatientBirthDate, header.PatientSex = BIRTH, "M"
    header.PatientAge, header.PatientSize, header.PatientWeight = "065Y", "1.8", "80"
    header.StudyInstanceUID = generate_uid(entropy_srcs=["study", study])
    header.StudyDate, header.StudyTime, header.StudyID = "20260502", "091500", "77"
    header.AccessionNumber, header.ReferringPhysicianName = "A-1", "Dr^House"
    header.Modality, header.SeriesNumber = modality, 3
    header.SeriesInstanceUID = generate_uid(entropy_srcs=["series", study])
    header.Manufacturer, header.InstitutionName = "Maker", "Clinic of the test"
    header.SOPClassUID = sop_class
    header.SOPInstanceUID = generate_uid(entropy_srcs=["object", study, str(number)])
    header.InstanceNumber = number
    header.PatientOrientation = ""
    header.Rows, header.Columns = shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = bits, bits, bits - 1, 0
    return header


def _write(header: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(header.SOPClassUID), header.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta = meta
    dcmwrite(path, header, enforce_file_format=True)
    return path
