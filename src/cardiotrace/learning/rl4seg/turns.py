"""The iterations of RL4Seg: supervised on the source, then reward data, reward network and policy, again and again.

Each training is a run in a folder of its own, and each iteration ends with a manifest. What was finished is never done
again: a command that was stopped goes on where it was, to the bit.
"""

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cardiotrace.core.errors import InputError
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.packed import IGNORED, PackedDataset, open_packed, write_packed
from cardiotrace.datasets.split import Split
from cardiotrace.io import write_json
from cardiotrace.learning.models.network import Network
from cardiotrace.learning.rl4seg.answer import Classes, PixelSize
from cardiotrace.learning.rl4seg.iteration import Iteration, IterationFolder
from cardiotrace.learning.rl4seg.policy import CollapsedError, PolicyObjective
from cardiotrace.learning.rl4seg.reward_data import (
    answers_of,
    reward_pairs,
    sort_answers,
    together,
    write_reward_data,
)
from cardiotrace.learning.rl4seg.reward_network import (
    WRONG,
    Judge,
    RewardNetwork,
    calibration_error,
    fitted_temperature,
)
from cardiotrace.learning.rl4seg.rewards import CaseKey, Rewarder, case_key
from cardiotrace.learning.rl4seg.shapes import ShapeLimits, ValidShapes, fitted_limits
from cardiotrace.learning.rl4seg.stage import (
    PolicyStage,
    RewardStage,
    generator_of,
    make_reward_network,
    policy_recipe,
    reward_recipe,
    reward_split,
    sample_key,
    source_recipe,
    stacked,
    with_pseudo_labels,
)
from cardiotrace.learning.training.adaptation.domains import Adaptation
from cardiotrace.learning.training.adaptation.rl4seg import RL4Seg
from cardiotrace.learning.training.build import ObjectiveContext, ObjectiveMaker, build_model
from cardiotrace.learning.training.device_dataset import DeviceDataset
from cardiotrace.learning.training.folder import RunFolder, check_folder
from cardiotrace.learning.training.hardware import Hardware
from cardiotrace.learning.training.loop import DivergedError
from cardiotrace.learning.training.objective import Objective
from cardiotrace.learning.training.recipe import Recipe
from cardiotrace.learning.training.run import CheckedRun, RunCallbacks, TrainingData, TrainingResult, train
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.learning.training.weights import load_weights, save_weights

_LOG = logging.getLogger(__name__)

_ANSWERS, _DISTORTIONS = 3, 4
"""Last word of a seed, beside those of `stage`."""
_BATCH = 16
_EXAMPLES = 8
"""On which an exported reward network must agree with the trained one."""


@dataclass(frozen=True)
class Judged:
    """The reward network that the kept policy learned from."""

    judge: Judge
    iteration: Iteration
    examples: Tensor
    """Some of what it sees, images with outlines, to compare an exported network on."""


@dataclass(frozen=True)
class Taught:
    """What the iterations end in."""

    result: TrainingResult
    iterations: tuple[Iteration, ...]
    """All that were begun, the supervised training first."""
    kept: int
    """The one whose policy is kept."""
    judged: Judged | None
    """None where the policy of iteration 0 is kept."""

    def told(self) -> str:
        """In words, for the model file."""
        last = self.iterations[-1]
        kept = f"policy of iteration {self.kept}"
        stopped = f"; iteration {last.number} was stopped: {last.stopped}" if last.stopped else ""
        answers = f"; {self.iterations[self.kept].answers}" if self.kept else ""
        return f"{kept}{answers}{stopped}"


def first_iteration(run: RunFolder) -> Path:
    """The folder of the supervised training of a run."""
    return IterationFolder.of(run, 0).path


@dataclass(frozen=True)
class Turns:
    """All that the iterations need and do not change.

    Args:
        run: of the recipe; its folder holds those of the iterations, and in the end the last policy.
        data: with the references of the targets taken away.
        adaptation: the recipe's.
        settings: of the method.
        shapes: what valid shapes are.
        pixel_sizes: of the network's grid, by case.
        hardware: devices.
        reporter: told of progress.
    """

    run: CheckedRun
    data: TrainingData
    adaptation: Adaptation
    settings: RL4Seg
    shapes: ValidShapes
    pixel_sizes: Mapping[CaseKey, PixelSize | None]
    hardware: Hardware = field(default_factory=Hardware)
    reporter: ProgressReporter = SILENT

    @property
    def recipe(self) -> Recipe:
        """Of the run."""
        return self.run.recipe

    @property
    def classes(self) -> int:
        """Of outlines, background included."""
        return self.data.scheme.class_count

    def folder(self, number: int) -> IterationFolder:
        """Of an iteration."""
        return IterationFolder.of(self.run.folder, number)

    @cached_property
    def targets(self) -> PackedDataset:
        """The targets' images of the training part, with all that the network sees of each, in memory."""
        indices = self.data.packed.indices_of(self.data.split.training, labelled_only=False)
        samples = self.data.packed.samples
        mine = [index for index in indices.tolist() if self.adaptation.is_target(samples[index])]
        return stacked(self.data.packed, self.recipe, np.array(mine, np.int64))

    @cached_property
    def validated(self) -> PackedDataset:
        """Labelled samples of the validation part, which is the source's."""
        return stacked(self.data.packed, self.recipe, self.data.packed.indices_of(self.data.split.validation))

    @cached_property
    def images(self) -> DeviceDataset:
        """The targets' images as networks are asked about them, on the CPU."""
        everything = np.arange(len(self.targets))
        return DeviceDataset(self.targets, everything, self.recipe.preprocessing, torch.device("cpu"))

    @cached_property
    def sizes(self) -> list[PixelSize | None]:
        """Of the network's grid, of each of the targets' images."""
        return [self.pixel_sizes[case_key(sample)] for sample in self.targets.samples]

    def network(self, folder: RunFolder) -> Network:
        """The policy of a run."""
        recipe = policy_recipe(self.recipe, self.settings)
        network = build_model(recipe, channels=self.targets.images.shape[1], classes=self.classes)
        load_weights(network, folder.best)
        return network


def taught_in_turns(turns: Turns) -> Taught:
    """All iterations, as far as they were not done before; the run's folder ends with the last policy that was kept.

    Raises:
        UsageError: a folder holds another run.
        InputError: nothing that the first policy says of the targets is valid or near a valid shape.
        WorkError: the supervised training or a reward network diverged, or nothing can be written.
    """
    result, done = _begun(turns)
    iterations, kept, judged = [done], 0, None
    for number in range(1, turns.settings.iterations + 1):
        done = _iterated(turns, number, done.limits)
        iterations.append(done)
        # An iteration that was stopped in its first epoch has no policy: the one before it stays.
        if turns.folder(number).policy.best.exists():
            kept, judged = number, done
        if done.stopped:
            turns.reporter.say(f"iteration {number} was stopped: {done.stopped}; the policy before that is kept")
            break
    _keep(turns.folder(kept).policy, turns.run.folder)
    found = None if judged is None else _judged(turns, judged)
    return Taught(replace(result, is_complete=True), tuple(iterations), kept, found)


def _begun(turns: Turns) -> tuple[TrainingResult, Iteration]:
    """Iteration 0: the supervised training, and the limits that the source's references keep."""
    folder = turns.folder(0)
    result = _trained(turns, source_recipe(turns.recipe), folder.policy, turns.data)
    done = folder.read()
    if done is None:
        done = Iteration(0, _limits(turns))
        whence = "as nine of ten of the source's references have" if turns.settings.agreement is None else "as asked"
        told = f"pseudo-labels need an agreement of {done.limits.agreement:.3f} with the autoencoder, {whence}"
        turns.reporter.say(told)
        folder.finish(done)
    return result, done


def _limits(turns: Turns) -> ShapeLimits:
    packed = turns.data.packed
    mine = [
        index
        for index in packed.indices_of(turns.data.split.training).tolist()
        if turns.adaptation.is_source(packed.samples[index])
    ]
    references = ((_reference(packed, index), turns.pixel_sizes[case_key(packed.samples[index])]) for index in mine)
    return fitted_limits(turns.shapes, references, agreement=turns.settings.agreement)


def _reference(packed: PackedDataset, index: int) -> Classes:
    """Classes of a labelled sample; what nobody knows is background."""
    labels = np.asarray(packed.labels[index])
    return np.where(labels == IGNORED, 0, labels).astype(np.uint8)


def _iterated(turns: Turns, number: int, limits: ShapeLimits) -> Iteration:
    """One iteration: reward data, reward network, policy."""
    folder = turns.folder(number)
    if (done := folder.read()) is not None:
        return done
    answers = _gathered(turns, number, limits)
    judge, error = _reward(turns, number)
    turns.reporter.say(f"iteration {number}: {_reward_told(folder)}")
    draft = Iteration(number, limits, answers, judge.temperature, len(_reward_data(turns, number)), error)
    try:
        _policy(turns, number, limits, judge)
        turns.reporter.say(f"iteration {number}: {_policy_told(folder)}")
    except (CollapsedError, DivergedError) as error:
        draft = replace(draft, stopped=error.what)
    folder.finish(draft)
    return draft


def _reward_told(folder: IterationFolder) -> str:
    """How the reward network did, in words."""
    row = TrainingLog(folder.reward.journal).rows()[-1]
    score = f", Dice of what is wrong {row['score']:.3f}" if "score" in row else ""
    return f"reward network, loss {row['loss']:.4f}{score}"


def _policy_told(folder: IterationFolder) -> str:
    """How the reward rose, in words."""
    told = [row["losses"] for row in TrainingLog(folder.policy.journal).rows()]
    rewards = f"{told[0]['reward']:.3f} in its first epoch, {told[-1]['reward']:.3f} in its last"
    return f"policy, reward {rewards}, divergence {told[-1]['divergence']:.4f} nats a pixel"


def _gathered(turns: Turns, number: int, limits: ShapeLimits) -> str:
    """Reward data of the answers of the policy before, and what came of these."""
    folder, seed = turns.folder(number), turns.recipe.seed
    if folder.answers.exists():
        return str(json.loads(folder.answers.read_text())["answers"])
    policy = turns.network(turns.folder(number - 1).policy)
    answers = answers_of(policy, turns.images, generator_of(seed, number, _ANSWERS))
    with turns.reporter.stage(f"iteration {number}: judging answers by shape") as on_progress:
        found = sort_answers(answers, turns.shapes, limits, turns.sizes, on_progress)
    turns.reporter.say(f"iteration {number}: {found.told()}")
    if not found.accepted and not found.corrected and number == 1:
        raise InputError(
            f"none of {found.count} answers on the targets is valid, and none is near a valid shape: there is nothing"
            " to learn a reward from",
            remedy="train longer on the source, or lower adaptation.method.agreement.",
        )
    generator = generator_of(seed, number, _DISTORTIONS)
    pairs = list(reward_pairs(policy, turns.images, answers, found, turns.settings.distortions, generator))
    if pairs:
        write_reward_data(folder.reward_data, turns.targets, range(len(turns.targets)), pairs)
    _write_pseudo_labels(folder.pseudo_labels, turns.targets, found.accepted)
    write_json(folder.answers, {"answers": found.told()})
    return found.told()


def _write_pseudo_labels(folder: Path, targets: PackedDataset, accepted: Mapping[int, Classes]) -> None:
    places = sorted(accepted)
    if places:
        labels = np.stack([accepted[place] for place in places])
        write_packed(folder, targets.images[places], labels, [targets.samples[place] for place in places])


def _read_pseudo_labels(folder: Path, targets: PackedDataset) -> dict[int, Classes]:
    if not folder.is_dir():
        return {}
    kept = open_packed(folder)
    place_of = {sample_key(sample): index for index, sample in enumerate(targets.samples)}
    places = [place_of[sample_key(sample)] for sample in kept.samples]
    return {place: np.asarray(labels) for place, labels in zip(places, kept.labels, strict=True)}


def _reward_data(turns: Turns, number: int) -> PackedDataset:
    """That of all iterations so far."""
    folders = (turns.folder(each).reward_data for each in range(1, number + 1))
    return together([open_packed(folder) for folder in folders if folder.is_dir()])


def _reward_parts(turns: Turns, packed: PackedDataset) -> Split:
    """By patients of the targets, so that each is in the same part in every iteration."""
    split = reward_split(sorted({sample.patient for sample in turns.targets.samples}), turns.recipe.seed)
    there = {sample.patient for sample in packed.samples}
    teaching, held = (tuple(name for name in part if name in there) for part in (split.training, split.validation))
    # Where a part has nobody there is nothing to hold apart.
    return Split(teaching, held) if teaching and held else Split((*teaching, *held), ())


def _reward(turns: Turns, number: int) -> tuple[Judge, float | None]:
    """The reward network of an iteration, which goes on from the one before; and its calibration error."""
    recipe, folder = reward_recipe(turns.recipe, turns.settings), turns.folder(number).reward
    packed = _reward_data(turns, number)
    split = _reward_parts(turns, packed)
    recipe = replace(recipe, training=replace(recipe.training, keep="best" if split.validation else "last"))
    data = replace(turns.data, packed=packed, split=split, start=None, with_unlabelled=False, classes=(WRONG,))
    before = turns.folder(number - 1).reward.best if number > 1 else None
    _trained(turns, recipe, folder, data, RewardStage(turns.classes, before))
    network = _reward_network(turns, folder)
    held = _held_out(turns, packed, split)
    judge = Judge(network, fitted_temperature(network, held))
    return judge, calibration_error(judge, held)


def _outlined(turns: Turns, packed: PackedDataset, indices: NDArray[np.int64] | None = None) -> DeviceDataset:
    """Images with `encoded` outlines, on the CPU; all of them where no indices are given."""
    chosen = np.arange(len(packed)) if indices is None else indices
    return DeviceDataset(packed, chosen, turns.recipe.preprocessing, torch.device("cpu"))


def _held_out(turns: Turns, packed: PackedDataset, split: Split) -> list[tuple[Tensor, Tensor]]:
    """Batches that a reward network has not learned from."""
    indices = packed.indices_of(split.validation)
    if not len(indices):
        return []
    dataset = _outlined(turns, packed, indices)
    picked = (torch.arange(len(dataset))[start : start + _BATCH] for start in range(0, len(dataset), _BATCH))
    units = (dataset.unit(some) for some in picked)
    return [(dataset.normalise(images), codes) for images, codes in units]


def _reward_network(turns: Turns, folder: RunFolder) -> RewardNetwork:
    channels = turns.targets.images.shape[1]
    network = make_reward_network(turns.recipe, channels=channels, classes=turns.classes)
    load_weights(network, folder.best)
    return network


def _judged(turns: Turns, done: Iteration) -> Judged:
    network = _reward_network(turns, turns.folder(done.number).reward)
    dataset = _outlined(turns, _reward_data(turns, done.number))
    images, codes = dataset.unit(torch.arange(min(_EXAMPLES, len(dataset))))
    return Judged(Judge(network, done.temperature), done, network.seen(dataset.normalise(images), codes)[0])


def _policy(turns: Turns, number: int, limits: ShapeLimits, judge: Judge) -> None:
    """The policy of an iteration, and its critic."""
    settings, folder, before = turns.settings, turns.folder(number), turns.folder(number - 1)
    recipe = policy_recipe(turns.recipe, settings)
    labels = _read_pseudo_labels(folder.pseudo_labels, turns.targets)
    packed = with_pseudo_labels(turns.targets, labels, turns.validated)
    patients = tuple(dict.fromkeys(sample.patient for sample in turns.targets.samples))
    split = Split(patients, turns.data.split.validation)
    data = replace(turns.data, packed=packed, split=split, start=None, with_unlabelled=True)
    rewarder = Rewarder(
        judge, turns.shapes, limits, turns.pixel_sizes, settings.anatomy_reward, settings.landmark_reward
    )
    critic = before.critic if before.critic.exists() else None
    stage = PolicyStage(settings, number, turns.folder(0).policy.best, before.policy.best, critic, rewarder)
    made: list[Objective] = []

    def objective(context: ObjectiveContext) -> Objective:
        made.append(stage(context))
        return made[-1]

    _trained(turns, recipe, folder.policy, data, objective)
    (found,) = made
    assert isinstance(found, PolicyObjective)
    save_weights(dict(found.critic.network.state_dict()), folder.critic)


def _trained(
    turns: Turns, recipe: Recipe, folder: RunFolder, data: TrainingData, objective: ObjectiveMaker | None = None
) -> TrainingResult:
    """One training of the loop, begun or gone on with."""
    check_folder(folder, recipe, data.split, resume=True)
    folder.path.mkdir(parents=True, exist_ok=True)
    run = CheckedRun(recipe, folder)
    with turns.reporter.stage(f"training {folder.path.parent.name}/{folder.path.name}") as on_progress:
        callbacks = RunCallbacks(lambda done, total, loss: on_progress(done, total), say=turns.reporter.say)
        chosen: dict[str, Any] = {} if objective is None else {"objective": objective}
        return train(run, data, callbacks=callbacks, hardware=turns.hardware, **chosen)


def _keep(policy: RunFolder, run: RunFolder) -> None:
    """The run's folder holds the policy that is kept, as if it had been trained there."""
    # The checkpoint last: by it the run is known to be whole.
    for name in ("best", "journal", "checkpoint"):
        source, target = getattr(policy, name), getattr(run, name)
        staged = target.with_name(f"{target.name}.part")
        shutil.copyfile(source, staged)
        staged.replace(target)
    _LOG.info("%s holds the policy of %s", run.path, policy.path)
