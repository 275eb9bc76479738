"""A sealed network that descends on what it says of the very image that it is about to label."""

import logging
from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Float

from cardiotrace.core.errors import WorkError
from cardiotrace.inference.channels import Affine, ChannelGraph
from cardiotrace.learning.graph_network import GraphNetwork

_LOG = logging.getLogger(__name__)

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Images and logits to a number that is to fall."""


def descended(
    network: bytes,
    batch: Float[np.ndarray, "batch channels *axes"],
    loss: Loss,
    *,
    steps: int,
    learning_rate: float,
    first: Mapping[str, Affine] | None = None,
) -> bytes:
    """The network after some steps of Adam on gain and offset of its channels; nothing else of it learns.

    The same call gives the same network: no random number is drawn.

    Args:
        network: ONNX bytes.
        batch: what it sees of some samples, all of them in each step.
        loss: what is to fall.
        steps: of Adam.
        learning_rate: of Adam.
        first: gains and offsets to begin with; None: those of the sealed network.

    Returns:
        ONNX bytes of the same inputs and outputs.

    Raises:
        ModelFileError: the network cannot be learned through.
        WorkError: the loss is no number.

    Source:
        Wang et al. 2021, ICLR (Tent), which also takes the statistics of each batch; here they are those of the
        training, or `first`.
    """
    learning = GraphNetwork(network)
    if first is not None:
        learning.begin_with(first)
    optimiser = torch.optim.Adam(learning.parameters(), lr=learning_rate)
    images = torch.from_numpy(batch)
    for step in range(steps):
        optimiser.zero_grad()
        total = 0.0
        for index in range(len(images)):  # one at a time: a gradient needs all layers of a sample at once
            each = images[index : index + 1]
            value = loss(each, learning(each)) / len(images)
            torch.autograd.backward(value)
            total += float(value.detach())
        if not np.isfinite(total):
            raise WorkError("the loss of adapting to the image is no number", remedy="analyse without --adapt.")
        optimiser.step()
        _LOG.debug("step %d of adapting: loss %.5f", step + 1, total)
    return ChannelGraph(network).scaled(learning.affine())


def judged_loss(judge: bytes) -> Loss:
    """Mean over pixels of the probability that the labels are wrong there, by a network that judges them.

    It learned from labels and is shown probabilities: only through those can a gradient go.

    Args:
        judge: ONNX bytes of a network that sees an image and one channel for each class, and tells right from wrong.

    Raises:
        ModelFileError: nothing can be learned through it.
    """
    judging = GraphNetwork(judge).requires_grad_(False)

    def loss(images: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        wrong: torch.Tensor = judging(torch.cat([images, logits.softmax(1)], dim=1)).softmax(1)[:, 1]
        return wrong.mean()

    return loss


def entropy_loss(images: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """Mean entropy of the pixels, nats: the network is to be surer of what it says."""
    return -(logits.softmax(1) * logits.log_softmax(1)).sum(dim=1).mean()
