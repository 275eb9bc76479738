import pytest

from cardiotrace.inference.model_file import read_model
from cardiotrace.inference.spec import spec_to_plain
from cardiotrace.workflows import train as training
from cardiotrace.workflows import training_report
from cardiotrace.workflows.configs import JoinConfig
from cardiotrace.workflows.join import join_models
from tests.workflows.test_train import config, place

__all__ = ["place"]


@pytest.mark.slow
def test_a_model_joined_with_itself_scores_as_itself(place, monkeypatch):
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    one = config(place, **{"training.epochs": 1})
    exported = training.train_model(one)
    spec = join_models(
        JoinConfig(members=(str(exported.path),) * 2, name="twin", out=place / "twin.onnx", data=one.data)
    )
    assert spec_to_plain(spec)["scores"] == spec_to_plain(exported.spec)["scores"]
    assert spec.calibration == exported.spec.calibration
    assert read_model(place / "twin.onnx").spec.name == "twin"
