"""A single DICOM file among other formats of files: `read_image`, and data sets whose images are DICOM."""

from collections.abc import Callable, Iterator
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.image import Grid
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.io.content import FileSet
from cardiotrace.io.dicom.header import begins as _begins
from cardiotrace.io.dicom.object_file import DIRECTORY, class_of, open_file
from cardiotrace.io.dicom.picture import read_pixels as _read_pixels
from cardiotrace.io.dicom.picture import stored_image
from cardiotrace.io.dicom.segmentation import SEGMENTATIONS
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
    kind = class_of(file.header)
    if kind == DIRECTORY:
        raise InputError("lists the files of a study and is no image", where=path, remedy="`show` it, or name a file.")
    if kind in SEGMENTATIONS:
        raise InputError("is a segmentation of an image, and none itself", where=path, remedy="give it with its image.")
    yield stored_image(file)


def read_labels_of(path: Path, scheme: LabelScheme, grid: Callable[[], Grid]) -> LabelMap | None:
    """The label map that a segmentation is, on the grid of the image that it refers to.

    Args:
        path: of a DICOM file.
        scheme: of the label map.
        grid: reads where the voxels of the image lie.

    Returns:
        The label map; None where the file is no segmentation.

    Raises:
        InputError: as `segmentation_reader.read_segmentation`; or it leaves out whole instants of a moving image.
    """
    from cardiotrace.io.dicom.segmentation_reader import read_segmentation

    if class_of(open_file(path).header) not in SEGMENTATIONS:
        return None
    labels = read_segmentation(path, scheme, grid())
    count = len(labels.array)
    outlined = sum(bool(frame.any()) for frame in labels.array)
    if outlined < count:
        raise InputError(
            f"outlines {outlined} of the {count} instants of its image, and the others are not empty",
            where=path,
            remedy="segment all of them, or make images of those that are.",
        )
    return labels


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """See `picture.read_pixels`."""
    return _read_pixels(image, as_labels=as_labels)
