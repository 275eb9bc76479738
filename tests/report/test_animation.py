import io

import pytest
from PIL import Image

from cardiotrace.report import animation
from cardiotrace.report.animation import render_animation
from tests.clinical.ventricle import Ventricle, image_of, label_map


def test_long_cines_are_thinned_and_keep_their_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animation, "_MOST_FRAMES", 5)
    labels = label_map([Ventricle().draw((4.0, 4.0))] * 10, (1.0, 4.0, 4.0))
    made = render_animation(image_of("a", labels), labels, frame_rate_hz=10.0)
    # 10 frames of 100 ms in 5 frames of 200 ms: real time.
    assert made.slowdown == pytest.approx(1.0)
    with Image.open(io.BytesIO(made.content)) as gif:
        # Equal neighbours may be joined by the writer, but the time shown stays.
        total = 0
        for frame in range(gif.n_frames):
            gif.seek(frame)
            total += gif.info["duration"]
    assert total == pytest.approx(5 * 200, abs=10)
    assert len(made.content) < 3_000_000


def test_unknown_times_give_no_pace() -> None:
    labels = label_map([Ventricle().draw((4.0, 4.0)), Ventricle(20).draw((4.0, 4.0))], (1.0, 4.0, 4.0))
    assert render_animation(image_of("a", labels), labels).slowdown is None
