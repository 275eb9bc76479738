"""Fourier domain adaptation: labelled images with the low frequencies of a target's."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from cardiotrace.learning.training.adaptation.method import MethodConfig
from cardiotrace.learning.training.adaptation.parts import AdaptationParts, target_rows
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.objective import Losses, Progress
from cardiotrace.learning.training.supervision import SupervisedObjective


@dataclass(frozen=True)
class FdaConfig(MethodConfig):
    """How much of the spectrum is taken, and how often."""

    band: float = 0.02
    """Half the side of the square of frequencies whose amplitudes are taken, as a share of the image's side."""
    probability: float = 0.7
    """How often an image gets them; others stay as they are."""

    def __post_init__(self) -> None:
        if not 0 < self.band <= 0.5 or not 0 < self.probability <= 1:
            raise ValueError("band must lie in (0, 0.5] and probability in (0, 1]")


class FdaObjective(SupervisedObjective):
    """Labels teach the network on images of the source that look like the targets'; those themselves teach nothing.

    Args:
        config: what is taken.
        parts: network, samples, domains.

    Raises:
        InputError: there is one domain only.

    Source:
        Yang and Soatto 2020, CVPR, arXiv:2004.05498, on normalised images, without its self-training.
    """

    def __init__(self, config: FdaConfig, parts: AdaptationParts) -> None:
        super().__init__(parts.fabric, parts.learner, parts.loss, parts.class_names)
        parts.told_apart()
        self.config, self.adaptation = config, parts.adaptation

    def step(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """See `Objective`."""
        rows = target_rows(self.adaptation, batch)
        images, labels, targets = batch.images[~rows], batch.labels[~rows], batch.images[rows]
        partners = torch.randint(len(targets), (len(images),))
        happens = torch.rand(len(images)) < self.config.probability
        changed = with_low_frequencies_of(targets[partners], images, self.config.band)
        chosen = happens.reshape(-1, *[1] * (images.ndim - 1)).to(images.device)
        samples = tuple(sample for sample in batch.samples if not self.adaptation.is_target(sample))
        learned = replace(batch, images=torch.where(chosen, changed, images), labels=labels, samples=samples)
        return super().step(learned, progress)


def with_low_frequencies_of(
    targets: Float[Tensor, "batch channels *space"], images: Float[Tensor, "batch channels *space"], band: float
) -> Float[Tensor, "batch channels *space"]:
    """Images with the amplitudes of others at low frequencies, in plane; their phases stay.

    Args:
        targets: whose amplitudes are taken.
        images: one for each.
        band: half the side of the square of frequencies, as a share of the image's side.
    """
    own, other = (torch.fft.rfft2(each.float()) for each in (images, targets))
    height, width = images.shape[-2:]
    rows = torch.fft.fftfreq(height, device=images.device).abs() <= band
    columns = torch.fft.rfftfreq(width, device=images.device) <= band
    low = rows[:, None] & columns
    changed = torch.where(low, torch.polar(other.abs(), own.angle()), own)
    return torch.fft.irfft2(changed, s=(height, width)).to(images.dtype)
