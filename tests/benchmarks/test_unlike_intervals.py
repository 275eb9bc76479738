"""Images damaged by degrees, and what the shipped models' intervals make of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.damaged_images import DAMAGES, damaged
from benchmarks.unlike_intervals import USUAL, seen_patients
from cardiotrace.clinical.intervals.filling import EJECTION, UNLIKE
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, Phase
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.workflows.services.analysis import Analyser
from cardiotrace.workflows.services.tracing import Models


def echo() -> Image:
    """Bright walls in a dark sector of speckle."""
    rows, columns = np.mgrid[:120, :100]
    inside = abs(columns - 50) < 0.6 * rows
    wall = abs(np.hypot(rows - 60, 1.5 * (columns - 50)) - 35) < 6
    grain = np.random.default_rng(0).uniform(0.5, 1.0, rows.shape)
    frames = (inside * grain * (40 + 160 * wall)).astype(np.uint8)[None, None]
    return Image(np.repeat(frames, 2, axis=0), Geometry.of_spacing((1.0, 0.8, 0.8)), modality=Modality.US)


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_grows_by_degrees_and_is_the_same_in_all_frames(kind) -> None:
    image = echo()
    usual = damaged(image, "blur", 0.0, 1).frames  # next to nothing: both are stretched to 8 bits
    hardly, badly, again = (damaged(image, kind, share, 1) for share in (0.0, 1.0, 1.0))
    away = [float(np.abs(each.frames.astype(float) - usual).mean()) for each in (hardly, badly)]
    assert away[0] < away[1]
    assert away[1] > 5
    assert (badly.frames == again.frames).all()
    assert (badly.frames[0] == badly.frames[1]).all()
    assert badly.geometry == image.geometry


def test_a_noisy_echo_gets_a_wider_interval_and_the_reason(data_root: Path) -> None:
    dataset = Camus(data_root / "camus", CamusConfig(("4CH",)))
    (name, *_) = dataset.splits()["official"].validation
    cases = [case for case in dataset.cases() if case.patient == name and case.phase in (Phase.ED, Phase.ES)]
    images = tuple(ExamImage(case.name, case.read_image(), {case.phase: 0}) for case in cases)
    noisy = tuple(replace(each, image=damaged(each.image, "noise", 0.1, 3)) for each in images)
    analyser = Analyser(Models("camus-4ch-small"))
    usual, wide = (analyser.analyse(Exam("p", each)).measures for each in (images, noisy))
    assert all(each.widened == 1 for each in usual.find(EJECTION).intervals)
    assert not [flag for flag in usual.flags if flag.rule == UNLIKE]
    assert all(each.widened > 1.2 for each in wide.find(EJECTION).intervals)
    assert [flag.rule for flag in wide.flags if flag.rule == UNLIKE] == [UNLIKE]


def test_a_patient_is_seen_as_he_is_and_in_every_second_way(data_root: Path) -> None:
    dataset = Camus(data_root / "camus", CamusConfig(("4CH",)))
    (name, *_) = dataset.splits()["official"].validation
    cases = [case for case in dataset.cases() if case.patient == name and case.phase in (Phase.ED, Phase.ES)]
    predictor = open_predictor("camus-4ch-small")
    seen = dict(seen_patients(lambda _: predictor, cases))
    assert list(seen) == [USUAL, *list(DAMAGES)[::2]]
    assert seen[USUAL].unlikeness < 1.2 < seen["noise"].unlikeness
    assert seen["noise"].truths == seen[USUAL].truths
