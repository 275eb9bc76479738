import copy

import pytest
import tomli_w

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.training.recipe import read_recipe
from cardiotrace.learning.training.sweep import read_plan
from tests.learning.training.tiny import RECIPE, SIDE

RESIZE = {"name": "resize", "height": SIDE, "width": SIDE}
SWEEP = {
    "seeds": [7, 8, 9],
    "axes": {
        "levels": {"key": "architecture.levels", "values": [1, 2]},
        "scaling": {
            "key": "preprocessing",
            "values": {"min-max": [RESIZE, {"name": "min-max"}], "z-score": [RESIZE, {"name": "z-score"}]},
        },
    },
}


def written(tmp_path, **changes):
    values = {**copy.deepcopy(RECIPE), "sweep": {**copy.deepcopy(SWEEP), **changes}}
    values["data"] |= {"split": "k-fold", "folds": 2}
    path = tmp_path / "sweep.toml"
    path.write_text(tomli_w.dumps(values))
    return path


def test_every_combination_meets_every_seed(tmp_path):
    plan = read_plan(written(tmp_path))
    assert len(plan.runs) == 12
    assert [run.name for run in plan.runs[:5]] == [
        "levels-1_scaling-min-max-seed7",
        "levels-1_scaling-z-score-seed7",
        "levels-2_scaling-min-max-seed7",
        "levels-2_scaling-z-score-seed7",
        "levels-1_scaling-min-max-seed8",
    ]
    run = plan.runs[-1]
    assert run.recipe.architecture.options["levels"] == 2
    assert [choice.name for choice in run.recipe.preprocessing.choices] == ["resize", "z-score"]
    assert (run.recipe.seed, run.recipe.name) == (9, "tiny_levels-2_scaling-z-score-seed9")


def test_the_seed_chooses_the_fold_and_never_who_is_in_it(tmp_path):
    runs = read_plan(written(tmp_path)).runs
    assert [run.fold for run in runs[::4]] == [1, 2, 1]
    assert {(run.recipe.data.split, run.recipe.data.seed) for run in runs} == {("k-fold", RECIPE["seed"])}


def test_with_another_split_the_folds_are_the_published_ones(tmp_path):
    runs = read_plan(written(tmp_path), {"data.split": "official", "data.folds": 10}).runs
    assert [run.fold for run in runs[::4]] == [1, 2, 3]
    assert {run.recipe.data.split for run in runs} == {"official"}


def test_several_keys_can_change_together(tmp_path):
    methods = {"small": {"architecture.levels": 1}, "deep": {"architecture.levels": 2, "optimiser.learning_rate": 0.5}}
    runs = read_plan(written(tmp_path, axes={"method": {"values": methods}})).runs
    assert [run.name for run in runs[:2]] == ["method-small-seed7", "method-deep-seed7"]
    assert [run.recipe.optimiser.options["learning_rate"] == 0.5 for run in runs[:2]] == [False, True]
    assert [run.recipe.architecture.options["levels"] for run in runs[:2]] == [1, 2]


def test_without_its_sweep_it_is_a_plain_recipe(tmp_path):
    assert read_recipe(written(tmp_path)).digest() == read_recipe(written(tmp_path, seeds=[1])).digest()


def test_overrides_reach_the_sweep(tmp_path):
    overrides = {"sweep.seeds": [3], "sweep.axes.levels.values": [2], "training.epochs": 1}
    runs = read_plan(written(tmp_path), overrides).runs
    assert [run.name for run in runs] == ["levels-2_scaling-min-max-seed3", "levels-2_scaling-z-score-seed3"]
    assert runs[0].recipe.training.epochs == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": []}, "needs axes and seeds"),
        ({"seeds": [1, 1]}, "a seed stands twice"),
        ({"axes": {"a": {"key": "seed", "values": [1]}}}, "set by the sweep itself"),
        ({"axes": {"a": {"values": {"x": {"loss": "dice", "data.seed": 1, "seed": 2}}}}}, "seed is set by the sweep"),
        ({"axes": {"a": {"values": [1, 2]}}}, "needs tables of keys"),
        ({"axes": {"a": {"key": "training.epochs", "values": []}}}, "at least one value"),
        ({"axes": {"a": {"key": "loss", "values": {"a b": "dice"}}}}, "folders are named so"),
        ({"axes": {"a": {"key": "loss", "values": ["dise"]}}}, "no loss 'dise'"),
        ({"axes": {"a": {"keys": "loss", "values": ["dice"]}}}, r"sweep\.axes\.a\.keys"),
        ({"axes": {"a": {"key": "architecture.levels", "values": [6]}}}, "do not fit"),
        ({"collapse_margin": 1.5}, "collapse_margin"),
    ],
)
def test_mistakes_are_named(changes, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        read_plan(written(tmp_path, **changes))


def test_a_recipe_without_sweep_is_refused(tmp_path):
    path = tmp_path / "plain.toml"
    path.write_text(tomli_w.dumps(RECIPE))
    with pytest.raises(ConfigError, match=r"no \[sweep\]"):
        read_plan(path)


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("data.validation_patients", {"some": 1, "none": 0}, "judges its runs by validation patients"),
        ("architecture", {"flat": "unet-small", "deep": "recurrent-unet"}, "that of axis-deep sees volumes"),
    ],
)
def test_what_a_sweep_cannot_judge_is_refused_wherever_it_is_asked_for(key, values, message, tmp_path):
    path = written(tmp_path, axes={"axis": {"key": key, "values": values}})
    with pytest.raises(ConfigError, match=message):
        read_plan(path, {"training.keep": "last"})
