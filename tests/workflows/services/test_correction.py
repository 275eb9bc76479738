"""Labels that can be no heart's are corrected where somebody asks; before and after are both told."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.cli.main import main
from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.inference.corrector import mean_dice
from cardiotrace.inference.model_file import seal
from cardiotrace.inference.zoo import FOLDER_VARIABLE
from cardiotrace.io import read_labels
from cardiotrace.workflows.services.analysis import Analyser
from cardiotrace.workflows.services.archive import authors_of
from cardiotrace.workflows.services.correction import Correctors, corrected
from cardiotrace.workflows.services.tracing import Models
from tests.fake.correctors import broken_heart, heart, write_corrector
from tests.fake.heart import write_nifti
from tests.fake.models import make_spec, threshold_network

GREY = np.array([20, 80, 130, 200], np.uint8)
"""Grey values by label, which the model tells apart."""


def small_heart() -> np.ndarray:
    """End-systole: the same heart, smaller."""
    labels = np.zeros_like(heart())
    rows, columns = (np.arange(size) for size in labels.shape)
    inner = heart()[np.clip(((rows - 60) / 0.85 + 60).round().astype(int), 0, 119)][
        :, np.clip(((columns - 50) / 0.85 + 50).round().astype(int), 0, 99)
    ]
    labels[:] = inner
    return labels


def exam_of(*frames: np.ndarray, view: View = View.FOUR_CHAMBER) -> Exam:
    grey = GREY[np.stack(frames)[:, None]]
    image = Image(grey, Geometry.of_spacing((1.0, 1.0, 1.0)), view=view, modality=Modality.US)
    return Exam("p", (ExamImage("p_4CH", image, {Phase.ED: 0, Phase.ES: 1}),))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    spec = make_spec(CAMUS, modality=Modality.US, licence="CC0")
    (folder / "greys.onnx").write_bytes(seal(threshold_network(50 / 255, 105 / 255, 165 / 255), spec))
    write_corrector(folder / "shapes.onnx", heart(), small_heart())
    return folder


def analyser(place: Path, **changes) -> Analyser:
    return Analyser(Models(str(place / "greys.onnx")), correctors=Correctors(str(place / "shapes.onnx")), **changes)


def test_a_valid_exam_is_measured_as_without_a_corrector(place):
    exam = exam_of(heart(), small_heart())
    plain, asked = Analyser(Models(str(place / "greys.onnx"))).analyse(exam), analyser(place).analyse(exam)
    assert [item.value for item in plain.measures] == [item.value for item in asked.measures]
    assert not asked.uncorrected
    assert {author.name for author in authors_of(asked).values()} == {"tiny"}
    assert "corrected" not in {flag.rule for flag in asked.measures.flags}
    assert [model.name for model in asked.provenance.models] == ["tiny"]
    assert plain.correction is None
    assert "correction" not in plain.to_plain()
    assert asked.to_plain()["correction"] == {
        "images": [{"image": "p_4CH", "corrector": "shapes", "planes": []}],
        "moved": [],
    }


def test_a_broken_frame_is_corrected_and_all_of_it_is_told(place):
    found = analyser(place).analyse(exam_of(broken_heart(), small_heart()))
    array = found.labels["p_4CH"].array
    assert mean_dice(array[0, 0], heart()) > 0.97
    assert np.array_equal(array[1, 0], small_heart())
    assert np.array_equal(found.uncorrected["p_4CH"].array[0, 0], broken_heart())
    (flag,) = [flag for flag in found.measures.flags if flag.rule == "corrected"]
    assert flag.grade is Grade.LOOK_TWICE
    assert "frame 0" in flag.text
    assert "has holes" in flag.text
    assert "corrected by shapes" in flag.text
    assert [model.name for model in found.provenance.models] == ["tiny", "shapes"]
    assert {author.name for author in authors_of(found).values()} == {"tiny, shapes"}  # in DICOM and FHIR
    assert found.correction is not None
    # By disks nothing moves: what is enclosed counts for the cavity, so that a hole is none.
    each = next(each for each in found.correction.moved if each.name == "left_ventricular_ejection_fraction")
    whole = Analyser(Models(str(place / "greys.onnx"))).analyse(exam_of(heart(), small_heart()))
    truth, after = (
        next(item.value for item in of.measures if (item.name, item.method) == (each.name, each.method))
        for of in (whole, found)
    )
    assert abs(each.after - truth) < abs(each.before - truth)
    assert each.after == after


def test_nothing_is_expected_of_a_corrected_frame(place):
    tracing = Analyser(Models(str(place / "greys.onnx"))).trace(exam_of(broken_heart(), small_heart()))
    (name, found), *_ = tracing.segmentations.items()
    found = replace(found, expected_dice={Structure.LV: np.array([0.9, 0.8])})
    tracing = replace(tracing, segmentations={name: found})
    after = corrected(tracing, Correctors(str(place / "shapes.onnx"))).trust[name].expected_dice[Structure.LV]
    np.testing.assert_array_equal(after, [np.nan, 0.8])
    np.testing.assert_array_equal(found.expected_dice[Structure.LV], [0.9, 0.8])


def test_where_no_shape_is_near_it_is_said_and_nothing_is_changed(place, tmp_path):
    write_corrector(tmp_path / "strict.onnx", heart(), lowest_dice=0.9999)
    strict = Analyser(Models(str(place / "greys.onnx")), correctors=Correctors(str(tmp_path / "strict.onnx")))
    found = strict.analyse(exam_of(broken_heart(), small_heart()))
    assert np.array_equal(found.labels["p_4CH"].array[0, 0], broken_heart())
    assert "no valid shape is near" in next(f.text for f in found.measures.flags if f.rule == "not-corrected")
    assert not found.uncorrected
    assert found.correction.moved == ()


def test_the_page_shows_both_in_either_language(place):
    from cardiotrace.workflows.services.report_form import ReportConfig

    found = analyser(place).analyse(exam_of(broken_heart(), small_heart()))
    report = found.report()
    assert "Corrected shapes" in report.page
    assert "frame 0: corrected" in report.page
    # Each method's value by its name: two lines of one quantity and view would contradict each other.
    assert "Ejection fraction, A4C, area-length, single plane: " in report.page
    assert "p_4CH_corrected_0.png" in report.figures
    french = found.report(ReportConfig(language="fr"))
    assert "Formes corrigées" in french.page


def test_the_corrector_of_a_view_is_found_by_itself(place, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(place))
    monkeypatch.setattr("cardiotrace.workflows.services.correction.list_models", lambda: _only(place))
    chosen = Correctors().ready()
    assert chosen.of(View.FOUR_CHAMBER, Modality.US) is chosen.of(View.FOUR_CHAMBER, Modality.US)
    assert chosen.of(View.FOUR_CHAMBER, Modality.MR) is None
    assert chosen.of(View.TWO_CHAMBER, Modality.US) is None
    assert list(chosen.fingerprint()) == ["shapes.onnx"]


def _only(place: Path):
    from cardiotrace.inference.model_file import read_spec
    from cardiotrace.inference.zoo import ListedModel

    return tuple(ListedModel(path.stem, path, read_spec(path)) for path in sorted(place.glob("*.onnx")))


def test_a_view_without_a_corrector_is_left_and_said(place):
    exam = exam_of(broken_heart(), small_heart(), view=View.TWO_CHAMBER)
    found = analyser(place).analyse(exam)
    assert "knows no shapes of view A2C" in next(f.text for f in found.measures.flags if f.rule == "not-corrected")
    assert np.array_equal(found.labels["p_4CH"].array[0, 0], broken_heart())


def test_a_wrong_name_ends_the_work_before_it_begins(place):
    with pytest.raises(InputError, match="there is no model"):
        Correctors("nothing-of-this-name").ready()
    with pytest.raises(ModelFileError, match="corrects no labels"):
        Correctors(str(place / "greys.onnx")).ready()


@pytest.mark.parametrize("verb", ["segment", "analyse"])
def test_on_the_command_line_what_was_before_is_kept_beside(place, tmp_path, verb):
    frames = GREY[np.stack([broken_heart(), small_heart()])]
    write_nifti(tmp_path / "exam" / "p_4CH_half_sequence.nii.gz", frames, (1.0, 1.0, 1.0))
    words = [verb, tmp_path / "exam", "--out", tmp_path / "out", "--model", place / "greys.onnx"]
    words += ["--correct", place / "shapes.onnx", "--third-axis", "time", "--view", "4CH", "--modality", "US"]
    assert main([str(word) for word in words]) == 0
    (folder,) = [path for path in (tmp_path / "out").iterdir() if path.is_dir()]
    (after,) = folder.glob("*_4CH*.nii.gz")
    (before,) = (folder / "uncorrected").glob("*.nii.gz")
    assert before.name == after.name
    planes = [read_labels(path, CAMUS, third_axis="time").array for path in (before, after)]
    assert not np.array_equal(*planes)
    if verb == "analyse":
        plain = json.loads((folder / "measures.json").read_text())
        assert plain["provenance"]["given"]["correct"] == "shapes.onnx"
        assert plain["correction"]["images"][0]["planes"][0]["outcome"] == "corrected"
    assert main([str(word) for word in words]) == 0  # the same again is not done again, and finds the same files
