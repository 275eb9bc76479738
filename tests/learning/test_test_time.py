"""A sealed network that descends on what it says of one image."""

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from cardiotrace.core.errors import WorkError
from cardiotrace.inference.engine import OnnxRuntimeEngine, run_single
from cardiotrace.inference.sample import softmax
from cardiotrace.inference.test_time import entropy
from cardiotrace.learning.test_time import descended, entropy_loss, judged_loss
from tests.fake.models import layered_network

NETWORK = layered_network(0.5, steepness=4.0)
BATCH = np.random.default_rng(2).random((3, 1, 12, 10)).astype(np.float32)


def undecided(network: bytes) -> float:
    return entropy(softmax(run_single(OnnxRuntimeEngine(network), BATCH)))


def test_it_gets_surer_step_by_step():
    found = [undecided(NETWORK)]
    found += [undecided(descended(NETWORK, BATCH, entropy_loss, steps=steps, learning_rate=0.01)) for steps in (1, 5)]
    assert found[0] > found[1] > found[2]


def test_the_loss_is_the_entropy_of_the_pixels():
    logits = run_single(OnnxRuntimeEngine(NETWORK), BATCH)
    found = float(entropy_loss(torch.zeros(1), torch.from_numpy(logits)))
    assert found == pytest.approx(entropy(softmax(logits)), rel=1e-5)


def test_the_first_step_of_adam_moves_what_matters_by_the_learning_rate():
    from cardiotrace.learning.graph_network import GraphNetwork

    moved = descended(NETWORK, BATCH, entropy_loss, steps=1, learning_rate=0.02)
    learning = GraphNetwork(NETWORK)
    with torch.no_grad():
        # Channel 0 alone goes into the answer. Its gain and offset each moved by 0.02, up or down.
        values = learning(torch.from_numpy(BATCH)).numpy()[:, 1:]
        layer = np.maximum(BATCH + 1, 0)
    gain, offset = np.linalg.lstsq(
        np.column_stack([layer.ravel(), np.ones(layer.size)]),
        ((run_single(OnnxRuntimeEngine(moved), BATCH)[:, 1:] - values) / 4.0).ravel(),
        rcond=None,
    )[0]
    assert (abs(gain), abs(offset)) == pytest.approx((0.02, 0.02), rel=1e-2)


def test_the_same_image_gives_the_same_network_and_a_beginning_counts():
    options = {"steps": 2, "learning_rate": 0.01}
    first, second = (descended(NETWORK, BATCH, entropy_loss, **options) for _ in range(2))
    assert first == second
    begun = {"layer": (np.array([2.0, 1.0]), np.zeros(2))}
    assert descended(NETWORK, BATCH, entropy_loss, **options, first=begun) != first


def test_a_judge_moves_the_labels_to_what_it_finds_right():
    """This one finds wrong whatever is no vessel: the network is to see more of them."""
    # Logits of right and wrong, from the image and the probabilities of both classes.
    judge = two_layers(np.array([[0, 0, 0], [0, 4, -4]], np.float32))
    before, after = (
        float(softmax(run_single(OnnxRuntimeEngine(network), BATCH))[:, 1].mean())
        for network in (NETWORK, descended(NETWORK, BATCH, judged_loss(judge), steps=3, learning_rate=0.02))
    )
    assert after > before + 0.02


def two_layers(weight: np.ndarray) -> bytes:
    """A 1 x 1 convolution of three channels, and another that hands on what it gives."""
    nodes = [
        helper.make_node("Conv", ["seen", "weight"], ["layer"], kernel_shape=[1, 1]),
        helper.make_node("Conv", ["layer", "same"], ["verdict"], kernel_shape=[1, 1]),
    ]
    weights = {"weight": weight[:, :, None, None], "same": np.eye(2, dtype=np.float32)[:, :, None, None]}
    graph = helper.make_graph(
        nodes,
        "judge",
        [helper.make_tensor_value_info("seen", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("verdict", TensorProto.FLOAT, ["n", 2, "h", "w"])],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    opset = [helper.make_opsetid("", 20)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString())


def test_a_loss_that_is_no_number_ends_it_in_one_line():
    def exploding(images: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        return logits.sum() * float("inf")

    with pytest.raises(WorkError, match="no number"):
        descended(NETWORK, BATCH, exploding, steps=1, learning_rate=0.01)
