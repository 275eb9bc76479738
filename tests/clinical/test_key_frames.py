from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np

from cardiotrace.clinical import key_frames as module
from cardiotrace.clinical.beats.search import frame_interval_ms
from cardiotrace.clinical.beats.smoothing import stands_out
from cardiotrace.clinical.key_frames import KeyFrames
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Phase, View


def image(name: str, frames: int, phases: dict[Phase, int] | None = None) -> ExamImage:
    return ExamImage(
        name, Image(np.zeros((frames, 1, 4, 4), np.uint8), NO_GEOMETRY, view=View.FOUR_CHAMBER), phases or {}
    )


def find_key_frames(images: Sequence[ExamImage], sizes: Mapping[str, np.ndarray]) -> KeyFrames | None:
    return module.find_key_frames([sized(item, sizes[item.name]) for item in images])


def sized(item: ExamImage, sizes: np.ndarray) -> SimpleNamespace:
    interval_ms = frame_interval_ms(item.image.times_ms)
    return SimpleNamespace(image=item, sizes=sizes, odd=stands_out(sizes, interval_ms=interval_ms))


def test_named_phases_are_taken_over_sizes() -> None:
    key_frames = find_key_frames([image("loop", 4, {Phase.ED: 1, Phase.ES: 3})], {"loop": np.array([40.0, 39, 10, 12])})
    assert key_frames is not None
    assert [(item.frame, item.is_named) for item in key_frames] == [(1, True), (3, True)]


def test_stills_that_name_their_phase() -> None:
    images = [image("es", 1, {Phase.ES: 0}), image("ed", 1, {Phase.ED: 0})]
    key_frames = find_key_frames(images, {"es": np.array([12.0]), "ed": np.array([30.0])})
    assert key_frames is not None
    assert [str(item.ref) for item in key_frames] == ["ed:0", "es:0"]


def test_stills_without_names_are_told_by_size() -> None:
    key_frames = find_key_frames([image("a", 1), image("b", 1)], {"a": np.array([12.0]), "b": np.array([30.0])})
    assert key_frames is not None
    assert [(str(item.ref), item.is_named) for item in key_frames] == [("b:0", False), ("a:0", False)]


def test_the_missing_phase_is_found_in_the_image_of_the_named_one() -> None:
    images = [image("loop", 3, {Phase.ED: 0}), image("longer", 5)]
    sizes = {"loop": np.array([30.0, 20, 25]), "longer": np.array([9.0, 8, 7, 6, 5])}
    key_frames = find_key_frames(images, sizes)
    assert key_frames is not None
    assert [str(item.ref) for item in key_frames] == ["loop:0", "loop:1"]


def test_frames_without_a_ventricle_are_not_end_systole() -> None:
    key_frames = find_key_frames([image("loop", 4)], {"loop": np.array([30.0, 0.0, 20.0, 25.0])})
    assert key_frames is not None
    assert key_frames.end_systole is not None
    assert key_frames.end_systole.frame == 2


def test_one_still_is_end_diastole_only() -> None:
    key_frames = find_key_frames([image("one", 1)], {"one": np.array([30.0])})
    assert key_frames is not None
    assert key_frames.end_systole is None
    named = find_key_frames([image("one", 1, {Phase.ES: 0})], {"one": np.array([30.0])})
    assert named is not None
    assert named.end_diastole is None
    assert named.end_systole is not None


def test_nothing_shown_is_no_key_frame() -> None:
    assert find_key_frames([image("loop", 3)], {"loop": np.zeros(3)}) is None
    assert find_key_frames([], {}) is None
