"""Models by name: listed, shown, verified."""

import pytest

from cardiotrace.cli.main import main
from cardiotrace.core.errors import InputError
from cardiotrace.workflows.models import (
    ListConfig,
    ModelConfig,
    VerifyConfig,
    list_known,
    show_model,
    verify_models,
)
from tests.fake.models import write_camus_model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A sound model and a damaged one, and no others."""
    path = write_camus_model(tmp_path / "sound.onnx", summary="By grey values.")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "torn.onnx").write_bytes(content)
    monkeypatch.setattr("cardiotrace.inference.zoo.model_folders", lambda: (tmp_path,))
    return tmp_path


def test_what_is_listed(folder):
    sound, torn = list_known(ListConfig())
    assert sound["model"] == "sound"
    assert (sound["structures"], sound["licence"], sound["summary"]) == ("LV, MYO, LA", "CC0", "By grey values.")
    assert sound["MB"] == round((folder / "sound.onnx").stat().st_size / 1e6, 1)
    assert torn["model"] == "torn"
    assert set(sound) == set(torn)


def test_each_is_verified_and_one_that_is_damaged_stops_none(folder):
    torn, sound = verify_models(VerifyConfig(models=("torn", "sound")))
    assert (torn.path, torn.problem.exit_status) == (None, 3)
    assert (sound.name, sound.path, sound.problem) == ("tiny", folder / "sound.onnx", None)
    assert [model.problem is None for model in verify_models(VerifyConfig())] == [True, False]


def test_the_exit_status_of_a_damaged_one(folder, capsys):
    assert main(["models", "verify", "sound"]) == 0
    assert main(["models", "verify", "torn", "sound"]) == 3
    out, error = capsys.readouterr()
    assert out.count("tiny: sound (sound.onnx") == 2
    assert "torn.onnx" in error


def test_what_is_shown(folder):
    path, spec = show_model(ModelConfig(model="sound"))
    assert (path.name, spec.name, spec.summary) == ("sound.onnx", "tiny", "By grey values.")
    with pytest.raises(InputError, match="there is no model 'another'"):
        show_model(ModelConfig(model="another"))
