"""From packed samples to the batches that a network sees; every random number follows from (seed, epoch, step)."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64

from cardiotrace.core.errors import InputError
from cardiotrace.datasets.packed import IGNORED, PackedDataset, PackedSample
from cardiotrace.geometry.sector import Apex
from cardiotrace.learning.augmentation import Augmentation, Parameters, apply, sample, with_shared_geometry
from cardiotrace.learning.augmentation.sector import find_sectors
from cardiotrace.learning.models.network import Group
from cardiotrace.learning.training.balance import Balance, balanced_order
from cardiotrace.learning.training.grouping import domain_of, units_of
from cardiotrace.learning.training.window import Windows, around, draw_boxes, draw_windows, surroundings
from cardiotrace.learning.transfer import sent
from cardiotrace.preprocessing import NeighboursOf, Preprocessing

Images = Float[torch.Tensor, "batch channels *space"]
Labels = Int64[torch.Tensor, "batch *space"]

_ORDER, _AUGMENTATION, _WINDOWS, _DIRECTION, _UNLABELLED = 1, 2, 3, 4, 5
"""First word of a seed: the order of samples, the changes to them, their windows, the direction of their stacks and who
comes beside them without labels must not draw the same numbers."""


@dataclass(frozen=True)
class TrainingNeeds:
    """What a training wants of its samples; validation wants their neighbours alone."""

    group: Group | None = None
    """Which samples stay beside each other; by default each is alone."""
    apex: Apex | None = None
    """How sectors are found, where augmentation is to change them."""
    neighbours: int = 0
    """Planes on each side of a plane that are seen as channels before and after its own."""
    neighbours_of: NeighboursOf = "slices"
    """What those are."""
    depth: int = 1
    """Slices that volumes have at least; what is missing follows the last one, black and `IGNORED`."""


class DeviceDataset:
    """Samples of one part of a split, resident on the device as stored (bytes), made ready batch by batch.

    Args:
        packed: the cache.
        indices: samples of this part.
        preprocessing: for its intensity steps, which see a volume as a whole, as in use.
        device: where batches are wanted.
        needs: of training.

    Raises:
        InputError: neighbours of samples that are volumes or in colour, or whose slices are not all there.
    """

    def __init__(
        self,
        packed: PackedDataset,
        indices: np.ndarray,
        preprocessing: Preprocessing,
        device: torch.device,
        needs: TrainingNeeds = TrainingNeeds(),
    ) -> None:
        self.neighbours = needs.neighbours
        held, slices = _with_neighbours(packed, indices, needs)
        self.has_direction = needs.neighbours_of == "frames"
        """Whether it means something which neighbour comes first: a beat never runs backwards."""
        images, labels = np.asarray(packed.images[held]), np.asarray(packed.labels[indices])
        images, labels = filled_up(images, labels, needs.depth)
        self.largest = float(np.iinfo(images.dtype).max)
        # torch has few operations on uint16: those images are kept as float32.
        kept = images if images.dtype == np.uint8 else images.astype(np.float32)
        self.images = torch.from_numpy(kept).to(device)
        """Of the samples, then of slices that are only seen beside some of them."""
        self.slices = None if slices is None else slices.to(device)
        """Which images each sample is seen as, (samples, slices); None where each is seen alone."""
        self.labels = torch.from_numpy(labels).to(device)
        self.has_unseen = bool((labels.min(axis=(-2, -1), initial=IGNORED) == IGNORED).any())
        """Whether some planes are `IGNORED` all over: without labels, or beyond the ends of a stack."""
        self.preprocessing = preprocessing
        self.samples = tuple(packed.samples[index] for index in indices.tolist())
        """What each sample is."""
        stored = packed.images.shape[2]  # of volumes; planes have no slices
        self.own_slices = tuple(stored if sample.slices is None else sample.slices for sample in self.samples)
        """How many slices of each volume are its stack's own, all that follow fill it up."""
        self.units = units_of(self.samples, needs.group)
        """Samples that stay together, (units, members)."""
        self.sectors = None if needs.apex is None else find_sectors(images[: len(indices)], needs.apex)

    def __len__(self) -> int:
        return len(self.labels)

    def unit(self, picked: torch.Tensor) -> tuple[Images, Labels]:
        """Images in unit range and labels of the picked samples."""
        places = sent(picked, self.images.device)
        images = self.images[places] if self.slices is None else self.images[self.slices[places]].flatten(1, 2)
        return images.float() / self.largest, self.labels[places].long()

    def unit_windows(self, picked: torch.Tensor, windows: Windows) -> tuple[Images, Labels]:
        """Images in unit range and labels of windows of the picked samples."""
        cuts = [
            (index, *(slice(start, start + side) for start, side in zip(first, windows.shape, strict=True)))
            for index, first in zip(picked.tolist(), windows.first.tolist(), strict=True)
        ]
        if self.slices is None:
            cut_out = [self.images[(index, slice(None), *space)] for index, *space in cuts]
        else:
            cut_out = [self.images[(self.slices[index], slice(None), *space)].flatten(0, 1) for index, *space in cuts]
        images = torch.stack(cut_out)
        return images.float() / self.largest, torch.stack([self.labels[cut] for cut in cuts]).long()

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width of the samples, after the depth where they are volumes."""
        return tuple(self.images.shape[2:])

    @property
    def are_volumes(self) -> bool:
        """Whether samples have a depth."""
        return len(self.shape) == 3

    def normalise(self, images: Images, slices: Sequence[int] = ()) -> Images:
        """Intensity steps of the preprocessing.

        Args:
            images: planes, or volumes.
            slices: how many of each volume's slices are its stack's own: all that follow become 0, and the steps do
                not see them.
        """
        if not self.are_volumes:
            return self.preprocessing.normalise(images)
        result = torch.zeros_like(images)
        for volume, image, own in zip(result, images, slices, strict=True):
            volume[:, :own] = self.preprocessing.normalise(image[:, :own], dimensions=3)
        return result

    def slices_of(self, picked: torch.Tensor, windows: Windows | None = None) -> list[int]:
        """How many slices of the picked samples, or of windows of them, are of their stacks; none of planes."""
        if not self.are_volumes:
            return []
        own = [self.own_slices[index] for index in picked.tolist()]
        if windows is None:
            return own
        starts = windows.first[:, 0].tolist()
        return [min(count - start, windows.shape[0]) for count, start in zip(own, starts, strict=True)]

    def own_shape(self, index: int, crop: tuple[int, ...]) -> tuple[int, ...]:
        """Sides of a sample as far as a window of sides `crop` may show what fills a volume up."""
        return (max(self.own_slices[index], crop[0]), *self.shape[1:]) if self.are_volumes else self.shape

    def foreground_pixel(self, index: int, generator: torch.Generator) -> torch.Tensor | None:
        """A random pixel of a random structure of a sample, on the CPU; None where it shows none."""
        labels = self.labels[index]
        present = [value for value in torch.unique(labels).tolist() if value not in (0, IGNORED)]
        draws = torch.rand(2, generator=generator).tolist()
        if not present:
            return None
        pixels = torch.nonzero(labels == present[int(draws[0] * len(present))])
        return pixels[int(draws[1] * len(pixels))].cpu()


def filled_up(images: np.ndarray, labels: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Volumes of at least so many slices: black ones that are `IGNORED` after the last; planes as they are.

    Args:
        images: (samples, channels, *space).
        labels: (samples, *space).
        depth: slices.
    """
    missing = depth - labels.shape[1] if labels.ndim == 4 else 0
    if missing <= 0:
        return images, labels
    flat = ((0, 0), (0, 0))
    return (
        np.pad(images, ((0, 0), (0, 0), (0, missing), *flat)),
        np.pad(labels, ((0, 0), (0, missing), *flat), constant_values=IGNORED),
    )


def _with_neighbours(
    packed: PackedDataset, indices: np.ndarray, needs: TrainingNeeds
) -> tuple[np.ndarray, torch.Tensor | None]:
    """What to hold of a cache, the samples themselves first, and which of that each sample is seen as."""
    if not needs.neighbours:
        return indices, None
    around = packed.indices_around(indices, needs.neighbours, needs.neighbours_of)
    # Of one image alone the neighbours are not among the samples.
    held = np.concatenate([indices, np.setdiff1d(around, indices)])
    place = np.zeros(len(packed), np.int64)
    place[held] = np.arange(len(held))
    return held, torch.from_numpy(place[around])


@dataclass(frozen=True)
class TrainingBatch:
    """What one process learns from in one step."""

    images: Images
    labels: Labels
    """`IGNORED` at every pixel of a sample without a reference."""
    samples: tuple[PackedSample, ...]
    """What each of them is."""
    weight: float = 1.0
    """Factor on the loss; makes the mean over processes that of all samples, also where shares are unequal."""
    cases: tuple[str, ...] = ()
    """Names of the cases that the samples of all processes are of."""

    @property
    def is_labelled(self) -> Bool[torch.Tensor, " batch"]:
        """Which samples have a reference."""
        return torch.tensor([one.is_labelled for one in self.samples], device=self.labels.device)

    def groups(self, key: str) -> tuple[str, ...]:
        """Group of each sample under a key, such as "vendor" or "centre"; empty where it is not known."""
        return tuple(one.groups.get(key, "") for one in self.samples)


@dataclass(frozen=True)
class TrainingOrder:
    """Which samples meet in which step, and with which augmentation.

    Under several processes every process walks the same order and takes its own share of each batch; a sample
    is augmented alike whoever gets it (noise excepted). The slices of a volume are changed alike, in plane.
    """

    seed: int
    batch_size: int
    augmentation: Augmentation
    mirror_axes: tuple[str, ...]
    rank: int = 0
    world: int = 1
    steps: int | None = None
    """Steps of an epoch; None passes over the samples once."""
    crop: tuple[int, ...] | None = None
    """Sides of the window of each sample that is learned from; None: the whole sample."""
    balance: Balance | None = None
    """Shares in which groups are drawn; None shows every sample alike."""
    foreground: float = 0.0
    """Share of a batch, its last units, whose window is laid around a pixel of a structure."""
    unlabelled: int = 0
    """Samples without a reference that stand in each batch behind the labelled ones, drawn pass after pass; an epoch
    then passes over the labelled ones. With 0 all samples are passed over alike."""

    def steps_per_epoch(self, samples: int) -> int:
        """The given number, or the whole batches of one pass; at least one."""
        # The rest that fills no batch waits for another epoch's order: two samples would pull as hard as thirty.
        return self.steps or max(1, samples // self.batch_size)

    def passed_over(self, dataset: DeviceDataset) -> int:
        """Samples that an epoch passes over: all, or those with labels where others come beside them."""
        return self._passed(dataset).numel() * dataset.units.shape[1]

    def _passed(self, dataset: DeviceDataset) -> torch.Tensor:
        units = torch.arange(len(dataset.units))
        return units[_labelled_units(dataset)] if self.unlabelled else units

    def _beside(self, dataset: DeviceDataset, steps: int, epoch: int) -> Int64[torch.Tensor, "steps units"]:
        """Units without labels, those of each step; none where none are asked for or there."""
        waiting = torch.nonzero(~_labelled_units(dataset)).flatten() if self.unlabelled else torch.arange(0)
        if not len(waiting):
            return waiting.reshape(1, 0).expand(steps, 0)
        generator, count = _generator(_UNLABELLED, self.seed, epoch), max(1, self.unlabelled // dataset.units.shape[1])
        passes = math.ceil(steps * count / len(waiting))
        drawn = torch.cat([waiting[torch.randperm(len(waiting), generator=generator)] for _ in range(passes)])
        return drawn[: steps * count].reshape(steps, count)

    def batches(self, dataset: DeviceDataset, epoch: int) -> Iterator[TrainingBatch]:
        """This process's share of the batches of one epoch (from 0), augmented and normalised.

        Raises:
            InputError: samples are planes with their neighbours, and augmentation is to change colours.
        """
        self._require_changeable(dataset)
        members = dataset.units.shape[1]
        per_step = max(1, self.batch_size // members)
        passed, steps = self._passed(dataset), self.steps_per_epoch(self.passed_over(dataset))
        order = passed[self._order(dataset, passed, per_step, epoch)]
        beside = self._beside(dataset, steps, epoch)
        for step in range(steps):
            units = dataset.units[torch.cat([order[step * per_step : (step + 1) * per_step], beside[step]])]
            mine = self._share(*units.shape)
            images, labels, slices = self._changed(dataset, units, mine, (epoch, step))
            if (dataset.neighbours and not dataset.has_direction) or dataset.are_volumes:
                is_turned = self._turned(units, mine, (epoch, step))
                images, labels = _other_way_round(images, labels, slices, is_turned.to(images.device))
            # Each process takes the mean over its own: weighed by their number, the mean over processes is that over
            # samples.
            weight = len(range(len(units))[self.rank :: self.world]) * self.world / len(units)
            cases = dict.fromkeys(dataset.samples[index].case for index in units.flatten().tolist())
            samples = tuple(dataset.samples[index] for index in units.flatten()[mine].tolist())
            yield TrainingBatch(dataset.normalise(images, slices), labels, samples, weight, tuple(cases))

    def _require_changeable(self, dataset: DeviceDataset) -> None:
        # The channels are planes then, which are not red, green and blue even where they are three.
        if dataset.neighbours and self.augmentation.changes_colours:
            raise InputError("neighbouring planes have no colours to change", remedy="leave out changes of colour.")

    def _turned(self, units: torch.Tensor, mine: torch.Tensor, when: tuple[int, int]) -> Bool[torch.Tensor, " batch"]:
        """Which half of the stacks is seen the other way round, as drawn for (epoch, step); samples of a unit alike."""
        # Some files run from base to apex, others back: which slice comes first must mean nothing to the network.
        generator = _generator(_DIRECTION, self.seed, *when)
        return (torch.rand(len(units), generator=generator) < 0.5).repeat_interleave(units.shape[1])[mine]

    def _order(self, dataset: DeviceDataset, passed: torch.Tensor, batch: int, epoch: int) -> torch.Tensor:
        """Places in `passed` in order of use: one pass, or pass after pass until the given steps have enough."""
        generator, count = _generator(_ORDER, self.seed, epoch), len(passed)
        if self.balance is not None:
            leading = dataset.units[passed, 0].tolist()
            groups = [dataset.samples[index].groups[self.balance.key] for index in leading]
            return balanced_order(groups, count if self.steps is None else self.steps * batch, self.balance, generator)
        passes = 1 if self.steps is None else math.ceil(self.steps * batch / count)
        return torch.cat([torch.randperm(count, generator=generator) for _ in range(passes)])

    def _changed(
        self, dataset: DeviceDataset, units: torch.Tensor, mine: torch.Tensor, when: tuple[int, int]
    ) -> tuple[Images, Labels, list[int]]:
        """Images, labels and own slices of this process's share of some units, cut and augmented for (epoch, step)."""
        picked = units.flatten()[mine]
        if self.crop is None:
            images, labels = dataset.unit(picked)
            parameters = self._parameters(dataset, units, dataset.shape[-2:], when)
            changes, sides = self._share_of(parameters, mine), dataset.shape[-2:]
            changed = _applied(images, labels, changes, sides, has_unseen=dataset.has_unseen)
            return *changed, dataset.slices_of(picked)
        windows = self._windows(dataset, units, self.crop, _generator(_WINDOWS, self.seed, *when))
        windows = Windows(windows.first.repeat_interleave(units.shape[1], dim=0), windows.shape)
        # For the whole batch before it is shared, so that no process rounds otherwise than another.
        parameters = self._parameters(dataset, units, self.crop[-2:], when)
        windows, parameters = _seen(windows, dataset.shape, parameters)
        own = Windows(windows.first[mine], windows.shape)
        images, labels = dataset.unit_windows(picked, own)
        changes = self._share_of(parameters, mine)
        changed = _applied(images, labels, changes, self.crop[-2:], has_unseen=dataset.has_unseen)
        return *changed, dataset.slices_of(picked, own)

    def _windows(
        self, dataset: DeviceDataset, units: torch.Tensor, crop: tuple[int, ...], generator: torch.Generator
    ) -> Windows:
        """The window of each unit; the last of a batch show a structure of their first member."""
        # Members are phases of one slice or stack: the first speaks for all.
        leading = units[:, 0].tolist()
        if dataset.are_volumes:
            windows = draw_boxes([dataset.own_slices[index] for index in leading], dataset.shape, crop, generator)
        else:
            windows = draw_windows(len(units), dataset.shape, crop, generator)
        first = windows.first.clone()
        for row in range(round(len(units) * (1 - self.foreground)), len(units)):
            pixel = dataset.foreground_pixel(leading[row], generator)
            if pixel is not None:
                first[row] = around(pixel, dataset.own_shape(leading[row], crop), crop)
        return Windows(first, windows.shape)

    def _parameters(
        self, dataset: DeviceDataset, units: torch.Tensor, shape: tuple[int, ...], when: tuple[int, int]
    ) -> Parameters:
        """The drawn changes of all samples of some units, of whatever process they are."""
        generator = _generator(_AUGMENTATION, self.seed, *when)
        sectors = None if dataset.sectors is None else dataset.sectors[units.flatten()]
        height, width = shape
        parameters = sample(
            self.augmentation,
            units.numel(),
            (height, width),
            generator,
            mirror_axes=self.mirror_axes,
            sectors=sectors,
            domains=[domain_of(dataset.samples[index]) for index in units.flatten().tolist()],
        )
        return with_shared_geometry(parameters, units.shape[1])

    def _share(self, units: int, members: int) -> torch.Tensor:
        """Places in the batch of the samples of this process: whole units."""
        # Processes wait for each other in every step: one that gets no unit takes the first, at weight 0.
        mine = slice(self.rank, None, self.world) if self.rank < units else slice(0, 1)
        return torch.arange(units * members).reshape(units, members)[mine].flatten()

    def _share_of(self, parameters: Parameters, mine: torch.Tensor) -> Parameters:
        if self.world == 1:
            return parameters
        return dataclasses.replace(_rows(parameters, mine), noise_seed=parameters.noise_seed + self.rank)


def _labelled_units(dataset: DeviceDataset) -> Bool[torch.Tensor, " units"]:
    """Which units have a sample with a reference."""
    labelled = torch.tensor([sample.is_labelled for sample in dataset.samples])
    return labelled[dataset.units].any(dim=1)


def _rows(parameters: Parameters, rows: torch.Tensor) -> Parameters:
    """The changes of some images, each as often as it is named."""
    named = {item.name: getattr(parameters, item.name) for item in dataclasses.fields(parameters)}
    chosen: dict[str, Any] = {name: value[rows] for name, value in named.items() if isinstance(value, torch.Tensor)}
    return dataclasses.replace(parameters, **chosen)


def _seen(windows: Windows, shape: tuple[int, ...], parameters: Parameters) -> tuple[Windows, Parameters]:
    """What augmented windows look at of samples of a shape, and the same change seen from there; in plane alone."""
    planes = Windows(windows.first[:, -2:], windows.shape[-2:])
    larger, seen = surroundings(planes, shape[-2:], parameters)
    first = torch.cat([windows.first[:, :-2], larger.first], dim=1)
    return Windows(first, (*windows.shape[:-2], *larger.shape)), seen


def _applied(
    images: torch.Tensor, labels: torch.Tensor, parameters: Parameters, shape: tuple[int, ...], *, has_unseen: bool
) -> tuple[Images, Labels]:
    """Images and labels after the changes of a record, at another height and width; volumes slice by slice alike.

    With `has_unseen`, planes that are all `IGNORED` stay so.
    """
    height, width = shape
    if images.ndim == 4:
        changed, moved = apply(images, labels, parameters, (height, width))
    else:
        depth = images.shape[2]
        planes, rows = images.transpose(1, 2).flatten(0, 1), torch.arange(len(images)).repeat_interleave(depth)
        changed, moved = apply(planes, labels.flatten(0, 1), _rows(parameters, rows), (height, width))
        changed = changed.reshape(-1, depth, *changed.shape[1:]).transpose(1, 2)
        moved = moved.reshape(-1, depth, height, width)
    if has_unseen:
        # Of what nobody has seen or labelled there is no background either, wherever the change looks beyond the image.
        unseen = (labels == IGNORED).flatten(-2).all(dim=-1)
        moved = moved.masked_fill(unseen[..., None, None], IGNORED)
    return changed, moved


def _other_way_round(
    images: Images, labels: Labels, slices: Sequence[int], is_turned: Bool[torch.Tensor, " batch"]
) -> tuple[Images, Labels]:
    """Some samples with their slices in reverse: neighbours as channels, or the own slices of volumes."""
    if images.ndim == 4:
        return torch.where(is_turned[:, None, None, None], images.flip(1), images), labels
    images, labels = images.clone(), labels.clone()
    for row in torch.nonzero(is_turned).flatten().tolist():
        own = slices[row]
        images[row, :, :own] = images[row, :, :own].flip(1)
        labels[row, :own] = labels[row, :own].flip(0)
    return images, labels


def _generator(*words: int) -> torch.Generator:
    """A generator seeded by several integers, well mixed."""
    state = np.random.SeedSequence(words).generate_state(2)
    # 63 bits of the 64: a seed has no sign.
    return torch.Generator().manual_seed(int(state[0]) << 31 | int(state[1]) >> 1)
