"""From a cine to labels on the cine's own grid."""

import itertools
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float, UInt8

from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.progress import OnProgress
from cardiotrace.geometry.blank import blank_planes
from cardiotrace.geometry.field_of_view import find_field_of_view, without_rim
from cardiotrace.inference.engine import (
    FEATURES,
    Engine,
    NarrowEngine,
    Provider,
    chosen_provider,
    make_engine,
    run_named,
)
from cardiotrace.inference.evidence import ALL_EVIDENCE, NO_EVIDENCE, Rows, Wanted, rows_of
from cardiotrace.inference.localiser import HeartPlace, Localiser
from cardiotrace.inference.look import AS_IT_IS, Look
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.preparation import Preparation, preparation
from cardiotrace.inference.quality import expected_dice
from cardiotrace.inference.sample import (
    LabelledSample,
    Position,
    SampleProbabilities,
    SampleWalk,
    in_channels_of,
    label_sample,
    softmax,
)
from cardiotrace.inference.segmentation import (
    GatheredSamples,
    Segmentation,
    blank_warnings,
    quality_warnings,
    steadied_warnings,
    trust_warnings,
    unlike_warnings,
)
from cardiotrace.inference.sliding import filled, slide, windows_of
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.inference.tta import IDENTITY, TtaTransform, sectors_of, tta_transforms
from cardiotrace.inference.unlikeness import unlikeness_of
from cardiotrace.inference.zoo import load_model
from cardiotrace.parallel import batched, in_threads, usable_processors
from cardiotrace.preprocessing import ResamplingTransform

_LOG = logging.getLogger(__name__)

BATCH_SIZE = 1
"""On two cores a U-Net of 256 x 256 needs 39 ms a plane and 170 MB one by one, 39 ms and 780 MB eight by eight."""
MANY_SAMPLES = 8
"""From as many on, samples are worked on side by side; fewer are done sooner one after the other by all processors."""
MOST_JOBS = 8
"""Samples at a time, each of which needs memory of its own."""
_Item = TypeVar("_Item")


class Predictor:
    """Segments cines with one network, sample by sample: planes, or volumes where it was made for those.

    Args:
        spec: what is to be known of the network.
        engine: what runs it.
        narrow: what runs it where many samples are worked on side by side; None: one after the other.
        sha256: of the model file, where there is one.
        localiser: what finds the heart, for a network that sees a crop around it.
        looks: how each sample is shown; what the network says of them is averaged.

    Raises:
        ModelFileError: the network tells views apart, or there is no localiser where it needs one.

    Example:
        >>> from cardiotrace.inference import list_models
        >>> open_predictor(list_models()[0].name).spec.dimensions
        2
    """

    def __init__(
        self,
        spec: ModelSpec,
        engine: Engine,
        *,
        narrow: NarrowEngine | None = None,
        sha256: str = "",
        localiser: Localiser | None = None,
        looks: tuple[Look, ...] = (AS_IT_IS,),
    ) -> None:
        spec.require_labels()
        if spec.preprocessing.needs_centre and localiser is None:
            raise ModelFileError(f"model {spec.name!r} needs to know where the heart lies, and has no localiser")
        self.spec = spec
        self.localiser = localiser
        self.sha256 = sha256
        self._engine = engine
        self._narrow = narrow
        self._looks = looks

    @classmethod
    def of(cls, model: Model, *, provider: Provider | None = None) -> "Predictor":
        """The predictor of a model file; what runs it is `chosen_provider` where none is named.

        Raises:
            UsageError: the provider is not there.
            ModelFileError: it cannot build the network.
        """
        return cls.of_graph(
            model.spec,
            model.graph(),
            provider=provider,
            where=model.path,
            sha256=model.sha256,
            localiser=Localiser.within(model, provider=provider),
        )

    @classmethod
    def of_graph(
        cls,
        spec: ModelSpec,
        graph: bytes,
        *,
        provider: Provider | None = None,
        where: Path | None = None,
        sha256: str = "",
        localiser: Localiser | None = None,
    ) -> "Predictor":
        """The predictor of a network that need not be in a file yet; see `of`."""
        provider = provider or chosen_provider()
        engine = make_engine(graph, provider=provider, where=where)
        # Other providers share one device among all of the work themselves.
        jobs = min(usable_processors(), MOST_JOBS) if provider == "cpu" else 1
        narrow = NarrowEngine(graph, jobs=jobs, where=where) if jobs > 1 else None
        return cls(spec, engine, narrow=narrow, sha256=sha256, localiser=localiser)

    def described_by(self, spec: ModelSpec) -> "Predictor":
        """The same network under another description, such as one with a threshold."""
        return self._otherwise(spec, self._looks)

    def shown(self, looks: Sequence[Look]) -> "Predictor":
        """The same network, which is shown each sample in several ways; what it says of them is averaged."""
        return self._otherwise(self.spec, tuple(looks))

    def _otherwise(self, spec: ModelSpec, looks: tuple[Look, ...]) -> "Predictor":
        return Predictor(
            spec, self._engine, narrow=self._narrow, sha256=self.sha256, localiser=self.localiser, looks=looks
        )

    def with_network(self, graph: bytes) -> "Predictor":
        """The same model with another network of the same inputs and outputs."""
        return Predictor.of_graph(self.spec, graph, sha256=self.sha256, localiser=self.localiser)

    def inputs(self, cine: Image, *, most: int) -> Float[np.ndarray, "batch channels *axes"]:
        """What the network sees of some samples of a cine, or windows of them, spread evenly over it.

        Args:
            cine: as for `segment`.
            most: so many at most.

        Returns:
            None at all where the cine shows no image.

        Raises:
            InputError: see `segment`.
        """
        task = self._task(cine, test_time_augmentation=False, keep_probabilities=False)
        prepared = self._preparation(task, at_once=1)
        chosen = _spread(task.walk.wanted, most)
        seen = [part for position in chosen for part in self._windows(prepared(position))]
        return np.stack(_spread(seen, most)) if seen else np.zeros((0, self.spec.channels, 1, 1), np.float32)

    def _windows(self, sample: Float[np.ndarray, "channels *axes"]) -> Iterator[Float[np.ndarray, "channels *axes"]]:
        """What the network sees of a prepared sample, one at a time."""
        if self.spec.window is None:
            yield sample
            return
        sides = tuple(map(min, self.spec.window, sample.shape[1:]))
        for part in windows_of(sample.shape[1:], sides):
            yield filled(self.spec.preprocessing.normalised(sample[(slice(None), *part)]), self.spec.window)

    def probabilities(
        self, batch: Float[np.ndarray, "batch channels *axes"]
    ) -> Float[np.ndarray, "batch classes *axes"]:
        """What the network says of inputs, one after the other, on its own grid."""
        shown = [np.mean([self._probable(look.apply(one[None])) for look in self._looks], axis=0) for one in batch]
        return np.concatenate(shown).astype(np.float32)

    def _probable(self, batch: Float[np.ndarray, "batch channels *axes"]) -> Float[np.ndarray, "batch classes *axes"]:
        return softmax(self._outputs(self._engine, batch)[0])

    def segment(
        self,
        cine: Image,
        *,
        test_time_augmentation: bool = False,
        batch_size: int = BATCH_SIZE,
        keep_probabilities: bool = False,
        keep_evidence: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Segmentation:
        """Label every sample of a cine.

        Args:
            cine: what to segment.
            test_time_augmentation: average over slightly changed versions of each sample, see `inference.tta`; four
                times the work or more.
            batch_size: samples that pass through the network at once; more need more memory and are no faster on a CPU.
            keep_probabilities: hand out the probabilities of all structures as well, 4 bytes a pixel and structure;
                `samples` hands them out one by one instead.
            keep_evidence: gather what quality and unlikeness are told from though the model tells neither, to calibrate
                it by; 1 to 3 ms a plane.
            on_progress: told after each sample how many are done.

        Returns:
            Labels on the cine's own grid, with confidence and warnings.

        Raises:
            InputError: a grey image for a model of colour images; no pixel size where it is needed.
            ModelFileError: the network fails.
        """
        start = time.perf_counter()
        wanted = ALL_EVIDENCE if keep_evidence else self._told_from(test_time_augmentation=test_time_augmentation)
        task = self._task(
            cine,
            test_time_augmentation=test_time_augmentation,
            keep_probabilities=keep_probabilities,
            evidence=wanted,
        )
        gathered = self._gathered(task, batch_size, on_progress)
        labels = LabelMap(gathered.values, self.spec.label_scheme, cine.geometry, cine.source)
        anew = partial(self._decided_anew, task)
        processed = self.spec.postprocessing.apply(labels, blank=task.blank, decide_anew=anew)
        evidence = gathered.frame_evidence
        # As with doubt: a mean over changed images is less sure everywhere.
        quality = {} if test_time_augmentation else self.spec.calibration.quality
        expected = expected_dice(quality, self.spec.label_scheme.structures, evidence)
        unlikeness = unlikeness_of(self.spec.calibration.unlikeness, evidence)
        _LOG.debug("model %s labelled %d samples of %s", self.spec.name, task.walk.count, labels.array.shape)
        return Segmentation(
            labels=processed.labels,
            confidence=gathered.confidence.value,
            doubt=self._doubt(gathered.certainty.value, test_time_augmentation=test_time_augmentation),
            removed=processed.removed,
            added=processed.added,
            warnings=(
                *self._warnings(cine, task, gathered.confidence.value),
                *steadied_warnings(processed),
                *quality_warnings(self.spec, expected),
                *unlike_warnings(self.spec, unlikeness),
            ),
            model=self.spec.name,
            duration_s=time.perf_counter() - start,
            probabilities=gathered.probabilities,
            expected_dice=expected,
            unlikeness=unlikeness,
            evidence=evidence,
            soft=tuple(gathered.soft),
        )

    def _gathered(self, task: "_CineTask", batch_size: int, on_progress: OnProgress | None) -> GatheredSamples:
        gathered = GatheredSamples.of(self.spec, task.image.grid_shape, keep_probabilities=task.keep_probabilities)
        # Blank samples are done before any work begins.
        for done, sample in enumerate(self._labelled(task, batch_size), start=1 + task.walk.blank_count):
            gathered.add(sample)
            if on_progress is not None:
                on_progress(done, task.walk.count)
        return gathered

    def samples(
        self, cine: Image, *, test_time_augmentation: bool = False, batch_size: int = BATCH_SIZE
    ) -> Iterator[LabelledSample]:
        """The samples of a cine one by one, in order, with the probabilities of all structures.

        For what would be too much to keep: of each sample no more is held than of those worked on at a time. Blank
        samples are left out, and nothing is post-processed.

        Raises:
            InputError: see `segment`.
            ModelFileError: the network fails.
        """
        task = self._task(cine, test_time_augmentation=test_time_augmentation, keep_probabilities=True)
        return self._labelled(task, batch_size)

    def _told_from(self, *, test_time_augmentation: bool) -> Wanted:
        """What the model's own quality and unlikeness need; a file that tells neither costs nothing."""
        known = self.spec.calibration
        return Wanted(sums=bool(known.quality) and not test_time_augmentation, rows=known.unlikeness is not None)

    def _task(
        self,
        cine: Image,
        *,
        test_time_augmentation: bool,
        keep_probabilities: bool,
        evidence: Wanted = NO_EVIDENCE,
    ) -> "_CineTask":
        cine = in_channels_of(self.spec, cine)
        blank = blank_planes(cine.frames)
        shape: tuple[int, ...] = cine.grid_shape
        spacing_mm: tuple[float, ...] | None = cine.spacing_mm
        last = slice(-self.spec.dimensions, None)  # the axes of a sample
        heart = self._heart(cine)
        centre = None if heart is None else heart.centre
        return _CineTask(
            cine,
            blank,
            SampleWalk.over(blank, self.spec.dimensions),
            self.spec.preprocessing.transform_for(shape[last], spacing_mm and spacing_mm[last], centre),
            tta_transforms(self.spec.mirror_axes, self.spec.sector) if test_time_augmentation else (IDENTITY,),
            keep_probabilities,
            heart,
            evidence,
        )

    def _heart(self, cine: Image) -> HeartPlace | None:
        """Where the heart lies, asked once for all samples; None where the network does not need it."""
        if self.localiser is None or not self.spec.preprocessing.needs_centre:
            return None
        return self.localiser.locate(cine)

    def _labelled(self, task: "_CineTask", batch_size: int) -> Iterator[LabelledSample]:
        """Each sample that shows an image, in order; several at a time where there are many."""
        if batch_size < 1:
            raise InputError(f"batch size must be at least 1, got {batch_size}")
        wanted = task.walk.wanted
        narrow = self._narrow if len(wanted) >= MANY_SAMPLES * batch_size else None
        engine = self._engine if narrow is None else narrow.get()
        jobs = 1 if narrow is None else narrow.jobs
        prepared = self._preparation(task, at_once=jobs * batch_size)

        def done(chunk: list[Position]) -> list[LabelledSample]:
            answers = self._answers(task, engine, {position: prepared(position) for position in chunk})
            keep, sums = task.keep_probabilities, task.evidence.sums
            return [label_sample(self.spec, each, keep_probabilities=keep, keep_sums=sums) for each in answers]

        for results in in_threads(done, batched(wanted, batch_size), jobs=jobs):
            yield from results

    def _decided_anew(self, task: "_CineTask", frame: int) -> UInt8[np.ndarray, "depth height width"]:
        """Labels of a frame from the mean probabilities of itself and the frames before and after."""
        labels = np.zeros(task.image.grid_shape[1:], np.uint8)
        prepared = self._preparation(task, at_once=1)
        for position in task.walk.wanted:
            if position[0] != frame:
                continue
            beside = [(near, *position[1:]) for near in (frame - 1, frame, frame + 1)]
            seen = {near: prepared(near) for near in beside if near in task.walk.wanted}
            answers = list(self._answers(task, self._engine, seen))
            mean = np.mean([answer.classes for answer in answers], axis=0, dtype=np.float32)
            found = label_sample(self.spec, SampleProbabilities(position, np.asarray(mean), task.transform))
            labels[position[1:]] = found.values
        return labels

    def _preparation(self, task: "_CineTask", *, at_once: int) -> Preparation:
        return preparation(self.spec, task.image.frames, task.transform, at_once=at_once)

    def _answers(
        self, task: "_CineTask", engine: Engine, inputs: dict[Position, Float[np.ndarray, "channels *axes"]]
    ) -> Iterator[SampleProbabilities]:
        """What the network says of prepared samples."""
        frames, transform = task.image.frames, task.transform
        if self.spec.window is None:
            answers = self._asked(np.stack(list(inputs.values())), task, engine)
        else:
            answers = (self._slid(sample, self.spec.window, task, engine) for sample in inputs.values())
        for position, answer in zip(inputs, answers, strict=True):
            if self.spec.within_field_of_view:
                seen = self.spec.preprocessing.resample_mask(find_field_of_view(frames[position]), transform)
                # A pixel on the border is half dark: the network may take it for a vessel.
                answer.classes[:, ~without_rim(seen)] = _background(self.spec.classes)
            yield SampleProbabilities(position, answer.classes, transform, answer.rows)

    def _slid(
        self,
        sample: Float[np.ndarray, "channels *axes"],
        window: tuple[int, ...],
        task: "_CineTask",
        engine: Engine,
    ) -> "_Answer":
        """What the network says of a sample in unit range, window by window."""
        rows = []

        def ask(part: Float[np.ndarray, "channels *axes"]) -> Float[np.ndarray, "classes *axes"]:
            seen = filled(self.spec.preprocessing.normalised(part), window)
            (answer,) = self._asked(seen[None], task, engine, depth=part.shape[1])
            if answer.rows is not None:
                rows.append(answer.rows)
            return np.asarray(answer.classes[(slice(None), *map(slice, part.shape[1:]))])

        return _Answer(slide(sample, window, ask), np.concatenate(rows) if rows else None)

    def _asked(
        self,
        batch: Float[np.ndarray, "batch channels *axes"],
        task: "_CineTask",
        engine: Engine,
        *,
        depth: int | None = None,
    ) -> "Iterator[_Answer]":
        """What the network says of each sample of a batch; features are those of the unchanged image, the first.

        Args:
            batch: prepared samples.
            task: how to look at each, and what to keep of the answer.
            engine: what runs the network.
            depth: slices that are no filling; None: all.
        """
        known = self.spec.sector
        sectors = () if known is None or len(task.tta) == 1 else sectors_of(batch, known)
        total: Any = 0.0
        votes: Any = 0.0
        features = None
        for look, transform in itertools.product(self._looks, task.tta):
            logits, told = self._outputs(engine, transform.apply(look.apply(batch), sectors))
            features = told if features is None else features
            # What was moved out of the changed image has no vote there.
            vote = transform.visible(batch.shape[2:], sectors)
            total = total + transform.invert(softmax(logits), sectors) * np.float32(vote)
            votes = votes + vote
        kept = features if task.evidence.rows else None
        for index, classes in enumerate(total / np.float32(votes)):
            told = None if kept is None else rows_of(batch[index][:, :depth], kept[index])
            yield _Answer(classes, told)

    def _outputs(
        self, engine: Engine, batch: Float[np.ndarray, "batch channels *axes"]
    ) -> tuple[Float[np.ndarray, "batch classes *axes"], Float[np.ndarray, "batch rows features"] | None]:
        """Logits, and what the deepest layer says where the network hands it out."""
        found = run_named(engine, batch)
        logits = found[engine.outputs[0]]
        expected = (len(batch), self.spec.classes, *batch.shape[2:])
        if logits.shape != expected:
            raise ModelFileError(
                f"the network of model {self.spec.name} returned shape {logits.shape} where {expected} was expected"
                " (batch, classes, and the axes of a sample)"
            )
        features = found.get(FEATURES)
        return logits, None if features is None else features.reshape(len(batch), -1, features.shape[-1])

    def _doubt(
        self, certainty: Float[np.ndarray, "time"], *, test_time_augmentation: bool
    ) -> Float[np.ndarray, "time"]:
        lowest = self.spec.calibration.lowest_confidence
        # A mean over changed images is less sure everywhere: it is no measure for what one answer is.
        if lowest is None or not lowest < 1 or test_time_augmentation:
            return np.full(len(certainty), np.nan)
        return np.asarray((1 - certainty) / (1 - lowest))

    def _warnings(self, given: Image, task: "_CineTask", confidence: Float[np.ndarray, "time"]) -> tuple[Flag, ...]:
        # Turning colours into grey may have raised doubts; those of reading are told where it was read.
        new = task.image.doubts[len(given.doubts) :]
        shown = confidence[~task.blank.all(axis=1)]
        return (
            *blank_warnings(task.blank),
            *(() if task.heart is None else task.heart.flags(task.transform)),
            *trust_warnings(self.spec, task.image, shown),
            *(Flag(Grade.LOOK_TWICE, doubt, "doubt") for doubt in new),
        )


@dataclass(frozen=True)
class _Answer:
    """What the network says of one sample."""

    classes: Float[np.ndarray, "classes *axes"]
    """Probabilities."""
    rows: Rows | None
    """See `Evidence.rows`."""


@dataclass(frozen=True)
class _CineTask:
    """What all samples of a cine have in common."""

    image: Image
    """As the model sees it."""
    blank: Bool[np.ndarray, "time depth"]
    walk: SampleWalk
    transform: ResamplingTransform
    tta: tuple[TtaTransform, ...]
    """To look at each sample."""
    keep_probabilities: bool
    heart: HeartPlace | None
    """Where it was found, for networks that see a crop around it."""
    evidence: Wanted = NO_EVIDENCE


def open_predictor(name_or_path: str | Path, *, provider: Provider | None = None) -> Predictor:
    """The predictor of a model given by path or by name.

    Raises:
        InputError: there is no such model.
        ModelFileError: the file is damaged or of another format version.
        UsageError: the provider is not there.
    """
    return Predictor.of(load_model(name_or_path), provider=provider)


def _background(classes: int) -> Float[np.ndarray, "classes 1"]:
    return np.eye(classes, 1, dtype=np.float32)


def _spread(items: Sequence[_Item], most: int) -> list[_Item]:
    """At most so many items, at equal distances from the first to the last.

    Example:
        >>> _spread("abcdefg", 3)
        ['a', 'd', 'g']
    """
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[place] for place in dict.fromkeys(places.tolist())]
