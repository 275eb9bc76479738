"""A recipe names a localiser: samples are cropped around the heart, and the model carries what found it."""

import dataclasses
from pathlib import Path

import pytest
import tomli_w

from cardiotrace.core.errors import ConfigError, InputError, UsageError
from cardiotrace.core.label import LV_ONLY
from cardiotrace.inference.localiser import Localiser
from cardiotrace.inference.model_file import read_model, seal
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.learning.training.recipe import recipe_from_plain
from cardiotrace.workflows import training_report
from cardiotrace.workflows.configs import ExportConfig, JoinConfig, TrainConfig
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.export import export_run
from cardiotrace.workflows.join import join_models
from cardiotrace.workflows.train import train_model
from tests.fake.acdc import write_acdc
from tests.fake.models import make_spec, resize, threshold_network
from tests.learning.training.tiny import RECIPE

STEPS = [{"name": "crop-or-pad", "height": 32, "width": 32, "around": "heart"}, {"name": "z-score"}]
DATA = {"dataset": "acdc", "split": "k-fold", "folds": 3}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    write_acdc(tmp_path / "acdc", training=3)
    write_finder(tmp_path / "finder.onnx", cut=0.3)
    return tmp_path


def write_finder(path: Path, *, cut: float) -> None:
    spec = make_spec(LV_ONLY, name="finder", preprocessing=resize(32, 32), licence="CC0", citation="Finder 2026.")
    path.write_bytes(seal(threshold_network(cut), spec))


def config(place: Path, **changes: object) -> TrainConfig:
    recipe = {**RECIPE, "preprocessing": STEPS, "data": DATA, "localiser": str(place / "finder.onnx")}
    recipe["training"] = {**RECIPE["training"], "epochs": 1}
    (place / "recipe.toml").write_text(tomli_w.dumps(recipe))
    given = TrainConfig(
        recipe=place / "recipe.toml", data=place / "acdc", out=place / "run", cache=place / "cache", accelerator="cpu"
    )
    return dataclasses.replace(given, **changes)


def test_a_model_carries_what_found_the_heart_in_its_training(place: Path) -> None:
    trained = train_model(config(place))
    finder = Localiser.of(read_model(place / "finder.onnx"))
    model = read_model(trained.path)
    within = Localiser.within(model)
    assert (within.graph, within.sha256) == (finder.graph, finder.sha256)
    assert model.spec.training.recipe["localiser"] == "finder.onnx"  # no place of this machine
    assert "CC0" in model.spec.licence
    assert "Finder 2026." in model.spec.citation
    (place / "finder.onnx").unlink()  # from here on the run folder and the model know it themselves
    case = DataOpener(place / "acdc").dataset(trained.run.recipe.data.dataset).cases()[0]
    result = open_predictor(trained.path).segment(case.read_image())
    assert result.labels.array.shape == case.read_image().grid_shape
    again = export_run(
        ExportConfig(run=place / "run", data=place / "acdc", cache=place / "cache", out=place / "b.onnx")
    )
    assert read_model(again.path).spec.localiser.sha256 == finder.sha256
    joined = join_models(JoinConfig(members=(str(trained.path), str(again.path)), name="twin", out=place / "twin.onnx"))
    assert joined.localiser.name == "finder"
    twin = open_predictor(place / "twin.onnx").segment(case.read_image())
    assert (twin.labels.array == result.labels.array).mean() > 0.999


def test_a_run_goes_on_with_the_localiser_that_it_began_with(place: Path) -> None:
    train_model(config(place))
    write_finder(place / "finder.onnx", cut=0.4)
    with pytest.raises(UsageError, match="another localiser of this name"):
        train_model(config(place, resume=True))


def test_a_localiser_that_is_not_there_is_told_before_anything_is_written(place: Path) -> None:
    (place / "finder.onnx").unlink()
    with pytest.raises(InputError, match="there is no model"):
        train_model(config(place))
    assert not (place / "run").exists()
    assert not (place / "cache").exists()


def test_recipe_and_localiser_must_agree() -> None:
    with pytest.raises(ConfigError, match="crops around the heart: say what finds it"):
        recipe_from_plain({**RECIPE, "preprocessing": STEPS})
    with pytest.raises(ConfigError, match="localiser has no effect"):
        recipe_from_plain({**RECIPE, "localiser": "heart-localiser"})
    named = recipe_from_plain({**RECIPE, "preprocessing": STEPS, "localiser": "heart-localiser"})
    other = recipe_from_plain({**RECIPE, "preprocessing": STEPS, "localiser": "another"})
    assert named.digest() != other.digest()
