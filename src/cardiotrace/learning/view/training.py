"""How the classifier of views learns: balanced draws of pictures, changed as other machines and hands would have them.

It is no `Objective` of the recipes: those learn from label maps, are scored by the overlap of pixels on each image's
own grid, and come from data sets that have them. Here a whole picture has one class, most pictures of many classes are
no view at all, and what counts is how often nothing is said. The augmentation is the same.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from cardiotrace.learning.augmentation import (
    AmplitudeExchange,
    Augmentation,
    BiasField,
    Draw,
    IntensityWindow,
    apply,
    sample,
)
from cardiotrace.learning.training.weights import follow
from cardiotrace.learning.view.network import ViewNetwork
from cardiotrace.preprocessing import Preprocessing

UPRIGHT = Augmentation(
    rotation_degrees=Draw(0.7, -18, 18),
    scale=Draw(0.8, 0.6, 1.4),
    shift=Draw(0.7, -0.15, 0.15),
    shear=Draw(0.4, -0.12, 0.12),
    low_resolution=Draw(0.25, 0.35, 0.9),
    blur_sigma=Draw(0.25, 0.3, 1.2),
    contrast=Draw(0.4, 0.6, 1.5),
    gamma=Draw(0.6, 0.45, 2.0),
    noise_sd=Draw(0.35, 0.0, 0.08),
    intensity_window=IntensityWindow(0.4, 4.0, 0.3),
    bias_field=BiasField(Draw(0.4, 0.1, 0.6)),
    # Styles of real and drawn pictures are exchanged, so that the view is not told from who made the picture.
    amplitude_exchange=AmplitudeExchange(Draw(0.3, 0.2, 1.0), 0.04),
    histogram_matching=Draw(0.5, 0.3, 1.0),
)
"""Of ultrasound: the probe is at the top, within the lean of a hand."""
TURNED = replace(UPRIGHT, rotation_degrees=Draw(0.8, -180, 180), scale=Draw(0.9, 0.7, 2.0))
"""Of all else: planes of MRI lie in the image as whoever planned them turned them."""
OVERLAY_SHARE = 0.4
"""Of the pictures of ultrasound, and half as many of the others, that a scanner has written on."""


@dataclass(frozen=True)
class ViewTraining:
    """How long, and with how many pictures at a time."""

    steps: int = 2500
    batch_size: int = 64
    learning_rate: float = 4e-3
    average: float = 0.99
    """Of the weights: the share that stays at each step."""
    label_smoothing: float = 0.02
    seed: int = 0


@dataclass(frozen=True)
class Lesson:
    """The pictures that are learned from, plane by plane.

    Args:
        planes: bytes, larger than what the network sees.
        kinds: class of each.
        sources: where each comes from.
        patients: whose each is.
        is_echo: whether each stands upright.
        overlays: what may be written on them, of the same size.
        emphasis: on each class.
    """

    planes: UInt8[np.ndarray, "planes rows columns"]
    kinds: Int[np.ndarray, " planes"]
    sources: Sequence[str]
    patients: Sequence[str]
    is_echo: Sequence[bool]
    overlays: UInt8[np.ndarray, "count rows columns"]
    emphasis: Sequence[float]

    def weights(self) -> Float[np.ndarray, " planes"]:
        """How often each plane is drawn.

        By the emphasis on its class; within a class each source by the root of its number of patients, and each of
        these alike.
        """
        weights = np.zeros(len(self.kinds))
        for kind in np.unique(self.kinds):
            of_class = np.flatnonzero(self.kinds == kind)
            by_source: dict[str, dict[str, list[int]]] = {}
            for index in of_class.tolist():
                by_source.setdefault(self.sources[index], {}).setdefault(self.patients[index], []).append(index)
            total = sum(len(patients) ** 0.5 for patients in by_source.values())
            for patients in by_source.values():
                for own in patients.values():
                    weights[own] = self.emphasis[kind] / total / len(patients) ** 0.5 / len(own)
        shares: Float[np.ndarray, " planes"] = weights / weights.sum()
        return shares


def train_view_network(
    lesson: Lesson,
    classes: int,
    preprocessing: Preprocessing,
    side: int,
    config: ViewTraining,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> ViewNetwork:
    """A trained network, in evaluation mode: the running mean of the weights on its way.

    Args:
        lesson: what to learn from.
        classes: none of the views, and each of them.
        preprocessing: whose steps on values are the network's.
        side: of what the network sees, pixels.
        config: how long.
        on_step: told of each step and its loss.
    """
    torch.manual_seed(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    network = ViewNetwork(classes).train()
    # A fifth faster on a CPU.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=config.steps, pct_start=0.2
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)
    weights = lesson.weights()
    for step in range(config.steps):
        chosen = rng.choice(len(weights), config.batch_size, p=weights)
        images, kinds = _batch(lesson, chosen, side, generator)
        images = preprocessing.normalise(images).contiguous(memory_format=torch.channels_last)
        loss = loss_of(network(images), kinds)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        follow(averaged.state_dict(), network.state_dict(), decay=config.average, step=step)
        on_step(step, float(loss.detach()))
    return averaged.eval()


def _batch(
    lesson: Lesson, chosen: Int[np.ndarray, " batch"], side: int, generator: torch.Generator
) -> tuple[Float[Tensor, "batch 1 side side"], Int[Tensor, " batch"]]:
    """Changed pictures in 0..1 with their classes; ultrasound first, which is changed by rules of its own."""
    upright = np.array([lesson.is_echo[index] for index in chosen])
    parts, kinds = [], []
    for is_echo, config, mirror in ((True, UPRIGHT, ("width",)), (False, TURNED, ("height", "width"))):
        own = chosen[upright == is_echo]
        if not len(own):
            continue
        planes = torch.from_numpy(lesson.planes[own]).unsqueeze(1).float() / 255
        _write_on(planes, lesson, OVERLAY_SHARE if is_echo else OVERLAY_SHARE / 2, generator)
        domains = [lesson.sources[index] for index in own]
        shape = planes.shape[2], planes.shape[3]
        drawn = sample(config, len(own), shape, generator, mirror_axes=mirror, domains=domains)
        blank = torch.zeros(len(own), *shape, dtype=torch.long)
        parts.append(apply(planes, blank, drawn, (side, side))[0])
        kinds.append(torch.from_numpy(lesson.kinds[own]).long())
    return torch.cat(parts), torch.cat(kinds)


def _write_on(planes: Tensor, lesson: Lesson, share: float, generator: torch.Generator) -> None:
    """Texts, scales and traces over some of the planes, in place."""
    written = torch.rand(len(planes), generator=generator) < share
    if written.any():
        which = torch.randint(len(lesson.overlays), (int(written.sum()),), generator=generator)
        over = torch.from_numpy(lesson.overlays[which.numpy()]).unsqueeze(1).float() / 255
        planes[written] = torch.maximum(planes[written], over)
