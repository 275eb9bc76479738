"""One frame of a film as an image of its own, for data sets that trace two frames of a film."""

from dataclasses import replace
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, View
from cardiotrace.io import read_image, read_labels


def read_frame(path: Path, index: int, *, view: View, modality: Modality) -> Image:
    """One frame of a file (time, depth, height, width): a still, without an source, as it is no file of its own.

    Raises:
        InputError: the file cannot be read, or has no such frame.
    """
    cine = read_image(path, view=view, modality=modality)
    _check(index, len(cine.frames), path)
    return replace(cine, frames=cine.frames[index : index + 1].copy(), times_ms=None, source=None)


def read_label_frame(path: Path, scheme: LabelScheme, index: int) -> LabelMap:
    """One frame of a label file (time, depth, height, width).

    Raises:
        InputError: the file cannot be read, or has no such frame.
    """
    labels = read_labels(path, scheme)
    _check(index, len(labels.array), path)
    return replace(labels, array=labels.array[index : index + 1].copy(), source=None)


def _check(index: int, frames: int, path: Path) -> None:
    if not 0 <= index < frames:
        raise InputError(
            f"frame {index} is asked for, counted from 0, and the file has {frames}",
            where=path,
            remedy="correct the frame number in the data set's table.",
        )
