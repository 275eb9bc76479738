import tomllib
from pathlib import Path

import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.training.recipe import read_recipe, recipe_from_plain, recipe_text
from tests.learning.training.tiny import RECIPE, recipe

RECIPES = sorted((Path(__file__).parents[3] / "recipes").glob("*.toml"))


def written(folder, values=RECIPE):
    import tomli_w

    path = folder / "recipe.toml"
    path.write_text(tomli_w.dumps(values))
    return path


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_read_and_come_back(path):
    shipped = read_recipe(path)
    again = recipe_from_plain(tomllib.loads(recipe_text(shipped)))
    assert to_plain(again) == to_plain(shipped)
    assert again.digest() == shipped.digest()
    assert path.stem in shipped.name or shipped.name.replace("-4ch", "") == path.stem


def test_there_are_recipes():
    assert {"camus-unet1", "cine-mri-unet1", "retina"} <= {path.stem for path in RECIPES}


def test_defaults_are_written_out():
    plain = to_plain(recipe())
    assert plain["architecture"]["norm"] == "instance"
    assert plain["loss"]["name"] == "dice+cross-entropy"
    assert plain["schedule"] == {"name": "constant"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectur": "unet1"}, r"unknown key 'architectur'\ndid you mean 'architecture'\?"),
        ({"training": {"epoch": 3}}, r"unknown key 'training\.epoch'\ndid you mean 'epochs'\?"),
        ({"training": {"epochs": "many"}}, r"^training\.epochs: expected int, got str 'many'"),
        ({"training": {"epochs": 0}}, r"^training: epochs and batch_size must be at least 1"),
        ({"training": {"epochs": 10**30}}, r"^training: epochs must be at most 1000000, got 1e\+30"),
        ({"training": {"precision": "float16"}}, r"^training\.precision: 'float16' is not one of"),
        ({"architecture": "resnet"}, r"there is no architecture 'resnet'\nchoose from: .*unet1"),
        ({"architecture": {"name": "unet1", "levels": 3}}, r"unknown key 'architecture\.levels'"),
        ({"architecture": {"name": "unet", "width": 0}}, r"widths must be positive"),
        ({"loss": {"name": "cross-entropy", "smooth": 1.0}}, r"unknown key 'loss\.smooth'"),
        ({"optimiser": {"name": "adam", "momentum": 0.9}}, r"unknown key 'optimiser\.momentum'"),
        ({"schedule": {"name": "poly", "power": "steep"}}, r"^schedule\.power: expected float"),
        ({"data": {"dataset": {"name": "camus", "view": ["4CH"]}}}, r"unknown key 'data\.dataset\.view'"),
        ({"data": {"dataset": {"name": "camus", "views": ["3CH"]}}}, r"^data\.dataset\.views\[0\]: '3CH' is not one"),
        ({"data": {"dataset": {"name": "kamus"}}}, r"there is no data set 'kamus'"),
        ({"augmentation": {"rotation": {}}}, r"unknown key 'augmentation\.rotation'"),
        ({"preprocessing": [{"name": "resize", "hight": 3}]}, r"unknown key 'preprocessing\[0\]\.hight'"),
        ({"preprocessing": "resize"}, r"^preprocessing: expected a list of steps"),
        ({"postprocessing": [{"name": "polish"}]}, r"'polish'"),
        ({"seed": -1}, r"seed must lie in"),
        ({"name": "../escape"}, r"name must be at most 200 letters"),
    ],
)
def test_mistakes_are_found_with_their_dotted_key(changes, message):
    with pytest.raises(ConfigError, match=message):
        recipe(**changes)


def test_missing_key_is_named():
    with pytest.raises(ConfigError, match="missing key 'preprocessing'"):
        recipe_from_plain({key: value for key, value in RECIPE.items() if key != "preprocessing"})


@pytest.mark.parametrize("last", [[], [{"name": "crop-or-pad", "height": 250, "width": 250}]])
def test_images_that_do_not_fit_the_network_are_found_at_reading(last):
    steps = [{"name": "resize", "height": 250, "width": 256}, *last, {"name": "z-score"}]
    with pytest.raises(ConfigError, match=r"^preprocessing: images of 250x25. .*multiples of 32\n.*224.*256"):
        recipe(architecture="unet1", preprocessing=steps)


def test_sizes_that_depend_on_the_image_are_left_to_packing():
    assert recipe(preprocessing=[{"name": "resample"}]).preprocessing.choices[0].name == "resample"


def test_overrides_reach_every_depth(tmp_path):
    overrides = {
        "training.epochs": 7,
        "schedule.name": "poly",
        "loss.dice_weight": 0.5,
        "preprocessing.0.height": 64,
        "summary": "changed",
    }
    values = {key: value for key, value in RECIPE.items() if key != "loss"}
    changed = read_recipe(written(tmp_path, values), overrides)
    assert changed.training.epochs == 7
    assert changed.schedule.name == "poly"
    assert changed.loss.options["dice_weight"] == 0.5
    assert changed.preprocessing.choices[0].options["height"] == 64
    assert changed.summary == "changed"


@pytest.mark.parametrize("key", ["preprocessing.7.height", "preprocessing.first", "seed.deep", "training.epochs.deep"])
def test_overrides_of_nothing_are_refused(key, tmp_path):
    with pytest.raises(ConfigError, match=f"there is no key '{key}'"):
        read_recipe(written(tmp_path), {key: 1})


def test_unknown_override_is_an_unknown_key(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown key 'training\.epocs'"):
        read_recipe(written(tmp_path), {"training.epocs": 1})


@pytest.mark.parametrize(
    ("content", "message"), [("name = ", "not valid TOML"), (None, "no such file"), ("\xff", "is not UTF-8 text")]
)
def test_files_that_are_no_recipes(content, message, tmp_path):
    path = tmp_path / "recipe.toml"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match=message):
        read_recipe(path)


def test_digest_is_of_what_shapes_the_weights():
    same = recipe(name="other", summary="Other.", postprocessing=[{"name": "fill-holes"}])
    assert same.digest() == recipe().digest()
    changes = [{"seed": 4}, {"training": {"epochs": 4}}, {"loss": "dice"}, {"preprocessing": [{"name": "resize"}]}]
    digests = {recipe(**change).digest() for change in changes} | {recipe().digest()}
    assert len(digests) == len(changes) + 1


def test_choice_by_bare_name_is_the_same_recipe():
    assert to_plain(recipe(schedule={"name": "constant"})) == to_plain(recipe(schedule="constant"))
    assert recipe().schedule == Choice("constant", {})


DIGEST = "dfe05f05278eb069d7b8bdaf7b405184e744b10d2f998224aa18912704b2d05b"
"""Of the tiny recipe, as run folders hold it from before these keys."""


def test_runs_that_were_begun_before_a_key_was_there_go_on():
    assert recipe(data={"stratify": []}, training={"keep": "best"}).digest() == recipe().digest() == DIGEST
    assert recipe(data={"stratify": ["sex"]}).digest() != recipe().digest()
    assert recipe(training={"keep": "last"}).digest() != recipe().digest()
