"""An exam that a person corrected, measured: what follows from the edits, and what must not be said any more."""

import time

import numpy as np
import pytest

from cardiotrace.clinical.editing.change import Subject, change_of
from cardiotrace.clinical.editing.edits import Address, Edits, Kind
from cardiotrace.clinical.editing.gesture import (
    AnswerFlag,
    DrawOutline,
    Judge,
    PaintPlane,
    PlaceLandmarks,
    Propagate,
    Reach,
    Restore,
    SetKeyFrame,
    Verdict,
)
from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.inference.segmentation import Segmentation
from cardiotrace.phantoms import EchoPhantom, echo_exam
from cardiotrace.workflows.services.analysis import Analyser
from cardiotrace.workflows.services.editing import EditedExam
from cardiotrace.workflows.services.stored_tracing import read_tracing, write_tracing
from cardiotrace.workflows.services.tracing import Tracing

NAME = "phantom_4CH"


def segmentation(labels):
    frames = len(labels.array)
    nothing = {structure: np.zeros(frames, np.int64) for structure in labels.scheme.structures}
    sure = np.full(frames, 0.9)
    return Segmentation(labels, sure, 1 - sure, nothing, nothing, (), "", 0.1, expected_dice={Structure.LV: sure})


@pytest.fixture(scope="module")
def made():
    return echo_exam(EchoPhantom(frame_count=12, spacing_mm=1.4), views=(View.FOUR_CHAMBER, View.TWO_CHAMBER))


@pytest.fixture
def opened(made):
    return EditedExam(Tracing(made.exam, {name: segmentation(found) for name, found in made.labels.items()}))


@pytest.fixture
def subject(opened):
    return Subject(opened.tracing.exam, opened.tracing.labels)


def fraction(analysis):
    return analysis.measures.find("left_ventricular_ejection_fraction").value


def pulled(subject, edits, frame, by):
    """The upper half of the cavity drawn narrower: the base stays."""
    points = subject.plane(edits, NAME, frame, 0).contours["lv"]
    middle = points.mean(axis=0)
    upper = points[:, :1] < middle[0]
    return DrawOutline(NAME, frame, 0, "lv", np.where(upper, middle + (points - middle) * [1, by], points).tolist())


def do(edits, gesture, subject, by="M. Roy"):
    return edits.after(change_of(gesture, edits, subject, by=by, time="2026-01-01T00:00:00+00:00"))


def test_without_edits_it_is_the_automatic_analysis(opened, made):
    automatic = Analyser().measured(opened.tracing)
    assert opened.measured(Edits()).to_plain() == automatic.to_plain()


def test_a_smaller_end_systole_ejects_more_and_says_who_drew_it(opened, subject, made):
    systole = next(image for image in made.exam.images if image.name == NAME).phases[Phase.ES]
    before = opened.measured(Edits())
    edits = do(Edits(), pulled(subject, Edits(), systole, 0.6), subject)
    after = opened.measured(edits)
    assert fraction(after) > fraction(before) + 2
    assert [image.name for image in after.provenance.edited] == [NAME]
    assert after.to_plain()["provenance"]["edited"][0]["frames"] == [systole]
    said = [flag.text for flag in after.measures.flags if flag.rule == "edited"]
    assert said == [f"{NAME}: labels were corrected by M. Roy, frames {systole}"]
    assert after.to_plain() == EditedExam(opened.tracing).measured(edits).to_plain()


def test_every_change_undone_gives_back_every_byte(opened, subject, made):
    """Any gestures, undone in turn: after each the edits are those before it."""
    names = [image.name for image in made.exam.images]
    gestures = [
        lambda edits: pulled(subject, edits, 2, 0.9),
        lambda edits: Propagate(NAME, 2, 0, Reach.NEXT),
        lambda edits: PlaceLandmarks(NAME, 0, apex=[30.0, 60.0], annulus=[[100.0, 40.0], [100.0, 80.0]]),
        lambda edits: SetKeyFrame(NAME, Phase.ES, 5),
        lambda edits: Judge(names[1], 3, 0, Verdict.REJECTED, "shadow"),
        lambda edits: AnswerFlag("jump", "", "A4C: the area jumps", accepted=True),
        lambda edits: PaintPlane(NAME, 7, 0, np.zeros_like(made.labels[NAME].array[7, 0])),
        lambda edits: Restore(),
    ]
    states, changes = [Edits()], []
    for gesture in gestures:
        changes.append(change_of(gesture(states[-1]), states[-1], subject, by="A"))
        states.append(states[-1].after(changes[-1]))
    assert states[-1] == Edits()
    edits = states[-1]
    for change, state in zip(reversed(changes), reversed(states[:-1]), strict=True):
        edits = edits.after(change.reversed)
        assert edits == state
        for name, labels in opened.labels(edits).items():
            assert labels.array.tobytes() == opened.labels(state)[name].array.tobytes()
    redone = edits
    for change in changes:
        redone = redone.after(change)
    assert redone == states[-1]


def test_placed_landmarks_are_measured(opened, subject, made):
    before = opened.measured(Edits())
    frame = next(found for found in before.measures.key_frames if found.image == NAME and found.phase is Phase.ED)
    pixel = np.array(made.labels[NAME].geometry.pixel_mm)
    apex, annulus = frame.axis.apex / pixel, frame.axis.annulus / pixel
    down = (annulus + np.array([6.0, 0.0])).tolist()
    edits = do(Edits(), PlaceLandmarks(NAME, frame.frame, annulus=down), subject)
    after = opened.measured(edits)
    now = next(found for found in after.measures.key_frames if found.image == NAME and found.phase is Phase.ED)
    assert now.axis.length == pytest.approx(frame.axis.length + 6 * pixel[0], abs=1.5)
    assert now.axis.method == "placed"
    assert np.allclose(now.axis.apex / pixel, apex, atol=12)
    again = opened.measured(do(edits, PlaceLandmarks(NAME, frame.frame), subject))
    assert fraction(again) == fraction(before)


def test_a_chosen_key_frame_is_measured(opened, subject):
    edits = do(Edits(), SetKeyFrame(NAME, Phase.ES, 3), subject)
    found = [item for item in opened.measured(edits).measures.key_frames if item.image == NAME]
    assert [(item.phase, item.frame) for item in found if item.phase is Phase.ES] == [(Phase.ES, 3)]


def test_a_rejected_frame_is_no_key_frame_and_in_no_curve(opened, subject, made):
    systole = next(image for image in made.exam.images if image.name == NAME).phases[Phase.ES]
    edits = do(Edits(), Judge(NAME, systole, 0, Verdict.REJECTED, "the wall is not seen"), subject)
    analysis = opened.measured(edits)
    assert all(item.frame != systole for item in analysis.measures.key_frames if item.image == NAME)
    curve = next(item for item in analysis.measures.curves if item.image == NAME)
    values = next(iter(curve.series.values()))
    assert values[systole] is None or not np.isfinite(values[systole]) or values[systole] == 0
    rules = [flag.rule for flag in analysis.measures.flags]
    assert "rejected" in rules
    assert any("the wall is not seen" in flag.text for flag in analysis.measures.flags)
    with pytest.raises(InputError, match="was rejected"):
        change_of(SetKeyFrame(NAME, Phase.ES, systole), edits, subject)


@pytest.mark.parametrize(
    "gesture",
    [
        DrawOutline("nobody", 0, 0, "lv", [[1, 1], [1, 9], [9, 9]]),
        DrawOutline(NAME, 99, 0, "lv", [[1, 1], [1, 9], [9, 9]]),
        DrawOutline(NAME, -1, 0, "lv", [[1, 1], [1, 9], [9, 9]]),
        DrawOutline(NAME, 0, 1, "lv", [[1, 1], [1, 9], [9, 9]]),
        DrawOutline(NAME, 0, 0, "rv", [[1, 1], [1, 9], [9, 9]]),
        DrawOutline(NAME, 0, 0, "lv", [[1, 1], [1, 9]]),
        DrawOutline(NAME, 0, 0, "lv", [[1, 1]] * 10_000),
        DrawOutline(NAME, 0, 0, "lv", [[1, 1], [1, float("nan")], [9, 9]]),
        DrawOutline(NAME, 0, 0, "lv", [[1, 1], [1, 9999], [9, 9]]),
        DrawOutline(NAME, 0, 0, "lv", [[1, 1], [9, 9], [1, 9], [9, 1]]),
        DrawOutline(NAME, 0, 0, "lv", [[1, 1], [1, 4], [4, 4], [4, 1]]),
        PaintPlane(NAME, 0, 0, np.zeros((3, 3), np.uint8)),
        PlaceLandmarks(NAME, 0, apex=[float("inf"), 2]),
        PlaceLandmarks(NAME, 0, annulus=[[1, 1]]),
        PlaceLandmarks(NAME, 0, annulus=[[5, 5], [5, 5]]),
        SetKeyFrame(NAME, Phase.OTHER, 0),
        SetKeyFrame(NAME, Phase.ED, 99),
        Judge(NAME, 0, 7, Verdict.REJECTED),
        Judge(NAME, 0, 0, Verdict.REJECTED, "x" * 501),
        Propagate(NAME, 0, 0, Reach.PREVIOUS),
        Propagate(NAME, 0, 0, Reach.SLICE_UP),
        Propagate(NAME, 0, 0, Reach.NEXT),
    ],
)
def test_what_cannot_be_is_one_line(subject, gesture):
    with pytest.raises(InputError) as error:
        change_of(gesture, Edits(), subject)
    assert "\n" not in error.value.what


def test_strange_values_are_refused(subject, made):
    plane = np.full_like(made.labels[NAME].array[0, 0], 77)
    with pytest.raises(InputError, match="are not in scheme"):
        change_of(PaintPlane(NAME, 0, 0, plane), Edits(), subject)


def test_points_that_were_drawn_are_kept_and_others_follow(subject):
    gesture = pulled(subject, Edits(), 0, 0.9)
    before = subject.plane(Edits(), NAME, 0, 0)
    plane = do(Edits(), gesture, subject).value(Address(Kind.PLANE, NAME, 0, 0))
    assert np.allclose(plane.contours["lv"], gesture.points, atol=1e-4)
    assert np.allclose(plane.contours["la"], before.contours["la"], atol=1e-4)


def test_over_the_beat_nothing_is_laid_over_what_somebody_drew(subject):
    edits = do(Edits(), pulled(subject, Edits(), 4, 0.95), subject)
    edits = do(edits, pulled(subject, edits, 0, 0.9), subject)
    mine = edits.value(Address(Kind.PLANE, NAME, 4, 0))
    edits = do(edits, Propagate(NAME, 0, 0, Reach.BEAT), subject)
    assert edits.value(Address(Kind.PLANE, NAME, 4, 0)) is mine
    assert len(edits.edited_frames(NAME)) == 12


def test_an_edit_is_measured_within_its_time(opened, subject):
    opened.measured(Edits())
    edits = do(Edits(), pulled(subject, Edits(), 6, 0.9), subject)
    start = time.process_time()
    opened.measured(edits)
    assert time.process_time() - start < 0.5


def test_a_stored_tracing_measures_the_same(tmp_path, opened):
    write_tracing(opened.tracing, tmp_path)
    again = read_tracing(tmp_path, opened.tracing.exam, opened.tracing.labels)
    assert Analyser().measured(again).to_plain() == Analyser().measured(opened.tracing).to_plain()
    (tmp_path / "tracing.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        read_tracing(tmp_path, opened.tracing.exam, opened.tracing.labels)
