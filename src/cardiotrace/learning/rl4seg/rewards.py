"""What an answer is worth, pixel by pixel: the least of what the reward network, anatomy and landmarks say.

Each lies between 0 and 1 as it is and is never stretched over the image: of an answer that all of them find right,
every pixel is worth 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from cardiotrace.datasets.packed import PackedSample
from cardiotrace.learning.rl4seg.answer import Classes, PixelSize
from cardiotrace.learning.rl4seg.reward_network import Judge
from cardiotrace.learning.rl4seg.shapes import ShapeLimits, ValidShapes, annulus_reward

Outlines = Int64[Tensor, "batch height width"]
Rewards = Float[Tensor, "batch height width"]
CaseKey = tuple[str, str]
"""Patient and case: cases of two data sets may share a name."""


def case_key(sample: PackedSample) -> CaseKey:
    """Of the case that a sample is of."""
    return sample.patient, sample.case


@dataclass(frozen=True)
class Rewarder:
    """Judges answers.

    Args:
        judge: the reward network.
        shapes: what valid shapes are.
        limits: of where the annulus may lie.
        pixel_sizes: of the network's grid, by case.
        anatomy: whether criteria of anatomy count.
        landmarks: whether the mitral annulus counts.
    """

    judge: Judge
    shapes: ValidShapes
    limits: ShapeLimits
    pixel_sizes: Mapping[CaseKey, PixelSize | None]
    anatomy: bool = True
    landmarks: bool = True

    def rewards(
        self, images: Float[Tensor, "batch channels height width"], actions: Outlines, likeliest: Outlines,
        samples: Sequence[PackedSample],
    ) -> Rewards:  # fmt: skip
        """Of actions, each pixel between 0 and 1.

        Anatomy is asked about the likeliest answer: one that is drawn pixel by pixel is no shape. What it finds is said
        of the pixels whose action is the likeliest one; of all others the reward network alone speaks.

        Args:
            images: prepared.
            actions: class that was drawn for each pixel.
            likeliest: the most probable class of each.
            samples: what the images are.
        """
        learned = self.judge.rewards(images, actions)
        if not (self.anatomy or self.landmarks):
            return learned
        classes = likeliest.cpu().numpy().astype(np.uint8)
        shaped = [self._of_shape(one, self.pixel_sizes[case_key(of)]) for one, of in zip(classes, samples, strict=True)]
        of_shape = torch.from_numpy(np.stack(shaped)).to(learned)
        return torch.minimum(learned, torch.where(actions == likeliest, of_shape, torch.ones_like(of_shape)))

    def _of_shape(self, classes: Classes, pixel_mm: PixelSize | None) -> Float[np.ndarray, "height width"]:
        reward = np.ones(classes.shape)
        if self.anatomy:
            reward = self.shapes.anatomy.reward(classes, pixel_mm)
        if self.landmarks and self.shapes.anatomy.has_annulus and classes.any():
            shift = self.shapes.annulus_shift(classes, pixel_mm)
            shape = (classes.shape[0], classes.shape[1])
            reward = np.minimum(reward, annulus_reward(shift, self.limits, shape, pixel_mm))
        return reward
