"""From packed planes to the batches that a network sees; every random number follows from (seed, epoch, step)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64

from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.learning.augmentation import Augmentation, apply, sample
from cardiotrace.preparation import Preparation

Images = Float[torch.Tensor, "batch channels height width"]
Labels = Int64[torch.Tensor, "batch height width"]


class Feed:
    """Planes of one part of a split, resident on the device as stored (bytes), made ready batch by batch.

    Args:
        packed: the cache.
        indices: planes of this part.
        preparation: for its intensity steps.
        device: where batches are wanted.
    """

    def __init__(
        self, packed: PackedDataset, indices: np.ndarray, preparation: Preparation, device: torch.device
    ) -> None:
        images = np.asarray(packed.images[indices])
        self.largest = float(np.iinfo(images.dtype).max)
        # torch has few operations on uint16: those images are kept as float32.
        kept = images if images.dtype == np.uint8 else images.astype(np.float32)
        self.images = torch.from_numpy(kept).to(device)
        self.labels = torch.from_numpy(np.asarray(packed.labels[indices])).to(device)
        self.preparation = preparation

    def __len__(self) -> int:
        return len(self.images)

    def unit(self, picked: torch.Tensor) -> tuple[Images, Labels]:
        """Images in unit range and labels of the picked planes."""
        return self.images[picked].float() / self.largest, self.labels[picked].long()

    def normalise(self, images: Images) -> Images:
        """Intensity steps of the preparation."""
        return self.preparation.normalise(images)


@dataclass(frozen=True)
class TrainingOrder:
    """Which planes meet in which step, and with which augmentation.

    Under several processes every process walks the same order and takes its own share of each batch.
    """

    seed: int
    batch_size: int
    augmentation: Augmentation
    mirror_axes: tuple[str, ...]
    rank: int = 0
    world: int = 1

    def steps_per_epoch(self, planes: int) -> int:
        """Whole batches in an epoch; at least one."""
        return max(1, planes // self.batch_size)

    def batches(self, feed: Feed, epoch: int) -> Iterator[tuple[Images, Labels]]:
        """The batches of one epoch (from 0), augmented and normalised."""
        order = torch.randperm(len(feed), generator=_generator(self.seed, epoch))
        for step in range(self.steps_per_epoch(len(feed))):
            picked = order[step * self.batch_size : (step + 1) * self.batch_size][self.rank :: self.world]
            images, labels = feed.unit(picked.to(feed.images.device))
            generator = _generator(self.seed, epoch, step, self.rank)
            parameters = sample(
                self.augmentation,
                len(images),
                (images.shape[-2], images.shape[-1]),
                generator,
                mirror_axes=self.mirror_axes,
            )
            images, labels = apply(images, labels, parameters)
            yield feed.normalise(images), labels


def _generator(*words: int) -> torch.Generator:
    """A generator seeded by several integers, well mixed."""
    state = np.random.SeedSequence(words).generate_state(2)
    return torch.Generator().manual_seed(int(state[0]) << 31 | int(state[1]) >> 1)
