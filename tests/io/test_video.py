import struct
import subprocess
import sys
import time

import av
import nibabel
import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import CAMUS
from cardiotrace.io import labels_path, read_image, read_labels, read_metadata, video, write_labels


def write_video(path, frames, *, codec, rate=50, pixel_format="yuvj420p"):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = frames.shape[2], frames.shape[1]
        stream.pix_fmt = pixel_format
        for frame in frames:
            image = av.VideoFrame.from_ndarray(frame, format="gray").reformat(format=pixel_format)
            container.mux(stream.encode(image))
        container.mux(stream.encode())
    return path


@pytest.fixture
def frames():
    """Twelve frames of a smooth pattern that grows brighter."""
    rows, columns = np.mgrid[:48, :64]
    return np.stack([(rows + columns / 2 + 8 * index).astype(np.uint8) for index in range(12)])


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "error"),
    [
        ("a.avi", "mjpeg", "yuvj420p", 8),
        ("a.avi", "rawvideo", "rgb24", 1),
        ("a.mp4", "mpeg4", "yuv420p", 16),
        ("a.mp4", "libx264", "yuv420p", 16),
    ],
)
def test_videos(tmp_path, frames, name, codec, pixel_format, error):
    if codec not in av.codecs_available:
        pytest.skip(f"no encoder {codec}")
    path = write_video(tmp_path / name, frames, codec=codec, pixel_format=pixel_format)
    cine = read_image(path)
    assert cine.grid_shape == (12, 1, 48, 64)
    assert cine.frames.dtype == np.uint8
    assert np.abs(cine.frames[:, 0].astype(int) - frames).max() <= error
    assert cine.times_ms == pytest.approx(np.arange(12) * 20.0)
    assert cine.spacing_mm is None
    assert read_metadata(path) == {
        "format": "video", "shape": [64, 48, 12], "dtype": "uint8", "channels": 1,
        "spacing_mm": None, "frame_interval_ms": pytest.approx(20.0),
    }  # fmt: skip


def test_labels_of_a_video(tmp_path, frames, blob):
    path = write_video(tmp_path / "a.avi", frames, codec="mjpeg")
    labels = blob(read_image(path, spacing_mm=(1.0, 0.5, 0.25)))
    target = labels_path(labels.source, tmp_path)
    assert target.name == "a_labels.nii.gz"
    write_labels(labels, target)
    again = read_labels(target, CAMUS)
    assert np.array_equal(again.array, labels.array)
    assert again.spacing_mm == (1.0, 0.5, 0.25)
    header = nibabel.load(target).header
    assert header.get_zooms() == (0.25, 0.5, 1.0, 20.0)
    assert header.get_xyzt_units() == ("mm", "msec")
    with pytest.raises(InputError, match=r"must end in \.nii\.gz or \.nii"):
        write_labels(labels, tmp_path / "a_labels.avi")
    with pytest.raises(InputError, match="hold no exact label"):
        read_labels(path, CAMUS)


@pytest.mark.parametrize("name", ["a.avi", "a.mp4"])
def test_damaged(tmp_path, frames, capfd, name):
    path = write_video(tmp_path / name, frames, codec="mpeg4", pixel_format="yuv420p")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError):
        read_image(path)
    path.write_bytes(b"some text that is no video" * 50)
    with pytest.raises(InputError, match="is not a video file that can be read"):
        read_image(path)
    assert capfd.readouterr() == ("", "")


def test_sound_alone(tmp_path):
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(InputError, match="no moving image"):
        read_image(path)


READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
from cardiotrace.core.errors import InputError
from cardiotrace.io import read_image
try:
    print(read_image(sys.argv[1]).frames.shape)
except InputError as error:
    print(str(error).splitlines()[0])
"""


@pytest.mark.parametrize("count", [2**20, 2**28, 2**31 - 1, 2**32 - 1])
def test_a_video_that_claims_absurdly_many_frames(tmp_path, frames, count):
    """The table of sample sizes says that all are of one size, and how many there are."""
    path = write_video(tmp_path / "a.mp4", frames, codec="mpeg4", pixel_format="yuv420p")
    content = bytearray(path.read_bytes())
    place = content.index(b"stsz")
    content[place + 8 : place + 16] = struct.pack(">2I", 1, count)
    place = content.index(b"stts")
    content[place + 12 : place + 16] = struct.pack(">I", count)
    path.write_bytes(content)
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "a.mp4: " in done.stdout
    assert time.monotonic() - start < 30


def test_frames_are_counted_only_as_far_as_they_fit(tmp_path, frames, monkeypatch):
    path = write_video(tmp_path / "a.avi", frames, codec="mjpeg")
    monkeypatch.setattr(video, "MAX_PIXEL_BYTES", 11 * 48 * 64)
    with pytest.raises(InputError, match="holds more than 11 frames"):
        read_image(path)


def test_a_list_that_names_other_files_is_no_video(tmp_path, frames):
    write_video(tmp_path / "a.mp4", frames, codec="mpeg4", pixel_format="yuv420p")
    for content in ("#EXTM3U\n#EXTINF:1,\na.mp4\n", "ffconcat version 1.0\nfile a.mp4\n"):
        (tmp_path / "b.mp4").write_text(content)
        with pytest.raises(InputError, match="does not begin as one"):
            read_image(tmp_path / "b.mp4")
