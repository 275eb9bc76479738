import json

import pytest

from cardiotrace.datasets.split import read_split
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.run import Hardware
from cardiotrace.workflows import crossval as module
from cardiotrace.workflows import train as training
from cardiotrace.workflows.crossval import CrossvalConfig, crossval
from tests.workflows.test_train import config, place

__all__ = ["place"]


@pytest.mark.slow
def test_every_patient_is_tested_once_by_a_network_that_never_saw_it(place, monkeypatch):
    monkeypatch.setattr(training, "draw_curves", lambda rows, path: None)
    one = config(place, **{"training.epochs": 1})
    folds = CrossvalConfig(one.recipe, one.data, place / "folds", 3, (), one.overrides, one.cache, Hardware("cpu", 1))
    table = crossval(folds)
    tested = [read_split(RunFolder(place / "folds" / f"fold-{fold}").split).testing for fold in (1, 2, 3)]
    assert sorted(sum(tested, ())) == [f"patient{number:04d}" for number in range(1, 5)]
    assert {row.case for row in table.rows} == {
        f"patient{number:04d}_4CH_{phase}" for number in range(1, 5) for phase in ("ED", "ES")
    }
    together = json.loads((place / "folds" / "testing.json").read_text())

    monkeypatch.setattr(module, "run_training", lambda *_: pytest.fail("trained again"))
    assert len(crossval(folds).rows) == len(table.rows)
    assert json.loads((place / "folds" / "testing.json").read_text()) == together
