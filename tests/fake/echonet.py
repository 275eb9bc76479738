"""A tiny EchoNet-Dynamic."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FRAMES, ED, ES = 8, 5, 2
SHAPE = (112, 112)
HALF_WIDTH = {ED: 20.0, ES: 12.0}
TOP, BOTTOM = 20.0, 80.0


def write_echonet(root: Path, *, names=("0X1A", "0X2B", "0X3C"), seed: int = 0) -> None:
    """Write `Videos/*.avi`, `FileList.csv` and `VolumeTracings.csv`; the tracings are upright rectangles."""
    rng = np.random.default_rng(seed)
    (root / "Videos").mkdir(parents=True)
    files = ["FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split"]
    tracings = ["FileName,X1,Y1,X2,Y2,Frame"]
    for index, name in enumerate(names):
        _write_video(root / "Videos" / f"{name}.avi", rng)
        part = ("TRAIN", "VAL", "TEST")[index % 3]
        files.append(f"{name},{60 - 10 * index},40.0,100.0,{SHAPE[0]},{SHAPE[1]},50,{FRAMES},{part}")
        for frame in (ES, ED):
            tracings.append(f"{name}.avi,56.0,{TOP},56.0,{BOTTOM},{frame}")
            for row in np.linspace(TOP, BOTTOM, 20):
                left, right = 56 - HALF_WIDTH[frame], 56 + HALF_WIDTH[frame]
                tracings.append(f"{name}.avi,{left},{row},{right},{row},{frame}")
    (root / "FileList.csv").write_text("\n".join(files) + "\n")
    (root / "VolumeTracings.csv").write_text("\n".join(tracings) + "\n")


def _write_video(path: Path, rng: np.random.Generator) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=Fraction(50))
        stream.width, stream.height, stream.pix_fmt = SHAPE[1], SHAPE[0], "yuvj420p"
        for index in range(FRAMES):
            grey = np.full(SHAPE, 20 * index + 10, np.uint8) + rng.integers(0, 4, SHAPE, np.uint8)
            frame = av.VideoFrame.from_ndarray(np.repeat(grey[..., np.newaxis], 3, axis=2), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuvj420p")))
        container.mux(stream.encode())
