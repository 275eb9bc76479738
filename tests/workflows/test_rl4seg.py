"""`adapt rl4seg` from a recipe to a model with a judge: what the file tells, how it goes on, and what is refused."""

import dataclasses
import json

import numpy as np
import pytest
import tomli_w

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.label import ACDC
from cardiotrace.core.reporter import SilentReporter
from cardiotrace.core.terms import View
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.inference.judge import Judge
from cardiotrace.inference.model_file import read_model
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.report.card import model_card
from cardiotrace.workflows import train
from cardiotrace.workflows.adapt import adapt_model
from cardiotrace.workflows.configs import AdaptConfig
from tests.fake.camus import write_camus
from tests.fake.correctors import write_corrector
from tests.learning.training.tiny import RECIPE

SIDE = 48
METHOD = {
    "name": "rl4seg", "iterations": 1, "reward_epochs": 2, "reward_batch_size": 4, "policy_epochs": 1,
    "policy_batch_size": 4, "steps": 2, "shrink": 1.0, "perturb": 0.0, "agreement": 0.2,
}  # fmt: skip


class Told(SilentReporter):
    """Keeps the lines that it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Nine patients of three qualities, the poor ones adapted to, and what was said meanwhile."""
    folder, told = tmp_path_factory.mktemp("rl4seg"), Told()
    write_camus(folder / "camus", patients=9, views=("4CH",))
    values = {
        **RECIPE,
        "name": "hearts",
        "preprocessing": [{"name": "resize", "height": SIDE, "width": SIDE}, {"name": "z-score"}],
        "training": {**RECIPE["training"], "epochs": 20},
        "data": {"dataset": {"name": "camus", "views": ["4CH"]}, "split": "k-fold", "folds": 3, "stratify": ["quality"],
                 "validation_patients": 2},
        "adaptation": {"domain": "quality", "targets": ["Poor"], "method": METHOD},
    }  # fmt: skip
    (folder / "recipe.toml").write_text(tomli_w.dumps(values))
    adapt_model(config(folder), told)
    return folder, told.lines


def config(folder, **changes):
    values = {
        "recipe": folder / "recipe.toml", "data": folder / "camus", "out": folder / "out", "cache": folder / "cache",
        "accelerator": "cpu", "method": "rl4seg",
    }  # fmt: skip
    return AdaptConfig(**values | changes)


def test_the_model_tells_what_became_of_the_iterations(place):
    spec = read_model(place[0] / "out" / "model.onnx").spec
    assert spec.training.adaptation.method == "rl4seg"
    assert spec.training.adaptation.targets[0].labelled == 0
    assert spec.training.pseudo_labels.startswith("policy of iteration 1; of 4 answers")
    assert "iteration 1: of 4 answers" in "\n".join(place[1])
    assert spec.judge.outlines > 0
    assert f"learned from {spec.judge.outlines} outlines" in model_card(spec)


def test_the_judge_in_the_file_judges_labels(place):
    judge = Judge.within(read_model(place[0] / "out" / "model.onnx"))
    case = Camus(place[0] / "camus", CamusConfig(("4CH",))).cases()[0]
    image, labels = case.read_image(), case.read_labels()
    (error,) = judge.errors(image, labels, [0]).values()
    assert error.shape == image.grid_shape[1:]
    assert np.isfinite(error).all()
    assert 0 <= float(error.min()) < float(error.max()) <= 1


def test_pixels_of_the_networks_grid_have_their_size(place):
    (cache,) = (place[0] / "cache").iterdir()
    sizes = {tuple(sample["pixel_mm"]) for sample in json.loads((cache / "index.json").read_text())["samples"]}
    assert sizes == {(round(0.308 * 40 / SIDE, 6), round(0.308 * 48 / SIDE, 6))}


@pytest.fixture
def unsealed(monkeypatch):
    """Nothing is exported after the training: what it leaves is all that matters."""
    monkeypatch.setattr(train, "sealed_and_scored", lambda run, reporter: None)


@pytest.mark.usefixtures("unsealed")
def test_a_run_is_not_begun_again_but_by_resume(place):
    folder = RunFolder(place[0] / "out")
    weights = folder.best.read_bytes()
    with pytest.raises(UsageError, match="holds a run already"):
        adapt_model(config(place[0]))
    adapt_model(config(place[0], resume=True))
    assert folder.best.read_bytes() == weights


@pytest.mark.usefixtures("unsealed")
def test_a_run_that_was_stopped_goes_on_by_resume_with_the_same_recipe_alone(place):
    folder = RunFolder(place[0] / "out")
    folder.checkpoint.unlink()
    (folder.path / "iteration-1" / "iteration.json").unlink()
    with pytest.raises(UsageError, match="holds a run already"):
        adapt_model(config(place[0]))
    with pytest.raises(UsageError, match=r"another recipe: adaptation.method.steps"):
        adapt_model(config(place[0], resume=True, overrides={"adaptation.method.steps": 3}))
    weights = folder.best.read_bytes()
    adapt_model(config(place[0], resume=True))
    assert folder.best.read_bytes() == weights
    assert folder.checkpoint.exists()


def test_a_corrector_of_other_structures_is_refused_before_anything_is_trained(place, tmp_path):
    path = write_corrector(tmp_path / "short.onnx", scheme=ACDC, view=View.SAX)
    changed = {"adaptation.method.corrector": str(path)}
    with pytest.raises(InputError, match="knows shapes of RV, MYO, LV, and the data label LV, MYO, LA"):
        adapt_model(dataclasses.replace(config(place[0]), out=tmp_path / "out", overrides=changed))
    assert not (tmp_path / "out" / "iteration-0").exists()
