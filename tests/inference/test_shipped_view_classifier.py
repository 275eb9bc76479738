"""The classifier that is shipped, on real images where they are at hand, and on what is no view of the heart."""

import numpy as np
import pytest

from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View
from cardiotrace.inference.view_classifier import ViewClassifier
from cardiotrace.inference.zoo import list_models, load_model
from cardiotrace.io import read_image
from cardiotrace.phantoms import EchoPhantom, echo_exam

NAME = "view-classifier"


@pytest.fixture(scope="module")
def classifier() -> ViewClassifier:
    if NAME not in {listed.name for listed in list_models()}:
        pytest.skip(f"no {NAME} comes with this installation")
    return ViewClassifier.of(load_model(NAME))


def test_it_is_small_and_its_licence_is_that_of_the_data(classifier):
    listed = next(each for each in list_models() if each.name == NAME)
    assert listed.path.stat().st_size < 2e6
    assert "CC BY-NC-SA 4.0" in classifier.spec.licence
    assert not classifier.spec.views


def test_phantoms_are_hardly_ever_named_wrongly(classifier):
    views = (View.FOUR_CHAMBER, View.TWO_CHAMBER)
    shown = [echo_exam(EchoPhantom(frame_count=12, spacing_mm=1.0, seed=seed), views=views).exam for seed in range(4)]
    found = [[classifier.propose(image.image).view for image in exam.images] for exam in shown]
    assert [four for four, _ in found] == [View.FOUR_CHAMBER] * 4
    # Two chambers it has seen of phantoms alone, and those of other make (the card: 2 of 60 wrong).
    assert sum(two not in (View.TWO_CHAMBER, View.UNKNOWN) for _, two in found) <= 1


@pytest.mark.parametrize("kind", ["noise", "waves", "gradient", "checks"])
def test_what_is_no_view_gets_none(classifier, kind):
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:240, :320]
    plane = {
        "noise": rng.integers(0, 256, (240, 320)),
        "waves": 127 * (1 + np.sin(columns / 9)) * (rows > 120 + 60 * np.sin(columns / 20)),
        "gradient": columns * 0.7,
        "checks": 255 * ((rows // 16 + columns // 16) % 2),
    }[kind]
    assert classifier.propose(Image(plane.astype(np.uint8)[None, None], NO_GEOMETRY)).view is View.UNKNOWN


def test_a_true_film_is_an_apical_four_chamber_view(classifier):
    pydicom = pytest.importorskip("pydicom")
    pytest.importorskip("data_store", reason="the package pydicom-data is not installed")
    from pydicom.data import get_testdata_file

    path = get_testdata_file("color3d_jpeg_baseline.dcm", download=False)
    if path is None:
        pytest.skip("the package pydicom-data is not installed")
    frames = pydicom.dcmread(path).pixel_array[:, None]
    found = classifier.propose(Image(frames, NO_GEOMETRY, modality=Modality.US))
    assert (found.view, found.likeliest.modality) == (View.FOUR_CHAMBER, Modality.US)


@pytest.mark.data
def test_two_chamber_stills_of_real_patients_are_never_called_four_chamber(classifier, data_root):
    paths = sorted((data_root / "camus" / "legacy_mhd").glob("patient*/*_2CH_E[DS].mhd"))
    if not paths:
        pytest.skip("the two patients of CAMUS in its first format are not at hand")
    for path in paths:
        assert classifier.propose(read_image(path)).view is not View.FOUR_CHAMBER, path.name


@pytest.mark.data
def test_photographs_of_the_eye_are_no_view(classifier, data_root):
    paths = sorted((data_root / "chase_db1").rglob("Image_0*[LR].jpg"))
    if not paths:
        pytest.skip("CHASE_DB1 is not at hand")
    for path in paths:
        assert classifier.propose(read_image(path)).view is View.UNKNOWN, path.name
