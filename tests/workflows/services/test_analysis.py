"""One exam through memory, Python and the command line: the same values, the same flags, models loaded once."""

import copy
import json
import pickle
import shutil
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

import cardiotrace as ct
from cardiotrace.cli.main import main
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, CAMUS, LV_ONLY
from cardiotrace.core.terms import Modality, Structure, View
from cardiotrace.inference.model_file import JUDGE, seal
from cardiotrace.inference.spec import JudgeSpec
from cardiotrace.io.results import MEASURES
from cardiotrace.workflows.services import tracing
from cardiotrace.workflows.services.analysis import Analyser, for_given_labels
from cardiotrace.workflows.services.tracing import Models
from tests.fake.camus import write_camus
from tests.fake.heart import apical, heart_image, short_axis, write_nifti
from tests.fake.models import make_spec, pointwise_network, threshold_network, write_camus_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_camus_model(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    root = tmp_path_factory.mktemp("camus")
    write_camus(root, patients=1, views=("4CH",), frames=3)
    return root / "database_nifti" / "patient0001"


def written(*words):
    assert main([str(word) for word in words]) == 0
    out = words[words.index("--out") + 1]
    (path,) = out.glob(f"*/{MEASURES}")
    return json.loads(path.read_text())


def without_provenance(plain):
    """Nor the reading of groups: both are of the analysis and not of the measures."""
    return {key: value for key, value in plain.items() if key not in ("provenance", "groups")}


def test_python_gives_what_the_command_line_gives(patient, model, tmp_path):
    plain = written("analyse", patient, "--model", model, "--out", tmp_path / "a")
    exam = ct.read_exam(patient)
    labels = ct.segment(exam, str(model))
    measures = ct.measure(exam, labels)
    assert plain["flags"], "an exam without flags would say nothing of them"
    assert measures.to_plain() == without_provenance(plain)
    ct.write_report(exam, labels, measures, tmp_path / "b")
    stored = json.loads((tmp_path / "b" / MEASURES).read_text())
    ours, theirs = plain.pop("provenance"), stored.pop("provenance")
    assert stored == plain
    assert (theirs["models"], theirs["images"]) == (ours["models"], ours["images"])
    assert (ours["verb"], theirs["verb"]) == ("analyse", "")
    assert ours["given"] == {"model": "tiny.onnx"}


def test_given_labels_in_python_and_on_the_command_line(patient, tmp_path):
    plain = written("measure", patient, "--labels", patient, "--out", tmp_path / "m")
    exam = ct.read_exam(patient)
    labels = {
        image.name: ct.read_labels(patient / f"{image.name}_gt.nii.gz", CAMUS, third_axis=axis)
        for image in exam.images
        for axis in ("time" if image.image.grid_shape[0] > 1 else "depth",)
    }
    assert ct.measure(exam, labels).to_plain() == without_provenance(plain)
    del labels["patient0001_4CH_ES"]
    told = [flag.text for flag in ct.measure(exam, labels).flags if flag.rule == "left-out"]
    assert told == ["patient0001_4CH_ES: no labels of it were given, so that it is not measured"]


def test_labels_carry_who_drew_them_and_what_speaks_against_them(patient, model):
    exam = ct.read_exam(patient)
    labels = ct.segment(exam, str(model))
    assert labels.licence == "CC0"
    assert set(labels.traced_by.values()) == {"tiny"}
    assert set(labels.flags) <= set(ct.measure(exam, labels).flags)
    assert labels.flags
    name = next(iter(labels))
    # One that was drawn by hand is no longer the model's: it is neither said to be nor doubted for its sake.
    labels[name] = replace(labels[name], array=labels[name].array.copy())
    assert name not in labels.traced_by
    assert ct.measure(exam, labels)


def test_labels_are_pickled_and_copied_with_all_that_is_known_of_them(patient, model):
    """A pool of processes hands over what it traced by pickling."""
    exam = ct.read_exam(patient)
    labels = ct.segment(exam, str(model))
    for other in (pickle.loads(pickle.dumps(labels)), copy.deepcopy(labels)):
        assert other.keys() == labels.keys()
        assert (other.licence, other.traced_by, other.flags) == (labels.licence, labels.traced_by, labels.flags)
        assert ct.measure(exam, other).to_plain() == ct.measure(exam, labels).to_plain()


def test_a_predictor_is_built_once_for_all_calls(patient, model, monkeypatch):
    built = []
    opened = tracing.open_predictor
    monkeypatch.setattr(tracing, "open_predictor", lambda found: built.append(found) or opened(found))
    another = model.with_name("another.onnx")
    shutil.copy(model, another)
    exam = ct.read_exam(patient)
    for _ in range(3):
        ct.segment(exam, str(another))
    assert len(built) == 1
    write_camus_model(another, summary="Trained again.")
    assert ct.segment(exam, str(another)).tracing.models[0].spec.summary == "Trained again."
    assert len(built) == 2


def test_threads_that_ask_for_one_model_build_it_once(model, monkeypatch):
    """Without the lock each of them would: building takes longer here than all of them need to ask."""
    built = []

    def slow(found):
        time.sleep(0.2)
        built.append(found)
        return object()

    monkeypatch.setattr(tracing, "open_predictor", slow)
    models, barrier, got = Models(str(model)), threading.Barrier(6), []

    def ask():
        barrier.wait()
        got.append(models.predictor(View.FOUR_CHAMBER))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert len({id(predictor) for predictor in got}) == 1


def test_threads_analyse_as_one_does(patient, model):
    analyser, exam = Analyser(Models(str(model))), ct.read_exam(patient)
    alone = analyser.analyse(exam).to_plain()
    found = []
    threads = [threading.Thread(target=lambda: found.append(analyser.analyse(exam).to_plain())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 3


@pytest.fixture
def both_axes(tmp_path, monkeypatch):
    """An exam with a short-axis stack and a long axis, at both phases, and models of grey values for either."""
    rng = np.random.default_rng(3)
    folder = tmp_path / "models"
    folder.mkdir()
    write_camus_model(folder / "long.onnx")
    # ACDC numbers RV 1, MYO 2, LV 3: the grey values of `heart_image` of the values 1, 2, 3 are 90, 180, 120.
    network = threshold_network(55 / 255)
    spec = make_spec(LV_ONLY, name="short", views=(View.SAX,))
    (folder / "short.onnx").write_bytes(seal(network, spec))
    monkeypatch.setattr("cardiotrace.inference.zoo.model_folders", lambda: (folder,))
    exam = tmp_path / "exam"
    for phase, size in (("ED", 1.0), ("ES", 0.8)):
        ring = short_axis(size=size, values=(1, 0, 0))
        write_nifti(exam / f"p_SAX_{phase}.nii.gz", heart_image(ring, rng), (8.0, 1.4, 1.4))
        write_nifti(exam / f"p_4CH_{phase}.nii.gz", heart_image(apical(size=size), rng), (2.0, 2.0))
    return exam


def test_short_and_long_axis_in_one_exam(both_axes, tmp_path):
    plain = written("analyse", both_axes, "--out", tmp_path / "out")
    by_view = {}
    for item in plain["quantities"]:
        if item["name"] == "left_ventricular_ejection_fraction":
            by_view.setdefault(item["view"], item["value"])
    # Radii shrink to 0.8 and slices stay where they are: 1 - 0.8^2. The long axis shrinks in all three directions.
    assert by_view["SAX"] == pytest.approx(100 * (1 - 0.8**2), abs=2)
    assert by_view["A4C"] == pytest.approx(100 * (1 - 0.8**3), abs=5)
    assert {model["name"] for model in plain["provenance"]["models"]} == {"tiny", "short"}
    exam = ct.read_exam(both_axes)
    assert ct.measure(exam, ct.segment(exam)).to_plain() == without_provenance(plain)


def test_sizes_that_are_given_scale_a_stack(both_axes, tmp_path):
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    for file in both_axes.glob("p_SAX*"):
        shutil.copy(file, stacks)
    volumes = []
    for name, sizes in (("file", ()), ("wide", ("2.8", "2.8")), ("deep", ("1.4", "1.4", "4"))):
        words = ("--spacing-mm", *sizes) if sizes else ()
        plain = written("analyse", stacks, *words, "--out", tmp_path / name)
        found = [item for item in plain["quantities"] if item["name"] == "left_ventricular_end_diastolic_volume"]
        volumes.append(found[0]["value"])
    # Four discs of radii 6 to 4.2 pixels of 1.4 mm, 8 mm apart; a pixel at the rim is 3 %.
    expected = sum(np.pi * (6 * share * 1.4) ** 2 * 8 for share in np.linspace(1.0, 0.7, 4)) / 1000
    assert volumes[0] == pytest.approx(expected, rel=0.03)
    assert volumes[1:] == pytest.approx([4 * volumes[0], volumes[0] / 2])


def test_an_exam_of_unknown_view_is_measured_as_a_long_axis_which_is_said(tmp_path, model):
    frames = heart_image(apical(), np.random.default_rng(0))[None, None]
    image = Image(frames, Geometry.of_spacing((np.nan, 1.0, 1.0)), view=View.UNKNOWN, modality=Modality.US)
    exam = Exam("p", (ExamImage("x", image),))
    labels = ct.segment(exam, str(model))
    measures = ct.measure(exam, labels)
    assert set(measures.flags) >= set(labels.flags)
    assert any("measured as a long-axis view" in flag.text for flag in measures.flags)
    ct.write_image(image, tmp_path / "x.nii.gz")
    plain = written("analyse", tmp_path / "x.nii.gz", "--model", model, "--modality", "US", "--out", tmp_path / "out")
    assert plain["provenance"]["images"][0]["view"] == "unknown"
    assert {item["name"] for item in plain["quantities"]} == {item.name for item in measures}


def test_an_exam_says_which_of_its_images_have_no_labels():
    still = Image(np.zeros((1, 1, 4, 4), np.uint8), Geometry.of_spacing((1.0, 1.0, 1.0)))
    images = (ExamImage("a", still), ExamImage("b", still), ExamImage("c", still, shown_in="a"))
    exam = Exam("p", images, left_out=("a_gt.nii.gz: labels, which measure and evaluate read", "notes.pdf: no image"))
    told = for_given_labels(exam, {"a": ACDC})
    assert told.left_out == ("notes.pdf: no image", "b: no labels of it were given, so that it is not measured")


def judging_model(path):
    """The tiny model with a judge that is sure of all labels but the ventricle's."""
    weight = np.zeros((2, 5), np.float32)
    weight[1, 2] = 8
    judge = pointwise_network(weight, np.array([0, -6], np.float32))
    spec = make_spec(CAMUS, judge=JudgeSpec(), modality=Modality.US)
    path.write_bytes(seal(threshold_network(0.25, 0.5, 0.75), spec, graphs={JUDGE: judge}))
    return path


def test_where_labels_of_key_frames_are_probably_wrong_is_told_and_drawn(patient, model, tmp_path):
    exam = ct.read_exam(patient)
    analysis = Analyser(Models(str(judging_model(tmp_path / "judging.onnx")))).analyse(exam)
    key_frames = {(each.image, each.frame) for each in analysis.measures.key_frames}
    assert analysis.errors.keys() == key_frames
    assert key_frames
    for (name, frame), error in analysis.errors.items():
        inside = analysis.labels[name].mask(Structure.LV)[frame]
        assert float(error[inside].min()) > 0.8
        assert float(error[~inside].max()) < 0.01
    report = analysis.report()
    drawn = [name for name in report.figures if name.endswith("_error.png")]
    assert len(drawn) == len(key_frames)
    assert "Where the outlines may be wrong" in report.page
    plain = Analyser(Models(str(model))).analyse(exam)
    assert not plain.errors
    assert not [name for name in plain.report().figures if name.endswith("_error.png")]
