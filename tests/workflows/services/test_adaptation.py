"""Models are adapted to each image where somebody asks; what that changed is told, what goes too far taken back."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.cli.main import main
from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.inference.learned_images import learned_images
from cardiotrace.inference.model_file import seal
from cardiotrace.inference.predictor import Predictor
from cardiotrace.workflows.adapters import adapter_of
from cardiotrace.workflows.services.analysis import Analyser, Analysis
from cardiotrace.workflows.services.report_form import ReportConfig
from cardiotrace.workflows.services.tracing import Models
from tests.fake.correctors import heart
from tests.fake.heart import write_nifti
from tests.fake.models import layered_network, make_model, make_spec

GREY = np.array([20, 80, 130, 200], np.uint8)
"""Grey values by label, which the model tells apart."""
PALE = np.array([60, 90, 115, 150], np.uint8)
"""The same hearts as another machine shows them: wall and atrium look like the cavity and the wall."""
NETWORK = layered_network(50 / 255, 105 / 255, 165 / 255)


def small_heart() -> np.ndarray:
    rows, columns = (np.arange(size) for size in heart().shape)
    return heart()[((rows - 60) / 0.85 + 60).round().astype(int).clip(0, 119)][
        :, ((columns - 50) / 0.85 + 50).round().astype(int).clip(0, 99)
    ]


def image_of(*frames: np.ndarray, greys: np.ndarray = PALE) -> Image:
    return Image(
        greys[np.stack(frames)[:, None]],
        Geometry.of_spacing((1.0, 1.0, 1.0)),
        view=View.FOUR_CHAMBER,
        modality=Modality.US,
    )


def exam_of(image: Image) -> Exam:
    return Exam("p", (ExamImage("p_4CH", image, {Phase.ED: 0, Phase.ES: 1}),))


PALE_EXAM = exam_of(image_of(heart(), small_heart()))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    spec = make_spec(CAMUS, modality=Modality.US, licence="CC0")
    (folder / "unknowing.onnx").write_bytes(seal(NETWORK, spec))
    predictor = Predictor.of(make_model(NETWORK, spec))
    shown = [predictor.inputs(image_of(each, greys=GREY), most=1) for each in (heart(), small_heart())]
    knowing = dataclasses.replace(spec.calibration, learned=learned_images(NETWORK, shown))
    (folder / "greys.onnx").write_bytes(seal(NETWORK, dataclasses.replace(spec, calibration=knowing)))
    return folder


def analysed(place: Path, choice: Choice | None, exam: Exam = PALE_EXAM, model: str = "greys") -> Analysis:
    adapter = None if choice is None else adapter_of(choice)
    return Analyser(Models(str(place / f"{model}.onnx")), adapter=adapter).analyse(exam)


ALL_THE_WAY = Choice("statistics", {"share": 1.0})


def right(analysis: Analysis) -> float:
    return float((analysis.labels["p_4CH"].array[0, 0] == heart()).mean())


def test_the_guard_cannot_know_which_of_both_is_right(place):
    """Where the model as it is is far off, what would be right is as far from it, and is taken back as well."""
    plain, found = analysed(place, None), analysed(place, ALL_THE_WAY)
    (done,) = found.adaptation.images.values()
    assert right(plain) < 0.95
    assert done.rule == "adaptation-area"
    assert right(found) == right(plain)


def test_a_moderate_change_goes_through_with_its_numbers(place):
    # Brighter by a little: part of the outlines moves.
    greys = np.array([20, 95, 140, 210], np.uint8)
    noisy = np.random.default_rng(0).normal(0, 14, (2, 1, 120, 100))
    image = image_of(heart(), small_heart(), greys=greys)
    image = dataclasses.replace(image, frames=np.clip(image.frames + noisy, 0, 255).astype(np.uint8))
    plain, found = (analysed(place, choice, exam_of(image)) for choice in (None, Choice("tones", {"share": 0.5})))
    (done,) = found.adaptation.images.values()
    assert done.is_adapted, done.why_not
    assert right(found) > right(plain)
    np.testing.assert_array_equal(done.before.array, plain.labels["p_4CH"].array)
    assert all(0.5 < value < 1 for value in done.dice.values())
    (flag,) = [flag for flag in found.measures.flags if flag.rule == "adapted"]
    assert flag.grade is Grade.NOTE
    assert f"LV {next(iter(done.dice.values())):.3f}" in flag.text
    moved = {each.name for each in found.adaptation.moved}
    assert "left_ventricular_end_diastolic_volume" in moved
    record = found.to_plain()["adaptation"]
    assert record["images"][0]["method"] == "tones"
    assert record["images"][0]["adapted"] is True
    assert record["images"][0]["dice"]["LV"] == round(next(iter(done.dice.values())), 4)
    assert "adaptation" not in plain.to_plain()
    assert not found.trust
    assert all(item.interval is None for item in found.measures)
    page, french = found.report().page, found.report(ReportConfig(language="fr")).page
    assert "Adapted model" in page
    assert "bringing its tones towards those of the training images" in page
    assert "Modèle adapté" in french
    assert "modèle adapté à l&#39;image par tones" in french or "modèle adapté à l'image par tones" in french


def test_labels_that_go_too_far_are_taken_back_to_the_pixel_and_said(place):
    # Nothing but a small ventricle in the dark: statistics of a whole heart do not fit it.
    lonely = np.where(small_heart() == 1, 1, 0)
    exam = exam_of(image_of(lonely, lonely, greys=GREY))
    plain, found = analysed(place, None, exam), analysed(place, ALL_THE_WAY, exam)
    (done,) = found.adaptation.images.values()
    assert not done.is_adapted
    (flag,) = [flag for flag in found.measures.flags if flag.rule.startswith("adaptation-")]
    assert flag.rule == done.rule
    assert "not adapted by statistics: " in flag.text
    np.testing.assert_array_equal(found.labels["p_4CH"].array, plain.labels["p_4CH"].array)
    assert [item.value for item in found.measures] == [item.value for item in plain.measures]
    assert found.adaptation.moved == ()
    assert "was taken back" in found.report().page


def test_an_image_that_shows_nothing_is_left_and_said(place):
    blank = exam_of(image_of(np.zeros_like(heart()), np.zeros_like(heart()), greys=np.zeros(4, np.uint8)))
    found = analysed(place, Choice("styles"), blank)
    assert [flag.text for flag in found.measures.flags if flag.rule == "not-adapted"] == [
        "p_4CH: not adapted by styles: it shows no image"
    ]


def test_entropy_makes_the_model_surer_of_the_image(place):
    pytest.importorskip("torch")
    found = analysed(place, Choice("entropy", {"steps": 2, "learning_rate": 1e-3}), model="unknowing")
    (done,) = found.adaptation.images.values()
    assert done.entropy[1] < done.entropy[0]
    assert done.is_adapted


def test_progress_goes_over_both_ways_once(place):
    told: list[tuple[int, int]] = []
    Analyser(Models(str(place / "greys.onnx")), adapter=adapter_of(Choice("styles"))).trace(
        PALE_EXAM, lambda done, total: told.append((done, total))
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("name", ["tones", "statistics"])
def test_a_model_that_does_not_say_what_it_learned_from_is_refused(place, name):
    with pytest.raises(ModelFileError, match="does not say what its training images were like"):
        analysed(place, Choice(name), model="unknowing")


def test_a_model_that_has_nothing_to_adapt_is_refused(place, tmp_path):
    from tests.fake.models import threshold_network

    path = tmp_path / "old.onnx"
    path.write_bytes(seal(threshold_network(0.2, 0.4, 0.6), make_spec(CAMUS, modality=Modality.US)))
    pytest.importorskip("torch")
    with pytest.raises(ModelFileError, match=r"version 17 of ONNX's operators|no channels"):
        Analyser(Models(str(path)), adapter=adapter_of(Choice("entropy"))).analyse(PALE_EXAM)


@pytest.mark.parametrize("verb", ["segment", "analyse"])
def test_on_the_command_line(place, tmp_path, verb, capsys):
    frames = PALE[np.stack([heart(), small_heart()])]
    write_nifti(tmp_path / "exam" / "p_4CH_half_sequence.nii.gz", frames, (1.0, 1.0, 1.0))
    words = [verb, tmp_path / "exam", "--out", tmp_path / "out", "--third-axis", "time", "--view", "4CH"]
    words = [*words, "--modality", "US", "--model", place / "greys.onnx", "--adapt"]
    assert main([str(word) for word in (*words, "styles")]) == 0
    (folder,) = [path for path in (tmp_path / "out").iterdir() if path.is_dir()]
    said = capsys.readouterr().out
    assert "the model was adapted to the image by styles; Dice between before and after: LV " in said
    if verb == "analyse":
        plain = json.loads((folder / "measures.json").read_text())
        assert plain["provenance"]["given"]["adapt"] == "styles"
        assert plain["adaptation"]["images"][0]["method"] == "styles"
    assert main([str(word) for word in (*words, "magic")]) != 0
    assert "there is no way 'magic' to adapt a model" in capsys.readouterr().err
