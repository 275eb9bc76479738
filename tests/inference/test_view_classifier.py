"""A classifier names the view of an image, or none: by its pixels alone, and only where it is sure."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.label import LV_ONLY
from cardiotrace.core.terms import Modality, View
from cardiotrace.inference.localiser import Localiser
from cardiotrace.inference.model_file import open_seal
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.spec import SchemeSpec, spec_from_plain, spec_to_plain
from cardiotrace.inference.view_classifier import ViewClassifier, ViewProposal, looked_at
from tests.fake.models import TOLD_APART, make_classifier, make_model, make_spec, threshold_network


def grey(level: float, shape=(1, 1, 32, 40), **facts) -> Image:
    """Stripes around a mean grey value, so that no plane is flat."""
    frames = np.zeros(shape)
    frames += 255 * level
    frames[..., ::2, :] -= 12
    frames[..., 1::2, :] += 12
    return Image(frames.clip(0, 255).astype(np.uint8), NO_GEOMETRY, **facts)


@pytest.fixture(scope="module")
def classifier() -> ViewClassifier:
    return ViewClassifier.of(make_classifier())


def test_a_view_and_how_it_was_made_are_named_where_it_is_sure(classifier):
    found = classifier.propose(grey(0.5))
    assert found.proposed == TOLD_APART[0]
    assert (found.view, found.proposed.modality) == (View.FOUR_CHAMBER, Modality.US)
    assert found.words == "view A4C proposed by the classifier (100%)"
    bright = classifier.propose(grey(0.95))
    assert (bright.view, bright.proposed.modality) == (View.SAX, Modality.MR)


def test_none_is_named_between_two_of_them_and_it_says_which_was_likely(classifier):
    found = classifier.propose(grey(0.746))
    assert (found.proposed, found.view) == (None, View.UNKNOWN)
    assert found.likeliest == TOLD_APART[0]
    assert 0.5 < found.probability < 0.9
    assert "it is unsure (A4C, " in found.words


def test_none_is_named_of_what_is_no_view(classifier):
    found = classifier.propose(grey(0.05))
    assert found.proposed is None
    assert "it looks like no view that it knows" in found.words


def test_an_image_of_which_nothing_is_seen_is_no_view(classifier):
    blank = Image(np.zeros((1, 1, 32, 40), np.uint8), NO_GEOMETRY)
    assert classifier.prepared(blank).shape == (0, 1, 16, 16)
    assert classifier.propose(blank).likeliest is None


def test_what_a_file_states_of_its_making_is_not_contradicted(classifier):
    assert classifier.propose(grey(0.5, modality=Modality.US)).view is View.FOUR_CHAMBER
    found = classifier.propose(grey(0.5, modality=Modality.MR))
    assert found.proposed is None
    assert "it looks like A4C, 100%, and was not made so" in found.words


def test_slices_side_by_side_are_no_long_axis(classifier):
    """A cine whose instants were taken for slices would be measured as a stack."""
    found = classifier.propose(grey(0.5, shape=(1, 9, 32, 40)))
    assert found.proposed is None
    assert "are they instants?" in found.words
    assert classifier.propose(grey(0.95, shape=(1, 9, 32, 40))).view is View.SAX


def test_colour_counts_by_its_brightness(classifier):
    plain = grey(0.5)
    coloured = replace(plain, frames=np.repeat(plain.frames[..., None], 3, axis=-1))
    assert classifier.propose(coloured).view is View.FOUR_CHAMBER


def test_the_planes_that_are_looked_at():
    frames = np.zeros((25, 13, 32, 32))
    frames += np.arange(25)[:, None, None, None] * 100 + np.arange(13)[:, None, None]
    frames[..., ::2, :] += 4000
    seen = looked_at(frames)
    assert sorted({int(plane[1, 0]) // 100 for plane in seen}) == [0, 12, 24]
    assert sorted({int(plane[1, 0]) % 100 for plane in seen}) == [3, 4, 6, 8, 9]
    frames[12] = 7
    assert len(looked_at(frames)) == 10


def test_the_description_of_a_classifier_is_read_again_and_older_programs_refuse_it():
    model = make_classifier()
    assert open_seal(model.content).tells_apart == TOLD_APART
    plain = spec_to_plain(model.spec)
    assert plain["format_version"] == 4
    assert plain["tells_apart"][1] == {"view": "SAX", "modality": "MR", "lowest": 0.8}
    assert spec_to_plain(spec_from_plain(plain)) == plain
    # Whatever labels is written as before, so that older programs still read it.
    assert spec_to_plain(make_spec(LV_ONLY))["format_version"] == 2


def test_it_labels_nothing():
    model = make_classifier()
    for use in (Predictor.of, Localiser.of):
        with pytest.raises(ModelFileError, match="model 'tiny-views' tells views apart and labels nothing") as raised:
            use(model)
        assert "name a model that traces" in raised.value.remedy


def test_a_model_that_labels_is_no_classifier():
    labelling = make_model(threshold_network(0.5), make_spec(LV_ONLY))
    with pytest.raises(ModelFileError, match="model 'tiny' tells no views apart"):
        ViewClassifier.of(labelling)


@pytest.mark.parametrize("wrong", [{"classes": 2}, {"views": (View.SAX,)}, {"scheme": SchemeSpec("lv", {"LV": 1})}])
def test_a_description_that_is_neither_is_refused(wrong):
    with pytest.raises(ModelFileError, match="tells 2 views apart with"):
        replace(make_classifier().spec, **wrong)


def test_each_view_is_named_from_its_own_probability_on():
    def proposal(*probabilities, **more):
        return ViewProposal(TOLD_APART, np.array(probabilities), **more)

    assert proposal(0.15, 0.85, 0.0).proposed is None  # A4C from 0.9 on
    assert proposal(0.15, 0.0, 0.85).proposed == TOLD_APART[1]  # SAX from 0.8 on
    assert proposal(0.25, 0.0, 0.75).proposed is None


def test_slices_side_by_side_are_no_long_axis_whatever_one_looks_like():
    stack = ViewProposal(TOLD_APART, np.array([0.1, 0.3, 0.6]), is_stack=True)
    assert stack.probability == pytest.approx(0.6 / 0.7)
    assert stack.proposed == TOLD_APART[1]
    assert ViewProposal(TOLD_APART, np.array([0.1, 0.3, 0.6])).proposed is None
    film = ViewProposal(TOLD_APART, np.array([0.01, 0.98, 0.01]), is_stack=True)
    assert (film.proposed, film.probability) == (None, pytest.approx(0.98))
    assert "are they instants?" in film.words
