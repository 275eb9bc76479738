import dataclasses
import json

import pytest
import tomli_w

from cardiotrace.core.errors import UsageError
from cardiotrace.datasets.chase import Chase
from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.table import read_case_table, table_to_json
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.loop import DivergedError
from cardiotrace.learning.training.sweep import read_plan
from cardiotrace.workflows.configs import SweepConfig
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.sweep import job, run, run_sweep
from tests.fake.chase import write_chase

RESIZE = {"name": "resize", "height": 16, "width": 16}
RECIPE = {
    "name": "vessels",
    "seed": 1,
    "architecture": {"name": "unet", "levels": 1, "width": 4, "norm": "none", "activation": "relu"},
    "optimiser": {"name": "adam", "learning_rate": 1e-2},
    "schedule": "constant",
    "preprocessing": [RESIZE, {"name": "z-score"}],
    "data": {"dataset": "chase", "folds": 4},
    "training": {"epochs": 2, "batch_size": 2, "precision": "float32"},
    "sweep": {
        "seeds": [1, 2],
        "axes": {"levels": {"key": "architecture.levels", "values": [1, 2]}},
        "marks": {"published": 0.67},
    },
}


@pytest.fixture
def config(tmp_path):
    write_chase(tmp_path / "chase", subjects=(1, 2, 3, 4))
    recipe = tmp_path / "vessels.toml"
    recipe.write_text(tomli_w.dumps(RECIPE))
    place = {"data": tmp_path / "chase", "out": tmp_path / "out", "cache": tmp_path / "cache"}
    return SweepConfig(recipe=recipe, **place, accelerator="cpu")


def test_runs_are_tested_on_eyes_of_children_they_never_saw_and_never_run_twice(config, monkeypatch):
    report = run_sweep(config)
    assert [item.name for item in report.results] == [f"levels-{n}-seed{k}" for k in (1, 2) for n in (1, 2)]
    tested = {}
    for item in report.results:
        folder = RunFolder(config.out / item.name)
        split = read_split(folder.split)
        cases = {row.case for row in read_case_table(folder.path / "testing-grid.json").rows}
        assert cases == {f"Image_{split.testing[0]}{eye}" for eye in "LR"}
        assert not folder.checkpoint.exists()
        made = json.loads(folder.environment.read_text())
        assert made["terms"]["licence"] == Chase.facts.licence
        assert made["fold"] == item.fold
        tested.setdefault(item.seed, set()).add(split.testing)
    assert [len(parts) for parts in tested.values()] == [1, 1]
    assert tested[1] != tested[2]
    assert [(row["levels"], row["runs"]) for row in report.summary] == [("1", 2), ("2", 2)]
    names = {path.name for path in config.out.iterdir() if path.is_file()}
    tables = {f"{stem}.{ending}" for stem in ("runs", "summary", "comparisons") for ending in ("csv", "json", "md")}
    assert names == tables | {"sweep.md", "dice.png", "jaccard.png", "validation.png", "strips.png"}

    monkeypatch.setattr(job, "train", lambda *_, **__: pytest.fail("trained again"))
    assert run_sweep(config).summary == report.summary
    stricter = dataclasses.replace(config, overrides={"sweep.collapse_margin": 0.99})
    assert [row["collapsed"] for row in run_sweep(stricter).summary] == [2, 2]
    with pytest.raises(UsageError, match="another recipe"):
        run_sweep(dataclasses.replace(config, overrides={"training.epochs": 3}))


def test_a_run_that_diverges_is_a_result(config, monkeypatch):
    def diverge(*_, **__):
        raise DivergedError("the loss became nan")

    monkeypatch.setattr(job, "train", diverge)
    report = run_sweep(dataclasses.replace(config, overrides={"sweep.seeds": [1]}))
    assert [item.collapse for item in report.results] == ["diverged", "diverged"]
    assert json.loads((config.out / "summary.json").read_text())[0]["dice"] == 0.0


def test_an_interrupted_sweep_goes_on_where_it_was(config, monkeypatch):
    done = []

    def stop_at_second(waiting, reporter, *, opener):
        if done:
            raise KeyboardInterrupt
        done.append(waiting.run.name)
        return original(waiting, reporter, opener=opener)

    original = run.finish_run
    monkeypatch.setattr(run, "finish_run", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(config)

    def counted(waiting, reporter, *, opener):
        done.append(waiting.run.name)
        return original(waiting, reporter, opener=opener)

    monkeypatch.setattr(run, "finish_run", counted)
    run_sweep(config)
    assert len(done) == len(set(done)) == 4


@pytest.mark.slow
def test_runs_in_processes_are_those_of_one_process(config):
    config = dataclasses.replace(config, overrides={"sweep.seeds": [1], "training.epochs": 1})
    there = dataclasses.replace(config, out=config.out.with_name("there"), jobs=2)
    alone, spread = run_sweep(config), run_sweep(there)
    timeless = [[dataclasses.replace(item, seconds=0.0) for item in report.results] for report in (alone, spread)]
    assert timeless[0] == timeless[1]
    for item in alone.results:
        for name in (job.GRID, "testing.json"):
            assert (config.out / item.name / name).read_bytes() == (there.out / item.name / name).read_bytes()


def test_what_is_kept_of_a_run_is_what_it_returned(config):
    config = dataclasses.replace(config, overrides={"training.epochs": 1})
    opener = DataOpener(config.data, config.cache)
    planned = read_plan(config.recipe, config.overrides).runs[0]
    one = job.Job(planned, RunFolder(config.out / planned.name), config.hardware)
    assert job.kept_result(one) is None
    result = job.finish_run(one, opener=opener)
    kept = job.kept_result(one)
    assert (kept.row, kept.curve) == (result.row, result.curve)
    assert table_to_json(kept.on_grid) == table_to_json(result.on_grid)
    assert result.curve == (result.row.validation_dice,)
    assert str(one) == result.row.name


def test_no_job_is_refused(config):
    with pytest.raises(UsageError, match="--jobs"):
        run_sweep(dataclasses.replace(config, jobs=0))
