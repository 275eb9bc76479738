"""Training on shapes alone: label maps are framed, some of them spoilt, and a network learns to draw them whole."""

import dataclasses
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.losses import Loss
from cardiotrace.learning.models.label_maps import Labels, Unsteady, framed, nearest, one_hot
from cardiotrace.learning.models.network import Network
from cardiotrace.learning.models.shape_autoencoder import ShapeAutoencoder
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.learner import Learner
from cardiotrace.learning.training.objective import Losses, Progress
from cardiotrace.learning.training.supervision import SupervisedObjective

_CONTROL = 8
"""Rows and columns of the grid by which borders are bent."""
_UNSTEADY = Unsteady(shift=0.06, zoom=0.12, turn=15.0, shear=0.1)


@dataclass(frozen=True)
class ShapeLearning:
    """What label maps go through before a network draws them whole again: `[shapes]` of a recipe."""

    side: int = 128
    """Rows and columns that the frame around a heart is sampled at."""
    spoilt: float = 0.7
    """Share of the maps that are spoilt as below; the others are given back as they are."""
    patches: int = 3
    """At most so many ellipses take any class, background among them: holes, and pieces that lie apart."""
    cut: float = 0.2
    """Probability that all beyond a straight line is lost, as at the edge of a sector."""
    bent: float = 0.06
    """Borders are bent by up to so much of the frame's side."""
    lost: float = 0.05
    """Probability that a structure is lost altogether."""
    unsteady: Unsteady = _UNSTEADY
    """Frames are moved, enlarged, turned and sheared at random; mirrored they never are."""
    known: int = 400
    """At most so many valid shapes of the training part are kept in the model file, evenly over its cases."""
    lowest_dice: float = 0.75
    """Dice of a label map and the shape that it is corrected to below which it is left as it is: no shape is near."""

    def __post_init__(self) -> None:
        shares = (self.spoilt, self.cut, self.bent, self.lost, self.lowest_dice)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError("spoilt, cut, bent, lost and lowest_dice lie between 0 and 1")
        if self.side < 16 or self.known < 1 or self.patches < 0:
            raise ValueError("side must be at least 16, known at least 1, patches not negative")


class ShapeObjective(SupervisedObjective):
    """Teaches a network to give label maps back, whole where they were spoilt; images are not looked at.

    Args:
        fabric: launched.
        learner: of a network that takes as many channels as there are classes, background included.
        loss: of one output.
        config: what the maps go through.
        class_names: foreground classes, in order of their index from 1.

    Raises:
        ConfigError: the network codes no label maps.
    """

    def __init__(
        self,
        fabric: Fabric,
        learner: Learner[Network],
        loss: Loss,
        config: ShapeLearning,
        class_names: tuple[str, ...] = (),
    ) -> None:
        super().__init__(fabric, learner, loss, class_names)
        if not isinstance(learner.network, ShapeAutoencoder):
            raise ConfigError("shapes are learned by an autoencoder of label maps", remedy="choose shape-autoencoder.")
        self.config, self.classes = config, learner.network.classes

    def step(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """See `Objective`."""
        settings, classes = self.config, self.classes
        labels = framed(batch.labels, settings.side, settings.unsteady)
        maps = one_hot(spoilt(labels, classes, settings), classes)
        maps = maps.contiguous(memory_format=torch.channels_last)
        return super().step(dataclasses.replace(batch, images=maps, labels=labels), progress)


def spoilt(labels: Labels, classes: int, settings: ShapeLearning) -> Labels:
    """Label maps, a share of them spoilt: borders bent, a structure lost, patches of other classes, a part cut off.

    Draws from torch's global generator.

    Args:
        labels: framed classes, (batch, side, side).
        classes: background included.
        settings: how often and how much.
    """
    device, count = labels.device, len(labels)
    bent = _bent(labels, settings.bent)
    lost = torch.randint(1, max(classes, 2), (count, 1, 1), device=device)
    bent = torch.where((torch.rand(count, 1, 1, device=device) < settings.lost) & (bent == lost), 0, bent)
    rows, columns = _places(labels)
    for _ in range(settings.patches):
        bent = torch.where(
            _ellipses(rows, columns, count), torch.randint(0, classes, (count, 1, 1), device=device), bent
        )
    angle = 2 * math.pi * torch.rand(count, 1, 1, device=device)
    away = 0.1 + 0.3 * torch.rand(count, 1, 1, device=device)
    beyond = (rows * angle.sin() + columns * angle.cos()) > away
    bent = torch.where(beyond & (torch.rand(count, 1, 1, device=device) < settings.cut), 0, bent)
    return torch.where(torch.rand(count, 1, 1, device=device) < settings.spoilt, bent, labels)


def _places(labels: Labels) -> tuple[Tensor, Tensor]:
    """Rows and columns of pixels as shares of the frame, 0 in the middle."""
    rows, columns = ((torch.arange(size, device=labels.device) + 0.5) / size - 0.5 for size in labels.shape[1:])
    return rows[None, :, None], columns[None, None, :]


def _ellipses(rows: Tensor, columns: Tensor, count: int) -> Tensor:
    """An ellipse anywhere near the heart in each of some frames; in a third of them none."""
    drawn = torch.rand(5, count, 1, 1, device=rows.device)
    down, across = 0.8 * (drawn[0] - 0.5), 0.8 * (drawn[1] - 0.5)
    high, wide = (0.01 + 0.09 * one.square() for one in drawn[2:4])
    inside: Tensor = ((rows - down) / high).square() + ((columns - across) / wide).square() < 1
    return inside & (drawn[4] > 1 / 3)


def _bent(labels: Labels, most: float) -> Labels:
    """Label maps whose borders were moved along a smooth random field, each by an amount of its own."""
    count, side = len(labels), labels.shape[1]
    field = torch.randn(count, 2, _CONTROL, _CONTROL, device=labels.device)
    field = nn.functional.interpolate(field, size=(side, side), mode="bicubic")
    # Half of a normal distribution's reach; coordinates run from -1 to 1.
    field = field * most * torch.rand(count, 1, 1, 1, device=labels.device)
    still = torch.eye(2, 3, device=labels.device).expand(count, 2, 3)
    grid = nn.functional.affine_grid(still, [count, 1, side, side], align_corners=False)
    return nearest(labels, grid + field.permute(0, 2, 3, 1))
