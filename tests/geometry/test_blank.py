import numpy as np
import pytest

from cardiotrace.geometry.blank import blank_planes, blank_words


def speckle(seed: int = 0, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    """An image of ultrasound: blobs in a sector."""
    from scipy import ndimage

    rows, columns = np.mgrid[: shape[0], : shape[1]]
    blobs = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 2)
    blobs = (blobs - blobs.min()) / np.ptp(blobs)
    fan = np.abs(columns - shape[1] / 2) <= rows
    heart = 120 * np.exp(-(((rows - 60) / 25) ** 2 + ((columns - 80) / 20) ** 2))
    return ((80 * blobs + heart) * fan).astype(np.uint8)


BLACK, WHITE = np.zeros((120, 160), np.uint8), np.full((120, 160), 255, np.uint8)


def title() -> np.ndarray:
    plane = BLACK.copy()
    plane[10:20, 10:100:7] = 255
    return plane


def big_title() -> np.ndarray:
    plane = BLACK.copy()
    plane[5:40, 5:150:3] = 255
    return plane


@pytest.mark.parametrize(
    "dark",
    [
        BLACK,
        WHITE,
        BLACK + 7,
        np.random.default_rng(0).integers(0, 3, BLACK.shape).astype(np.uint8),
        np.random.default_rng(0).integers(0, 256, BLACK.shape).astype(np.uint8),
        title(),
        big_title(),
    ],
    ids=["black", "white", "grey", "sensor noise", "static", "title", "large title"],
)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_frame_without_an_image_is_found_wherever_it_stands(dark: np.ndarray, place: int) -> None:
    frames = [speckle(seed) for seed in range(4)]
    frames.insert(place, dark)
    assert np.flatnonzero(blank_planes(np.stack(frames)[:, None])[:, 0]).tolist() == [place]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.float32])
def test_images_are_images_in_any_type_and_brightness(kind: type) -> None:
    frames = np.stack([speckle(seed) for seed in range(4)])[:, None]
    assert not blank_planes(frames.astype(kind)).any()
    assert not blank_planes((frames // 25).astype(kind)).any()
    assert not blank_planes(frames.astype(np.float64) * 1e-6).any()


def test_a_wholly_constant_image_has_no_image() -> None:
    assert blank_planes(np.zeros((2, 1, 30, 30), np.uint8)).all()
    assert blank_planes(np.full((1, 3, 30, 30), 0.5, np.float32)).all()
    assert blank_planes(np.zeros((1, 1, 64, 64, 3), np.uint8)).all()
    assert blank_planes(np.random.default_rng(1).integers(0, 3, (2, 1, 64, 64)).astype(np.uint8)).all()


def test_padded_slices_of_a_stack() -> None:
    stack = np.stack([[BLACK, speckle(1), speckle(2), WHITE]] * 2)
    assert blank_planes(stack).tolist() == [[True, False, False, True]] * 2
    assert blank_words(blank_planes(stack)) == "slices 0 and 3 are blank"


def test_colour_is_looked_at_in_its_brightest_channel() -> None:
    red = np.zeros((1, 1, 120, 160, 3), np.uint8)
    red[0, 0, ..., 0] = speckle()
    assert not blank_planes(red).any()


def test_a_video_may_hold_different_views() -> None:
    # No frame has much in common with the others: then none is a stranger.
    frames = np.stack([np.roll(speckle(seed), 40 * seed, axis=1) * (seed + 1) for seed in range(4)])
    assert not blank_planes(frames[:, None]).any()


def test_words_for_slices_of_single_frames() -> None:
    blank = np.zeros((3, 4), bool)
    blank[0, 1] = True
    assert blank_words(blank) == "a slice in one frame is blank"
    blank[1, 2] = True
    assert blank_words(blank) == "2 slices in single frames are blank"
    assert blank_words(np.zeros((3, 4), bool)) == ""
