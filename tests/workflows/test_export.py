"""A draft is completed by what held-out cases tell, and sealed once."""

import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Case
from cardiotrace.core.label import CAMUS, LV_ONLY, LabelScheme
from cardiotrace.core.reporter import SILENT
from cardiotrace.core.terms import Phase
from cardiotrace.datasets.split import Split
from cardiotrace.inference.predictor import Predictor
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.run import best_of
from cardiotrace.workflows import export, join
from cardiotrace.workflows.configs import JoinConfig
from cardiotrace.workflows.export import calibrated
from cardiotrace.workflows.join import join_models
from tests.evaluation.cases import half_ellipse, make_case
from tests.fake.models import make_spec, threshold_network, write_camus_model


@dataclass(frozen=True)
class Cases:
    """A data set of what is given."""

    given: tuple[Case, ...]
    scheme: LabelScheme = LV_ONLY

    def cases(self) -> tuple[Case, ...]:
        return self.given


def ventricle(name: str, *, radius: float = 30, grey: int = 150) -> Case:
    """A cavity of one grey value on a dimmer ground that has pixels of all values up to 100."""
    reference = (half_ellipse(80, radius) == 1).astype(np.uint8)
    ground = np.tile(np.arange(200) // 2, (200, 1)).astype(np.uint8)
    image = np.where(reference == 1, grey, ground).astype(np.uint8)
    return make_case(name, reference, image=image, scheme=LV_ONLY, phase=Phase.ED)


SPLIT = Split(training=("a", "b"), validation=("c", "d"))
CASES = Cases((ventricle("a", radius=20), ventricle("b"), ventricle("c"), ventricle("d", grey=140)))
# Its probability is 1 / (1 + exp(-10 (value - 0.2))): 0.5 at a grey value of 51, 0.87 at 100, 0.97 at 140.
DRAFT = make_spec(LV_ONLY, default_for=())
NETWORK = threshold_network(0.2, steepness=10.0)


def completed(split: Split = SPLIT):
    return calibrated(Predictor.of_graph(DRAFT, NETWORK), CASES, split, SILENT)


def test_the_threshold_separates_what_the_network_alone_does_not() -> None:
    spec, table = completed()
    at_ground, at_cavity = (1 / (1 + np.exp(-10 * (grey / 255 - 0.2))) for grey in (99, 140))
    assert spec.calibration.threshold is not None
    assert at_ground <= spec.calibration.threshold < at_cavity
    # Scored with the threshold that was just chosen: every pixel is right.
    assert [row.score("dice") for row in table.rows] == [1.0, 1.0]
    assert spec.scores["validation"]["regions"]["LV"]["all"]["dice"] == {"mean": 1.0, "sd": 0.0}


def test_the_lowest_confidence_is_that_of_the_least_certain_image_rounded_down() -> None:
    spec, table = completed()
    probability = 1 / (1 + np.exp(-10 * (140 / 255 - 0.2)))
    assert spec.calibration.lowest_confidence == np.floor(probability * 1e4) / 1e4
    assert min(row.confidence for row in table.rows) >= spec.calibration.lowest_confidence


def test_limits_of_shapes_come_from_training_and_validation() -> None:
    both, without = completed()[0], completed(replace(SPLIT, training=("b",)))[0]
    slim, stout = (spec.calibration.shape_limits["LV"] for spec in (both, without))
    assert slim["simplicity"] < stout["simplicity"]  # patient "a" is slim
    assert both.calibration.shape_quantile == 0.01


def test_what_was_drafted_stays() -> None:
    spec, _ = completed()
    assert replace(spec, calibration=DRAFT.calibration, scores={}) == DRAFT


def test_several_structures_have_no_threshold() -> None:
    draft = make_spec(CAMUS)
    reference = half_ellipse(80, 30)
    image = np.array([0, 100, 160], np.uint8)[reference]
    dataset = Cases(tuple(make_case(name, reference, image=image) for name in "abcd"), CAMUS)
    network = threshold_network(0.2, 0.5, 0.9)
    spec, table = calibrated(Predictor.of_graph(draft, network), dataset, SPLIT, SILENT)
    assert spec.calibration.threshold is None
    assert set(spec.calibration.shape_limits) == {"LV", "LV_EPI"}
    assert {row.region: row.score("dice") for row in table.rows if row.region != "LA"} == dict.fromkeys(
        ("LV", "LV_EPI"), 1.0
    )


def test_the_best_epoch_is_the_first_of_the_highest_score(tmp_path) -> None:
    folder = RunFolder(tmp_path)
    rows = [{"epoch": epoch, "score": score} for epoch, score in enumerate([0.1, 0.7, 0.7, 0.3], start=1)]
    folder.journal.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert best_of(folder).epoch == 2


@pytest.fixture
def members(tmp_path):
    write_camus_model(tmp_path / "a.onnx", name="a", lowest_confidence=0.8)
    write_camus_model(tmp_path / "b.onnx", name="b", lowest_confidence=0.7)
    return str(tmp_path / "a.onnx"), str(tmp_path / "b.onnx")


def test_a_joined_model_is_sealed_once_and_says_what_was_returned(members, tmp_path, monkeypatch) -> None:
    sealed = []
    monkeypatch.setattr(join, "seal", lambda *given, **more: sealed.append(given) or export.seal(*given, **more))
    config = JoinConfig(members=members, name="pair", out=tmp_path / "pair.onnx")
    spec = join_models(config)
    assert len(sealed) == 1
    assert spec.calibration.lowest_confidence == 0.7
    from cardiotrace.inference import open_predictor

    opened = open_predictor(tmp_path / "pair.onnx")
    assert opened.spec.name == spec.name == "pair"
    assert opened.spec.calibration == spec.calibration
    assert opened.sha256 == hashlib.sha256((tmp_path / "pair.onnx").read_bytes()).hexdigest()


def test_scores_have_one_source_and_members_are_not_overwritten(members, tmp_path) -> None:
    with pytest.raises(UsageError, match="either measured on --data or taken from --tested"):
        join_models(
            JoinConfig(members=members, name="x", out=tmp_path / "x.onnx", data=tmp_path, tested=tmp_path / "t.json")
        )
    with pytest.raises(UsageError, match="would overwrite a member"):
        join_models(JoinConfig(members=members, name="x", out=tmp_path / "a.onnx"))
    assert not (tmp_path / "x.onnx").exists()
