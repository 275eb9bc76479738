import json
import zipfile

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.datasets.compressed import in_bytes, read_compressed, write_compressed
from cardiotrace.datasets.packed import PackedSample, open_packed, write_packed


def cache(folder, images):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (len(images), *images.shape[2:])).astype(np.uint8)
    samples = [
        PackedSample(f"case{index}", {"patient": f"p{index}"}, "ED", "SAX", 0, index, 10.0, 110.0)
        for index in range(len(images))
    ]
    write_packed(folder, images, labels, samples)
    return open_packed(folder)


def images_of(dtype, *space, count=5):
    """Every value of the type may stand beside any other: differences must wrap."""
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (count, *space), dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("space", [(1, 7, 9), (3, 8, 8), (1, 4, 6, 5)])
def test_a_cache_comes_back_to_the_byte(dtype, space, tmp_path):
    before = cache(tmp_path / "before", images_of(dtype, *space))
    write_compressed(before, tmp_path / "one.cache")
    after = read_compressed(tmp_path / "one.cache", tmp_path / "after")
    assert after.samples == before.samples
    for name in ("images.npy", "labels.npy", "index.json"):
        assert (tmp_path / "after" / name).read_bytes() == (tmp_path / "before" / name).read_bytes()
    assert read_compressed(tmp_path / "nowhere.cache", tmp_path / "after").images.dtype == dtype


def test_smooth_images_take_less_than_half_of_what_a_zip_takes(tmp_path):
    rows, columns = np.mgrid[:64, :64]
    smooth = np.stack([np.hypot(rows - step, columns) * 600 + 99 * step for step in range(6)]).astype(np.uint16)[
        :, None
    ]
    before = cache(tmp_path / "before", smooth)
    write_compressed(before, tmp_path / "one.cache")
    with zipfile.ZipFile(tmp_path / "plain.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images", smooth.tobytes())
    plain = zipfile.ZipFile(tmp_path / "plain.zip").getinfo("images").compress_size
    ours = zipfile.ZipFile(tmp_path / "one.cache").getinfo("images").file_size
    assert ours < 0.5 * plain


def test_what_is_damaged_is_refused(tmp_path):
    write_compressed(cache(tmp_path / "before", images_of(np.uint8, 1, 8, 8)), tmp_path / "one.cache")
    whole = (tmp_path / "one.cache").read_bytes()
    (tmp_path / "cut.cache").write_bytes(whole[:-40])
    with pytest.raises(InputError, match=r"cut\.cache: is no compressed cache"):
        read_compressed(tmp_path / "cut.cache", tmp_path / "a")
    with pytest.raises(InputError, match="is no compressed cache"):
        read_compressed(tmp_path / "none.cache", tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "one.cache") as old, zipfile.ZipFile(tmp_path / "big.cache", "w") as new:
        layout = json.loads(old.read("layout.json"))
        layout["images"]["shape"] = [10**6, 1, 1000, 1000]
        for name in ("images", "labels", "index.json"):
            new.writestr(name, old.read(name))
        new.writestr("layout.json", json.dumps(layout))
    with pytest.raises(InputError, match="its size is not that of its content"):
        read_compressed(tmp_path / "big.cache", tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_sixteen_bits_become_eight_between_quantiles(tmp_path):
    image = np.arange(10_000, dtype=np.uint16).reshape(1, 1, 100, 100) * 4 + 1000
    image[0, 0, 0, 0], image[0, 0, 0, 1] = 0, 65535  # two pixels beyond either end
    before = cache(tmp_path / "before", image)
    after = in_bytes(before, tmp_path / "after")
    assert after.images.dtype == np.uint8
    assert (int(after.images[0, 0, 0, 0]), int(after.images[0, 0, 0, 1])) == (0, 255)
    # Whatever was not cut is known to half a step of the 256.
    sample = after.samples[0]
    values = sample.low + after.images[0] / 255 * (sample.high - sample.low)
    true = 10.0 + image[0] / 65535 * 100.0
    inside = (true > sample.low) & (true < sample.high)
    assert inside.mean() > 0.99
    assert np.abs(values - true)[inside].max() <= 0.51 * (sample.high - sample.low) / 255
    assert in_bytes(after, tmp_path / "again") is after
    flat = cache(tmp_path / "flat", np.full((1, 1, 4, 4), 700, np.uint16))
    only = in_bytes(flat, tmp_path / "flat8").samples[0]
    assert only.low == only.high == 10.0 + 700 / 65535 * 100.0
