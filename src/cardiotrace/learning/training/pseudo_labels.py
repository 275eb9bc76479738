"""Self-training with a guard: a teacher labels the images that nobody has, where it is sure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.core.errors import ConfigError
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.datasets.packed import IGNORED, PackedDataset
from cardiotrace.inference.engine import Engine, run_single
from cardiotrace.preprocessing import NeighboursOf, Preprocessing


@dataclass(frozen=True)
class PseudoLabels:
    """Who labels the images without a reference, and how sure it must be."""

    teacher: str
    """Name or path of a model with the classes and preprocessing of the recipe."""
    lowest_confidence: float = 0.9
    """Pixels below it are not learned from; nor are images whose mean over what was found lies below it."""

    def __post_init__(self) -> None:
        if not 0 < self.lowest_confidence < 1:
            raise ConfigError(
                f"data.pseudo_labels.lowest_confidence must lie between 0 and 1, got {self.lowest_confidence}"
            )


@dataclass(frozen=True)
class PseudoLabelled:
    """Samples with the labels of a teacher where it was sure, and what came of it."""

    packed: PackedDataset
    accepted: int
    """Samples that are learned from."""
    refused: int
    """Samples that are left out: the teacher was in doubt."""
    ignored: float
    """Share of the accepted samples' pixels that do not count, 0..1."""

    def told(self) -> str:
        """In words.

        Example:
            >>> PseudoLabelled(None, 34, 6, 0.0213).told()
            '34 images accepted (2.1 % of their pixels ignored), 6 refused'
        """
        ignored = f"{100 * self.ignored:.1f} % of their pixels ignored"
        return f"{self.accepted} images accepted ({ignored}), {self.refused} refused"


@dataclass(frozen=True)
class LabelTeacher:
    """A network that answers the student's prepared images with the student's classes."""

    engine: Engine
    settings: PseudoLabels
    preprocessing: Preprocessing
    """For its intensity steps."""
    neighbours: int = 0
    """Planes on each side that are seen as channels."""
    neighbours_of: NeighboursOf = "slices"
    """What those are."""

    def probabilities(
        self, packed: PackedDataset, indices: Sequence[int]
    ) -> Iterator[Float[np.ndarray, "classes *space"]]:
        """Of every class at every pixel of each of some samples."""
        own = np.array(indices, np.int64)
        # At once: each search for neighbours goes through all samples.
        seen = packed.indices_around(own, self.neighbours, self.neighbours_of) if self.neighbours else own[:, None]
        for planes in seen:
            images = packed.unit_images(planes)
            stacked = images.reshape(1, -1, *images.shape[2:])
            yield probabilities_of(run_single(self.engine, self.preprocessing.normalise(stacked))[0])


def pseudo_labelled(
    packed: PackedDataset,
    patients: Sequence[str],
    teacher: LabelTeacher,
    on_progress: OnProgress | None = None,
) -> PseudoLabelled:
    """Label the unlabelled samples of some patients, those that are learned from.

    Args:
        packed: with samples that have no reference; those that have one stay as they are.
        patients: of the training part; nobody else's samples are touched.
        teacher: who labels.
        on_progress: called with (done, total) samples.

    Source:
        Lee 2013, ICML Workshop on Challenges in Representation Learning (pseudo-labels); Sohn et al. 2020, NeurIPS,
        arXiv:2001.07685 (a threshold on confidence). Here whole images are left out as well.
    """
    labels, samples = np.array(packed.labels), list(packed.samples)
    everybody = packed.indices_of(patients, labelled_only=False).tolist()
    waiting = [index for index in everybody if not samples[index].is_labelled]
    accepted = []
    told = teacher.probabilities(packed, waiting)
    for index, probabilities in zip(counted(waiting, on_progress), told, strict=True):
        found = guarded(probabilities, teacher.settings.lowest_confidence)
        if found is not None:
            labels[index], samples[index] = found, replace(samples[index], is_labelled=True)
            accepted.append(index)
    ignored = float(np.mean(labels[accepted] == IGNORED)) if accepted else 0.0
    made = replace(packed, labels=labels, samples=tuple(samples))
    return PseudoLabelled(made, len(accepted), len(waiting) - len(accepted), ignored)


def probabilities_of(logits: Float[np.ndarray, "classes *space"]) -> Float[np.ndarray, "classes *space"]:
    """Softmax over the classes."""
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=0))
    probabilities: Float[np.ndarray, classes * space] = exponentials / exponentials.sum(axis=0)
    return probabilities


def guarded(probabilities: Float[np.ndarray, "classes *space"], guard: float) -> UInt8[np.ndarray, "*space"] | None:
    """The most probable class of every pixel, `IGNORED` where it is less probable than the guard asks.

    Returns:
        None for an image in doubt: the mean confidence over what was found is below the guard, or nothing was found and
        some pixel is below it, which may be a structure that was missed.

    Example:
        >>> sure, unsure = [0.05, 0.95], [0.4, 0.6]
        >>> guarded(np.array([sure, sure, sure, unsure]).T, 0.8).tolist()
        [1, 1, 1, 255]
        >>> guarded(np.array([sure, unsure, unsure, unsure]).T, 0.8) is None
        True
    """
    classes: UInt8[np.ndarray, "*space"] = probabilities.argmax(axis=0).astype(np.uint8)
    confidence = probabilities.max(axis=0)
    found = classes > 0
    if (confidence[found].mean() if found.any() else confidence.min()) < guard:
        return None
    classes[confidence < guard] = IGNORED
    return classes
