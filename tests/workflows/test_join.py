import pytest

from cardiotrace.evaluation.table import read_table
from cardiotrace.inference.model_file import read_model
from cardiotrace.workflows import train as training
from cardiotrace.workflows.export import ExportConfig, export_run, scores_of
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
    assert spec.scores == {"validation": scores_of(read_table(folder.path / "validation.json"))}
    assert spec.shape_limits == exported.spec.shape_limits
    assert read_model(place / "twin.onnx").spec.name == "twin"
