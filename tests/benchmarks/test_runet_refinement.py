import json
import math
from dataclasses import replace

import numpy as np
import pytest
import tomli_w
import torch

from benchmarks.runet_refinement import Remembered, asked_with, limits_of, main, outliers, read_trained
from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase, View
from cardiotrace.evaluation.case_table import CaseRow, CaseTable
from cardiotrace.evaluation.limits import OutlierLimits, combined, preset
from cardiotrace.evaluation.table import read_case_table
from cardiotrace.learning.models.runet import RUNet, RUNetConfig
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.metrics import ShapeLimits, simplicity
from cardiotrace.metrics.overlap import Presence
from cardiotrace.workflows.configs import TrainConfig
from cardiotrace.workflows.train import run_training
from tests.fake.camus import write_camus
from tests.learning.training.tiny import RECIPE


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A RU-Net of two epochs on patients 1 and 4, which leaves patient 2 to test on."""
    place = tmp_path_factory.mktemp("runet")
    write_camus(place / "camus", patients=4, views=("4CH",))
    architecture = {"name": "runet", "light": True, "dilation": 3, "shift": 0.5}
    training = {**RECIPE["training"], "epochs": 2}
    (place / "recipe.toml").write_text(tomli_w.dumps({**RECIPE, "architecture": architecture, "training": training}))
    run_training(
        TrainConfig(
            recipe=place / "recipe.toml",
            data=place / "camus",
            out=place / "run",
            fold=1,
            cache=place / "cache",
            accelerator="cpu",
        )
    )
    return place


def test_both_outputs_and_the_grid(place, capsys):
    out = place / "out"
    main(["--run", str(place / "run"), "--data", str(place / "camus"), "--out", str(out), "--dils", "1", "3",
          "--shifts", "0.5"])  # fmt: skip
    tables = [read_case_table(out / f"output{number}.json") for number in (1, 2)]
    assert [table.cases for table in tables] == [("patient0002_4CH_ED", "patient0002_4CH_ES")] * 2
    assert [table.regions for table in tables] == [("LV", "LV_EPI")] * 2
    assert tables[0].rows[0].confidence != tables[1].rows[0].confidence
    other, trained = json.loads((out / "sensitivity.json").read_text())
    assert (other["dilation"], other["trained with"], trained["dilation"], trained["trained with"]) == (1, "", 3, "yes")
    assert trained["LV dice"] == pytest.approx(np.mean([row.score("dice") for row in tables[1].rows][::2]))
    text = (out / "refinement.md").read_text()
    assert "| first as published | 2000 | 403 (20 %) | 116 (5.8 %) |" in text
    assert "| final - first |" in text
    assert text.strip() == capsys.readouterr().out.strip().replace("\n\n\n", "\n\n")


def test_another_architecture_is_refused(place, tmp_path):
    (tmp_path / "recipe.toml").write_text(tomli_w.dumps(RECIPE))
    with pytest.raises(InputError, match="not of runet"):
        read_trained(RunFolder(tmp_path), place / "camus")


def test_limits_are_those_of_the_training_references(place):
    trained = read_trained(RunFolder(place / "run"), place / "camus")
    limits = limits_of(trained.training)
    masks = [case.read_labels() for case in trained.training]
    least = min(simplicity(labels.array[0, 0] == 1, spacing_mm=labels.spacing_mm[1:]) for labels in masks)
    assert len(masks) == 4
    assert limits.shapes["LV"].simplicity == pytest.approx(least, abs=1e-6)
    assert set(limits.shapes) == set(limits.distances) == {"LV", "LV_EPI"}


def test_another_region_with_the_same_weights():
    torch.manual_seed(0)
    network = RUNet(RUNetConfig(light=True), 1, 4).eval()
    images = torch.randn(1, 1, 32, 32)
    same = asked_with(network, dilation=11, shift=0.5)
    # At a foreground probability that nothing reaches the second U-Net sees a dark image.
    blind = asked_with(network, dilation=1, shift=2.0)
    with torch.no_grad():
        answer = network(images)
        assert torch.equal(same(images), answer)
        assert not torch.equal(blind(images), answer)
        assert torch.allclose(blind(images), network.stages[1](images * torch.sigmoid(torch.tensor(-1.0))))
    assert network.config.dilation == 11
    assert network.sides == (11,)


def test_same_images_are_answered_once():
    asked = []

    class Network(torch.nn.Module):
        def forward(self, images):
            asked.append(images)
            return images + 1

    network = Remembered(Network())
    one, other = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
    assert [network(images).sum().item() for images in (one, other, one.clone())] == [4, 8, 4]
    assert len(asked) == 2


GOOD = {"mean_absolute_mm": 3.6, "hausdorff_mm": 8.5, "simplicity": 0.8, "convexity": 0.9}
ROW = CaseRow("a", "p", View.FOUR_CHAMBER, Phase.ES, 0, {}, "LV", Presence.PRESENT, GOOD)
SHAPES = {"LV": ShapeLimits(0.75, 0.85), "LV_EPI": ShapeLimits(0.75, 0.85)}
LIMITS = combined([preset("leclerc-2019"), OutlierLimits("fitted", shapes=SHAPES)])


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (ROW, (False, False)),
        (replace(ROW, phase=Phase.ED), (True, False)),
        (replace(ROW, scores={**GOOD, "hausdorff_mm": 8.9}), (True, False)),
        (replace(ROW, scores={**GOOD, "mean_absolute_mm": math.inf, "simplicity": math.nan}), (True, False)),
        (replace(ROW, scores={**GOOD, "convexity": 0.84}), (False, True)),
    ],
)
def test_one_bad_outline_makes_an_outlier(row, found):
    good = replace(ROW, region="LV_EPI")
    assert outliers(CaseTable((row, good)), LIMITS) == {("a", 0): found}
