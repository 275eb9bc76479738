"""Films: AVI and MP4, read as grey values."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.io.stored import StoredImage, check_shape, reading

SUFFIXES = (".avi", ".mp4")


def read_header(path: Path, suffix: str) -> StoredImage:
    """Size, number of frames and their times; packets are counted, nothing is decoded.

    Raises:
        InputError: not a film.
    """
    with reading(path, "film"), _opened(path) as container:
        stream = _stream(container, path)
        stamps = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        count = len(stamps)
        if stream.frames > count:
            raise InputError(
                f"ends early: {count} of {stream.frames} frames are there",
                where=path,
                remedy="the film is damaged: copy or export it again.",
            )
        interval_ms = _interval_ms(stream)
        times = _times_ms(stamps, stream, interval_ms, count)
        image = StoredImage(
            path=path,
            format="video",
            suffix=suffix,
            shape=(int(stream.width), int(stream.height), count),
            dtype=np.dtype(np.uint8),
            times_ms=times,
            third_is_time=True,
            details={} if interval_ms is None else {"frame_interval_ms": interval_ms},
        )
        if count == 0:
            raise InputError("has no frames", where=path, remedy="export the film again.")
    check_shape(image)
    return image


def read_pixels(image: StoredImage) -> NDArray[np.uint8]:
    """Grey values (frame, row, column); colour is reduced to luma.

    Raises:
        InputError: the film is damaged, or ends before the number of frames it announces.
    """
    width, height, count = image.shape
    pixels = np.empty((count, height, width), np.uint8)
    found = 0
    with reading(image.path, "film"):
        for frame in _frames(image.path):
            if found == count or frame.shape != (height, width):
                raise InputError("changes its size, or has more frames than it announces", where=image.path)
            pixels[found] = frame
            found += 1
    if found != count:
        raise InputError(
            f"ends early: {found} of {count} frames can be read",
            where=image.path,
            remedy="the film is damaged: copy or export it again.",
        )
    return pixels


def _frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    with _opened(path) as container:
        for frame in container.decode(_stream(container, path)):
            yield frame.to_ndarray(format="gray")


def _opened(path: Path) -> Any:
    import av

    return av.open(str(path), metadata_errors="ignore")


def _stream(container: Any, path: Path) -> Any:
    if not container.streams.video:
        raise InputError("has no moving picture in it", where=path)
    return container.streams.video[0]


def _interval_ms(stream: Any) -> float | None:
    rate = stream.average_rate or stream.guessed_rate
    return None if not rate else float(1000 / rate)


def _times_ms(stamps: list[int], stream: Any, interval_ms: float | None, count: int) -> NDArray[np.float64] | None:
    """Instants from the film's own time stamps, ms from the first; from the frame rate where it has none."""
    if len(set(stamps)) == count and count > 0:
        ticks = np.array(stamps, np.float64) - stamps[0]
        return ticks * float(stream.time_base * 1000)
    return None if interval_ms is None else np.arange(count, dtype=np.float64) * interval_ms
