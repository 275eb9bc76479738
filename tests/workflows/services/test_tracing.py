"""Which model takes which image."""

from pathlib import Path

import numpy as np
import pytest

from cardiotrace.core.errors import NoModelError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import LV_ONLY
from cardiotrace.core.terms import Modality, Structure, View
from cardiotrace.workflows.services.tracing import Models, trace_exam
from tests.fake.models import make_model, make_spec, threshold_network


def image(name: str, view: View) -> ExamImage:
    frames = np.zeros((1, 1, 8, 8), np.uint8)
    frames[..., 2:6, 2:6] = 200
    return ExamImage(name, Image(frames, Geometry.of_spacing((1.0, 1.0, 1.0)), view=view, modality=Modality.US))


@pytest.fixture
def four_chamber_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Only this model is at hand: the shipped ones are hidden.
    model = make_model(threshold_network(0.5), make_spec(LV_ONLY, views=(View.FOUR_CHAMBER,)))
    (tmp_path / "tiny.onnx").write_bytes(model.content)
    monkeypatch.setattr("cardiotrace.inference.zoo.model_folders", lambda: (tmp_path,))


@pytest.mark.usefixtures("four_chamber_model")
def test_an_image_without_a_model_is_left_out_and_said_so() -> None:
    exam = Exam("patient", (image("four", View.FOUR_CHAMBER), image("two", View.TWO_CHAMBER)))
    tracing = trace_exam(exam, Models())
    assert list(tracing.segmentations) == ["four"]
    assert tracing.segmentations["four"].labels.mask(Structure.LV).sum() == 16
    (flag,) = tracing.flags
    assert str(flag) == "two was left out: no model is at hand for view A2C"
    assert (flag.grade, flag.rule, flag.about) == (Grade.LOOK_TWICE, "left-out", "two")


@pytest.mark.usefixtures("four_chamber_model")
def test_an_exam_without_any_model_fails() -> None:
    exam = Exam("patient", (image("two", View.TWO_CHAMBER),))
    with pytest.raises(NoModelError, match="A2C"):
        trace_exam(exam, Models())


@pytest.mark.usefixtures("four_chamber_model")
def test_a_named_model_takes_every_view() -> None:
    exam = Exam("patient", (image("two", View.TWO_CHAMBER),))
    tracing = trace_exam(exam, Models("tiny"))
    assert list(tracing.segmentations) == ["two"]
    assert any("not trained on view A2C" in warning.text for warning in tracing.segmentations["two"].warnings)
