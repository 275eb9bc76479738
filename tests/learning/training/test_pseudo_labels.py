"""Labels that a teacher makes where nobody has any."""

import dataclasses

import numpy as np
import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError, UsageError
from cardiotrace.core.label import CAMUS, MNMS
from cardiotrace.core.reporter import SilentReporter
from cardiotrace.datasets.packed import IGNORED
from cardiotrace.inference.model_file import seal
from cardiotrace.learning.training.environment import read_environment
from cardiotrace.learning.training.pseudo_labels import LabelTeacher, PseudoLabels, guarded, pseudo_labelled
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.workflows import training_report
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.train import plan_run, run_training, train_model
from tests.fake.models import make_spec, threshold_network
from tests.learning.training.tiny import packed, recipe
from tests.workflows.test_train import config, place

__all__ = ["place"]


class Brightness:
    """A teacher who is the surer of class 1 the brighter a pixel is: logits (0, value)."""

    inputs, outputs = ("images",), ("logits",)

    def run(self, inputs):
        images = inputs["images"]
        return {"logits": np.concatenate([np.zeros_like(images), images, images - 9, images - 9], axis=1)}


def logit(probability):
    return np.log(probability / (1 - probability))


def test_the_guard_by_hand():
    def image(*foreground):
        found = np.array(foreground)
        return np.stack([1 - found, found])

    assert guarded(image(0.95, 0.95, 0.95, 0.7, 0.02, 0.3), 0.88).tolist() == [1, 1, 1, IGNORED, 0, IGNORED]
    assert guarded(image(0.95, 0.7, 0.7, 0.02), 0.88) is None  # 0.783 over what was found
    assert guarded(image(0.05, 0.01), 0.9).tolist() == [0, 0]  # nothing there, for sure
    assert guarded(image(0.05, 0.2), 0.9) is None  # nothing there, or missed


def test_only_unlabelled_samples_of_training_patients_are_labelled():
    data = packed(4)
    images = np.zeros(data.images.shape, np.uint8)
    images[:, :, :16] = 255
    labels = np.full_like(data.labels, IGNORED)
    labels[0] = data.labels[0]
    samples = tuple(dataclasses.replace(one, is_labelled=index == 0) for index, one in enumerate(data.samples))
    data = dataclasses.replace(data, images=images, labels=labels, samples=samples)
    # Half of each image is foreground at 0.99; the other half is a tie that the first class wins.
    chosen = Preprocessing([Choice("multiply", {"factor": float(logit(0.99))})])
    made = pseudo_labelled(
        data, ["patient0", "patient1", "patient2"], LabelTeacher(Brightness(), PseudoLabels("x"), chosen)
    )
    assert (made.accepted, made.refused, made.ignored) == (2, 0, 0.5)
    assert [sample.is_labelled for sample in made.packed.samples] == [True, True, True, False]
    np.testing.assert_array_equal(made.packed.labels[0], data.labels[0])
    assert set(np.unique(made.packed.labels[1][:16])) == {1}
    assert set(np.unique(made.packed.labels[1][16:])) == {IGNORED}
    assert (made.packed.labels[3] == IGNORED).all()
    assert (data.labels[1] == IGNORED).all(), "what was packed is as it was"
    assert made.told() == "2 images accepted (50.0 % of their pixels ignored), 0 refused"
    refused = pseudo_labelled(data, ["patient1"], LabelTeacher(Brightness(), PseudoLabels("x", 0.995), chosen))
    assert (refused.accepted, refused.refused, refused.ignored) == (0, 1, 0.0)


def test_a_teacher_sees_the_neighbours_of_each_slice():
    class Below(Brightness):
        """Tells of the slice below alone, which is the first channel."""

        def run(self, inputs):
            assert inputs["images"].shape[1] == 3
            return super().run({"images": inputs["images"][:, :1]})

    data = packed(3)
    images = np.zeros(data.images.shape, np.uint8)
    images[0] = 255
    stack = [dataclasses.replace(data.samples[0], depth=depth, is_labelled=False, case="stack") for depth in range(3)]
    data = dataclasses.replace(data, images=images, labels=np.full_like(data.labels, IGNORED), samples=tuple(stack))
    chosen = Preprocessing([Choice("multiply", {"factor": float(logit(0.99))})])
    made = pseudo_labelled(data, ["patient0"], LabelTeacher(Below(), PseudoLabels("x"), chosen, neighbours=1))
    # At the end of the stack the first slice stands again: the first two see it, the third does not and is in doubt.
    assert [sample.is_labelled for sample in made.packed.samples] == [True, True, False]
    assert set(np.unique(made.packed.labels[:2])) == {1}


@pytest.fixture
def teacher(tmp_path):
    """A model that labels by brightness, prepared as the tiny recipe prepares."""

    def write(name="teacher.onnx", scheme=CAMUS):
        spec = make_spec(scheme, preprocessing=recipe().preprocessing, name="bright", licence="CC BY 4.0")
        path = tmp_path / name
        path.write_bytes(seal(threshold_network(0.2, 0.8, 1.6), spec))
        return path

    return write


def test_a_training_learns_from_unlabelled_patients_and_tells_how(place, teacher, monkeypatch):
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    for path in (place / "camus/database_nifti/patient0001").glob("*_gt.nii.gz"):
        path.unlink()
    split = place / "mine.json"
    split.write_text('{"training": ["patient0001", "patient0002"], "validation": ["patient0003"]}')
    said = []
    reporter = SilentReporter()
    reporter.say = said.append
    pseudo = {"teacher": str(teacher()), "lowest_confidence": 0.6}
    overrides = {"data.split": str(split), "data.pseudo_labels": pseudo, "training.epochs": 1}
    model = train_model(config(place, **overrides), reporter)
    told = next(line for line in said if line.startswith("pseudo-labels: "))
    assert "2 images accepted (" in told
    assert told.endswith("0 refused, by bright")
    assert model.spec.training.pseudo_labels == told.removeprefix("pseudo-labels: ")
    assert model.spec.training.recipe["data"]["pseudo_labels"]["teacher"] == "teacher.onnx"
    assert "CC BY 4.0" in model.spec.licence
    assert read_environment(model.run.folder.environment)["taught_by"][0].startswith("bright, sha256 ")
    assert {row.patient for row in model.validation.rows} == {"patient0003"}


def test_patients_without_labels_do_not_validate(place):
    for path in (place / "camus/database_nifti/patient0002").glob("*_gt.nii.gz"):
        path.unlink()
    for seed in range(12):
        overrides = {"data.split": "k-fold", "data.folds": 4, "data.validation_patients": 1, "data.seed": seed}
        given = config(place, **overrides)
        split = plan_run(given, DataOpener(given.data, given.cache)).split
        assert len(split.validation) == 1
        assert split.validation != ("patient0002",)


def test_teachers_of_other_labels_and_guards_that_are_none_are_refused(place, teacher):
    with pytest.raises(InputError, match="teacher 'bright' knows LV, MYO, RV, the data have LV, MYO, LA"):
        run_training(config(place, **{"data.pseudo_labels": {"teacher": str(teacher(scheme=MNMS))}}))
    with pytest.raises(ConfigError, match=r"lowest_confidence must lie between 0 and 1, got 1\.5"):
        run_training(config(place, **{"data.pseudo_labels": {"teacher": "x", "lowest_confidence": 1.5}}))
    assert PseudoLabels("x").lowest_confidence == 0.9


def test_a_run_goes_on_with_the_teacher_that_it_began_with_alone(place, teacher, monkeypatch):
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    overrides = {"data.pseudo_labels": {"teacher": str(teacher())}, "training.epochs": 1}
    run_training(config(place, **overrides))
    spec = make_spec(CAMUS, preprocessing=recipe().preprocessing, name="bright", summary="Another.")
    teacher().write_bytes(seal(threshold_network(0.1, 0.8, 1.6), spec))
    with pytest.raises(UsageError, match="holds a run that other models of these names taught"):
        run_training(config(place, resume=True, **overrides))
