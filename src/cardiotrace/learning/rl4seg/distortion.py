"""Outlines that are wrong, made of an image whose outline is right: what a reward network must learn to tell."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from cardiotrace.learning.training.adaptation.rl4seg import Distortions

Outlines = Int64[Tensor, "batch height width"]
Images = Float[Tensor, "batch channels height width"]


@dataclass(frozen=True)
class Distorter:
    """Asks a policy again about images that are not quite those that it answered, or not quite as itself.

    Args:
        policy: the network; it is not changed.
        normalise: intensity steps of the preprocessing.
        settings: which ways, and how far.
        generator: of all random numbers, on the CPU.
    """

    policy: nn.Module
    normalise: Callable[[Images], Images]
    settings: Distortions
    generator: torch.Generator

    def outlines(self, units: Images, right: Outlines) -> Iterator[tuple[str, Outlines]]:
        """Wrong outlines of some images, way by way, with the name of each.

        Args:
            units: images in unit range.
            right: their outlines; those of other images among them serve as wrong ones.

        Returns:
            Some may happen to be right.
        """
        if self.settings.swapped and len(right) > 1:
            # Shifted by less than all of them, nobody keeps its own.
            away = int(torch.randint(1, len(right), (1,), generator=self.generator))
            yield "swapped", right.roll(away, dims=0)
        prepared = self.normalise(units)
        for spread in self.settings.weight_noise:
            yield f"weights {spread:g}", answered(with_noise(self.policy, spread, self.generator), prepared)
        for factor in self.settings.contrast:
            # After the intensity steps: those that bring images to one spread would undo it.
            yield f"contrast {factor:g}", answered(self.policy, prepared * factor)
        for spread in self.settings.noise:
            noise = torch.randn(units.shape, generator=self.generator).to(units.device)
            noisy = (units + spread * noise).clamp(min=0)
            brightest = noisy.amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-6)
            yield f"noise {spread:g}", answered(self.policy, self.normalise(noisy / brightest))


def answered(network: nn.Module, prepared: Images) -> Outlines:
    """The most probable class of every pixel."""
    with torch.inference_mode():
        found: Outlines = network.eval()(prepared).argmax(dim=1)
    return found


def with_noise(network: nn.Module, spread: float, generator: torch.Generator) -> nn.Module:
    """A copy of a network with normal noise added to every parameter that is called a weight."""
    noisy = copy.deepcopy(network)
    change_weights(noisy, factor=1.0, spread=spread, generator=generator)
    return noisy


def change_weights(network: nn.Module, *, factor: float, spread: float, generator: torch.Generator) -> None:
    """Multiply every parameter that is called a weight by a factor and add normal noise, in place.

    With a factor below 1 it is shrink and perturb, after which a network learns from other data as if it were new.

    Source:
        Ash and Adams 2020, NeurIPS, arXiv:1910.08475.
    """
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("weight"):
                noise = torch.randn(parameter.shape, generator=generator).to(parameter.device)
                parameter.mul_(factor).add_(spread * noise)
