"""From a recipe of shapes to a sealed corrector, and what it does with labels."""

from pathlib import Path

import numpy as np
import pytest
import tomli_w

from cardiotrace.clinical.correction import Outcome
from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.terms import Modality, View
from cardiotrace.inference.corrector import Corrector
from cardiotrace.inference.model_file import read_model
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.report.card import model_card
from cardiotrace.workflows import training_report
from cardiotrace.workflows.configs import TrainConfig
from cardiotrace.workflows.train import train_model
from tests.fake.camus import write_camus
from tests.learning.training.tiny import RECIPE


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("corrector")
    write_camus(place / "camus", patients=4, views=("4CH",))
    recipe = {
        **RECIPE,
        "name": "shapes",
        "architecture": {"name": "shape-autoencoder", "side": 32, "code": 6, "width": 4, "widest": 8},
        "preprocessing": [{"name": "resize", "height": 64, "width": 64, "keep_aspect": True}],
        "data": {"dataset": {"name": "camus", "views": ["4CH"]}, "split": "k-fold", "folds": 4},
        "training": {**RECIPE["training"], "epochs": 40, "batch_size": 2},
        "shapes": {"side": 64, "lowest_dice": 0.2},
    }
    (place / "recipe.toml").write_text(tomli_w.dumps(recipe))
    config = TrainConfig(
        recipe=place / "recipe.toml", data=place / "camus", out=place / "run", cache=place / "cache", accelerator="cpu"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_report, "draw_curves", lambda rows, path: None)
        made = train_model(config)
    assert made is not None
    return made.path


def test_a_recipe_of_shapes_ends_in_a_sealed_corrector(trained: Path):
    spec = read_model(trained).spec
    assert spec.corrects is not None
    assert (spec.corrects.views, spec.modality, spec.views) == ((View.FOUR_CHAMBER,), Modality.US, ())
    assert (spec.corrects.side, spec.corrects.code, spec.corrects.lowest_dice) == (32, 6, 0.2)
    # Two patients are learned from; one phase of each made heart fails a criterion, and is not known for valid.
    assert len(spec.corrects.codes) == spec.corrects.count == 2
    assert spec.graphs == ("decoder",)
    assert spec.scores["redrawn"]["regions"]["LV"]["all"]["n"] == 2
    assert "knows 2 valid shapes" in model_card(spec)
    with pytest.raises(ModelFileError, match="corrects labels and sees no images"):
        open_predictor(trained)


def test_what_was_trained_corrects(trained: Path):
    """Few steps on few shapes: what is drawn is coarse, and passes or is refused, but never fails as labels."""
    from tests.fake.heart import apical

    corrector = Corrector.of(read_model(trained))
    whole = apical((80, 96))
    broken = whole.copy()
    broken[20:34, 40:56] = 0
    (found,) = corrector.project([broken], (0.3, 0.3))
    assert found.failed
    if found.outcome is Outcome.CORRECTED:
        assert corrector.failures(found.labels, (0.3, 0.3)) == ()
    else:
        assert np.array_equal(found.labels, broken)
