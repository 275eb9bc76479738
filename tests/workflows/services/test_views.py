"""Views that nothing states are proposed, said so, and never over what is stated."""

from pathlib import Path

import numpy as np
import pytest

from cardiotrace.core.errors import NoModelError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.exam_discovery import Reading
from cardiotrace.workflows.services import views
from cardiotrace.workflows.services.exams import ReadingConfig
from cardiotrace.workflows.services.provenance import reading_flags
from cardiotrace.workflows.services.tracing import Models, trace_exam
from cardiotrace.workflows.services.views import CLASSIFIER, with_proposed_views
from tests.fake.models import make_classifier


def stripes(level: int, frames: int = 1) -> np.ndarray:
    array = np.full((frames, 1, 32, 40), level, np.uint8)
    array[..., ::2, :] -= 12
    return array


def image(name: str, level: int = 128, frames: int = 1, shown_in: str = "", **facts) -> ExamImage:
    return ExamImage(name, Image(stripes(level, frames), NO_GEOMETRY, **facts), shown_in=shown_in)


@pytest.fixture
def classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only model at hand."""
    folder = tmp_path / "models"
    folder.mkdir()
    path = folder / f"{CLASSIFIER}.onnx"
    path.write_bytes(make_classifier().content)
    monkeypatch.setattr("cardiotrace.inference.zoo.model_folders", lambda: (folder,))
    return path


@pytest.fixture
def unloadable(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> None:
        raise AssertionError("a classifier was loaded though nothing was to be proposed")

    monkeypatch.setattr(views, "_classifier", load)


@pytest.mark.usefixtures("classifier")
def test_a_proposal_is_a_doubt_that_reaches_the_flags() -> None:
    exam = with_proposed_views(Exam("patient", (image("IMG1"),)))
    (seen,) = exam.images
    assert (seen.image.view, seen.image.modality) == (View.FOUR_CHAMBER, Modality.US)
    (flag,) = reading_flags(exam)
    assert flag.grade is Grade.LOOK_TWICE
    assert str(flag) == "IMG1: view A4C proposed by the classifier (100%): check it, or give --view"


@pytest.mark.usefixtures("classifier")
def test_where_it_abstains_the_view_is_asked_for_as_ever() -> None:
    exam = with_proposed_views(Exam("patient", (image("IMG1", level=16),)))
    (seen,) = exam.images
    assert (seen.image.view, seen.image.doubts) == (View.UNKNOWN, ())
    assert seen.image.notes == (
        "the view is not stated, and the classifier proposes none: it looks like no view that it knows",
    )
    with pytest.raises(NoModelError, match="which view of the heart it shows is not known") as raised:
        trace_exam(exam, Models())
    assert "--view" in raised.value.remedy


@pytest.mark.usefixtures("unloadable")
def test_stated_views_and_photographs_are_left_alone_and_nothing_is_loaded() -> None:
    exam = Exam(
        "patient",
        (image("a", view=View.SAX, modality=Modality.MR), image("b", modality=Modality.PHOTOGRAPH)),
    )
    assert with_proposed_views(exam) is exam


@pytest.mark.usefixtures("classifier")
def test_only_images_without_a_view_get_one() -> None:
    stated = image("a", level=230, view=View.TWO_CHAMBER, modality=Modality.US)
    exam = with_proposed_views(Exam("patient", (stated, image("b", level=240))))
    assert exam.images[0] is stated
    assert (exam.images[1].image.view, exam.images[1].image.modality) == (View.SAX, Modality.MR)


@pytest.mark.usefixtures("classifier")
def test_a_still_of_a_video_takes_the_view_of_the_video() -> None:
    exam = with_proposed_views(Exam("patient", (image("still", level=16, shown_in="video"), image("video", frames=5))))
    assert [each.image.view for each in exam.images] == [View.FOUR_CHAMBER] * 2


def test_without_a_classifier_or_with_a_damaged_one_the_view_stays_unknown(classifier: Path) -> None:
    exam = Exam("patient", (image("IMG1"),))
    classifier.write_bytes(classifier.read_bytes()[:-9])
    assert with_proposed_views(exam) == exam
    classifier.unlink()
    assert with_proposed_views(exam) == exam


@pytest.mark.usefixtures("classifier")
def test_all_verbs_read_exams_so_and_what_is_said_counts_more(tmp_path: Path) -> None:
    from PIL import Image as Picture

    folder = tmp_path / "exam"
    folder.mkdir()
    Picture.fromarray(stripes(128)[0, 0]).save(folder / "IMG1.png")
    (found,) = ReadingConfig(exams=(folder,)).find()
    assert found.read().images[0].image.view is View.FOUR_CHAMBER
    (told,) = ReadingConfig(exams=(folder,), reading=Reading(view=View.TWO_CHAMBER)).find()
    seen = told.read().images[0].image
    assert (seen.view, seen.doubts) == (View.TWO_CHAMBER, ())
