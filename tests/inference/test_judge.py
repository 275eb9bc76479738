"""A judge in a model file: what it is asked, where its answer lies on the image, and what it refuses."""

import numpy as np
import pytest

from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, CAMUS, LabelMap
from cardiotrace.core.terms import View
from cardiotrace.inference.judge import Judge
from cardiotrace.inference.model_file import JUDGE, Model, open_seal, seal
from cardiotrace.inference.spec import JudgeSpec, ModelSpec
from tests.fake.models import make_spec, pointwise_network, resize, threshold_network

GEOMETRY = Geometry.of_spacing((1.0, 0.5, 0.5))
LABELLER = threshold_network(0.25, 0.5, 0.75)


def judge_network(channels: int = 1) -> bytes:
    """Doubts the ventricle by a margin of 2, the more the brighter its pixel is; of all else it is sure by 6."""
    weight = np.zeros((2, channels + 4), np.float32)
    weight[1, channels // 2], weight[1, channels + 1] = 2, 8
    return pointwise_network(weight, np.array([0, -6], np.float32))


def model(facts: JudgeSpec | None = None, channels: int = 1, **changes) -> Model:
    spec = make_spec(CAMUS, judge=facts or JudgeSpec(), channels=channels, **changes)
    content = seal(LABELLER, spec, graphs={JUDGE: judge_network(channels)})
    return Model(open_seal(content), content)


def exam(frames: int = 1, side: int = 4) -> tuple[Image, LabelMap]:
    """A ventricle in the upper half; the left columns of the image are bright."""
    grey = np.zeros((frames, 1, side, side), np.uint8)
    grey[..., : side // 2] = 255
    labels = np.full((frames, 1, side, side), 2, np.uint8)
    labels[:, :, : side // 2] = 1
    return Image(grey, GEOMETRY, view=View.FOUR_CHAMBER), LabelMap(labels, CAMUS, GEOMETRY)


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def test_it_sees_the_image_and_the_labels():
    error = Judge.within(model()).errors(*exam(), [0])[0]
    assert error.shape == (1, 4, 4)
    assert error[0, 0].tolist() == pytest.approx([sigmoid(4)] * 2 + [sigmoid(2)] * 2, abs=1e-5)
    assert error[0, 3].tolist() == pytest.approx([sigmoid(-4)] * 2 + [sigmoid(-6)] * 2, abs=1e-5)


def test_it_is_as_sure_as_its_temperature_says():
    error = Judge.within(model(JudgeSpec(temperature=2.0))).errors(*exam(), [0])[0]
    assert float(error[0, 0, 3]) == pytest.approx(sigmoid(1), abs=1e-5)


def test_its_answer_lies_on_the_image_own_grid():
    image, labels = exam(side=16)
    error = Judge.within(model(preprocessing=resize(8, 8))).errors(image, labels, [0])[0]
    assert error.shape == (1, 16, 16)
    assert float(error[0, 2, 13]) == pytest.approx(sigmoid(2), abs=0.02)
    assert float(error[0, 13, 13]) == pytest.approx(sigmoid(-6), abs=0.02)


def test_only_frames_that_are_asked_for_and_planes_that_are_labelled():
    image, labels = exam(frames=3)
    labels.array[1] = 0
    found = Judge.within(model()).errors(image, labels, [1, 2])
    assert sorted(found) == [1, 2]
    assert float(found[1].max()) == 0
    assert float(found[2].max()) > 0.9


def test_neighbouring_frames_are_its_channels():
    image, labels = exam(frames=3)
    image.frames[[0, 2]] = 0  # the middle channel alone counts
    judge = Judge.within(model(channels=3, neighbours=1, neighbours_of="frames"))
    assert float(judge.errors(image, labels, [1])[1][0, 0, 0]) == pytest.approx(sigmoid(4), abs=1e-5)
    assert float(judge.errors(image, labels, [0])[0][0, 0, 0]) == pytest.approx(sigmoid(2), abs=1e-5)


def test_labels_of_the_same_structures_under_other_values_are_the_same():
    image, labels = exam()
    other = LabelMap(
        (labels.array * 10).astype(np.uint8),
        CAMUS.__class__("ten", {k: 10 * v for k, v in CAMUS.values.items()}),
        GEOMETRY,
    )
    judge = Judge.within(model())
    assert np.allclose(judge.errors(image, other, [0])[0], judge.errors(image, labels, [0])[0])


def test_labels_of_other_structures_are_refused():
    image, labels = exam()
    with pytest.raises(InputError, match="judges LV, MYO, LA, and the labels are of RV, MYO, LV"):
        Judge.within(model()).errors(image, LabelMap(labels.array, ACDC, GEOMETRY), [0])


def test_a_file_without_one_has_none():
    content = seal(LABELLER, make_spec(CAMUS))
    assert Judge.within(Model(open_seal(content), content)) is None


def test_a_file_that_lacks_its_judge_is_refused():
    with pytest.raises(ModelFileError, match="lacks its graph 'judge'"):
        seal(LABELLER, make_spec(CAMUS, judge=JudgeSpec()))


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("inf"), float("nan")])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(ModelFileError, match="no positive number"):
        JudgeSpec(temperature=temperature)


def test_its_facts_travel_with_the_file():
    spec: ModelSpec = model(JudgeSpec(1.5, 1200, 0.02)).spec
    assert spec.judge == JudgeSpec(1.5, 1200, 0.02)
    assert spec.graphs == (JUDGE,)
