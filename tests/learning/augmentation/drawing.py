"""What the tests of single changes share."""

import torch

from cardiotrace.learning.augmentation import Augmentation, Draw, apply, sample

HALF = Draw(1.0, 0.5, 0.5)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(count: int = 4, height: int = 48, width: int = 40, channels: int = 1):
    images = torch.rand(count, channels, height, width, generator=seeded(1))
    return images, torch.randint(0, 4, (count, height, width), generator=seeded(2))


def changed(config: Augmentation, images, labels, seed: int = 0, domains=None):
    parameters = sample(config, len(images), images.shape[-2:], seeded(seed), domains=domains)
    return apply(images, labels, parameters)


def point(row: int = 10, column: int = 20, side: int = 64) -> torch.Tensor:
    image = torch.zeros(1, 1, side, side)
    image[..., row, column] = 1.0
    return image
