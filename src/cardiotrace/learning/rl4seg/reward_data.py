"""What a reward network learns from: images with outlines, and where these are wrong, made without any label.

Of each image the policy's answer is looked at, mended: without stray pixels and holes. Where that is valid, and the
autoencoder of valid shapes draws it as it is, it is taken for right: a pseudo-label, of which wrong outlines are made.
Where it is not, and a valid shape is near, that one is taken for right. The answer as it was is wrong where it differs
from what is taken for right. All others are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import nn

from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.datasets.packed import PackedDataset, PackedSample, write_packed
from cardiotrace.learning.rl4seg.answer import Classes, PixelSize
from cardiotrace.learning.rl4seg.distortion import Distorter
from cardiotrace.learning.rl4seg.reward_network import encoded
from cardiotrace.learning.rl4seg.shapes import ShapeLimits, ValidShapes
from cardiotrace.learning.training.adaptation.rl4seg import Distortions
from cardiotrace.learning.training.device_dataset import DeviceDataset

_BATCH = 16


@dataclass(frozen=True)
class Answers:
    """What a policy says of some images."""

    likeliest: UInt8[np.ndarray, "images height width"]
    """Class of every pixel."""
    drawn: UInt8[np.ndarray, "images height width"]
    """One drawn by its probability."""


def answers_of(policy: nn.Module, images: DeviceDataset, generator: torch.Generator) -> Answers:
    """Ask a policy about all images.

    Args:
        policy: put into evaluation mode.
        images: without labels, or with labels that are not looked at.
        generator: of the draws, on the CPU.
    """
    policy.eval()
    likeliest, drawn = [], []
    for picked in _batches(len(images)):
        with torch.inference_mode():
            probabilities = policy(images.normalise(images.unit(picked)[0])).softmax(dim=1).cpu()
        likeliest.append(probabilities.argmax(dim=1).to(torch.uint8).numpy())
        shares = probabilities.cumsum(dim=1)
        level = torch.rand(probabilities[:, :1].shape, generator=generator)
        # The first class whose cumulated share is above the level; rounding may leave the last below it.
        found = (shares <= level).sum(dim=1).clamp(max=probabilities.shape[1] - 1)
        drawn.append(found.to(torch.uint8).numpy())
    return Answers(np.concatenate(likeliest), np.concatenate(drawn))


@dataclass(frozen=True)
class Sorted:
    """Answers of a policy, by what may be taken for right."""

    accepted: Mapping[int, Classes]
    """Pseudo-labels, by number of the image."""
    corrected: Mapping[int, Classes]
    """The nearest valid map of answers that are not valid."""
    count: int
    """Of images."""

    def told(self) -> str:
        """In words.

        Example:
            >>> empty = np.zeros((2, 2), np.uint8)
            >>> Sorted({0: empty, 2: empty}, {1: empty}, 5).told()
            'of 5 answers 2 taken as pseudo-labels, 1 corrected, 2 left out'
        """
        left = self.count - len(self.accepted) - len(self.corrected)
        taken = f"{len(self.accepted)} taken as pseudo-labels, {len(self.corrected)} corrected, {left} left out"
        return f"of {self.count} answers {taken}"


def sort_answers(
    answers: Answers,
    shapes: ValidShapes,
    limits: ShapeLimits,
    pixel_sizes: Sequence[PixelSize | None],
    on_progress: OnProgress | None = None,
) -> Sorted:
    """Which answers may be taken for right, and what others are corrected to.

    Args:
        answers: of a policy.
        shapes: what valid shapes are.
        limits: how well a pseudo-label must be drawn.
        pixel_sizes: of the network's grid, for each image.
        on_progress: called with (done, total) images.
    """
    accepted, corrected = {}, {}
    for index in counted(range(len(pixel_sizes)), on_progress):
        answer, size = shapes.anatomy.mended(answers.likeliest[index]), pixel_sizes[index]
        if shapes.anatomy.is_valid(answer, size):
            if shapes.agreement(answer, size) >= limits.agreement:
                accepted[index] = answer
            continue
        nearest = shapes.corrected(answer, size)
        # The corrector's own limits are those that it was made with: what they let pass need not be valid here.
        if nearest is not None and shapes.anatomy.is_valid(nearest, size):
            corrected[index] = nearest
    return Sorted(accepted, corrected, len(pixel_sizes))


@dataclass(frozen=True)
class RewardPair:
    """An outline of an image, and what is taken for right there."""

    image: int
    way: str
    """How the outline was made."""
    outline: Classes
    right: Classes


def reward_pairs(
    policy: nn.Module,
    images: DeviceDataset,
    answers: Answers,
    found: Sorted,
    distortions: Distortions,
    generator: torch.Generator,
) -> Iterator[RewardPair]:
    """What a reward network learns from: right outlines as they are, and wrong ones of all ways.

    Args:
        policy: that gave the answers.
        images: the same.
        answers: as they were.
        found: which of them are right.
        distortions: how wrong outlines are made.
        generator: of all random numbers, on the CPU.
    """
    for index, right in found.corrected.items():
        yield RewardPair(index, "corrected", right, right)
        yield RewardPair(index, "answer", answers.likeliest[index], right)
        yield RewardPair(index, "drawn", answers.drawn[index], right)
    accepted = list(found.accepted)
    distorter = Distorter(policy, images.normalise, distortions, generator)
    for start in range(0, len(accepted), _BATCH):
        some = accepted[start : start + _BATCH]
        right = np.stack([found.accepted[index] for index in some])
        for index, each in zip(some, right, strict=True):
            yield RewardPair(index, "accepted", each, each)
            # Where it was mended the answer is wrong.
            if (answers.likeliest[index] != each).any():
                yield RewardPair(index, "answer", answers.likeliest[index], each)
        units = images.unit(torch.tensor(some))[0]
        for way, outlines in distorter.outlines(units, torch.from_numpy(right.astype(np.int64)).to(units.device)):
            for index, outline, each in zip(some, outlines.cpu().numpy().astype(np.uint8), right, strict=True):
                # What came out right all over says what the pseudo-label says already.
                if (outline != each).any():
                    yield RewardPair(index, way, outline, each)


def write_reward_data(folder: Path, packed: PackedDataset, indices: Sequence[int], pairs: Sequence[RewardPair]) -> None:
    """Keep pairs as a packed cache whose labels are `encoded`; the folder is complete or not there.

    Args:
        folder: of the cache.
        packed: holds the images, with all channels that a network sees.
        indices: of the images in there.
        pairs: at least one.

    Raises:
        WorkError: the folder cannot be written.
    """
    places = [indices[pair.image] for pair in pairs]
    images = np.asarray(packed.images[places])
    codes = encoded(
        np.stack([pair.outline for pair in pairs]), np.stack([pair.outline != pair.right for pair in pairs])
    )
    numbered = enumerate(zip(places, pairs, strict=True))
    samples = [_sample(packed.samples[place], number, pair.way) for number, (place, pair) in numbered]
    write_packed(folder, images, codes, samples)


def _sample(of: PackedSample, number: int, way: str) -> PackedSample:
    """Each outline is a case of its own: several of one image are told apart."""
    return replace(of, case=f"{of.case} ({way}, {number})", is_labelled=True, structures=())


def together(parts: Sequence[PackedDataset]) -> PackedDataset:
    """Several caches of equal samples as one, in memory."""
    first = parts[0]
    if len(parts) == 1:
        return first
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    return PackedDataset(first.folder, images, labels, tuple(sample for part in parts for sample in part.samples))


def _batches(count: int) -> Iterator[torch.Tensor]:
    everything = torch.arange(count)
    return (everything[start : start + _BATCH] for start in range(0, count, _BATCH))
