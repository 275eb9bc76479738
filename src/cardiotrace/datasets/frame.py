"""Videos of data sets: one frame as an image of its own, instants and recording as the data set's tables state them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.geometry import Known
from cardiotrace.core.image import Acquisition, Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.io import read_image, read_labels


def read_frame(path: Path, index: int, *, view: View, modality: Modality) -> Image:
    """One frame of a file (time, depth, height, width): a still, without a source, as it is no file of its own.

    Raises:
        InputError: the file cannot be read, or has no such frame.
    """
    return replace(read_frames(path, index, index + 1, view=view, modality=modality), times_ms=None)


def read_frames(path: Path, first: int, end: int, *, view: View, modality: Modality) -> Image:
    """Consecutive frames of a file (time, depth, height, width): a film without a source, as it is no file of its own.

    Args:
        path: the film.
        first: number of its first frame, from zero.
        end: number of the frame after the last one.
        view: the anatomical plane.
        modality: how it was made.

    Raises:
        InputError: the file cannot be read, or has no such frames.
    """
    cine = read_image(path, view=view, modality=modality)
    for index in (first, end - 1):
        _check(index, len(cine.frames), path)
    times = None if cine.times_ms is None else cine.times_ms[first:end] - cine.times_ms[first]
    return replace(cine, frames=cine.frames[first:end].copy(), times_ms=times, source=None)


def read_label_frame(path: Path, scheme: LabelScheme, index: int) -> LabelMap:
    """One frame of a label file (time, depth, height, width).

    Raises:
        InputError: the file cannot be read, or has no such frame.
    """
    labels = read_labels(path, scheme)
    _check(index, len(labels.array), path)
    return replace(labels, array=labels.array[index : index + 1].copy(), source=None)


def with_frame_rate(video: Image, frame_rate_hz: float | None) -> Image:
    """The video with the instants that a frame rate gives, evenly spaced, where a data set's table states one."""
    if not frame_rate_hz or frame_rate_hz <= 0:
        return video
    return replace(
        video,
        times_ms=np.arange(len(video.frames), dtype=np.float64) * (1000.0 / frame_rate_hz),
        times=Known.DATA_SET,
        acquisition=replace(video.acquisition, frame_rate_hz=frame_rate_hz),
    )


def with_acquisition(image: ExamImage, acquisition: Acquisition) -> ExamImage:
    """The image with what a data set's table says of its recording."""
    return replace(image, image=replace(image.image, acquisition=acquisition))


def video_with_instants(name: str, video: Image, instants: Mapping[Phase, int]) -> ExamImage:
    """The video with the frames that a table names, counted from zero; those that it lacks are told of in its notes."""
    frames = len(video.frames)
    lacking = [phase for phase, frame in instants.items() if not 0 <= frame < frames]
    notes = [f"frame {instants[phase] + 1} is named as {phase}, and there are {frames}" for phase in lacking]
    there = {phase: frame for phase, frame in instants.items() if phase not in lacking}
    return ExamImage(name, replace(video, notes=(*video.notes, *notes)), there)


def _check(index: int, frames: int, path: Path) -> None:
    if not 0 <= index < frames:
        raise InputError(
            f"frame {index} is asked for, counted from 0, and the file has {frames}",
            where=path,
            remedy="correct the frame number in the data set's table.",
        )
