"""From the folds of a cross-validation to a model that says how sure it is; and who may not calibrate it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import cardiotrace as ct
from cardiotrace.cli.main import main
from cardiotrace.clinical.interval import Error
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.datasets.split import Split, write_split
from cardiotrace.inference.model_file import read_model, seal
from cardiotrace.inference.spec import TrainingSpec
from cardiotrace.workflows.calibrate import calibrate, patients_of_part
from cardiotrace.workflows.configs import CalibrateConfig
from cardiotrace.workflows.services.analysis import Analyser
from cardiotrace.workflows.services.tracing import Models
from tests.evaluation.cases import make_case, square
from tests.fake.camus import write_camus
from tests.fake.models import write_camus_model

RECIPE = Path(__file__).parents[2] / "recipes" / "camus-small.toml"
PATIENTS, FOLDS = 30, 2
EF = "left_ventricular_ejection_fraction"


@pytest.fixture(scope="module")
def camus(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("camus")
    write_camus(root, patients=PATIENTS, views=("4CH",), lists=False)
    return root


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_camus_model(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture(scope="module")
def runs(tmp_path_factory, model) -> Path:
    """Two folds by patient, each with a model that never learned anything."""
    folder = tmp_path_factory.mktemp("runs") / "camus-small"
    names = [f"patient{number:04d}" for number in range(1, PATIENTS + 1)]
    for number in range(1, FOLDS + 1):
        fold = folder / f"fold-{number}"
        fold.mkdir(parents=True)
        testing = tuple(names[number - 1 :: FOLDS])
        others = [name for name in names if name not in testing]
        write_split(Split(tuple(others[2:]), tuple(others[:2]), testing), fold / "split.json")
        shutil.copy(model, fold / "model.onnx")
        shutil.copy(RECIPE, fold / "recipe.toml")
    return folder


@pytest.fixture(scope="module")
def found(runs, model, camus, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "calibrated.onnx"
    config = CalibrateConfig(run=runs, model=str(model), data=camus, out=out, plots=out.parent / "plots", resplits=10)
    return calibrate(config)


def test_every_patient_is_calibrated_with_once_and_both_errors_are_told(found) -> None:
    assert (found.patients, found.folds) == (PATIENTS, FOLDS)
    told = {(each.calibration.quantity, each.calibration.error) for each in found.quantities}
    assert {(f"{EF}_percent", Error.READING), (f"{EF}_percent", Error.WHOLE)} <= told
    # Hearts of a centimetre: their volumes are not usable, and what is not usable calibrates nothing.
    assert not any("volume" in quantity for quantity, _ in told)
    assert all(each.calibration.patients <= PATIENTS for each in found.quantities)
    whole = next(each for each in found.quantities if each.calibration.error is Error.WHOLE)
    assert set(whole.found.by_group) == {"good", "medium", "poor"}
    # Hearts of one shape, stated at 30 to 62 %: whatever is measured, the stated range is as wide as the interval.
    assert 20 < whole.found.width < 60


def test_the_copy_is_the_model_with_its_calibration(found, model) -> None:
    before, after = read_model(model), read_model(found.out)
    assert after.spec.calibration.intervals.errors == tuple(each.calibration for each in found.quantities)
    assert after.spec.calibration.temperature == found.temperature
    assert after.spec.calibration.intervals.basis.startswith(f"{PATIENTS} patients of camus held out of {FOLDS} folds")
    plain = replace(after.spec, calibration=before.spec.calibration)
    assert seal(after.content, plain) == before.content


def test_an_exam_has_the_intervals_that_its_model_was_calibrated_to(found, model, camus) -> None:
    exam = ct.read_exam(camus / "database_nifti" / "patient0001")
    plain, calibrated = (Analyser(Models(str(path))).analyse(exam).measures for path in (model, found.out))
    assert calibrated.find(EF).interval is not None
    assert [each.of for each in calibrated.find(EF).intervals] == [Error.WHOLE, Error.READING]
    assert plain.find(EF).interval is None
    assert (plain.not_calibrated, calibrated.not_calibrated) == ("model", "")
    # The values are the same to the last digit, the labels too: a temperature moves neither.
    own = [(item.key, item.value) for item in calibrated if "calibrated" not in item.name]
    assert own == [(item.key, item.value) for item in plain]


def test_a_fold_that_learned_from_whom_it_tests_is_refused(runs, model, camus, tmp_path) -> None:
    spoiled = tmp_path / "runs"
    shutil.copytree(runs, spoiled)
    config = CalibrateConfig(run=spoiled, model=str(model), data=camus)
    leaking = (runs / "fold-1" / "split.json").read_text().replace('"patient0002"', '"patient0001"', 1)
    (spoiled / "fold-1" / "split.json").write_text(leaking)
    with pytest.raises(InputError, match="patient0001"):
        calibrate(config)
    shutil.copy(runs / "fold-2" / "split.json", spoiled / "fold-1" / "split.json")
    with pytest.raises(UsageError, match="count twice"):
        calibrate(config)
    shutil.copy(runs / "fold-1" / "split.json", spoiled / "fold-1" / "split.json")
    write_camus_model(spoiled / "fold-1" / "model.onnx", training=TrainingSpec(fold=2))
    with pytest.raises(UsageError, match="trained as fold 2"):
        calibrate(config)


def test_three_patients_are_too_few(runs, model, camus, tmp_path) -> None:
    few = tmp_path / "runs"
    shutil.copytree(runs / "fold-1", few / "fold-1")
    write_split(
        Split(("patient0009",), ("patient0010",), ("patient0001", "patient0002", "patient0003")),
        few / "fold-1" / "split.json",
    )
    out = tmp_path / "calibrated.onnx"
    with pytest.raises(InputError, match="3 held-out patients are too few"):
        calibrate(CalibrateConfig(run=few, model=str(model), data=camus, out=out))
    assert not out.exists()


def test_patients_that_are_kept_apart_do_not_calibrate(runs, model, tmp_path) -> None:
    write_camus(tmp_path / "camus", patients=PATIENTS, views=("4CH",), lists=True)
    with_lists = CalibrateConfig(run=runs, model=str(model), data=tmp_path / "camus", resplits=1)
    # The official list keeps one for testing and one for validation.
    assert calibrate(with_lists).patients == PATIENTS - 2


def test_a_folder_without_folds_and_a_model_of_something_else_are_refused(runs, camus, tmp_path) -> None:
    with pytest.raises(InputError, match="no finished fold"):
        calibrate(CalibrateConfig(run=tmp_path, model="camus-4ch-small", data=camus))
    with pytest.raises(UsageError, match="other structures or views"):
        calibrate(CalibrateConfig(run=runs, model="cine-mri", data=camus))
    with pytest.raises(UsageError, match="--coverage"):
        CalibrateConfig(run=runs, model="cine-mri", coverage=1.0)


def test_the_command_prints_what_was_found(runs, model, camus, found, capsys) -> None:
    assert main(["calibrate", str(runs), str(model), "--data", str(camus), "--json", "--resplits", "1"]) == 0
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (told["patients"], told["temperature"]) == (PATIENTS, found.temperature)
    drawn = sorted(path.name for path in (found.out.parent / "plots").glob("*.png"))
    assert drawn == ["referral.png", "reliability.png"]


def test_evaluation_counts_how_often_intervals_hold_the_reference(found, camus, capsys) -> None:
    words = ["evaluate", str(found.out), str(camus), "--dataset", "camus", "--option", 'views=["4CH"]', "--clinical"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "intervals of predicted values" in told
    assert "whole" in told.partition("intervals of predicted values")[2]


def test_of_a_joined_data_set_one_part_may_be_counted() -> None:
    parts = {"p1": "acdc", "p2": "phantom"}
    cases = [make_case(name, square(5, 5, 9), patient=name, groups={"dataset": part}) for name, part in parts.items()]
    joined = SimpleNamespace(name="joined", cases=lambda: cases)
    assert patients_of_part(joined, "acdc") == {"p1"}
    with pytest.raises(InputError, match="no part 'mnms'"):
        patients_of_part(joined, "mnms")
