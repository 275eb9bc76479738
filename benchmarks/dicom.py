"""A film in DICOM against the same frames in an AVI: processor time of reading, and of `analyse` from a cold process.

python -m benchmarks dicom

The frames are those of the film in the package pydicom-data, 120 of 480 x 640 in JPEG, put into the AVI as they are
compressed; without the package there is nothing to measure.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames

from cardiotrace.io import read_image

FILM = "color3d_jpeg_baseline.dcm"
RUNS = 3
COMMAND = (sys.executable, "-m", "cardiotrace", "analyse")


def run() -> list[dict[str, Any]]:
    """Median seconds, the two kinds of file taking turns, so that other work on the machine counts alike."""
    source = get_testdata_file(FILM, download=False)
    if source is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        film, video = Path(folder, "film.dcm"), Path(folder, "film_A4C.avi")
        film.write_bytes(Path(source).read_bytes())
        _write_avi(film, video)
        for path in (film, video):
            read_image(path)  # libraries are imported once
        reading = _in_turn(lambda: _read(film), lambda: _read(video))
        analysing = _in_turn(lambda: _analyse(film, folder), lambda: _analyse(video, folder))
    works = {"read a film in DICOM": reading, "cardiotrace analyse, a film in DICOM": analysing}
    return [
        {"name": name, "value": ours, "unit": "s", "ratio": avi / ours, "versus": f"as AVI, {avi:.2f} s"}
        for name, (ours, avi) in works.items()
    ]


def _write_avi(film: Path, video: Path) -> None:
    """The compressed frames of a film of DICOM as an AVI of motion JPEG."""
    header = dcmread(film)
    with av.open(video, "w") as container:
        stream = container.add_stream("mjpeg", rate=round(1000 / float(header.FrameTime)))
        stream.height, stream.width, stream.pix_fmt = header.Rows, header.Columns, "yuvj422p"
        for number, frame in enumerate(generate_frames(header.PixelData, number_of_frames=int(header.NumberOfFrames))):
            packet = av.Packet(frame)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, 1 / stream.average_rate
            container.mux(packet)


def _in_turn(*works: Callable[[], float]) -> list[float]:
    """Median seconds of each."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(RUNS):
        for work, taken in zip(works, seconds, strict=True):
            taken.append(work())
    return [statistics.median(taken) for taken in seconds]


def _read(path: Path) -> float:
    start = time.process_time()
    read_image(path)
    return time.process_time() - start


def _analyse(path: Path, folder: str) -> float:
    words = [*COMMAND, str(path), "--view", "A4C", "--out", f"{folder}/out", "--overwrite"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"failed: {' '.join(words)}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:40s} {row['value']:8.2f} {row['unit']}  {row['ratio']:.2f} x {row['versus']}")
