"""Domains: which images labels are learned from, which are seen without, and who must never be among either."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.text import some
from cardiotrace.datasets.packed import IGNORED, PackedDataset
from cardiotrace.datasets.split import Split
from cardiotrace.inference.spec import AdaptationSpec, TargetSpec

VIEW = "view"
"""The domain key that every image has: its anatomical plane, which is no group."""


class _Grouped(Protocol):
    """A case, or a prepared sample of one."""

    @property
    def groups(self) -> Mapping[str, str]: ...

    @property
    def view(self) -> str: ...


@dataclass(frozen=True)
class Adaptation:
    """Which domain is learned from, which is to be served, and how: the table `[adaptation]` of a recipe.

    References of the targets are taken away before anything is learned, chosen or stopped
    by. Those of testing patients are looked at once, when the finished model is scored.
    """

    targets: tuple[str, ...]
    """Domains that the model is to serve, such as ["sunnybrook"]: their images are seen without labels."""
    method: Choice = field(default_factory=lambda: Choice("none"))
    """How; `cardiotrace adapt METHOD` takes the place of its name."""
    domain: str = "dataset"
    """Group key that says which domain an image is of: vendor, centre, quality, dataset (of a joined one), or view."""
    source: tuple[str, ...] = ()
    """Domains whose labels are learned from; by default all that are no targets. Who is of neither is left out."""
    target_labels: bool = False
    """Learn from the targets' labels as well: the upper bound that adaptation is compared with."""
    targets_testing: tuple[str, ...] = ()
    """Patients who are kept apart whatever the split says: one that learns from them, with labels or without, is
    refused."""
    unlabelled_share: float = 0.25
    """Images of the targets that stand in each batch beside `training.batch_size` labelled ones, as a share of those;
    an epoch is a pass over the labelled ones."""

    def __post_init__(self) -> None:
        if not self.targets:
            raise ConfigError("adaptation.targets names nobody: say which domains the model is to serve")
        if both := sorted({*self.source} & {*self.targets}):
            raise ConfigError(f"adaptation: {some(both)} is source and target at once", remedy="leave it out of one.")
        if not 0 < self.unlabelled_share <= 8:
            raise ConfigError(f"adaptation.unlabelled_share must be above 0 and at most 8, got {self.unlabelled_share}")

    def domain_of(self, image: _Grouped) -> str:
        """The domain of a case or a sample; empty where it is not known."""
        if self.domain == VIEW:
            return str(image.view)
        return image.groups.get(self.domain, "")

    def is_target(self, image: _Grouped) -> bool:
        """Whether its domain is to be served."""
        return self.domain_of(image) in self.targets

    def is_source(self, image: _Grouped) -> bool:
        """Whether its label may teach: of what is known, whatever is no target where no source is named."""
        domain = self.domain_of(image)
        return domain in self.source if self.source else bool(domain) and domain not in self.targets

    def teaches(self, image: _Grouped) -> bool:
        """Whether its label may be learned from, and chosen by."""
        return self.is_source(image) or (self.target_labels and self.is_target(image))

    def unlabelled_in(self, batch_size: int) -> int:
        """Images of the targets beside a batch of so many labelled ones, at least one."""
        return max(1, round(self.unlabelled_share * batch_size))


def adapted_split(split: Split, cases: Sequence[Case], adaptation: Adaptation) -> Split:
    """The split as an adaptation may use it: nothing is chosen by a label of a target, nobody who is tested is seen.

    Patients of the targets alone who would validate are learned from without labels. Who is of no domain that is asked
    for is in no part.

    Args:
        split: of the recipe.
        cases: of the data set.
        adaptation: the domains.

    Raises:
        InputError: a domain is not there, a part lacks who it needs, or the split learns from `targets_testing`.
    """
    _require_domains(cases, adaptation)
    learned = {*split.training, *split.validation}
    if leaked := sorted(learned & {*adaptation.targets_testing}):
        raise InputError(
            f"{some(leaked)} would be learned from and is kept apart for testing ({len(leaked)} patients)",
            remedy="take them out of the split's training and validation parts, or out of adaptation.targets_testing.",
        )
    source = {case.patient for case in cases if adaptation.is_source(case)}
    target = {case.patient for case in cases if adaptation.is_target(case)}
    choosing = source | (target if adaptation.target_labels else set())
    moved = [name for name in split.validation if name not in choosing and name in target]
    adapted = replace(
        split,
        training=tuple(name for name in (*split.training, *moved) if name in source | target),
        validation=tuple(name for name in split.validation if name in choosing),
        testing=tuple(name for name in split.testing if name in source | target),
        drawn=(),
    )
    _require_parts(adapted, source, target, adaptation)
    return adapted


def _require_domains(cases: Sequence[Case], adaptation: Adaptation) -> None:
    known = sorted({adaptation.domain_of(case) for case in cases} - {""})
    keys = sorted({*(key for case in cases for key in case.groups), VIEW} - {"patient"})
    if not known:
        raise InputError(f"no image states its {adaptation.domain!r}", remedy=f"choose from: {', '.join(keys)}.")
    if missing := [name for name in (*adaptation.source, *adaptation.targets) if name not in known]:
        raise InputError(f"no image has {adaptation.domain} {missing[0]!r}", remedy=f"choose from: {', '.join(known)}.")
    if not any(adaptation.is_source(case) for case in cases):
        raise InputError(
            f"all images have {adaptation.domain} {some(adaptation.targets)}: no domain is left to learn from",
            remedy="join a data set with labels, or choose another adaptation.domain.",
        )


def _require_parts(split: Split, source: set[str], target: set[str], adaptation: Adaptation) -> None:
    named = some(adaptation.targets)
    if not source & {*split.training}:
        raise InputError(f"no patient of the training part is of another {adaptation.domain} than {named}")
    if not target & {*split.training}:
        raise InputError(
            f"no patient of {named} is there to be seen without labels: all {len(target)} are tested on",
            remedy="choose a split that has some in its training part, such as split = 'k-fold'.",
        )


def without_target_labels(packed: PackedDataset, adaptation: Adaptation) -> PackedDataset:
    """The samples without the references of the targets, whoever asks for them; unless those are to be learned from."""
    if adaptation.target_labels:
        return packed
    taken = np.flatnonzero([adaptation.is_target(sample) and sample.is_labelled for sample in packed.samples])
    labels, samples = np.array(packed.labels), list(packed.samples)
    labels[taken] = IGNORED
    for index in taken.tolist():
        samples[index] = replace(samples[index], is_labelled=False)
    return replace(packed, labels=labels, samples=tuple(samples))


def learned_from(
    packed: PackedDataset, indices: NDArray[np.int64], adaptation: Adaptation, *, with_unlabelled: bool
) -> NDArray[np.int64]:
    """Of some samples those that teach: labelled ones of source and targets, and of the targets those without labels.

    Args:
        packed: without the references that are taken away.
        indices: of some samples.
        adaptation: the domains.
        with_unlabelled: whether anything is learned from images without labels.
    """
    samples = [packed.samples[index] for index in indices.tolist()]
    wanted = [
        adaptation.teaches(one) if one.is_labelled else with_unlabelled and adaptation.is_target(one) for one in samples
    ]
    return indices[np.array(wanted, bool)]


def described(packed: PackedDataset, patients: Iterable[str], adaptation: Adaptation) -> AdaptationSpec:
    """What a model file tells of its adaptation.

    Args:
        packed: without the references that are taken away.
        patients: of the training part.
        adaptation: the domains.
    """
    among = set(patients)
    learned = [sample for sample in packed.samples if sample.patient in among]
    targets = []
    for name in adaptation.targets:
        seen = [sample for sample in learned if adaptation.domain_of(sample) == name]
        labelled = sum(sample.is_labelled for sample in seen)
        targets.append(TargetSpec(name, len({sample.patient for sample in seen}), len(seen), labelled))
    source = sorted({adaptation.domain_of(sample) for sample in learned if adaptation.is_source(sample)})
    return AdaptationSpec(adaptation.method.name, adaptation.domain, tuple(source), tuple(targets))
