"""From a recipe with domains to models, their table and the probes: `adapt`, `queue`, `compare`, `probe`."""

import dataclasses

import pytest
import tomli_w

from cardiotrace.core.errors import ConfigError, InputError, UsageError
from cardiotrace.core.reporter import SilentReporter
from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.table import read_case_table
from cardiotrace.inference.spec import TargetSpec
from cardiotrace.inference.zoo import load_model
from cardiotrace.report.card import model_card
from cardiotrace.workflows import export, training_report
from cardiotrace.workflows.adapt import adapt_model, method_overrides
from cardiotrace.workflows.compare import CompareConfig, compare_runs, page
from cardiotrace.workflows.configs import AdaptConfig, ProbeConfig, QueueConfig
from cardiotrace.workflows.probe import probe_runs
from cardiotrace.workflows.queue.run import run_queue
from tests.fake.camus import write_camus
from tests.fake.models import threshold_network
from tests.learning.training.tiny import RECIPE

DOMAINS = {"domain": "quality", "targets": ["Poor"]}
CHANGES = {
    "name": "hearts",
    "architecture": {"name": "unet", "levels": 2, "width": 4, "norm": "batch"},
    "training": {**RECIPE["training"], "epochs": 1},
    "data": {
        "dataset": {"name": "camus", "views": ["4CH"]},
        "split": "k-fold",
        "folds": 3,
        "stratify": ["quality"],
        "validation_patients": 2,
    },
    "adaptation": DOMAINS,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Nine patients of three qualities, and a queue of four runs, worked through."""
    folder = tmp_path_factory.mktemp("adapt")
    write_camus(folder / "data" / "camus", patients=9, views=("4CH",))
    (folder / "recipe.toml").write_text(tomli_w.dumps({**RECIPE, **CHANGES}))
    ways = {
        "statistics": {"adaptation.method": "adabn", "training.keep": "last"},
        "alone": {"adaptation.method": "none"},
        "against": {"adaptation.method": "dann"},
        "bound": {"adaptation.method": "none", "adaptation.target_labels": True},
    }
    runs = [{"recipe": "recipe.toml", "name": name, "set": told} for name, told in ways.items()]
    runs[0]["start_from"] = "alone"
    (folder / "list.toml").write_text(tomli_w.dumps({"runs": runs}))
    said, reporter = [], SilentReporter()
    reporter.say = said.append
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_report, "draw_curves", lambda rows, path: None)
        # Exporting a network takes longer than all else here, and is no other than that of any training.
        patch.setattr(export, "export_network", lambda *_, **__: threshold_network(0.5, 1.0, 1.5))
        patch.setattr(export, "with_features", lambda graph: graph)
        report = run_queue(
            QueueConfig(
                queue=folder / "list.toml",
                data=folder / "data",
                out=folder / "runs",
                cache=folder / "cache",
                accelerator="cpu",
            ),
            reporter,
        )
    return folder, report, said


def config(folder, method="dann", **changes):
    return AdaptConfig(
        method=method,
        recipe=folder / "recipe.toml",
        data=folder / "data" / "camus",
        out=folder / "out",
        cache=folder / "cache",
        accelerator="cpu",
        **changes,
    )


def test_one_command_trains_all_and_who_waits_comes_after(place):
    _, report, said = place
    assert {row.name: row.state for row in report.rows} == dict.fromkeys(
        ("statistics", "alone", "against", "bound"), "done"
    )
    assert "statistics waits for alone, with which it begins" in said


def test_who_is_tested_is_of_the_targets_and_was_never_seen(place):
    folder = place[0] / "runs"
    split, table = read_split(folder / "against" / "split.json"), read_case_table(folder / "against" / "testing.json")
    assert {row.groups["quality"] for row in table.rows} == {"Poor"}
    tested = {row.patient for row in table.rows}
    assert tested
    assert not tested & {*split.training, *split.validation}
    validated = read_case_table(folder / "against" / "validation.json")
    assert {row.groups["quality"] for row in validated.rows} <= {"Good", "Medium"}
    assert read_split(folder / "alone" / "split.json") == split


def test_the_model_tells_what_it_was_adapted_to(place):
    spec = load_model(str(place[0] / "runs" / "against" / "model.onnx")).spec
    told = spec.training.adaptation
    assert (told.method, told.domain, told.source) == ("dann", "quality", ("Good", "Medium"))
    assert told.targets == (TargetSpec("Poor", patients=2, images=4),)
    assert "dann, from quality Good, Medium to Poor (4 images of 2 patients without a label)" in model_card(spec)
    bound = load_model(str(place[0] / "runs" / "bound" / "model.onnx")).spec.training.adaptation
    (target,) = bound.targets
    assert target.labelled == target.images > 0  # who validates teaches nothing
    assert load_model(str(place[0] / "runs" / "alone" / "model.onnx")).spec.training.adaptation.method == "none"


def test_the_table_has_a_row_for_each_and_the_page_too(place):
    folder = place[0] / "runs"
    runs = tuple(folder / name for name in ("alone", "against", "statistics", "bound"))
    done = compare_runs(CompareConfig(runs=runs, group="sex"))
    assert [row.method for row in done.gap] == ["alone", "against", "statistics", "bound"]
    assert done.gap[0].gain == 0
    assert all(0 <= row.invalid_percent <= 100 for row in done.gap)
    assert "## Adaptation" in page(done)


def test_probes_learn_on_known_patients_alone(place):
    probed = probe_runs(
        ProbeConfig(
            runs=(place[0] / "runs" / "alone",),
            data=place[0] / "data" / "camus",
            cache=place[0] / "cache",
            level="both",
        )
    )
    found = probed[0].results
    assert [(one.level, one.kind) for one in found] == [
        ("bottleneck", "linear"), ("bottleneck", "convolutional"), ("decoder", "linear"), ("decoder", "convolutional"),
    ]  # fmt: skip
    split = read_split(place[0] / "runs/alone/split.json")
    assert {one.patients for one in found} == {len(split.testing) + len(split.validation)}
    assert all(one.chance == pytest.approx(1 / 3) for one in found)


def test_what_the_command_line_says_of_a_method(place):
    changes = method_overrides(config(place[0], "adabn"))
    assert changes["name"] == "hearts-adabn"
    assert changes["adaptation.method"] == {"name": "adabn"}
    assert changes["training.epochs"] == 1
    own = config(place[0], "none", overrides={"name": "mine"})
    assert method_overrides(own) == {"name": "mine"}  # the recipe's own method keeps its options


def test_what_cannot_be_adapted_is_refused(place):
    folder = place[0]
    with pytest.raises(UsageError, match="adabn changes a trained network"):
        adapt_model(config(folder, "adabn"))
    with pytest.raises(ConfigError, match="there is no adaptation 'dan'"):
        adapt_model(config(folder, "dan"))
    with pytest.raises(UsageError, match="names another method than dann"):
        adapt_model(config(folder, "dann", overrides={"adaptation.method": "none"}))
    with pytest.raises(InputError, match="no image has quality 'Bad'"):
        adapt_model(config(folder, overrides={"adaptation.targets": ["Bad"]}))
    plain = folder / "plain.toml"
    plain.write_text(tomli_w.dumps(RECIPE))
    with pytest.raises(ConfigError, match="does not say from which domain to which"):
        adapt_model(dataclasses.replace(config(folder), recipe=plain))
    other_fold = dataclasses.replace(config(folder), fold=2, start_from=folder / "runs" / "alone")
    with pytest.raises(InputError, match=r"these weights have learned from .*, to be tested here"):
        adapt_model(other_fold)
    _without_domains(folder)
    with pytest.raises(InputError, match="its recipe knows no domains"):
        probe_runs(ProbeConfig(runs=(folder / "odd",), data=folder / "data" / "camus", cache=folder / "cache"))


def _without_domains(folder):
    """A run folder whose recipe has no table of domains."""
    (folder / "odd").mkdir(exist_ok=True)
    for file in (folder / "runs" / "alone").iterdir():
        (folder / "odd" / file.name).write_bytes(file.read_bytes())
    values = {key: value for key, value in {**RECIPE, **CHANGES}.items() if key != "adaptation"}
    (folder / "odd" / "recipe.toml").write_text(tomli_w.dumps(values))
