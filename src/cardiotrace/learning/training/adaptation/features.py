"""What a network says inside: its deepest layer and what its last layer reads, for any architecture of the catalog."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.augmentation.style import uncompiled
from cardiotrace.learning.models.network import Network, TrainingOutputs
from cardiotrace.learning.training.adaptation.parts import AdaptationParts
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.objective import Progress
from cardiotrace.learning.training.supervision import SupervisedObjective

Level = Literal["bottleneck", "decoder"]
_FEWEST_PLACES = 4
"""Of a layer: one that pools the whole image, as attention does, says less than the deepest that sees places."""


@dataclass(frozen=True)
class _Call:
    """A call of a module in a pass of the network."""

    module: nn.Module
    seen: tuple[int, ...]
    """Shape of its input; empty where that is no tensor."""
    said: tuple[int, ...]
    """Shape of its output."""


class FeatureTap:
    """Hears what chosen levels of a network say while it runs; found by one pass, so that no architecture need tell.

    "bottleneck" is the output of the deepest layer: of fewest places, of these the one of most channels, of these the
    last. "decoder" is what the last layer makes logits of.

    Args:
        network: whose modules are hooked, for good; who does not listen pays nothing.
        sample_shape: (channels, *space) of what it sees.
        levels: which.

    Raises:
        ConfigError: it has no such level.
    """

    def __init__(self, network: Network, sample_shape: Sequence[int], levels: Sequence[Level]) -> None:
        calls = _calls(network, sample_shape)
        self.shapes: dict[Level, tuple[int, ...]] = {}
        """(channels, *space) of each level at the size of the samples."""
        self._heard: dict[str, Tensor] = {}
        self._listens = False
        for level in levels:
            call = _deepest(calls, sample_shape) if level == "bottleneck" else _last(calls)
            if call is None:
                raise ConfigError(
                    f"this network has no {level} that could be heard",
                    remedy="choose another architecture, such as unet.",
                )
            if level == "bottleneck":
                call.module.register_forward_hook(uncompiled(self._output_of(level)))
            else:
                call.module.register_forward_pre_hook(uncompiled(self._input_of(level)))
            self.shapes[level] = (call.said if level == "bottleneck" else call.seen)[1:]

    def _output_of(self, level: str) -> Callable[..., None]:
        def hear(module: nn.Module, inputs: Any, output: Tensor) -> None:
            if self._listens:
                self._heard[level] = output

        return hear

    def _input_of(self, level: str) -> Callable[..., None]:
        def hear(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            if self._listens:
                self._heard[level] = inputs[0]

        return hear

    @contextmanager
    def listening(self) -> Iterator[dict[str, Tensor]]:
        """Level to features, (batch, channels, *space), filled by the pass that is made meanwhile."""
        self._heard, self._listens = {}, True
        try:
            yield self._heard
        finally:
            # Whoever wanted them holds them: kept here, they would keep the whole pass in memory.
            self._heard, self._listens = {}, False


class HearingObjective(SupervisedObjective):
    """Labels teach the network; who extends this also learns from some of its levels, among the outputs' features.

    Args:
        parts: network, samples, domains.
        levels: which.

    Raises:
        ConfigError: the network has no such level.
        InputError: there is one domain only.
    """

    def __init__(self, parts: AdaptationParts, levels: Sequence[Level]) -> None:
        super().__init__(parts.fabric, parts.learner, parts.loss, parts.class_names)
        self.adaptation, self.domains = parts.adaptation, parts.told_apart()
        self.tap = FeatureTap(self.network, parts.sample_shape, levels)

    def outputs_of(self, batch: TrainingBatch, progress: Progress) -> TrainingOutputs:
        """See `SupervisedObjective`; with the levels that are heard."""
        with self.tap.listening() as heard:
            outputs = super().outputs_of(batch, progress)
        return outputs._replace(features={**outputs.features, **heard})


def _calls(network: Network, sample_shape: Sequence[int]) -> list[_Call]:
    """All modules in the order in which they end, of one pass over two empty images, as in use."""
    calls: list[_Call] = []

    def note(module: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            seen = inputs[0].shape if inputs and isinstance(inputs[0], Tensor) else ()
            calls.append(_Call(module, tuple(seen), tuple(output.shape)))

    hooks = [module.register_forward_hook(note) for module in network.modules()]
    was_training, device = network.training, next(network.parameters()).device
    network.eval()
    try:
        with torch.no_grad():
            network.forward(torch.zeros(2, *sample_shape, device=device))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return calls


def _deepest(calls: Sequence[_Call], sample_shape: Sequence[int]) -> _Call | None:
    layers = [
        call
        for call in calls
        if len(call.said) == len(sample_shape) + 1 and call.said[0] == 2 and math.prod(call.said[2:]) >= _FEWEST_PLACES
    ]
    fewest = min((math.prod(call.said[2:]) for call in layers), default=0)
    deepest = [call for call in layers if math.prod(call.said[2:]) == fewest]
    most = max((call.said[1] for call in deepest), default=0)
    return next((call for call in reversed(deepest) if call.said[1] == most), None)


def _last(calls: Sequence[_Call]) -> _Call | None:
    """The last layer with weights of its own: whatever comes after it changes no feature."""
    with_weights = (
        call for call in reversed(calls) if call.seen and any(True for _ in call.module.parameters(recurse=False))
    )
    return next(with_weights, None)
