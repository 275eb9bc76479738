"""What is fitted to a finished model, into its file."""

import numpy as np

from cardiotrace.core.label import VESSEL
from cardiotrace.inference.model_file import open_seal
from cardiotrace.inference.predictor import Predictor
from cardiotrace.workflows.quality import with_learned
from tests.evaluation.cases import make_case
from tests.fake.models import layered_network, make_model, make_spec


def test_a_model_file_learns_what_its_training_images_were_like_and_nothing_else_changes() -> None:
    model = make_model(layered_network(0.5), make_spec(VESSEL))
    greys = np.random.default_rng(0).integers(0, 256, (3, 12, 14), np.uint8)
    cases = [make_case(f"c{index}", np.zeros((12, 14), np.uint8), image=grey) for index, grey in enumerate(greys)]
    content = with_learned(model, cases)
    spec = open_seal(content)
    learned = spec.calibration.learned
    assert learned is not None
    assert learned.samples == 3
    mean, variance = learned.by_convolution["layer"]
    np.testing.assert_allclose(mean, [1 + greys.mean() / 255, 2 - greys.mean() / 255], rtol=2e-3)
    np.testing.assert_allclose(variance, np.var(greys / 255), rtol=5e-3)
    again = make_model(layered_network(0.5), spec)
    image = cases[0].read_image()
    one, other = (Predictor.of(each).segment(image).labels.array for each in (model, again))
    np.testing.assert_array_equal(one, other)
