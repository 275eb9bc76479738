"""Whether domains can still be told apart: fresh probes on frozen features, tested on other patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from cardiotrace.core.errors import InputError
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.learning.models.blocks import initialise
from cardiotrace.learning.models.network import Network
from cardiotrace.learning.training.adaptation.features import FeatureTap, Level
from cardiotrace.learning.training.device_dataset import DeviceDataset

Kind = Literal["linear", "convolutional"]
KINDS: tuple[Kind, ...] = ("linear", "convolutional")
_RESAMPLES = 2000
_WIDTH = 32
"""Channels of the convolutional probe."""
_BATCH = 32


@dataclass(frozen=True)
class ProbeSettings:
    """How fresh probes learn."""

    steps: int = 300
    """Of gradient descent, of the convolutional probe; the linear one goes to its minimum."""
    rate: float = 3e-3
    """Of Adam."""
    decay: float = 1e-3
    """Square penalty on the linear probe's weights."""
    most: int = 400
    """Images of each domain, evenly taken, that probes learn from and are tested on."""
    seed: int = 0


@dataclass(frozen=True)
class Probed:
    """Features of images, and which domain and patient each is of."""

    features: Float[Tensor, "images channels *space"]
    domains: Int64[Tensor, " images"]
    patients: tuple[str, ...]


@dataclass(frozen=True)
class ProbeResult:
    """How well a fresh probe tells domains apart."""

    level: Level
    kind: Kind
    accuracy: float
    """Mean over domains of the share of images that are told right, 0..1."""
    interval: tuple[float, float]
    """95 %, patients of each domain drawn anew."""
    chance: float
    images: int
    patients: int
    """That it was tested on, none of whom it has learned from."""

    @property
    def tells(self) -> bool:
        """Whether it is surely better than chance."""
        return self.interval[0] > self.chance


def heard(
    network: Network,
    dataset: DeviceDataset,
    levels: Sequence[Level],
    domains: Sequence[str],
    on_progress: OnProgress | None = None,
) -> dict[Level, Probed]:
    """Features of the samples of a data set, the network as in use.

    Args:
        network: frozen.
        dataset: prepared images.
        levels: which features.
        domains: name of the domain of each sample.
        on_progress: called with (done, total) batches.
    """
    tap = FeatureTap(network, tuple(dataset.unit(torch.tensor([0]))[0].shape[1:]), levels)
    names = sorted(set(domains))
    found: dict[Level, list[Tensor]] = {level: [] for level in levels}
    network.eval()
    starts = list(range(0, len(dataset), _BATCH))
    for start in counted(starts, on_progress):
        picked = torch.arange(start, min(start + _BATCH, len(dataset)))
        images = dataset.normalise(dataset.unit(picked)[0], dataset.slices_of(picked))
        with torch.no_grad(), tap.listening() as said:
            network(images)
            for level in levels:
                # Half the precision is enough for a probe, and the decoder's features are large.
                found[level].append(said[level].half().cpu())
    indices = torch.tensor([names.index(domain) for domain in domains])
    patients = tuple(sample.patient for sample in dataset.samples)
    return {level: Probed(torch.cat(parts), indices, patients) for level, parts in found.items()}


def probe(level: Level, kind: Kind, learned: Probed, tested: Probed, settings: ProbeSettings) -> ProbeResult:
    """A fresh probe on some patients' features, tested on those of others.

    Args:
        level: of the features, for the record.
        kind: "linear" reads their means over the image, "convolutional" learns two 3x3 convolutions before that.
        learned: what it learns from.
        tested: what it is tested on.
        settings: how it learns.

    Raises:
        InputError: a patient is in both, or a domain lacks in one of them.
    """
    if both := set(learned.patients) & set(tested.patients):
        raise InputError(f"a probe would be tested on {min(both)}, from whom it learned")
    domains = learned.domains.unique()
    if len(domains) < 2 or not torch.equal(domains, tested.domains.unique()):
        raise InputError("a probe needs patients of every domain, to learn from and to be tested on")
    answers = (_linear if kind == "linear" else _convolutional)(learned, tested.features, settings)
    right = (answers == tested.domains).numpy()
    accuracy, interval = balanced_accuracy(right, tested.domains.numpy(), tested.patients)
    return ProbeResult(
        level, kind, accuracy, interval, 1 / len(domains), len(tested.patients), len(set(tested.patients))
    )


def balanced_accuracy(
    right: np.ndarray, domains: np.ndarray, patients: Sequence[str], *, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """Mean over domains of the share that is right, with its 95 % interval: patients of each domain are drawn anew.

    Args:
        right: whether each image is told right.
        domains: index of each one's domain.
        patients: who each is of; images of one patient are not independent.
        seed: of the draws.

    Example:
        >>> right, domains = np.array([1, 1, 1, 0]), np.array([0, 0, 0, 1])
        >>> balanced_accuracy(right, domains, ("a", "a", "b", "c"))[0]
        0.5
    """
    rng, drawn = np.random.default_rng(seed), []
    shares = []
    for domain in np.unique(domains):
        counts: dict[str, list[int]] = {}
        for index in np.flatnonzero(domains == domain):
            counts.setdefault(patients[index], []).append(int(right[index]))
        hits = np.array([sum(found) for found in counts.values()])
        sizes = np.array([len(found) for found in counts.values()])
        shares.append(hits.sum() / sizes.sum())
        rows = rng.integers(len(hits), size=(_RESAMPLES, len(hits)))
        drawn.append(hits[rows].sum(axis=1) / sizes[rows].sum(axis=1))
    low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
    return float(np.mean(shares)), (float(low), float(high))


def chosen(domains: Sequence[str], most: int) -> list[int]:
    """Places of at most so many of each domain, evenly taken.

    Example:
        >>> chosen(["a", "a", "a", "a", "b"], 2)
        [0, 2, 4]
    """
    places: Mapping[str, list[int]] = {name: [] for name in dict.fromkeys(domains)}
    for index, name in enumerate(domains):
        places[name].append(index)
    return sorted(
        members[number * len(members) // min(most, len(members))]
        for members in places.values()
        for number in range(min(most, len(members)))
    )


def _weights(domains: Tensor) -> Tensor:
    """Of each domain in the loss, so that all count alike."""
    return len(domains) / domains.bincount().float().clamp(min=1) / len(domains.unique())


def _linear(learned: Probed, tested: Tensor, settings: ProbeSettings) -> Tensor:
    rows = learned.features.float().flatten(2).mean(dim=2)
    mean, sd = rows.mean(dim=0), rows.std(dim=0).clamp(min=1e-6)
    rows, others = (rows - mean) / sd, (tested.float().flatten(2).mean(dim=2) - mean) / sd
    layer = nn.Linear(rows.shape[1], int(learned.domains.max()) + 1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    weights = _weights(learned.domains)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = nn.functional.cross_entropy(layer(rows), learned.domains, weights)
        value = value + settings.decay * layer.weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    with torch.no_grad():
        answers: Tensor = layer(others).argmax(dim=1)
    return answers


def _convolutional(learned: Probed, tested: Tensor, settings: ProbeSettings) -> Tensor:
    axes = learned.features.ndim - 2
    convolution = nn.Conv3d if axes == 3 else nn.Conv2d
    pooling = nn.AdaptiveAvgPool3d(1) if axes == 3 else nn.AdaptiveAvgPool2d(1)
    across = (0, *range(2, axes + 2))
    mean = learned.features.float().mean(dim=across, keepdim=True)
    sd = learned.features.float().std(dim=across, keepdim=True).clamp(min=1e-6)
    generator = torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = nn.Sequential(
            convolution(learned.features.shape[1], _WIDTH, 3, padding=1),
            nn.ReLU(),
            convolution(_WIDTH, _WIDTH, 3, padding=1),
            nn.ReLU(),
            pooling,
            nn.Flatten(),
            nn.Linear(_WIDTH, int(learned.domains.max()) + 1),
        )
        initialise(network)
    weights = _weights(learned.domains)
    optimiser = torch.optim.Adam(network.parameters(), settings.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
    for _ in range(settings.steps):
        rows = torch.randint(len(learned.domains), (_BATCH,), generator=generator)
        said = network((learned.features[rows].float() - mean) / sd)
        optimiser.zero_grad()
        nn.functional.cross_entropy(said, learned.domains[rows], weights).backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        parts = [network((part.float() - mean) / sd).argmax(dim=1) for part in tested.split(_BATCH)]
    return torch.cat(parts)
