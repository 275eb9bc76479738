"""Videos: AVI and MP4, read as grey values; how strongly they were coloured is kept. Grey films are written as AVI."""

import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.io.atomic import write_bytes
from cardiotrace.io.colour import luma, strong_share, strong_share_of_yuv
from cardiotrace.io.content import Beginning
from cardiotrace.io.stored import MAX_PIXEL_BYTES, Pixels, StoredImage, check_shape, header_of, reading

SUFFIXES = (".avi", ".mp4")

_MAX_INDEX_BYTES = 2**22
"""What the library may keep of a video's table of contents: 4 MB, some hundred thousand frames."""


@dataclass(frozen=True)
class VideoHeader:
    """What is kept of a video to decode it."""

    demuxer: str
    """See `demuxer`."""


def demuxer(head: bytes) -> str | None:
    """The library's name for the kind of video that a file begins as; None where it is none.

    It is told to the library, which would otherwise try kinds of files that name further files.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip") and head[8:12] not in _STILLS:
        return "mov"
    kinds = ((b"\x1aE\xdf\xa3", "matroska"), (b"0&\xb2u\x8ef\xcf\x11", "asf"), (b"\0\0\1\xba", "mpeg"))
    return next((name for magic, name in kinds if head.startswith(magic)), None)


_STILLS = (b"heic", b"heix", b"mif1", b"avif")
"""Brands of images that are packed as videos are."""


def begins(head: bytes) -> bool:
    """Whether a file begins as a video does."""
    return demuxer(head) is not None


def read_header(path: Path, suffix: str, start: Beginning) -> StoredImage:
    """Size, number of frames and their times; packets are counted, nothing is decoded.

    Raises:
        InputError: not a video.
    """
    kind = None if start.is_gzip else demuxer(start.head)
    if kind is None:
        raise InputError(
            "is not a video file that can be read: it does not begin as one",
            where=path,
            remedy="the file is damaged or has the wrong suffix: open it in a viewer, or export it again.",
        )
    with reading(path, "a video"), _opened(path, kind) as container:
        stream = _stream(container, path)
        width, height = int(stream.width), int(stream.height)
        stamps = _stamps(container, stream, most=MAX_PIXEL_BYTES // max(1, width * height), path=path)
        count = len(stamps)
        if stream.frames > count:
            raise InputError(
                f"ends early: {count} of {stream.frames} frames are there",
                where=path,
                remedy="the video is damaged: copy or export it again.",
            )
        interval_ms = _interval_ms(stream)
        times = _times_ms(stamps, stream, interval_ms, count)
        image = StoredImage(
            path=path,
            format="video",
            suffix=suffix,
            shape=(width, height, count),
            dtype=np.dtype(np.uint8),
            times_ms=times,
            third_is_time=True,
            frame_interval_ms=interval_ms,
            header=VideoHeader(kind),
            is_lossy=True,
        )
        if count == 0:
            raise InputError("has no frames", where=path, remedy="export the video again.")
    check_shape(image)
    return image


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """Grey values (frame, row, column); colour is reduced to luma, and how much of it there was is told.

    Raises:
        InputError: the video is damaged, or ends before the number of frames it announces.
    """
    width, height, count = image.shape
    pixels = np.empty((count, height, width), np.uint8)
    found, coloured = 0, 0.0
    with reading(image.path, "a video"), _opened(image.path, header_of(image, VideoHeader).demuxer) as container:
        for frame in container.decode(_stream(container, image.path)):
            if found == count or (frame.height, frame.width) != (height, width):
                raise InputError("changes its size, or has more frames than it announces", where=image.path)
            pixels[found], share = _grey(frame)
            coloured = max(coloured, share)
            found += 1
    if found != count:
        raise InputError(
            f"ends early: {found} of {count} frames can be read",
            where=image.path,
            remedy="the video is damaged: copy or export it again.",
        )
    return Pixels(pixels, coloured)


def write_video(frames: UInt8[np.ndarray, "time height width"], path: Path, *, rate_hz: float) -> None:
    """Write grey frames as AVI without loss (FFV1); the same frames give the same bytes.

    Args:
        frames: grey values.
        path: ends in .avi; its folder exists.
        rate_hz: frames per second; held as a fraction of whole thousandths.

    Raises:
        WorkError: the file cannot be written.
    """
    import av

    content = io.BytesIO()
    with av.open(content, "w", format="avi", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("ffv1", rate=Fraction(round(1000 * rate_hz), 1000))
        stream.height, stream.width = frames.shape[1:]
        stream.pix_fmt = "gray"
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
        container.mux(stream.encode())
    write_bytes(path, content.getvalue())


def _grey(frame: Any) -> tuple[NDArray[np.uint8], float]:
    """The brightness of a frame, and its share of strongly coloured pixels."""
    name: str = frame.format.name
    if name.startswith("gray"):
        return frame.to_ndarray(format="gray"), 0.0
    is_bytes = len(frame.planes) == 3 and all(plane.bits == 8 for plane in frame.format.components)
    if name.startswith("yuv") and is_bytes:
        blue, red = (_plane(frame.planes[index]) for index in (1, 2))
        return frame.to_ndarray(format="gray"), strong_share_of_yuv(blue, red)
    colours = frame.to_ndarray(format="rgb24")
    is_yuv = any(component.is_chroma for component in frame.format.components)
    return frame.to_ndarray(format="gray") if is_yuv else luma(colours), strong_share(colours)


def _plane(plane: Any) -> NDArray[np.uint8]:
    """One plane of a frame, without the bytes that pad its rows."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]


def _stamps(container: Any, stream: Any, *, most: int, path: Path) -> list[int]:
    """Time stamps of the packets in order; the count stops where the frames would not fit into memory."""
    stamps: list[int] = []
    for packet in container.demux(stream):
        if packet.pts is not None:
            stamps.append(packet.pts)
        if len(stamps) > most:
            raise InputError(
                f"holds more than {most} frames, {MAX_PIXEL_BYTES / 2**30:.0f} GiB of pixels",
                where=path,
                remedy="cut the video.",
            )
    return sorted(stamps)


def _opened(path: Path, kind: str) -> Any:
    import av

    # As a file, whatever its name looks like; the library keeps no more of its index than that.
    options = {"indexmem": str(_MAX_INDEX_BYTES)}
    return av.open(f"file:{path}", format=kind, metadata_errors="ignore", options=options)


def _stream(container: Any, path: Path) -> Any:
    if not container.streams.video:
        raise InputError("has no moving image in it", where=path)
    return container.streams.video[0]


def _interval_ms(stream: Any) -> float | None:
    rate = stream.average_rate or stream.guessed_rate
    return None if not rate else float(1000 / rate)


def _times_ms(stamps: list[int], stream: Any, interval_ms: float | None, count: int) -> NDArray[np.float64] | None:
    """Instants from the video's own time stamps, ms from the first; from the frame rate where it has none."""
    if len(set(stamps)) == count and count > 0:
        ticks = np.array(stamps, np.float64) - stamps[0]
        return ticks * float(stream.time_base * 1000)
    return None if interval_ms is None else np.arange(count, dtype=np.float64) * interval_ms
