"""Co-learning of segmentation and motion: what a network sees of one phase must fit what it sees of the other."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.learning.losses import DiceConfig, soft_dice_loss
from cardiotrace.learning.losses.overlap import exact
from cardiotrace.learning.models.blocks import ConvolutionPair, Norm, initialise
from cardiotrace.learning.models.network import Group, Network, NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.unet import UNet, unet1_shape

MOTION_LEVEL = -3
"""Level of the decoder that motion is read from: a quarter of the image's sides."""
NEIGHBOURHOOD = 9
"""Side of the square in which two images are correlated, pixels, as in the authors' code."""


@dataclass(frozen=True)
class CLASConfig:
    """U-Net 1 with a head for the motion between two phases."""

    similarity_weight: float = 1.0
    """Of one minus the local correlation between one phase and the other, moved onto it."""
    smoothness_weight: float = 1.0
    """Of the mean squared change of the motion from pixel to pixel."""
    label_weight: float = 0.4
    """Of the Dice loss between the labels of one phase, moved, and those of the other: shape teaches motion."""
    probability_weight: float = 0.2
    """Of the Dice loss between the prediction for one phase, moved, and the labels of the other: motion teaches
    segmentation."""
    alone_steps: int = 500
    """Steps at the start in which motion is learned from the images alone."""
    largest_motion: float = 0.2
    """Largest displacement along each axis, as a fraction of the side."""
    width: int = 32
    """Channels of the motion head."""
    norm: Norm = "none"

    def __post_init__(self) -> None:
        weights = (self.similarity_weight, self.smoothness_weight, self.label_weight, self.probability_weight)
        if min(weights) < 0 or self.alone_steps < 0:
            raise ConfigError("weights and alone_steps must not be negative")
        if self.width < 1 or not 0 < self.largest_motion <= 1:
            raise ConfigError("width must be positive, and largest_motion in (0, 1]")


class MotionHead(nn.Module):
    """Features of two images to where, for each pixel of the second, its content lies in the first.

    Args:
        before: channels of the features of one image.
        config: width, norm and the largest motion.
    """

    def __init__(self, before: int, config: CLASConfig) -> None:
        super().__init__()
        self.largest = 2 * config.largest_motion
        self.layers = nn.Sequential(
            ConvolutionPair(2 * before, config.width, norm=config.norm),
            ConvolutionPair(config.width, config.width, norm=config.norm),
            nn.Conv2d(config.width, 2, 3, padding=1),
        )
        initialise(self)
        # Motion starts as almost none: a random one would only have to be unlearned.
        nn.init.normal_(self.layers[-1].weight, std=1e-3)  # type: ignore[arg-type]

    def forward(self, first: Tensor, second: Tensor, size: tuple[int, int]) -> Tensor:
        """Displacement (batch, 2, height, width) along (x, y), in units where a side is 2."""
        # Bounded: an early step that throws a plane out of the image would find no gradient that leads it back.
        coarse = self.largest * torch.tanh(exact(self.layers(torch.cat((first, second), dim=1))))
        return nn.functional.interpolate(coarse, size, mode="bilinear", align_corners=False)


class CLAS(Network):
    """U-Net 1 whose decoder also tells how one phase moves into the other; in use only the U-Net runs.

    In training a batch holds pairs: planes 2i and 2i + 1 are two phases of the same slice (`training.group =
    "phases"`). With u the motion from a to b, w(., u) what it moves, y labels and p predicted probabilities,
    both ways, a -> b and b -> a, are averaged:

    similarity_weight (1 - correlation(w(image_a, u), image_b)) + smoothness_weight |grad u|^2
    + label_weight Dice(w(y_a, u), y_b) + probability_weight Dice(w(p_a, u), y_b),

    the last two after the first `alone_steps` steps. Gradients go through p, u and the features that both share.

    Args:
        config: weights, width of the motion head.
        channels: of the images.
        classes: of the output, background included.
    """

    steps_taken: Tensor
    group: Group | None = "phases"

    def __init__(self, config: CLASConfig, channels: int, classes: int) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        shape = unet1_shape(config.norm)
        self.segmenter = UNet(shape, channels, classes)
        self.motion = MotionHead(shape.decoder[MOTION_LEVEL], config)
        self.divisor: int = self.segmenter.divisor
        self.register_buffer("steps_taken", torch.zeros((), dtype=torch.int64))

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"] | TrainingOutputs:
        """Logits of every class at every pixel; in training also "motion", which brings each plane onto its partner.

        The images go along, since the loss compares what was seen: rounded where training is at a lower precision.

        Raises:
            InputError: a side is not a multiple of `divisor`, or a batch in training is not of pairs.
        """
        levels = self.segmenter.decoded(images)
        if not self.training:
            return self.segmenter.head(levels[-1])  # type: ignore[no-any-return]
        self.steps_taken.add_(1)
        motion = self._motion(levels[MOTION_LEVEL], (images.shape[-2], images.shape[-1]))
        return TrainingOutputs((self.segmenter.head(levels[-1]),), (1.0,), {"images": images, "motion": motion})

    def auxiliary_losses(self, outputs: TrainingOutputs, labels: Tensor) -> dict[str, Tensor]:
        """What the motion between the phases of each pair has to say; see the class."""
        settings, images, motion = self.config, outputs.features["images"], outputs.features["motion"]
        losses = {"smoothness": settings.smoothness_weight * roughness(motion)}
        likeness = correlation(moved(exact(images), motion), _other(images))
        losses["similarity"] = settings.similarity_weight * (1 - likeness)
        if int(self.steps_taken) <= settings.alone_steps:
            return losses
        # A label to ignore is moved as background: what it covers is unknown on both sides.
        known = torch.where(labels < self.classes, labels, torch.zeros_like(labels))
        maps = nn.functional.one_hot(known, self.classes).permute(0, 3, 1, 2).to(motion.dtype)
        theirs = _other(labels)
        for name, weight, shapes in (
            ("moved labels", settings.label_weight, maps),
            ("moved probabilities", settings.probability_weight, exact(outputs.logits[0]).softmax(dim=1)),
        ):
            losses[name] = weight * soft_dice_loss(moved(shapes, motion), theirs, DiceConfig())
        return losses

    def _motion(self, features: Tensor, size: tuple[int, int]) -> Tensor:
        """Displacement that brings each plane of a batch of pairs onto its partner."""
        if len(features) % 2:
            raise InputError(f"co-learning needs pairs of phases, got {len(features)} planes")
        motion: Tensor = self.motion(features, _other(features), size)
        return motion


def _other(values: Tensor) -> Tensor:
    """The partner of each item of a batch of pairs, in its place."""
    return values.reshape(-1, 2, *values.shape[1:]).flip(1).reshape(values.shape)


def moved(
    planes: Float[Tensor, "batch channels height width"], motion: Float[Tensor, "batch 2 height width"]
) -> Float[Tensor, "batch channels height width"]:
    """Planes as they look where each pixel shows what lies `motion` away, (x, y) with sides of 2; edges repeat.

    Example:
        >>> planes = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])
        >>> one_pixel_right = torch.tensor([0.5, 0.0]).reshape(1, 2, 1, 1).expand(1, 2, 1, 4)
        >>> moved(planes, one_pixel_right).flatten().tolist()
        [2.0, 3.0, 4.0, 4.0]
    """
    height, width = motion.shape[-2:]
    y, x = ((2 * torch.arange(side, device=motion.device) + 1) / side - 1 for side in (height, width))
    rest = torch.stack(torch.meshgrid(x, y, indexing="xy"))
    where = (motion + rest).permute(0, 2, 3, 1)
    return nn.functional.grid_sample(planes, where, mode="bilinear", padding_mode="border", align_corners=False)


def correlation(
    one: Float[Tensor, "batch channels height width"], other: Float[Tensor, "batch channels height width"]
) -> Float[Tensor, ""]:
    """Mean over pixels of the squared correlation in a square of 9 pixels around each, 0..1; 0 where one is even.

    Source:
        Balakrishnan et al. 2019, IEEE TMI 38:1788, arXiv:1809.05231, equation 5.

    Example:
        >>> image = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
        >>> round(float(correlation(image, 5 - 2 * image)), 3)
        1.0
    """
    one, other = exact(one), exact(other)
    mean_one, mean_other = _local(one), _local(other)
    shared = _local(one * other) - mean_one * mean_other
    spread = (_local(one * one) - mean_one**2) * (_local(other * other) - mean_other**2)
    # An even neighbourhood correlates with nothing: 0 by the clamp, with a gradient that stays finite.
    return (shared**2 / spread.clamp(min=1e-5)).mean()


def _local(values: Tensor) -> Tensor:
    return nn.functional.avg_pool2d(values, NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2, count_include_pad=False)


def roughness(motion: Float[Tensor, "batch 2 height width"]) -> Float[Tensor, ""]:
    """Mean squared change of the displacement from pixel to pixel, both in pixels, over both axes.

    Example:
        >>> stretched = torch.linspace(-0.1, 0.1, 11).expand(1, 1, 1, 11)
        >>> round(float(roughness(torch.cat((stretched, 0 * stretched), dim=1).expand(1, 2, 11, 11))), 5)
        0.00303
    """
    height, width = motion.shape[-2:]
    pixels = motion * torch.tensor([width / 2, height / 2], device=motion.device).reshape(1, 2, 1, 1)
    steps = pixels.diff(dim=2).square().mean() + pixels.diff(dim=3).square().mean()
    return steps / 2


def clas(config: CLASConfig, spec: NetworkSpec) -> CLAS:
    """U-Net 1 that also learns the motion between two phases: 2.0 million parameters, as many in use as U-Net 1.

    Example:
        >>> network = clas(CLASConfig(), NetworkSpec(1, 4))
        >>> [sum(weights.numel() for weights in part.parameters()) for part in (network.segmenter, network.motion)]
        [1976644, 65218]

    Source:
        Wei et al. 2020, MICCAI, doi:10.1007/978-3-030-59713-9_60. Their network sees ten frames at once and
        also teaches the eight between by labels that motion carries there; the weights of the last two terms, the
        square of 9 pixels and the late start of the label terms follow the authors' published code.
    """
    return CLAS(config, spec.channels, spec.classes)
