from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np

from cardiotrace.clinical import key_frames as module
from cardiotrace.clinical.beats.search import frame_interval_ms
from cardiotrace.clinical.beats.smoothing import stands_out
from cardiotrace.clinical.key_frames import KeyFrames, find_view_beats, image_beats
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, Phase, View


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


def film(sizes: np.ndarray, phases: dict[Phase, int] | None = None, name: str = "loop") -> SimpleNamespace:
    return sized(image(name, len(sizes), phases), sizes)


def three_beats() -> np.ndarray:
    return 30 + 8 * np.cos(2 * np.pi * np.arange(75) / 24)


def test_every_beat_of_a_film_is_measured_and_the_middle_one_is_shown() -> None:
    sizes = three_beats()
    sizes[24:48] -= 1.5 * np.sin(np.pi * np.arange(24) / 24) ** 2  # the second beat ejects more
    found = module.find_view_beats([film(sizes)])
    assert found is not None
    pairs = [[item.frame for item in beat] for beat in found.beats]
    assert np.abs(np.subtract(pairs, [(0, 12), (24, 36), (48, 60)])).max() <= 1
    assert found.usual != 1
    assert found.flags == ()


def test_a_named_beat_is_the_only_one_that_is_measured() -> None:
    item = film(three_beats(), {Phase.ED: 25, Phase.ES: 35})
    found = module.find_view_beats([item])
    assert found is not None
    assert [[part.frame for part in beat] for beat in found.beats] == [[25, 35]]
    (beat,) = module.image_beats(item)
    assert (beat.end_diastole, beat.end_systole) == (25, 35)
    assert beat.stop in (47, 48)


def test_what_is_not_named_is_of_the_same_beat() -> None:
    (later,) = module.find_view_beats([film(three_beats(), {Phase.ED: 49})]).beats
    assert [part.frame for part in later] == [49, 60]  # its end-systole, not that of the first beat
    (earlier,) = module.find_view_beats([film(three_beats(), {Phase.ES: 13})]).beats
    assert [part.frame for part in earlier] in ([0, 13], [1, 13])


def test_a_named_end_diastole_after_its_end_systole_is_told() -> None:
    item = film(three_beats(), {Phase.ED: 24, Phase.ES: 12})
    found = module.find_view_beats([item])
    assert found is not None
    assert [flag.rule for flag in found.flags] == ["phases-order"]
    assert module.image_beats(item) == ()


def test_a_film_cut_in_the_middle_of_its_beat_is_told() -> None:
    found = module.find_view_beats([film(np.roll(three_beats()[:24], -8))])
    assert found is not None
    assert [flag.rule for flag in found.flags] == ["beat-cut"]
    (beat,) = found.beats
    assert beat.are_both


def test_foreshortened_and_blank_frames_are_no_key_frames() -> None:
    sizes = three_beats()
    sizes[12] *= 0.6  # at end-systole
    sizes[24] *= 1.4  # at end-diastole
    sizes[48] = 0.0
    found = module.find_view_beats([film(sizes)])
    assert found is not None
    frames = {part.frame for beat in found.beats for part in beat}
    assert len(found.beats) == 3
    assert not frames & {12, 24, 48}


def test_a_gated_film_goes_round_whichever_named_phase_comes_first():
    """Its first frame follows the last: an end-systole before the end-diastole is of the same beat."""
    sizes = np.roll(30 + 10 * np.cos(np.arange(20) * 2 * np.pi / 20), 14)
    cine = Image(np.zeros((20, 1, 2, 2), np.uint8), NO_GEOMETRY, view=View.SAX, modality=Modality.MR)
    item = SimpleNamespace(image=ExamImage("loop", cine, {Phase.ED: 14, Phase.ES: 4}), sizes=sizes, odd=sizes < 0)
    found = find_view_beats([item])
    assert found is not None
    assert found.flags == ()
    assert [(beat.end_diastole, beat.end_systole, beat.stop) for beat in image_beats(item)] == [(14, 4, 14)]


def test_a_film_too_short_to_tell_whether_it_is_cut_says_so() -> None:
    found = module.find_view_beats([film(np.array([28.0, 25.0, 21.0, 18.0, 18.5]))])
    assert found is not None
    assert [(flag.rule, str(flag.grade)) for flag in found.flags] == [("beat-few", "note")]
    named = module.find_view_beats([film(np.array([28.0, 25.0, 21.0, 18.0]), {Phase.ED: 0})])
    assert named is not None
    assert named.flags == ()
