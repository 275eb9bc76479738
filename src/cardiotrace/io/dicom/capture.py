"""Pages as pictures in one DICOM object: a multi-frame true-colour secondary capture.

Every viewer shows pictures, and this one steps through the pages as through any film. An encapsulated PDF is smaller
and sharper, but many viewers and workstations list it without showing it, and the report must be seen where the
images are. The pages are compressed without loss (RLE), which all of them read.
"""

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from cardiotrace.io.dicom.derived import Kind, derived_object

if TYPE_CHECKING:
    from pydicom import Dataset

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.7.4"
_KIND = Kind(SOP_CLASS, "OT", 9003, "CardioTrace report")
_PAGE_NUMBERS = 0x00182001
"""Tag of the numbers of the pages: what one goes through from frame to frame."""


def capture_of(pages: UInt8[np.ndarray, "pages height width 3"], header: "Dataset", *, made: datetime) -> "Dataset":
    """Pages as one object of the study that another belongs to.

    Args:
        pages: RGB, all of one size; nothing that identifies the patient is drawn on them, and the object says so.
        header: of an object of the study.
        made: when, as the object says.

    Raises:
        InputError: the object does not say which study it is of.
    """
    from pydicom.uid import RLELossless

    result = derived_object(header, _KIND, made, series=[], content=pages.tobytes())
    result.BodyPartExamined = "HEART"
    result.ConversionType = "WSD"  # drawn by a workstation
    result.ImageType = ["DERIVED", "SECONDARY"]
    result.PatientOrientation = ""
    result.BurnedInAnnotation = result.RecognizableVisualFeatures = "NO"
    result.SamplesPerPixel, result.PhotometricInterpretation, result.PlanarConfiguration = 3, "RGB", 0
    result.BitsAllocated, result.BitsStored, result.HighBit, result.PixelRepresentation = 8, 8, 7, 0
    result.NumberOfFrames, result.Rows, result.Columns = pages.shape[:3]
    result.FrameIncrementPointer = _PAGE_NUMBERS
    result.PageNumberVector = list(range(1, len(pages) + 1))
    result.LossyImageCompression = "00"
    result.compress(RLELossless, arr=pages, generate_instance_uid=False)
    return result
