"""All turns on small hearts: what they leave behind, that a stopped command goes on to the bit, and who is stopped."""

import dataclasses
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.reporter import SilentReporter
from cardiotrace.datasets.packed import IGNORED, open_packed
from cardiotrace.learning.rl4seg.turns import taught_in_turns
from cardiotrace.learning.training.adaptation.rl4seg import Guard
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.run import best_of
from cardiotrace.learning.training.training_log import TrainingLog
from tests.learning.rl4seg.hearts import loose
from tests.learning.rl4seg.toy import TARGET, toy_recipe, toy_turns


class Told(SilentReporter):
    """Keeps the lines that it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of two iterations, and what came of it."""
    folder = tmp_path_factory.mktemp("run")
    return folder, taught_in_turns(toy_turns(folder))


@pytest.fixture
def copied(finished, tmp_path) -> Path:
    """The same run to be spoilt."""
    return Path(shutil.copytree(finished[0], tmp_path / "run"))


def test_the_folder_ends_as_that_of_a_training(finished):
    folder, taught = RunFolder(finished[0]), finished[1]
    assert (taught.kept, len(taught.iterations)) == (2, 3)
    last = load_file(folder.path / "iteration-2" / "policy" / "best.safetensors")
    assert all((value == last[name]).all() for name, value in load_file(folder.best).items())
    assert best_of(folder).epoch == 1
    rows = TrainingLog(folder.journal).rows()
    assert {"reward", "divergence", "entropy", "critic"} <= rows[-1]["losses"].keys()


def test_policies_change_from_turn_to_turn(finished):
    weights = [load_file(finished[0] / f"iteration-{number}" / "policy" / "best.safetensors") for number in range(3)]
    name = next(name for name in weights[0] if name.endswith("weight"))
    assert not (weights[0][name] == weights[1][name]).all()
    assert not (weights[1][name] == weights[2][name]).all()


def test_reward_data_of_all_iterations_is_learned_from(finished):
    folder, taught = finished
    counts = [len(open_packed(folder / f"iteration-{number}" / "reward-data")) for number in (1, 2)]
    assert [each.pairs for each in taught.iterations] == [0, counts[0], sum(counts)]
    first = open_packed(folder / "iteration-1" / "reward-data")
    assert {sample.groups["vendor"] for sample in first.samples} == {TARGET}
    ways = {sample.case.partition(" (")[2].split(",")[0] for sample in first.samples}
    assert ways >= {"corrected", "answer", "drawn"} or ways >= {"accepted", "swapped"}
    assert int(first.labels.max()) < IGNORED


def test_no_reference_of_the_target_is_held_where_it_is_learned_from(finished):
    turns = toy_turns(finished[0])
    assert (turns.targets.labels == IGNORED).all()
    assert {sample.groups["vendor"] for sample in turns.validated.samples} == {"north"}


def test_a_finished_run_is_not_done_again(finished):
    before = (finished[0] / "best.safetensors").stat().st_mtime_ns
    turns = toy_turns(finished[0], reporter=(told := Told()))
    again = taught_in_turns(turns)
    assert again.iterations == finished[1].iterations
    assert told.lines == []
    assert (finished[0] / "iteration-2" / "policy" / "best.safetensors").stat().st_mtime_ns <= before


def test_a_run_that_was_stopped_goes_on_to_the_bit(finished, copied):
    # As a kill leaves it: the second reward network is there, its policy is not.
    for name in (
        "iteration-2/iteration.json",
        "iteration-2/critic.safetensors",
        "best.safetensors",
        "checkpoint.safetensors",
    ):
        (copied / name).unlink()
    shutil.rmtree(copied / "iteration-2" / "policy")
    taught_in_turns(toy_turns(copied))
    expected, found = (load_file(folder / "best.safetensors") for folder in (finished[0], copied))
    assert all((value == found[name]).all() for name, value in expected.items())


def test_a_collapsed_policy_is_stopped_and_the_one_before_kept(copied):
    for number in (1, 2):
        (copied / f"iteration-{number}" / "iteration.json").unlink()
        shutil.rmtree(copied / f"iteration-{number}" / "policy")
    turns = toy_turns(copied, reporter=(told := Told()))
    strict = dataclasses.replace(turns.settings, guard=Guard(largest_divergence=1e-9))
    taught = taught_in_turns(dataclasses.replace(turns, settings=strict))
    assert (taught.kept, taught.judged, len(taught.iterations)) == (0, None, 2)
    (line,) = (line for line in told.lines if "stopped" in line)
    assert line.startswith("iteration 1 was stopped: the policy diverged from the first policy by")
    assert "\n" not in line
    first = load_file(copied / "iteration-0" / "policy" / "best.safetensors")
    assert all((value == first[name]).all() for name, value in load_file(copied / "best.safetensors").items())
    assert taught.told().startswith("policy of iteration 0; iteration 1 was stopped")


def test_answers_of_which_none_is_near_a_valid_shape_are_refused(copied):
    shutil.rmtree(copied / "iteration-1")
    turns = dataclasses.replace(toy_turns(copied), shapes=loose())
    never = dataclasses.replace(turns.settings, agreement=0.999999)
    (copied / "iteration-0" / "iteration.json").unlink()
    with pytest.raises(InputError, match="nothing to learn a reward from"):
        taught_in_turns(dataclasses.replace(turns, settings=never))


def test_an_iteration_of_another_recipe_is_not_gone_on_with(copied):
    (copied / "iteration-2" / "iteration.json").unlink()
    other = toy_turns(copied, toy_recipe({"policy_epochs": 2}))
    with pytest.raises(UsageError, match="another recipe"):
        taught_in_turns(other)


def test_a_damaged_manifest_is_refused(copied):
    (copied / "iteration-1" / "iteration.json").write_text("{")
    with pytest.raises(InputError, match="no manifest of an iteration"):
        taught_in_turns(toy_turns(copied))


def test_frames_beside_a_frame_are_seen_as_channels(tmp_path):
    recipe = toy_recipe({"iterations": 1}, neighbours=1, neighbours_of="frames")
    taught = taught_in_turns(toy_turns(tmp_path, recipe))
    assert taught.kept == 1
    data = open_packed(tmp_path / "iteration-1" / "reward-data")
    assert data.images.shape[1] == 3
    assert taught.judged.examples.shape[1] == 3 + 4
