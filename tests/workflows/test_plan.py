import json
import tomllib

from cardiotrace.cli.main import main
from cardiotrace.core.catalog import Choice
from cardiotrace.workflows.plan import look_at
from cardiotrace.workflows.services.dataset import open_dataset
from tests.fake.camus import SPACING_MM, write_camus


def test_looks_at_every_labelled_image(tmp_path):
    write_camus(tmp_path, patients=2)
    seen = look_at(open_dataset(Choice("camus"), tmp_path))
    assert seen.images == 8  # two patients, two views, two instants
    assert (seen.shape, seen.spacing_mm) == ((40, 48), SPACING_MM)


def test_writes_a_recipe_that_says_what_was_planned(tmp_path, capsys):
    write_camus(tmp_path / "data", patients=2)
    out = tmp_path / "plan.toml"
    words = ["plan", "--dataset", "camus", "--data", str(tmp_path / "data"), "--out", str(out), "--json"]
    assert main(words) == 0
    printed = json.loads(capsys.readouterr().out)
    recipe = tomllib.loads(out.read_text())
    assert recipe["architecture"]["name"] == "nnunet2d"
    assert recipe["training"]["batch_size"] == printed["batch"] == 2
    crop = recipe["preprocessing"][1]
    assert [crop["height"], crop["width"]] == printed["patch"]
