"""What is fitted to a finished model, into its file.

Expected Dice and unlikeness, on patients that it had not learned from; what its training images are like, on those.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cardiotrace.core.exam import Case
from cardiotrace.core.progress import counted
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.evaluation.quality import HeldOutFrame, fit_quality, held_out_frames
from cardiotrace.evaluation.unlikeness import fit_unlikeness
from cardiotrace.inference.evidence import Rows
from cardiotrace.inference.learned_images import SAMPLES, LearnedImages, learned_images
from cardiotrace.inference.localiser import Localiser
from cardiotrace.inference.model_file import Model, seal
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.spec import Calibration, ModelSpec
from cardiotrace.learning.features import with_features

MOST_KNOWN = 200
"""Images that a network learned from, in a bank of known ones."""
_OF_EACH = 2
"""Samples of an image: two slices of a stack differ as much as those of two patients."""


def featured(model: Model) -> Predictor:
    """The predictor of a model whose network hands out features, whether or not its file does."""
    return Predictor.of_graph(model.spec, with_features(model.graph()), localiser=Localiser.within(model))


def with_trust(
    model: Model,
    cases: Iterable[Case],
    *,
    learned: Sequence[Case] = (),
    predicted: Sequence[HeldOutFrame] = (),
    reporter: ProgressReporter = SILENT,
) -> bytes:
    """The model file with expected Dice and unlikeness in its calibration, sealed anew; all else stays.

    Args:
        model: the file as it is, in whatever state.
        cases: labelled ones of patients that the network had not learned from: of an ensemble those that its first
            member had not, since features are of that member.
        learned: cases that it learned from, of which some fill the bank of known images; no number rests on them.
        predicted: frames on which expected Dice is fitted instead of those cases, such as the out-of-fold predictions
            of all networks of one recipe.
        reporter: told of progress.

    Raises:
        InputError: too few patients, or an image that cannot be read.
        ModelFileError: the network fails.
    """
    network = with_features(model.graph())
    predictor = Predictor.of_graph(model.spec, network, localiser=Localiser.within(model))
    with reporter.stage("predicting held-out patients") as on_progress:
        frames = held_out_frames(predictor, cases, on_progress=on_progress)
    known = known_rows(predictor, learned, reporter)
    spec = replace(model.spec, calibration=trusted(model.spec, frames, known, predicted=predicted))
    return seal(network, spec, graphs={name: model.graph(name) for name in model.spec.graphs})


def known_rows(predictor: Predictor, learned: Sequence[Case], reporter: ProgressReporter = SILENT) -> list[Rows]:
    """What the network says of some cases that it learned from, for a bank of known images."""
    with reporter.stage("looking at known images") as on_progress:
        images = (case.read_image() for case in counted(_some(learned, MOST_KNOWN), on_progress))
        seen = [predictor.segment(image, keep_evidence=True).evidence for image in images]
    return [frame.rows for evidence in seen for frame in evidence if frame is not None]


def with_learned(model: Model, learned: Sequence[Case], reporter: ProgressReporter = SILENT) -> bytes:
    """The model file with what its training images are like, sealed anew; all else stays.

    Args:
        model: the file as it is.
        learned: cases that it learned from; of an ensemble those of any member.
        reporter: told of progress.

    Raises:
        InputError: an image that cannot be read.
        ModelFileError: the network fails, or has no channels to be known.
    """
    found = learned_of(Predictor.of(model), model.graph(), learned, reporter)
    spec = replace(model.spec, calibration=replace(model.spec.calibration, learned=found))
    return seal(model.content, spec)


def learned_of(
    predictor: Predictor, graph: bytes, learned: Sequence[Case], reporter: ProgressReporter = SILENT
) -> LearnedImages:
    """What the images that a network learned from are like, by few samples of some of them; see `with_learned`."""
    some = _some(learned, SAMPLES // _OF_EACH)
    with reporter.stage("looking at training images") as on_progress:
        images = (case.read_image() for case in counted(some, on_progress))
        batches = [predictor.inputs(image, most=_OF_EACH) for image in images]
    return learned_images(graph, [batch for batch in batches if len(batch)])


def _some(cases: Sequence[Case], most: int) -> list[Case]:
    """So many cases at most, spread evenly."""
    count = min(most, len(cases))
    return [cases[index * len(cases) // count] for index in range(count)]


def trusted(
    spec: ModelSpec,
    frames: Sequence[HeldOutFrame],
    known: Sequence[Rows] = (),
    *,
    predicted: Sequence[HeldOutFrame] = (),
) -> Calibration:
    """The calibration of a description with both fitted; see `with_trust`.

    Raises:
        InputError: too few patients, or a network without features.
    """
    quality = fit_quality(predicted or frames, spec.label_scheme.structures)
    return replace(spec.calibration, quality=quality, unlikeness=fit_unlikeness(frames, known))
