"""Files of every kind: those of the first programs are read, those with newer facts too, newer versions are refused."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.config import to_plain
from cardiotrace.core.contract import (
    CASE_TABLE,
    CHECKPOINT,
    ENVIRONMENT,
    MEASURES,
    MODEL,
    PACKED,
    RECIPE,
    RESULTS,
    SPLIT,
    SWEEP_RESULT,
    TRAINING_LOG,
    Contract,
)
from cardiotrace.core.errors import InputError
from cardiotrace.core.label import CAMUS
from cardiotrace.datasets.packed import open_packed
from cardiotrace.datasets.split import Split, read_split, write_split
from cardiotrace.evaluation.sweep import RunResult
from cardiotrace.evaluation.table import read_case_table, table_to_json
from cardiotrace.inference.spec import spec_from_plain, spec_to_plain
from cardiotrace.io import write_json
from cardiotrace.io.results import MANIFEST, NO_MANIFEST, read_manifest, staged_results
from cardiotrace.learning.training import state as states
from cardiotrace.learning.training.environment import environment, read_environment
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import read_recipe, recipe_text
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.workflows.services.record import read_record
from cardiotrace.workflows.sweep import job
from tests.fake.correctors import make_corrector_spec
from tests.fake.models import make_spec
from tests.learning.training import tiny

# As the first programs wrote them, without a version or with their own.

FIRST_TABLE = """{
 "rows": [
  {"case": "a_ED", "patient": "a", "view": "A4C", "phase": "ED", "frame": 0, "groups": {}, "region": "LV",
   "presence": "missed", "scores": {"dice": 0.0, "hausdorff_mm": "inf", "specificity": 1.0}}
 ],
 "quantities": [{"patient": "a", "key": "ejection_fraction_percent",
  "predicted": 58.0, "traced": 60.0, "stated": "nan"}]
}"""
FIRST_RECIPE = """
name = "tiny"
architecture = "unet1"
preparation = [{ name = "resize", height = 32, width = 32 }]
[data]
dataset = "camus"
[optimiser]
name = "adam"
rate = 0.01
"""
FIRST_MEASURES = """{"version": "1", "exam": "a", "flags": ["two beats"], "key_frames": [], "curves": [],
 "quantities": [{"name": "ejection_fraction", "value": 58, "unit": "percent", "method": "discs, one plane",
                  "view": "A4C",
                 "frames": ["a:0"], "flags": []}]}"""
FIRST_SPLIT = '{"training": ["a", "b"], "validation": ["c"], "testing": [], "missing": ["d"]}'
FIRST_ENVIRONMENT = '{"python": "3.11.7", "packages": {"torch": "2.6"}, "commit": "abc", "seed": 1}'
FIRST_LOG = '{"epoch": 1, "score": 0.5, "rate": 0.01}\n{"epoch": 2, "score": 0.75, "rate": 0.005}\n'
FIRST_MANIFEST = """{"format": "cardiotrace results 1", "is_complete": true, "made": {"verb": "analyse"},
 "files": {"a.txt": ["00"]}, "earlier": {}}"""


def test_a_first_table_is_read_under_the_present_words(tmp_path):
    (tmp_path / "t.json").write_text(FIRST_TABLE)
    table = read_case_table(tmp_path / "t.json")
    assert (str(table.rows[0].presence), table.rows[0].scores["hausdorff_mm"]) == ("false negative", float("inf"))
    assert table.quantities[0].key == "left_ventricular_ejection_fraction_percent"
    assert table.agreement("left_ventricular_ejection_fraction_percent", "traced").bias == -2.0


def test_a_first_recipe_gives_the_digest_that_its_checkpoint_remembers(tmp_path):
    (tmp_path / "first.toml").write_text(FIRST_RECIPE)
    (tmp_path / "second.toml").write_text(recipe_text(read_recipe(tmp_path / "first.toml")))
    first, second = read_recipe(tmp_path / "first.toml"), read_recipe(tmp_path / "second.toml")
    assert recipe_text(first) == recipe_text(second)
    assert first.digest() == second.digest()
    assert (tmp_path / "second.toml").read_text().startswith("version = 2\n")
    assert first.optimiser.options["learning_rate"] == 0.01


def test_first_measures_are_read_under_the_present_names(tmp_path):
    (tmp_path / "measures.json").write_text(FIRST_MEASURES)
    read = read_record(tmp_path).measures
    assert (read.version, read.ejection_fraction_percent, read.flags[0].text) == ("1", 58.0, "two beats")


def test_a_first_split_is_read_and_one_by_hand_may_misspell_nothing(tmp_path):
    path = tmp_path / "split.json"
    path.write_text(FIRST_SPLIT)
    assert read_split(path) == Split(("a", "b"), ("c",), missing=("d",))
    path.write_text('{"training": ["a"], "tesing": ["b"]}')
    with pytest.raises(InputError, match="no part 'tesing'"):
        read_split(path)


def test_a_first_log_goes_on_and_is_cut_as_before(tmp_path):
    log = TrainingLog(tmp_path / "journal.jsonl")
    log.path.write_text(FIRST_LOG)
    log.add({"epoch": 3, "score": 0.8})
    assert log.rows()[1:] == [{"epoch": 2, "score": 0.75, "learning_rate": 0.005}, {"epoch": 3, "score": 0.8}]
    log.cut(2)
    assert [json.loads(line) for line in log.path.read_text().splitlines()] == [
        {"version": 2, **json.loads(line.replace("rate", "learning_rate"))} for line in FIRST_LOG.splitlines()
    ]


def test_a_first_environment_and_manifest_are_read(tmp_path):
    (tmp_path / "environment.json").write_text(FIRST_ENVIRONMENT)
    assert read_environment(tmp_path / "environment.json") == json.loads(FIRST_ENVIRONMENT)
    (tmp_path / MANIFEST).write_text(FIRST_MANIFEST)
    manifest = read_manifest(tmp_path)
    assert (manifest.files, manifest.made, manifest.is_complete) == ({"a.txt": ("00",)}, {"verb": "analyse"}, True)


def test_a_first_description_of_a_model_is_read_and_written_as_it_is_now():
    plain = spec_to_plain(make_spec(CAMUS))
    first = {**plain, "format_version": 1, "preparation": plain["preprocessing"]}
    del first["preprocessing"]
    assert spec_to_plain(spec_from_plain(first)) == plain
    assert plain["format_version"] == 2


# As they are written now.


@dataclass(frozen=True)
class Kind:
    """A file as it is written now, and what reads it."""

    contract: Contract
    write: Any
    read: Any


def _measures(folder: Path) -> Path:
    write_json(folder / "measures.json", Measures("a", ()).to_plain())
    return folder / "measures.json"


def _manifest(folder: Path) -> Path:
    with staged_results(folder / "out") as staging:
        (staging.folder / "a.txt").write_text("120 ml")
    return folder / "out" / MANIFEST


def _table(folder: Path) -> Path:
    (folder / "first.json").write_text(FIRST_TABLE)
    (folder / "table.json").write_text(table_to_json(read_case_table(folder / "first.json")))
    return folder / "table.json"


def _split(folder: Path) -> Path:
    write_split(Split(("a",), ("b",)), folder / "split.json")
    return folder / "split.json"


def _environment(folder: Path) -> Path:
    write_json(folder / "environment.json", ENVIRONMENT.stamp(environment(1)))
    return folder / "environment.json"


def _log(folder: Path) -> Path:
    TrainingLog(folder / "journal.jsonl").add({"epoch": 1, "score": 0.5})
    return folder / "journal.jsonl"


def _spec(folder: Path) -> Path:
    """Of a corrector: others are written as an earlier version, for older programs."""
    spec = make_corrector_spec()
    write_json(folder / "spec.json", spec_to_plain(spec))
    return folder / "spec.json"


def _spec_text(path: Path) -> Any:
    return spec_to_plain(spec_from_plain(json.loads(path.read_text())))


KINDS = [
    Kind(MEASURES, _measures, lambda path: read_record(path.parent).measures),
    Kind(RESULTS, _manifest, lambda path: read_manifest(path.parent)),
    Kind(CASE_TABLE, _table, lambda path: table_to_json(read_case_table(path))),
    Kind(SPLIT, _split, read_split),
    Kind(ENVIRONMENT, _environment, read_environment),
    Kind(TRAINING_LOG, _log, lambda path: TrainingLog(path).rows()),
    Kind(MODEL, _spec, _spec_text),
]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.contract.name)


def change(path: Path, **facts: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | facts) + "\n")


@EVERY_KIND
def test_the_version_is_in_the_file(kind, tmp_path):
    assert json.loads(kind.write(tmp_path).read_text())[kind.contract.key] == kind.contract.spelled


@EVERY_KIND
def test_a_fact_that_a_newer_program_added_does_no_harm(kind, tmp_path):
    path = kind.write(tmp_path)
    before = kind.read(path)
    change(path, carbon_kg=3)
    after = kind.read(path)
    if isinstance(after, dict | list):  # facts that are handed on as they are
        after = json.loads(json.dumps(after).replace(', "carbon_kg": 3', ""))
    assert after == before


@EVERY_KIND
def test_a_newer_version_is_refused_with_a_way_out(kind, tmp_path):
    path = kind.write(tmp_path)
    newer = kind.contract.version + 1
    change(path, **{kind.contract.key: newer if kind.contract.words is None else f"{kind.contract.words}{newer}"})
    with pytest.raises(InputError, match=f"newer CardioTrace: file format {newer}") as caught:
        kind.read(path)
    assert len(str(caught.value).splitlines()) <= 2


def test_a_newer_recipe_is_refused_before_its_keys_are_read(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(f"version = {RECIPE.version + 1}\nwarp = 9\n")
    with pytest.raises(InputError, match="this recipe was written by a newer CardioTrace"):
        read_recipe(path)
    path.write_text(f"version = {RECIPE.version}\nwarp = 9\n{FIRST_RECIPE}")
    with pytest.raises(InputError, match="unknown key 'warp'"):  # it might change what is learned
        read_recipe(path)


def test_nothing_is_replaced_where_a_newer_program_wrote(tmp_path):
    change(_manifest(tmp_path), format="cardiotrace results 2")
    with (
        pytest.raises(InputError, match="manifest of results was written by a newer"),
        staged_results(tmp_path / "out"),
    ):
        pass
    assert (tmp_path / "out" / "a.txt").read_text() == "120 ml"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out"]


def test_a_manifest_of_something_else_makes_all_files_the_users(tmp_path):
    path = _manifest(tmp_path)
    for stranger in ({"format": "their results 1"}, {"format": 1}, {"files": 5}):
        change(path, **stranger)
        assert read_manifest(path.parent) == NO_MANIFEST


def test_checkpoints_state_their_version_and_newer_ones_are_refused(tmp_path, monkeypatch):
    import safetensors

    path = tmp_path / "checkpoint.safetensors"
    _, state = tiny.task_and_state(tiny.recipe())
    states.save(state, path, recipe="digest")
    with safetensors.safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["state"])["version"] == CHECKPOINT.version
    monkeypatch.setattr(states, "CHECKPOINT", Contract("checkpoint", "", CHECKPOINT.version + 1, "", ""))
    states.save(state, path, recipe="digest")
    monkeypatch.undo()
    with pytest.raises(InputError, match="this checkpoint was written by a newer CardioTrace"):
        states.load(state, path, recipe="digest")


def test_a_result_of_a_sweep_is_read_with_and_without_a_version(tmp_path):
    result = RunResult("levels-1", "levels-1", {"levels": "1"}, 1, 1, 2, 2, 0.5, 0.2, 0.1, 0.2)
    recipe = tiny.recipe()

    class Run:
        pass

    run = Run()
    run.recipe = recipe
    made = job.Job(run, RunFolder(tmp_path), None)
    plain = {"recipe": recipe.digest(), **to_plain(result)}
    for values in (plain, SWEEP_RESULT.stamp(plain), SWEEP_RESULT.stamp({**plain, "carbon_kg": 3})):
        write_json(tmp_path / job.RESULT, values)
        assert job.kept_result(made).row == result
    for values, said in (({**plain, "version": 2}, "newer CardioTrace"), ([], "is no result of a run")):
        write_json(tmp_path / job.RESULT, values)
        with pytest.raises(InputError, match=said):
            job.kept_result(made)


def test_a_packed_cache_of_another_version_is_never_opened(tmp_path):
    for version, said in ((3, "older"), (5, "newer")):
        (tmp_path / "index.json").write_text(json.dumps({"version": version, "sha256": {}, "planes": []}))
        with pytest.raises(InputError, match=f"packed cache was written by a{'n' * (version == 3)} {said} CardioTrace"):
            open_packed(tmp_path)
    assert PACKED.version == 4
