"""The reward network: an image and an outline in, for each pixel the probability that the outline is wrong there.

It is a network of two classes, right and wrong, so that it is trained, validated, kept and exported as any other: the
cross-entropy of two classes is the binary cross-entropy of the difference of their logits. What it learns from is told
by one map for each image, see `encoded`, which augmentation moves along with the image.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from cardiotrace.core.errors import InputError
from cardiotrace.datasets.packed import IGNORED
from cardiotrace.learning.losses import Loss
from cardiotrace.learning.models.label_maps import one_hot
from cardiotrace.learning.models.network import Network, TrainingOutputs
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.learner import Learner
from cardiotrace.learning.training.objective import Losses, Progress
from cardiotrace.learning.training.supervision import SupervisedObjective
from cardiotrace.metrics.reliability import Reliability

WRONG = "wrong"
"""Name of the reward network's only class beside "right"."""
MOST_CLASSES = 127
"""Of outlines, background included: two codes each, and one is `IGNORED`."""
_COLDEST, _HOTTEST = 0.05, 20.0


def encoded(
    outlines: UInt8[np.ndarray, "*samples height width"], wrong: Bool[np.ndarray, "*samples height width"]
) -> UInt8[np.ndarray, "*samples height width"]:
    """Outlines and where they are wrong as one map: twice the class, plus one where it is wrong.

    Example:
        >>> encoded(np.array([[0, 1, 2]], np.uint8), np.array([[False, True, False]])).tolist()
        [[0, 3, 4]]
    """
    if outlines.size and int(outlines.max()) >= MOST_CLASSES:
        raise InputError(f"outlines of more than {MOST_CLASSES} classes cannot be judged")
    codes: UInt8[np.ndarray, "*samples height width"] = 2 * outlines + wrong.astype(np.uint8)
    return codes


def decoded(codes: Int64[Tensor, "*batch"]) -> tuple[Int64[Tensor, "*batch"], Int64[Tensor, "*batch"]]:
    """Outlines, and 1 where they are wrong, of `encoded` maps; `IGNORED` stays background that does not count."""
    unseen = codes == IGNORED
    return torch.where(unseen, 0, codes // 2), torch.where(unseen, IGNORED, codes % 2)


class RewardNetwork(Network):
    """A network that sees an image with an outline and tells right from wrong.

    Args:
        judge: of the image's channels and one for each class of outlines; two classes, right and wrong.
        classes: of outlines, background included.
    """

    def __init__(self, judge: Network, classes: int) -> None:
        super().__init__()
        self.judge, self.classes = judge, classes
        self.divisor = judge.divisor

    def forward(self, given: Float[Tensor, "batch channels height width"]) -> Tensor | TrainingOutputs:
        """Logits of right and wrong, of an image with its outline's channels after its own."""
        found: Tensor | TrainingOutputs = self.judge(given)
        return found

    def seen(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Image and outline as channels, and where the outline is wrong; `labels` are `encoded`."""
        outlines, wrong = decoded(labels)
        return self.joined(images, outlines), wrong

    def joined(
        self, images: Float[Tensor, "batch channels height width"], outlines: Int64[Tensor, "batch height width"]
    ) -> Float[Tensor, "batch all_channels height width"]:
        """Image and outline as channels."""
        return torch.cat([images, one_hot(outlines, self.classes)], dim=1)


class RewardObjective(SupervisedObjective):
    """Teaches a reward network from images with `encoded` outlines.

    Args:
        fabric: launched.
        learner: of a reward network.
        loss: of one output.
    """

    def __init__(self, fabric: Fabric, learner: Learner[Network], loss: Loss) -> None:
        super().__init__(fabric, learner, loss, (WRONG,))

    def step(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """See `Objective`."""
        images, labels = self.network.seen(batch.images, batch.labels)
        images = images.contiguous(memory_format=torch.channels_last)
        return super().step(dataclasses.replace(batch, images=images, labels=labels), progress)


@dataclasses.dataclass(frozen=True)
class Judge:
    """A finished reward network at its temperature."""

    network: RewardNetwork
    temperature: float = 1.0

    def rewards(
        self, images: Float[Tensor, "batch channels height width"], outlines: Int64[Tensor, "batch height width"]
    ) -> Float[Tensor, "batch height width"]:
        """Probability that each pixel of the outlines is right."""
        with torch.no_grad():
            logits = self.network.eval()(self.network.joined(images, outlines))
        right: Float[Tensor, "batch height width"] = (logits.float() / self.temperature).softmax(dim=1)[:, 0]
        return right


def fitted_temperature(network: RewardNetwork, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """The temperature at which the probabilities of a reward network are the likeliest, from 0.05 to 20.

    Args:
        network: finished.
        batches: images and `encoded` outlines that it has not learned from.

    Returns:
        1 where there are none, or the fit finds no number.

    Source:
        Guo et al. 2017, Proceedings of Machine Learning Research 70:1321.
    """
    network.eval()
    margins, targets = [], []
    with torch.inference_mode():
        for images, codes in batches:
            given, wrong = network.seen(images, codes)
            logits = network(given).double()
            known = wrong != IGNORED
            margins.append((logits[:, 1] - logits[:, 0])[known])
            targets.append(wrong[known].double())
    if not margins or not torch.cat(margins).numel():
        return 1.0
    return _likeliest(torch.cat(margins).clone(), torch.cat(targets).clone())


def calibration_error(judge: Judge, batches: Sequence[tuple[Tensor, Tensor]]) -> float | None:
    """Expected calibration error of what a judge says of outlines; None of none.

    Args:
        judge: at its temperature.
        batches: images and `encoded` outlines that its network has not learned from.
    """
    found = Reliability.of(np.zeros(0), np.zeros(0, bool))
    for images, codes in batches:
        outlines, wrong = decoded(codes)
        known = (wrong != IGNORED).cpu().numpy()
        right = judge.rewards(images, outlines).cpu().numpy()[known]
        is_right = wrong.cpu().numpy()[known] == 0
        found = found + Reliability.of(np.maximum(right, 1 - right), (right >= 0.5) == is_right)
    return found.expected_error if found.count.sum() else None


def _likeliest(margins: Float[Tensor, " pixels"], targets: Float[Tensor, " pixels"]) -> float:
    # Its logarithm: a temperature is positive.
    logarithm = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([logarithm], lr=0.5, max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(margins / logarithm.exp(), targets)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    found = float(logarithm.detach().exp())
    return min(max(found, _COLDEST), _HOTTEST) if found == found else 1.0
