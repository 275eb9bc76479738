"""A package of somebody else adds choices: a real one, installed as pip would, into a folder of its own."""

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.core.catalog import Catalog, Choice, Entry
from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ConfigError, ModelFileError
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.inference.spec import spec_from_plain, spec_to_plain
from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.models.catalog import ARCHITECTURES
from cardiotrace.learning.training import loop
from cardiotrace.learning.training.recipe import recipe_from_plain, recipe_text, without_places
from cardiotrace.postprocessing import STEPS as AFTER
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.preprocessing import STEPS, Preprocessing
from tests.fake.models import make_spec
from tests.learning.training import tiny

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-your-own.md"

STEP = """
from dataclasses import dataclass
import numpy as np
from cardiotrace.extend import Entry

@dataclass(frozen=True)
class Gamma:
    exponent: float = 0.5
    def normalise(self, image, dimensions=2):
        return (image ** np.float32(self.exponent)).astype(np.float32)

GAMMA = Entry("gamma", Gamma, lambda config: config, "Brightens what is dark.")
BROKEN = Entry("broken", Gamma, lambda config: 1 / 0, "Fails.")
MISNAMED = Entry("other", Gamma, lambda config: config, "Calls itself something else.")
NOTHING = 5
"""


def install(folder, package, module, code, points, monkeypatch):
    """What `pip install` leaves: a module, and a dist-info with its entry points."""
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in of.items()) for group, of in points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))
    monkeypatch.syspath_prepend(str(folder))
    for catalog in (LOSSES, STEPS, ARCHITECTURES, AFTER):
        monkeypatch.setitem(vars(catalog), "_offers", None)  # asked anew, in this test and in the next
        vars(catalog).pop("_offers")
        monkeypatch.setitem(vars(catalog), "_loaded", {})


NETWORK = """
from dataclasses import dataclass
import torch
from cardiotrace.extend import Entry, Network, NetworkSpec

@dataclass(frozen=True)
class Config:
    side: int = 1

class Pixelwise(Network):
    divisor = 4
    def __init__(self, spec: NetworkSpec, side):
        super().__init__()
        self.head = torch.nn.Conv2d(spec.channels, spec.classes, side, padding="same")
    def forward(self, images):
        return self.head(images)

PIXELWISE = Entry("pixelwise", Config, lambda config, spec: Pixelwise(spec, config.side), "Each pixel by itself.")
PLAIN = Entry("plain", Config, lambda config, spec: torch.nn.Conv2d(1, spec.classes, 1), "No Network.")
"""

ERASER = """
from dataclasses import dataclass
from cardiotrace.extend import Entry

@dataclass(frozen=True)
class Eraser:
    value: int = 1

ERASER = Entry("eraser", Eraser, lambda config, labels, scheme: labels * (labels != config.value), "Erases a label.")
"""


@pytest.fixture
def losses(tmp_path, monkeypatch):
    """The package of the how-to page."""
    blocks = PAGE.read_text().split("```")
    code = next(block.removeprefix("python\n") for block in blocks if block.startswith("python\n"))
    assert 'focal = "my_losses:FOCAL"' in next(block for block in blocks if block.startswith("ini\n"))
    install(
        tmp_path / "a",
        "my-losses",
        "my_losses",
        code,
        {"cardiotrace.losses": {"focal": "my_losses:FOCAL"}},
        monkeypatch,
    )


@pytest.fixture
def steps(tmp_path, monkeypatch):
    names = {"gamma": "GAMMA", "broken": "BROKEN", "misnamed": "MISNAMED", "nothing": "NOTHING", "gone": "GONE"}
    points = {name: f"my_steps:{value}" for name, value in names.items()} | {
        "lost": "no_such_module:X",
        "z-score": "x:Y",
    }
    install(tmp_path / "b", "my-steps", "my_steps", STEP, {"cardiotrace.preprocessing": points}, monkeypatch)


def test_a_foreign_loss_is_the_formula_of_its_page(losses):
    import torch

    logits = torch.tensor([[[[0.0]], [[0.0]]]])  # both classes are as probable
    labels = torch.ones((1, 1, 1), dtype=torch.uint8)
    for gamma in (0.0, 2.0):
        loss = LOSSES.make(Choice("focal", {"gamma": gamma}))
        assert loss(logits, labels).item() == pytest.approx(0.5**gamma * 0.693147, rel=1e-5)
    assert LOSSES.names[-1] == "focal"
    assert "focal" in LOSSES
    nowhere = torch.full((1, 1, 1), 255, dtype=torch.uint8)
    both = torch.cat([labels, nowhere], dim=2)
    assert loss(logits.expand(1, 2, 1, 2), both) == loss(logits, labels), "255 does not count"


def test_recipes_state_the_package_and_own_choices_none(losses):
    recipe = tiny.recipe(loss="focal")
    assert to_plain(recipe.loss) == {"name": "focal", "package": "my-losses", "gamma": 2.0}
    assert 'package = "my-losses"' in recipe_text(recipe)
    assert without_places(recipe)["loss"]["package"] == "my-losses"
    assert recipe_from_plain({**tiny.RECIPE, "loss": to_plain(recipe.loss)}).digest() == recipe.digest()
    assert "package" not in recipe_text(tiny.recipe())


def test_a_foreign_network_learns_and_a_mere_module_is_refused(tmp_path, monkeypatch):
    names = {"pixelwise": "my_nets:PIXELWISE", "plain": "my_nets:PLAIN"}
    install(tmp_path / "n", "my-nets", "my_nets", NETWORK, {"cardiotrace.architectures": names}, monkeypatch)
    recipe = tiny.recipe_from_plain({**tiny.RECIPE, "architecture": {"name": "pixelwise", "side": 3}})
    assert to_plain(recipe.architecture) == {"name": "pixelwise", "package": "my-nets", "side": 3}
    task, state = tiny.task_and_state(recipe)
    first = loop.step(task, state, next(iter(task.order.batches(task.training, 0))))["loss"].item()
    for epoch in range(1, 8):
        for batch in task.order.batches(task.training, epoch):
            last = loop.step(task, state, batch)["loss"].item()
    assert last < first
    with pytest.raises(ConfigError, match=r"'plain' of the package my-nets is no Network\nlet its class inherit"):
        tiny.recipe_from_plain({**tiny.RECIPE, "architecture": "plain"})


def test_of_two_foreign_steps_of_one_name_the_chosen_one_cleans(tmp_path, monkeypatch):
    for package in ("one", "two"):
        code = ERASER.replace("value: int = 1", f"value: int = {1 if package == 'one' else 2}")
        points = {"cardiotrace.postprocessing": {"eraser": f"my_{package}:ERASER"}}
        install(tmp_path / package, f"my-{package}", f"my_{package}", code, points, monkeypatch)
    labels = LabelMap(np.array([[[[0, 1, 2]]]], np.uint8), CAMUS, NO_GEOMETRY)
    kept = Postprocessing([Choice("eraser", package="my-two")]).apply(labels).labels.array
    assert kept.ravel().tolist() == [0, 1, 0]


def test_bad_options_are_told_as_those_of_any_choice(losses):
    with pytest.raises(ConfigError, match=r"unknown key 'loss\.alpha'"):
        tiny.recipe(loss={"name": "focal", "alpha": 1})
    with pytest.raises(ConfigError, match=r"loss: gamma is 0 or more, got -1\.0"):
        tiny.recipe(loss={"name": "focal", "gamma": -1})


def test_models_state_the_package_and_say_which_is_lacking(steps, monkeypatch):
    prepare = Preprocessing([Choice("resize", {"height": 8, "width": 8}), Choice("gamma")])
    plain = spec_to_plain(make_spec(CAMUS, preprocessing=prepare))
    assert plain["preprocessing"][1] == {"name": "gamma", "package": "my-steps", "exponent": 0.5}
    assert spec_to_plain(spec_from_plain(plain)) == plain
    monkeypatch.undo()
    with pytest.raises(
        ModelFileError, match=r"no preprocessing step 'gamma' of the package my-steps\ninstall my-steps\."
    ):
        spec_from_plain(plain)


def test_a_foreign_step_takes_part_in_preprocessing(steps):
    import numpy as np

    prepare = Preprocessing([Choice("resize", {"height": 2, "width": 2}), Choice("gamma", {"exponent": 2.0})])
    made = prepare.apply(np.full((4, 4), 51, np.uint8), prepare.transform_for((4, 4), None))
    assert np.allclose(made, 0.04)  # (51 / 255) squared


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "broken",
            "'broken' of the package my-steps failed: ZeroDivisionError: division by zero\nreport it to the authors",
        ),
        ("misnamed", "'misnamed' of the package my-steps cannot be used: it calls itself 'other'"),
        ("nothing", "'nothing' of the package my-steps cannot be used: my_steps:NOTHING is no Entry"),
        ("gone", "'gone' of the package my-steps cannot be used: AttributeError"),
        ("lost", "'lost' of the package my-steps cannot be used: ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_with_a_package_names_it(steps, name, said):
    with pytest.raises(ConfigError, match=said):
        STEPS.make(Choice(name))
    assert STEPS.make(Choice("gamma")).exponent == 0.5


def test_own_names_keep_their_meaning_and_the_log_tells(steps, caplog):
    with caplog.at_level(logging.WARNING, "cardiotrace"):
        assert STEPS.names.count("z-score") == 1
    assert "my-steps offers a preprocessing step 'z-score', which CardioTrace has itself: left out" in caplog.text
    assert STEPS.entry(Choice("z-score")).package == ""
    with pytest.raises(ConfigError, match="no preprocessing step 'z-score' of the package my-steps"):
        STEPS.make(Choice("z-score", package="my-steps"))


def test_of_a_name_that_two_packages_offer_one_must_be_said(steps, tmp_path, monkeypatch):
    points = {"cardiotrace.preprocessing": {"gamma": "their_steps:GAMMA"}}
    code = STEP.replace("exponent: float = 0.5", "exponent: float = 3.0")
    install(tmp_path / "c", "their-steps", "their_steps", code, points, monkeypatch)
    with pytest.raises(ConfigError, match="their-steps and my-steps offer a preprocessing step 'gamma'\nsay which"):
        STEPS.make(Choice("gamma"))
    made = {package: STEPS.make(Choice("gamma", package=package)) for package in ("my-steps", "their-steps")}
    assert {package: step.exponent for package, step in made.items()} == {"my-steps": 0.5, "their-steps": 3.0}
    assert STEPS.names.count("gamma") == 1


def test_other_packages_are_looked_for_only_when_they_must_be(monkeypatch):
    def fail(**_):
        raise AssertionError("looked for")

    monkeypatch.setattr("importlib.metadata.entry_points", fail)
    own: Catalog[int] = Catalog("thing", [Entry("a", dict, lambda config: 1, "")], group="cardiotrace.things")
    assert own["a"].summary == ""
    assert [entry.name for entry in own] == ["a"]
    with pytest.raises(AssertionError, match="looked for"):
        own["b"]
    closed: Catalog[int] = Catalog("thing", [])
    with pytest.raises(ConfigError, match="there is no thing 'b'"):
        closed["b"]


def test_start_up_does_not_read_entry_points():
    asked = "print('importlib.metadata' in sys.modules)"
    imports = ("numpy, scipy.ndimage", "cardiotrace.preprocessing, cardiotrace.datasets.catalog")
    said = [
        subprocess.run(
            [sys.executable, "-c", f"import sys, {names}; {asked}"], capture_output=True, text=True, check=True
        )
        for names in imports
    ]
    assert said[1].stdout in ("False\n", said[0].stdout)


@pytest.mark.parametrize("package", [5, None, ["x"]])
def test_a_package_is_a_name(package):
    with pytest.raises(ConfigError, match=r"^loss\.package: expected the name of a package"):
        Choice.__from_plain__({"name": "focal", "package": package}, "loss")
