import dataclasses
import itertools
import json
import math
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import tomli_w
from safetensors.torch import load_file

from cardiotrace.core.errors import ConfigError, InputError, UsageError
from cardiotrace.core.label import LV_ONLY
from cardiotrace.core.reporter import SILENT, SilentReporter
from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.table import read_case_table
from cardiotrace.inference.model_file import seal
from cardiotrace.inference.zoo import load_model
from cardiotrace.learning.training import device, loop
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.workflows import training_report
from cardiotrace.workflows.configs import QueueConfig, TrainConfig
from cardiotrace.workflows.queue import run, work
from cardiotrace.workflows.queue.bring import bring, take
from cardiotrace.workflows.queue.entry import overrides_of, read_queue
from cardiotrace.workflows.queue.parcel import LIST, PACKAGES, read_parcel
from cardiotrace.workflows.queue.plan import plan_queue
from cardiotrace.workflows.queue.run import run_queue
from cardiotrace.workflows.train import run_training
from tests.command import environment
from tests.fake.camus import write_camus
from tests.fake.models import make_spec, resize, threshold_network
from tests.learning.training.tiny import RECIPE


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    write_camus(tmp_path / "data" / "camus", patients=4, views=("4CH",))
    (tmp_path / "recipe.toml").write_text(tomli_w.dumps({**RECIPE, "training": {**RECIPE["training"], "epochs": 2}}))
    return tmp_path


def config(place, *runs, **options):
    listed = runs or ({"recipe": "recipe.toml", "name": "one", "priority": 2}, {"recipe": "recipe.toml", "name": "two"})
    (place / "list.toml").write_text(tomli_w.dumps({"runs": list(listed)}))
    defaults = {
        "queue": place / "list.toml",
        "data": place / "data",
        "out": place / "runs",
        "cache": place / "cache",
        "accelerator": "cpu",
    }
    return QueueConfig(**{**defaults, **options})


def heard():
    said, reporter = [], SilentReporter()
    reporter.say = said.append
    return said, reporter


def states(report):
    return {row.name: (row.state, row.epochs) for row in report.rows}


def test_what_comes_first_and_what_its_recipe_changes(place):
    config(
        place,
        {"recipe": "recipe.toml", "name": "late", "priority": 3},
        {"recipe": "recipe.toml", "name": "first", "pixels": 48, "set": {"training.epochs": 5}},
        {"recipe": "recipe.toml", "verb": "crossval", "only": [2], "priority": 3},
    )
    entries = read_queue(place / "list.toml")
    assert [entry.name for entry in entries] == ["first", "late", ""]
    assert entries[0].recipe == place / "recipe.toml"
    changes = {"preprocessing.0.height": 48, "preprocessing.0.width": 48, "training.epochs": 5, "name": "first"}
    assert overrides_of(entries[0], RECIPE) == changes
    assert [entry.pixels for entry in read_queue(place / "list.toml", pixels=64)] == [64, 64, 64]
    assert [entries[2].wants(fold) for fold in (1, 2)] == [False, True]
    with pytest.raises(ConfigError, match="no step of its preprocessing sets a size"):
        overrides_of(entries[0], {"preprocessing": [{"name": "z-score"}]})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"recipe": "recipe.toml", "verb": "trian"}, r"runs\[0\]\.verb: 'trian' is not one of 'train', 'crossval'"),
        ({"recipe": "recipe.toml", "prioritie": 1}, r"unknown key 'runs\[0\]\.prioritie'"),
        ({"recipe": "recipe.toml", "only": [1]}, '"only" is of verb = "crossval"'),
        ({"recipe": "recipe.toml", "verb": "crossval", "fold": 1}, '"fold" and "start_from" are of verb = "train"'),
        ({"recipe": "recipe.toml", "bits": 12}, r"runs\[0\]\.bits: 12 is not one of 8, 16"),
        ({"recipe": "recipe.toml", "pixels": 0}, "pixels must be at least 1"),
        ({"recipe": "recipe.toml", "set": {"distillation": {"teachers": ["a"]}}}, "cannot stand in a queue"),
        ({"recipe": "recipe.toml", "set": {"data.pseudo_labels": {"teacher": "a"}}}, "cannot stand in a queue"),
    ],
)
def test_mistakes_in_a_list_are_one_line(entry, message, place):
    with pytest.raises(ConfigError, match=message):
        run_queue(config(place, entry))
    assert not (place / "runs").exists()


def test_a_list_without_runs_is_none(place):
    (place / "list.toml").write_text("run = 1")
    with pytest.raises(ConfigError, match="is no list of trainings"):
        read_queue(place / "list.toml")


def test_two_trainings_do_not_share_a_folder(place):
    with pytest.raises(UsageError, match="two trainings of the list are called tiny"):
        run_queue(config(place, {"recipe": "recipe.toml"}, {"recipe": "recipe.toml", "set": {"seed": 4}}))


def test_who_begins_with_another_of_the_list_waits_for_it_however_long_the_chain(place, monkeypatch):
    one, two, three = ({"recipe": "recipe.toml", "name": name} for name in ("one", "two", "three"))
    wanted = config(place, three | {"start_from": "two"}, two | {"start_from": "one"}, one)
    said, reporter = heard()
    assert [entry.runs[0].name for entry in plan_queue(wanted, reporter)] == ["one"]
    assert said == ["three waits for two, with which it begins", "two waits for one, with which it begins"]
    monkeypatch.setattr("cardiotrace.workflows.queue.queued.is_trained", lambda run, split: True)
    monkeypatch.setattr("cardiotrace.workflows.train.weights_for", lambda folder, recipe, split: None)
    planned = plan_queue(wanted)
    assert [entry.runs[0].name for entry in planned] == ["one", "two", "three"]
    assert planned[2].config.start_from == place / "runs" / "two"


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ({"start_from": "two"}, "begins with what begins with itself"),
        ({"verb": "crossval", "folds": 2}, "two begins with one, of which there are folds"),
        ({"fold": 1}, "two begins with one, of which there are folds"),
    ],
)
def test_nobody_waits_for_ever(first, message, place):
    two = {"recipe": "recipe.toml", "name": "two", "start_from": "one"}
    with pytest.raises(UsageError, match=message):
        plan_queue(config(place, {"recipe": "recipe.toml", "name": "one", **first}, two))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minutes": 0.0}, "--minutes must be above 0"),
        ({"pack": "a", "take": "b"}, "three things to do"),
        ({"pack": "a", "bring": "b"}, "--bring packs what was trained"),
    ],
)
def test_options_that_do_not_fit_together(options, message, place):
    with pytest.raises(UsageError, match=message):
        config(place, **options)


def run_for_one_epoch(config, monkeypatch, reporter=SILENT):
    """The clock stands, but for a minute that each epoch takes: time is over after one of them."""
    clock = itertools.count(0, 60)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(clock), perf_counter=time.perf_counter))
        for module in (run, work):
            patch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 0.0))
        return run_queue(dataclasses.replace(config, minutes=2.5), reporter)


def test_a_run_that_was_begun_here_and_ended_elsewhere_does_not_go_on_from_where_it_was(place, monkeypatch):
    monkeypatch.setattr(run, "_finish", lambda *_: None)
    home = config(place, {"recipe": "recipe.toml"})
    assert states(run_for_one_epoch(home, monkeypatch)) == {"tiny": ("stopped", 1)}
    run_queue(dataclasses.replace(home, pack=place / "parcel"))
    run_queue(QueueConfig(queue=place / "parcel", out=place / "away", bring=place / "back", accelerator="cpu"))
    here, there = RunFolder(home.out / "tiny"), RunFolder(place / "away" / "tiny")
    assert here.checkpoint.exists()
    assert states(run_queue(dataclasses.replace(home, take=place / "back"))) == {"tiny": ("trained", 2)}
    assert not here.checkpoint.exists()
    assert here.best.read_bytes() == there.best.read_bytes()


def test_a_queue_travels_stops_in_time_goes_on_and_comes_home(place, monkeypatch):
    monkeypatch.setattr(device, "_lightning", lambda: None)
    monkeypatch.setattr(work, "SAID_SECONDS", 0.0)
    # Away first, so that nothing here is at hand there: the packed folder and an empty place.
    home = config(place)
    said, reporter = heard()
    packed = run_queue(dataclasses.replace(home, pack=place / "parcel"), reporter)
    assert states(packed) == {"two": ("waiting", 0), "one": ("waiting", 0)}
    assert next(line for line in said if line.startswith("parcel: ")).endswith("MiB, 2 trainings)")
    assert sorted(path.name for path in (place / "parcel").iterdir()) == ["caches", LIST, PACKAGES]
    (place / "away").mkdir()
    shutil.move(place / "parcel", place / "away" / "parcel")
    shutil.move(place / "data", place / "hidden")
    there = QueueConfig(
        queue=place / "away" / "parcel", out=place / "away" / "runs", bring=place / "back", accelerator="cpu"
    )

    report = run_for_one_epoch(there, monkeypatch, reporter)
    assert states(report) == {"two": ("stopped", 1), "one": ("waiting", 0)}
    assert any("time is over, it goes on from its checkpoint" in line for line in said)
    report = run_queue(there, reporter)
    assert states(report) == {"two": ("trained", 2), "one": ("trained", 2)}
    assert "two" in (place / "away" / "runs" / work.TABLE).read_text()
    assert not (place / "away" / "runs" / "two" / "model.onnx").exists()

    shutil.move(place / "hidden", place / "data")
    assert [run.name for run in take(place / "back", home.out, read_parcel(there.queue).runs)] == ["two", "one"]
    assert take(place / "back", home.out, read_parcel(there.queue).runs) == []
    assert states(run_queue(dataclasses.replace(home, show=True))) == {"two": ("trained", 2), "one": ("trained", 2)}
    # The very weights that a training here gives, stop and journey included.
    alone = RunFolder(trained_alone(place, "two"))
    taken = RunFolder(home.out / "two")
    ours, theirs = load_file(alone.best), load_file(taken.best)
    assert ours.keys() == theirs.keys()
    assert all(bool((ours[key] == theirs[key]).all()) for key in ours)
    assert read_split(taken.split) == read_split(alone.split)
    assert taken.recipe.read_bytes() == alone.recipe.read_bytes()
    assert not taken.checkpoint.exists()


def trained_alone(place, name):
    recipe, data = place / "recipe.toml", place / "data" / "camus"
    out, cache = place / "alone", place / "cache"
    changes = {"name": name}
    run_training(TrainConfig(recipe=recipe, data=data, out=out, overrides=changes, cache=cache, accelerator="cpu"))
    return out


@pytest.mark.slow
def test_what_came_home_is_exported_and_scored(place, monkeypatch):
    changes = {"training.epochs": 1}
    folds = {"recipe": "recipe.toml", "name": "folds", "verb": "crossval", "folds": 3, "only": [2], "set": changes}
    home = config(place, {"recipe": "recipe.toml", "name": "one", "set": changes}, folds)
    with monkeypatch.context() as patch:
        patch.setattr(run, "_finish", lambda *_: None)
        assert states(run_queue(home)) == {"one": ("trained", 1), "folds/fold-2": ("trained", 1)}
    for name in ("one", "folds/fold-2"):
        RunFolder(home.out / name).checkpoint.unlink()  # as what was brought from elsewhere has none
    assert states(run_queue(home)) == {"one": ("done", 1), "folds/fold-2": ("done", 1)}
    assert load_model(RunFolder(home.out / "one").model).spec.name == "one"
    tested = read_split(RunFolder(home.out / "folds" / "fold-2").split).testing
    rows = read_case_table(home.out / "folds" / "testing.json").rows
    assert {row.patient for row in rows} == set(tested)
    monkeypatch.setattr(work, "train", lambda *_, **__: pytest.fail("trained again"))
    assert states(run_queue(home)) == {"one": ("done", 1), "folds/fold-2": ("done", 1)}


def test_groups_that_cannot_be_balanced_are_told_before_anything_is_packed(place):
    with pytest.raises(InputError, match="is of no group 'vendor' to be balanced by"):
        run_queue(config(place, {"recipe": "recipe.toml", "set": {"data.balance": "vendor"}}))
    assert not (place / "cache").exists()


def test_who_validates_nobody_keeps_the_last_weights_and_shows_no_score(place, monkeypatch):
    monkeypatch.setattr(run, "_finish", lambda *_: None)
    monkeypatch.setattr(work, "SAID_SECONDS", 0.0)
    alone = {"data.validation_patients": 0, "training.keep": "last"}
    said, reporter = heard()
    report = run_queue(config(place, {"recipe": "recipe.toml", "set": alone}), reporter)
    assert states(report) == {"tiny": ("trained", 2)}
    assert math.isnan(report.rows[0].best_score)
    assert "tiny: the weights of epoch 2 are kept" in said
    assert not any("best so far" in line for line in said)


@pytest.mark.slow
def test_what_finds_the_heart_travels_with_the_images_that_it_cut(place):
    spec = make_spec(LV_ONLY, name="finder", preprocessing=resize(32, 32), licence="CC0", citation="Finder 2026.")
    (place / "finder.onnx").write_bytes(seal(threshold_network(0.3), spec))
    steps = [{"name": "crop-or-pad", "height": 32, "width": 32, "around": "heart"}, {"name": "z-score"}]
    named = {"preprocessing": steps, "localiser": str(place / "finder.onnx"), "training.epochs": 1}
    home = config(place, {"recipe": "recipe.toml", "set": named})
    run_queue(dataclasses.replace(home, pack=place / "parcel"))
    (place / "finder.onnx").rename(place / "hidden.onnx")  # it is not there, where the parcel is
    run_queue(QueueConfig(queue=place / "parcel", out=place / "away", bring=place / "back", accelerator="cpu"))
    terms = json.loads(RunFolder(place / "away" / "tiny").environment.read_text())["terms"]
    assert "Finder 2026." in terms["citation"]
    (place / "hidden.onnx").rename(place / "finder.onnx")
    assert states(run_queue(dataclasses.replace(home, take=place / "back"))) == {"tiny": ("done", 1)}
    found = load_model(RunFolder(home.out / "tiny").model).spec.localiser
    assert (found.name, found.sha256) == ("finder", load_model(str(place / "finder.onnx")).sha256)


def trained_here(place, monkeypatch, **options):
    """A queue of two short trainings, trained and not exported; its parcel lies beside it."""
    home = config(place, **options)
    monkeypatch.setattr(run, "_finish", lambda *_: None)
    run_queue(dataclasses.replace(home, pack=place / "parcel"))
    run_queue(home)
    return home, read_parcel(place / "parcel").runs


def test_what_does_not_fit_is_rounded_or_left_behind(place, monkeypatch):
    home, runs = trained_here(place, monkeypatch)
    best = RunFolder(home.out / "two").best.stat().st_size
    said, reporter = heard()
    files = bring(runs, home.out, place / "whole", most_mib=8, file_mib=best / 2**20, reporter=reporter)
    assert [path.name for path in files] == ["brought.zip.01", "brought.zip.02", "brought.zip.03"][: len(files)]
    assert len(files) >= 2
    assert all(path.stat().st_size <= best for path in files)
    assert not any("float16" in line for line in said)

    bring(runs, home.out, place / "half", most_mib=1.8 * best / 2**20, file_mib=8, reporter=reporter)
    assert any("weights travelled in float16" in line for line in said)
    take(place / "half", place / "taken", runs)
    taken = RunFolder(place / "taken" / "two")
    assert json.loads(taken.environment.read_text())["weights"] == "weights travelled in float16"
    for key, value in load_file(RunFolder(home.out / "two").best).items():
        expected = value.half().float() if value.ndim > 1 else value
        assert np.array_equal(load_file(taken.best)[key].float().numpy(), expected.numpy())

    bring(runs, home.out, place / "little", most_mib=0.9 * best / 2**20, file_mib=8, reporter=reporter)
    assert any("warning: no room for one/best.safetensors" in line for line in said)
    with pytest.raises(InputError, match=r"holds no brought\.zip\.01"):
        take(place / "nowhere", place / "taken", runs)
    (place / "half" / "brought.zip.01").write_bytes(b"not a zip")
    with pytest.raises(InputError, match="cannot be put together"):
        take(place / "half", place / "taken", runs)


def test_a_packed_folder_is_neither_packed_nor_taken_home(place, monkeypatch):
    run_queue(config(place, {"recipe": "recipe.toml"}, pack=place / "parcel"))
    with pytest.raises(UsageError, match="are of the machine with the data"):
        run_queue(QueueConfig(queue=place / "parcel", take=place / "back"))
    listed = json.loads((place / "parcel" / LIST).read_text())
    listed["runs"][0]["name"] = "../elsewhere"
    (place / "parcel" / LIST).write_text(json.dumps(listed))
    with pytest.raises(InputError, match=r"'\.\./elsewhere' is no name of a folder"):
        read_parcel(place / "parcel")
    (place / "parcel" / LIST).write_text(json.dumps({"version": 1, "runs": [{}]}))
    with pytest.raises(InputError, match="is no parcel of trainings"):
        read_parcel(place / "parcel")


def test_one_that_diverges_makes_room_for_the_next(place, monkeypatch):
    monkeypatch.setattr(run, "_finish", lambda *_: None)
    wild = {"recipe": "recipe.toml", "name": "wild", "set": {"optimiser.learning_rate": 1e30}}
    said, reporter = heard()
    report = run_queue(config(place, wild, {"recipe": "recipe.toml", "name": "tame"}), reporter)
    assert states(report)["tame"] == ("trained", 2)
    assert any(line.startswith("wild: the loss became") or "a weight became" in line for line in said)
    assert "failed" in (place / "runs" / work.TABLE).read_text()


_BARE = """
import sys
for name in ("lightning_fabric", "onnx", "onnxruntime", "onnxscript", "scipy", "nibabel", "PIL", "av", "tifffile",
             "skimage", "contourpy", "matplotlib", "jinja2", "tyro", "rich"):
    sys.modules[name] = None  # as if it were not installed
from pathlib import Path
from cardiotrace.workflows.configs import QueueConfig
from cardiotrace.workflows.queue.run import run_queue
place = Path(sys.argv[1])
report = run_queue(QueueConfig(queue=place / "parcel", out=place / "away", bring=place / "back", accelerator="cpu"))
print([(row.name, row.state, row.epochs) for row in report.rows])
"""


def test_a_machine_with_torch_and_numpy_is_enough(place):
    run_queue(config(place, {"recipe": "recipe.toml", "set": {"training.epochs": 1}}, pack=place / "parcel"))
    command = [sys.executable, "-c", _BARE, str(place)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[('tiny', 'trained', 1)]"
    assert (place / "back" / "brought.zip.01").exists()
