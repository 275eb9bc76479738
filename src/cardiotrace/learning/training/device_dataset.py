"""From packed planes to the batches that a network sees; every random number follows from (seed, epoch, step)."""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64

from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.geometry.sector import Apex
from cardiotrace.learning.augmentation import Augmentation, Parameters, apply, sample, with_shared_geometry
from cardiotrace.learning.augmentation.sector import find_sectors
from cardiotrace.learning.training.grouping import Group, units_of
from cardiotrace.learning.training.window import Windows, draw_windows, surroundings
from cardiotrace.preprocessing import Preprocessing

Images = Float[torch.Tensor, "batch channels height width"]
Labels = Int64[torch.Tensor, "batch height width"]

_ORDER, _AUGMENTATION, _WINDOWS = 1, 2, 3
"""First word of a seed: the order of planes, the changes to them and their windows must not draw the same numbers."""


class DeviceDataset:
    """Planes of one part of a split, resident on the device as stored (bytes), made ready batch by batch.

    Args:
        packed: the cache.
        indices: planes of this part.
        preprocessing: for its intensity steps.
        device: where batches are wanted.
        group: which planes stay beside each other; by default each is alone.
        apex: how sectors are found, where augmentation is to change them.
    """

    def __init__(
        self,
        packed: PackedDataset,
        indices: np.ndarray,
        preprocessing: Preprocessing,
        device: torch.device,
        *,
        group: Group | None = None,
        apex: Apex | None = None,
    ) -> None:
        images = np.asarray(packed.images[indices])
        self.largest = float(np.iinfo(images.dtype).max)
        # torch has few operations on uint16: those images are kept as float32.
        kept = images if images.dtype == np.uint8 else images.astype(np.float32)
        self.images = torch.from_numpy(kept).to(device)
        self.labels = torch.from_numpy(np.asarray(packed.labels[indices])).to(device)
        self.preprocessing = preprocessing
        planes = [packed.planes[index] for index in indices.tolist()]
        self.cases = [plane.case for plane in planes]
        """Name of each plane's case."""
        self.units = units_of(planes, group)
        """Planes that stay together, (units, members)."""
        self.sectors = None if apex is None else find_sectors(images, apex)

    def __len__(self) -> int:
        return len(self.images)

    def unit(self, picked: torch.Tensor) -> tuple[Images, Labels]:
        """Images in unit range and labels of the picked planes."""
        return self.images[picked].float() / self.largest, self.labels[picked].long()

    def unit_windows(self, picked: torch.Tensor, windows: Windows) -> tuple[Images, Labels]:
        """Images in unit range and labels of windows of the picked planes."""
        height, width = windows.shape
        cuts = [
            (int(plane), slice(top, top + height), slice(left, left + width))
            for plane, (top, left) in zip(picked.tolist(), windows.first.tolist(), strict=True)
        ]
        images = torch.stack([self.images[plane, :, rows, columns] for plane, rows, columns in cuts])
        return images.float() / self.largest, torch.stack([self.labels[cut] for cut in cuts]).long()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the planes."""
        return self.images.shape[-2], self.images.shape[-1]

    def normalise(self, images: Images) -> Images:
        """Intensity steps of the preprocessing."""
        return self.preprocessing.normalise(images)


@dataclass(frozen=True)
class TrainingBatch:
    """What one process learns from in one step."""

    images: Images
    labels: Labels
    weight: float = 1.0
    """Factor on the loss; makes the mean over processes that of all planes, also where shares are unequal."""
    cases: tuple[str, ...] = ()
    """Names of the cases that the planes of all processes are of."""


@dataclass(frozen=True)
class TrainingOrder:
    """Which planes meet in which step, and with which augmentation.

    Under several processes every process walks the same order and takes its own share of each batch; a plane
    is augmented alike whoever gets it (noise excepted).
    """

    seed: int
    batch_size: int
    augmentation: Augmentation
    mirror_axes: tuple[str, ...]
    rank: int = 0
    world: int = 1
    steps: int | None = None
    """Steps of an epoch; None passes over the planes once."""
    crop: tuple[int, int] | None = None
    """Height and width of the window of each plane that is learned from; None: the whole plane."""

    def steps_per_epoch(self, planes: int) -> int:
        """The given number, or the whole batches of one pass; at least one."""
        return self.steps or max(1, planes // self.batch_size)

    def batches(self, feed: DeviceDataset, epoch: int) -> Iterator[TrainingBatch]:
        """This process's share of the batches of one epoch (from 0), augmented and normalised."""
        count, members = feed.units.shape
        units = max(1, self.batch_size // members)
        order = self._order(count, units, epoch)
        for step in range(self.steps_per_epoch(feed.units.numel())):
            picked = feed.units[order[step * units : (step + 1) * units]]
            images, labels = self._augmented(feed, picked, epoch, step)
            weight = len(range(len(picked))[self.rank :: self.world]) * self.world / len(picked)
            cases = dict.fromkeys(feed.cases[plane] for plane in picked.flatten().tolist())
            yield TrainingBatch(feed.normalise(images), labels, weight, tuple(cases))

    def _order(self, count: int, batch: int, epoch: int) -> torch.Tensor:
        """Units in order of use: one pass, or pass after pass until the given steps have enough."""
        generator = _generator(_ORDER, self.seed, epoch)
        passes = 1 if self.steps is None else math.ceil(self.steps * batch / count)
        return torch.cat([torch.randperm(count, generator=generator) for _ in range(passes)])

    def _augmented(self, feed: DeviceDataset, units: torch.Tensor, epoch: int, step: int) -> tuple[Images, Labels]:
        count, members = units.shape
        shape = self.crop or feed.shape
        generator = _generator(_AUGMENTATION, self.seed, epoch, step)
        sectors = None if feed.sectors is None else feed.sectors[units.flatten()]
        parameters = sample(
            self.augmentation, units.numel(), shape, generator, mirror_axes=self.mirror_axes, sectors=sectors
        )
        parameters = with_shared_geometry(parameters, members)
        mine = self._share(count, members)
        picked = units.flatten()[mine]
        if self.crop is None:
            images, labels = feed.unit(picked.to(feed.images.device))
            return apply(images, labels, self._share_of(parameters, mine))
        windows = draw_windows(count, feed.shape, self.crop, _generator(_WINDOWS, self.seed, epoch, step))
        windows = Windows(windows.first.repeat_interleave(members, dim=0), windows.shape)
        # For the whole batch before it is shared, so that no process rounds otherwise than another.
        windows, parameters = surroundings(windows, feed.shape, parameters)
        images, labels = feed.unit_windows(picked, Windows(windows.first[mine], windows.shape))
        return apply(images, labels, self._share_of(parameters, mine), self.crop)

    def _share(self, units: int, members: int) -> torch.Tensor:
        """Places in the batch of the planes of this process: whole units."""
        # Processes wait for each other in every step: one that gets no unit takes the first, at weight 0.
        mine = slice(self.rank, None, self.world) if self.rank < units else slice(0, 1)
        return torch.arange(units * members).reshape(units, members)[mine].flatten()

    def _share_of(self, parameters: Parameters, mine: torch.Tensor) -> Parameters:
        if self.world == 1:
            return parameters
        named = {item.name: getattr(parameters, item.name) for item in dataclasses.fields(parameters)}
        rows: dict[str, Any] = {name: value[mine] for name, value in named.items() if isinstance(value, torch.Tensor)}
        return dataclasses.replace(parameters, **rows, noise_seed=parameters.noise_seed + self.rank)


def _generator(*words: int) -> torch.Generator:
    """A generator seeded by several integers, well mixed."""
    state = np.random.SeedSequence(words).generate_state(2)
    return torch.Generator().manual_seed(int(state[0]) << 31 | int(state[1]) >> 1)
