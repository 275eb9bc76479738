"""A single DICOM file among other formats of files: `read_image`, and data sets whose images are DICOM."""

from collections.abc import Iterator
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.io.content import FileSet
from cardiotrace.io.dicom.header import begins as _begins
from cardiotrace.io.dicom.object_file import DIRECTORY, class_of, open_file
from cardiotrace.io.dicom.picture import read_pixels as _read_pixels
from cardiotrace.io.dicom.picture import stored_image
from cardiotrace.io.stored import Pixels, StoredImage

SUFFIXES = (".dcm", ".dicom", ".ima")
"""Of files that have one; most files of a clinic have none."""


def recognises(files: FileSet) -> bool:
    """Whether a file is DICOM by its first bytes."""
    return files.is_file and not files.start.is_gzip and _begins(files.start.head)


def read_series(files: FileSet) -> Iterator[StoredImage]:
    """The header of the one image that a file is.

    Raises:
        InputError: it is damaged, or no image.
    """
    path = Path(files.path)
    if not recognises(files):
        raise InputError("is no DICOM file, whatever its name says", where=path, remedy="export it again.")
    file = open_file(path)
    if class_of(file.header) == DIRECTORY:
        raise InputError("lists the files of a study and is no image", where=path, remedy="`show` it, or name a file.")
    yield stored_image(file)


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """See `picture.read_pixels`."""
    return _read_pixels(image, as_labels=as_labels)
