import pytest

from cardiotrace.inference.model_file import read_model
from cardiotrace.inference.spec import spec_to_plain
from cardiotrace.workflows import train as training
from cardiotrace.workflows.export import ExportConfig, export_run
from cardiotrace.workflows.join import JoinConfig, join_models
from tests.workflows.test_train import config, place

__all__ = ["place"]


@pytest.mark.slow
def test_a_model_joined_with_itself_scores_as_itself(place, monkeypatch):
    monkeypatch.setattr(training, "draw_curves", lambda rows, path: None)
    one = config(place, **{"training.epochs": 1})
    folder = training.run_training(one)
    exported = export_run(ExportConfig(folder.path, one.data, cache=one.cache))
    spec = join_models(JoinConfig((str(exported.path),) * 2, "twin", place / "twin.onnx", data=one.data))
    assert spec_to_plain(spec)["scores"] == spec_to_plain(exported.spec)["scores"]
    assert spec.calibration == exported.spec.calibration
    assert read_model(place / "twin.onnx").spec.name == "twin"
