"""The trainings that RL4Seg takes in turn, each a run of the one training loop: recipe, samples, objective."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.datasets.packed import IGNORED, PackedDataset, PackedSample
from cardiotrace.datasets.split import Split
from cardiotrace.learning.augmentation import Augmentation
from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.models.catalog import make_network
from cardiotrace.learning.models.network import NetworkSpec
from cardiotrace.learning.rl4seg.answer import Classes
from cardiotrace.learning.rl4seg.distortion import change_weights
from cardiotrace.learning.rl4seg.policy import PolicyObjective, Prices
from cardiotrace.learning.rl4seg.reward_network import RewardNetwork, RewardObjective
from cardiotrace.learning.rl4seg.rewards import Rewarder
from cardiotrace.learning.training.adaptation.rl4seg import RL4Seg
from cardiotrace.learning.training.build import ObjectiveContext
from cardiotrace.learning.training.objective import Objective
from cardiotrace.learning.training.recipe import Recipe, input_size, recipe_from_plain
from cardiotrace.learning.training.weights import load_weights

GRADIENT_CLIP = 0.5
"""Largest norm of the gradient of policy and critic."""
_VALIDATING = 0.2
"""Share of the targets' patients whose outlines a reward network does not learn from."""
_PERTURB, _CRITIC = 1, 2
"""Last word of a seed: what is added to policy and critic must not be the same numbers."""


def require_planes(recipe: Recipe) -> None:
    """Refuse what RL4Seg does not work on.

    Raises:
        ConfigError: samples are volumes, windows or groups.
    """
    if recipe.axes != 2:
        what = f"{recipe.architecture.name} sees volumes"
    elif recipe.training.crop is not None or recipe.training.group is not None:
        what = "training.crop and training.group show parts or pairs of planes"
    else:
        return
    raise ConfigError(f"rl4seg works on whole planes, and {what}", remedy="choose an architecture such as unet1.")


def _stage_recipe(recipe: Recipe, stage: str, *, epochs: int, batch_size: int, learning_rate: float) -> Recipe:
    """A recipe of one training, with nothing that belongs to another."""
    training = dataclasses.replace(
        recipe.training,
        epochs=epochs,
        batch_size=batch_size,
        steps_per_epoch=None,
        initial_weights=None,
        patience=0,
        ema_decay=0.0,
        gradient_clip=0.0,
        keep="last",
    )
    # Neighbours are among the channels of the samples already.
    return dataclasses.replace(
        recipe,
        name=f"{recipe.name}-{stage}",
        adaptation=None,
        distillation=None,
        neighbours=0,
        neighbours_of="slices",
        optimiser=Choice("adam", {"learning_rate": learning_rate}),
        training=training,
    )


def source_recipe(recipe: Recipe) -> Recipe:
    """Of the supervised training, to which no option of `rl4seg` matters: that of the method `none`."""
    assert recipe.adaptation is not None
    return _resolved(
        dataclasses.replace(recipe, adaptation=dataclasses.replace(recipe.adaptation, method=Choice("none")))
    )


def _resolved(recipe: Recipe) -> Recipe:
    """With every default written out, as it is read from a run's folder: else no run would go on."""
    return recipe_from_plain(to_plain(recipe))


def reward_recipe(recipe: Recipe, settings: RL4Seg) -> Recipe:
    """Of the reward network; images are changed as in the recipe, and outlines move along."""
    made = _stage_recipe(
        recipe,
        "reward",
        epochs=settings.reward_epochs,
        batch_size=settings.reward_batch_size,
        learning_rate=settings.reward_learning_rate,
    )
    augmentation = dataclasses.replace(recipe.augmentation, mixstyle=None, maxstyle=None, sector=None)
    changed = dataclasses.replace(
        made, loss=settings.reward_loss, schedule=Choice("one-cycle"), augmentation=augmentation
    )
    return _resolved(changed)


def policy_recipe(recipe: Recipe, settings: RL4Seg) -> Recipe:
    """Of the policy: it sees images as they are, since what is asked is how it does on those."""
    made = _stage_recipe(
        recipe,
        "policy",
        epochs=settings.policy_epochs,
        batch_size=settings.policy_batch_size,
        learning_rate=settings.learning_rate,
    )
    training = dataclasses.replace(made.training, gradient_clip=GRADIENT_CLIP)
    changed = dataclasses.replace(made, training=training, schedule=Choice("constant"), augmentation=Augmentation())
    return _resolved(changed)


def stacked(packed: PackedDataset, recipe: Recipe, indices: np.ndarray) -> PackedDataset:
    """Some samples of a cache, each with the neighbours that the network sees as channels; in memory."""
    if recipe.neighbours:
        around = packed.indices_around(indices, recipe.neighbours, recipe.neighbours_of)
        images = np.asarray(packed.images[around]).reshape(len(indices), -1, *packed.images.shape[2:])
    else:
        images = np.asarray(packed.images[indices])
    samples = tuple(packed.samples[index] for index in indices.tolist())
    return PackedDataset(packed.folder, images, np.array(packed.labels[indices]), samples)


def reward_split(patients: Sequence[str], seed: int) -> Split:
    """Who teaches the reward network, and by whom its temperature is fitted; of fewer than three nobody is held out."""
    names = sorted(patients)
    count = round(_VALIDATING * len(names)) or 1
    if len(names) < 3:
        return Split(tuple(names), ())
    held = {names[index] for index in np.random.default_rng([seed, len(names)]).permutation(len(names))[:count]}
    return Split(tuple(name for name in names if name not in held), tuple(sorted(held)))


def with_pseudo_labels(
    targets: PackedDataset, labels: Mapping[int, Classes], validated: PackedDataset
) -> PackedDataset:
    """What a policy learns from: the targets' images, with pseudo-labels where there are any; and the validation part.

    Args:
        targets: without labels.
        labels: pseudo-labels by number of the target's sample.
        validated: labelled samples of the source.
    """
    taught = np.full_like(targets.labels, IGNORED)
    samples = [dataclasses.replace(sample, is_labelled=False) for sample in targets.samples]
    for index, classes in labels.items():
        taught[index] = classes
        samples[index] = dataclasses.replace(samples[index], is_labelled=True, structures=())
    return joined(PackedDataset(targets.folder, targets.images, taught, tuple(samples)), validated)


def joined(first: PackedDataset, second: PackedDataset) -> PackedDataset:
    """Two caches of equal samples as one, in memory."""
    images = np.concatenate([first.images, second.images])
    labels = np.concatenate([first.labels, second.labels])
    return PackedDataset(first.folder, images, labels, (*first.samples, *second.samples))


def make_reward_network(recipe: Recipe, *, channels: int, classes: int) -> RewardNetwork:
    """A reward network of the recipe's architecture with its first, seeded weights.

    Args:
        recipe: names the architecture.
        channels: of an image, those of its neighbours among them.
        classes: of outlines, background included.
    """
    torch.manual_seed(recipe.seed)
    judge = make_network(recipe.architecture, NetworkSpec(channels + classes, 2, input_size(recipe)))
    return RewardNetwork(judge, classes)


@dataclass(frozen=True)
class RewardStage:
    """Makes the objective of a reward network."""

    classes: int
    """Of outlines, background included."""
    begins_with: Path | None = None
    """Weights of the reward network before; None for random ones."""

    def __call__(self, context: ObjectiveContext) -> Objective:
        """See `ObjectiveMaker`."""
        network = make_reward_network(context.recipe, channels=context.sample_shape[0], classes=self.classes)
        if self.begins_with is not None:
            load_weights(network, self.begins_with)
        loss = LOSSES.make(context.recipe.loss, path="loss")
        return RewardObjective(context.fabric, context.learner(network), loss)


@dataclass(frozen=True)
class PolicyStage:
    """Makes the objective of a policy in one iteration."""

    settings: RL4Seg
    iteration: int
    """From 1."""
    first: Path
    """Weights of the policy of iteration 0, to which all others are held."""
    begins_with: Path
    """Weights of the policy of the iteration before."""
    critic: Path | None
    """Those of its critic; None in the first iteration."""
    rewarder: Rewarder

    def __call__(self, context: ObjectiveContext) -> Objective:
        """See `ObjectiveMaker`."""
        recipe, settings = context.recipe, self.settings
        channels, classes = context.sample_shape[0], len(context.class_names) + 1
        spec = NetworkSpec(channels, classes, input_size(recipe))
        reference = make_network(recipe.architecture, spec)
        load_weights(reference, self.first)
        load_weights(context.network, self.begins_with)
        torch.manual_seed(recipe.seed + self.iteration)
        critic = make_network(recipe.architecture, NetworkSpec(channels, 2, input_size(recipe)))
        if self.critic is not None:
            load_weights(critic, self.critic)
        changed = [(context.network, _PERTURB)] + ([] if self.critic is None else [(critic, _CRITIC)])
        for network, word in changed:
            generator = generator_of(recipe.seed, self.iteration, word)
            change_weights(network, factor=settings.shrink, spread=settings.perturb, generator=generator)
        judge = dataclasses.replace(self.rewarder.judge, network=self.rewarder.judge.network.to(context.fabric.device))
        return PolicyObjective(
            context.fabric,
            context.learner(context.network),
            context.learner(critic),
            reference,
            dataclasses.replace(self.rewarder, judge=judge),
            settings,
            Prices.of(settings, self.iteration),
        )


def generator_of(*words: int) -> torch.Generator:
    """A generator on the CPU, seeded by several integers."""
    state = np.random.SeedSequence(words).generate_state(1)
    return torch.Generator().manual_seed(int(state[0]))


def sample_key(sample: PackedSample) -> tuple[str, str, str, str, int, int]:
    """Tells a sample from all others."""
    return sample.patient, sample.case, sample.phase, sample.view, sample.time, sample.depth
