"""An exam that is measured after each edit: the same values as from the start, and only what changed is traced."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

import cardiotrace.clinical.traced_cine as traced_cine
from cardiotrace.clinical import ExamFindings, measure
from cardiotrace.clinical.regional import division
from cardiotrace.core.exam import Exam
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import Modality, View
from tests.clinical.ventricle import Ventricle, image_of, label_map

FRAMES = 8


def film() -> tuple[Exam, dict[str, LabelMap]]:
    """A beat in two views, one of them of MRI, whose base is sought towards the atrium's middle in all frames."""
    images, labels = [], {}
    for view in (View.FOUR_CHAMBER, View.TWO_CHAMBER):
        share = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAMES) / FRAMES)
        drawn = [Ventricle(24 - 5 * s, 80 - 9 * s, tilt_deg=5).draw((2.0, 2.0)) for s in share]
        labels[view.value] = label_map(drawn, (1.0, 2.0, 2.0))
        image = image_of(view.value, labels[view.value], view=view)
        times_ms = 40.0 * np.arange(FRAMES)
        modality = Modality.US if view is View.FOUR_CHAMBER else Modality.MR
        images.append(replace(image, image=replace(image.image, times_ms=times_ms, modality=modality)))
    return Exam("p1", tuple(images)), labels


def edited(labels: Mapping[str, LabelMap], view: View, frame: int, plane: np.ndarray) -> dict[str, LabelMap]:
    array = labels[view.value].array.copy()
    array[frame, 0] = plane
    return {**labels, view.value: replace(labels[view.value], array=array)}


def all_of(exam: Exam, labels: Mapping[str, LabelMap], known: ExamFindings | None = None) -> str:
    found = measure(exam, labels, known=known)
    return repr((found.quantities, found.flags, found.key_frames, found.curves, found.beats, found.segments))


def test_after_every_edit_all_is_as_if_measured_from_the_start() -> None:
    exam, labels = film()
    known, before = ExamFindings(), labels
    wider, none = Ventricle(27, 84, tilt_deg=5).draw((2.0, 2.0)), np.zeros((75, 75), np.uint8)
    seen = {all_of(exam, labels, known)}
    edits = {View.FOUR_CHAMBER: (none, _EXCHANGED[wider]), View.TWO_CHAMBER: (wider, wider[::-1])}
    for view, planes in edits.items():
        for plane in planes:
            labels = edited(labels, view, 4, plane)
            found = all_of(exam, labels, known)
            assert found == all_of(exam, labels)
            seen.add(found)
    assert len(seen) == 5  # each edit changed something
    assert all_of(exam, before, known) == all_of(exam, before)


_EXCHANGED = np.array([0, 3, 2, 1], np.uint8)
"""Ventricle and atrium exchanged."""


def test_of_a_film_only_the_edited_frame_is_traced_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    exam, labels = film()
    traced = []
    original = traced_cine.trace_long_axis

    def counted(of: LabelMap, frame: int, **options: object) -> object:
        traced.append(frame)
        return original(of, frame, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(traced_cine, "trace_long_axis", counted)
    known = ExamFindings()
    measure(exam, labels, known=known)
    assert len(traced) == 2 * FRAMES
    traced.clear()
    measure(exam, edited(labels, View.FOUR_CHAMBER, 5, labels["4CH"].array[6, 0]), known=known)
    assert traced == [5]


def rings(radius: float, thick: float) -> np.ndarray:
    """ACDC labels of one slice: a closed wall, the right ventricle on its left."""
    rows, columns = np.mgrid[:64, :64] - 31.6
    away = np.hypot(rows, columns)
    plane = np.zeros((64, 64), np.uint8)
    plane[(np.hypot(rows, columns + 16) < 14) & (away >= radius + thick)] = 1
    plane[(away < radius + thick) & (away >= radius)], plane[away < radius] = 2, 3
    return plane


def stack() -> tuple[Exam, dict[str, LabelMap]]:
    """A short-axis stack of five slices over six phases."""
    radii = 12 - 4 * np.sin(np.pi * np.arange(6) / 6)[:, None] - np.arange(5) * 0.6
    array = np.stack([[rings(float(radius), 20 - float(radius)) for radius in frame] for frame in radii])
    labels = LabelMap(array, ACDC, Geometry.of_spacing((8.0, 1.5, 1.5)))
    image = image_of("stack", labels, view=View.SAX)
    times_ms = 100.0 * np.arange(6)
    image = replace(image, image=replace(image.image, times_ms=times_ms, modality=Modality.MR))
    return Exam("p1", (image,)), {"stack": labels}


def test_slices_of_a_stack_that_stay_the_same_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    exam, labels = stack()
    traced = []
    original = division.ring_of
    monkeypatch.setattr(division, "ring_of", lambda *of: traced.append(of) or original(*of))
    known = ExamFindings()
    seen = {all_of(exam, labels, known)}
    assert len(traced) == 6 * 5
    for plane in (rings(9.0, 9.0), np.zeros((64, 64), np.uint8), rings(9.0, 9.0)[:, ::-1]):
        array = labels["stack"].array.copy()
        array[3, 2] = plane
        after = {"stack": replace(labels["stack"], array=array)}
        traced.clear()
        found = all_of(exam, after, known)
        assert len(traced) == int(plane.any())
        assert found == all_of(exam, after)
        seen.add(found)
    assert len(seen) == 4


def test_another_image_under_the_name_is_looked_at_again() -> None:
    exam, labels = film()
    known = ExamFindings()
    measure(exam, labels, known=known)
    first = exam.images[0]
    frames = first.image.frames.copy()
    frames[3] = 0  # a frame without an image is not measured
    darkened = replace(exam, images=(replace(first, image=replace(first.image, frames=frames)), *exam.images[1:]))
    assert all_of(darkened, labels, known) == all_of(darkened, labels) != all_of(exam, labels)
