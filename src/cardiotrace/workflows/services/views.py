"""Which view images show that do not state it: proposed by a classifier, said so, and never over what is stated."""

import logging
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View

if TYPE_CHECKING:
    from cardiotrace.inference.view_classifier import ViewClassifier, ViewProposal

_LOG = logging.getLogger(__name__)

CLASSIFIER = "view-classifier"
"""Name of the model that proposes views, in the user's own folder or among those that come with the package."""


def with_proposed_views(exam: Exam) -> Exam:
    """The exam with views for those of its images that state none, as far as the classifier is sure.

    A view that it proposes is among the image's doubts; where it abstains the view stays unknown, and a note says why.
    A still that is a frame of a video of the exam takes the video's. Nothing is loaded where every view is stated.
    """
    if not any(_is_asked(image.image) for image in exam.images):
        return exam
    proposed = {image.name: _proposed(image) for image in exam.images if not image.shown_in}
    images = (
        _like(image, proposed[image.shown_in]) if image.shown_in else proposed[image.name] for image in exam.images
    )
    return replace(exam, images=tuple(images))


def _is_asked(image: Image) -> bool:
    """Whether its view is unknown, and may be one of the heart."""
    return image.view is View.UNKNOWN and image.modality is not Modality.PHOTOGRAPH


def _proposed(image: ExamImage) -> ExamImage:
    if not _is_asked(image.image):
        return image
    try:
        proposal = _classifier().propose(image.image)
    except InputError as error:
        # Who brings no view and no classifier is asked for the view, as ever.
        _LOG.warning("no view is proposed for %s: %s", image.name, error)
        return image
    return replace(image, image=proposed_for(image.image, proposal))


def proposed_for(image: Image, proposal: "ViewProposal") -> Image:
    """An image with the view and modality that are proposed, or with a note that none is."""
    found = proposal.proposed
    if found is None:
        return replace(image, notes=(*image.notes, proposal.words))
    from cardiotrace.io.colour import by_the_rule  # where it is known to be of the heart, colour is dropped as ever

    doubt = f"{proposal.words}: check it, or give --view"
    seen = replace(image, view=found.view, modality=found.modality, doubts=(*image.doubts, doubt))
    return by_the_rule(seen)


def _like(still: ExamImage, video: ExamImage) -> ExamImage:
    """A still with the view of the video that it is a frame of."""
    if not _is_asked(still.image):
        return still
    return replace(still, image=replace(still.image, view=video.image.view, modality=video.image.modality))


def _classifier() -> "ViewClassifier":
    """The classifier, loaded once.

    Raises:
        InputError: there is none, or it is damaged.
    """
    from cardiotrace.inference.zoo import find_model  # not needed where every view is stated

    path = find_model(CLASSIFIER)
    state = path.stat()
    return _loaded(path, (state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=1)
def _loaded(path: Path, _: tuple[int, int]) -> "ViewClassifier":
    """Anew where the file is another one by now."""
    from cardiotrace.inference.model_file import read_model
    from cardiotrace.inference.view_classifier import ViewClassifier

    return ViewClassifier.of(read_model(path))
