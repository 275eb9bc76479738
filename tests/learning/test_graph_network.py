"""An exported graph as a network of torch: it computes what it was exported to compute, and learns what it may."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.channels import ChannelGraph
from cardiotrace.inference.engine import OnnxRuntimeEngine, run_single
from cardiotrace.inference.zoo import load_model
from cardiotrace.learning.graph_network import GraphNetwork
from tests.fake.models import layered_network

RNG = np.random.default_rng(4)
SHIPPED = [
    ("camus-4ch-small", (1, 256, 256)),
    pytest.param("camus-4ch-ensemble", (1, 256, 256), marks=pytest.mark.slow),  # gates, skips, a mean of members
    pytest.param("cine-mri", (1, 10, 128, 128), marks=pytest.mark.slow),  # volumes, and planes among them
    pytest.param("retina-small", (3, 704, 672), marks=pytest.mark.slow),  # transposed convolutions
]


@pytest.mark.parametrize(("name", "shape"), SHIPPED)
def test_a_shipped_network_says_the_same_in_torch_also_where_it_is_adapted(name, shape):
    network = load_model(name).graph()
    images = RNG.normal(size=(1, *shape)).astype(np.float32)
    learning = GraphNetwork(network)
    with torch.no_grad():
        found = learning(torch.from_numpy(images)).numpy()
        np.testing.assert_allclose(found, run_single(OnnxRuntimeEngine(network), images), atol=1e-3)
        for gain, offset in zip(learning.gains, learning.offsets, strict=True):
            gain.mul_(1.05)
            offset.add_(0.02)
        moved = learning(torch.from_numpy(images)).numpy()
    baked = ChannelGraph(network).scaled(learning.affine())
    assert np.abs(moved - found).max() > 0.1
    np.testing.assert_allclose(moved, run_single(OnnxRuntimeEngine(baked), images), atol=1e-3, rtol=1e-4)


def one_step(operator: str, inputs: dict[str, np.ndarray], shape: list[int], **attributes) -> bytes:
    """A convolution, a step, and a convolution: what is in between is what is tested."""
    constants = {name: values for name, values in inputs.items() if name != "x"}
    kernel = np.eye(4, dtype=np.float32)[:, :, None, None]
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["x"], kernel_shape=[1, 1]),
        helper.make_node(operator, list(inputs), ["y"], **attributes),
        helper.make_node("Conv", ["y", f"last{shape[1]}"], ["logits"], kernel_shape=[1, 1]),
    ]
    last = np.ones((2, shape[1], 1, 1), np.float32)
    graph = helper.make_graph(
        nodes,
        "step",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 4, 6, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(values, name) for name, values in (constants | {"kernel": kernel}).items()]
        + [onnx.numpy_helper.from_array(last, f"last{shape[1]}")],
    )
    opset = [helper.make_opsetid("", 20)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString())


X = np.zeros(0)
WHOLE = np.int64
STEPS = {
    "nearest": ("Resize", {"x": X, "": X, "s": np.array([1, 1, 2, 2], np.float32)}, 4,
                {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    "linear": ("Resize", {"x": X, "": X, "s": np.array([1, 1, 2, 2], np.float32)}, 4,
               {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}),
    "to-space": ("DepthToSpace", {"x": X}, 1, {"blocksize": 2, "mode": "DCR"}),
    "to-space-crd": ("DepthToSpace", {"x": X}, 1, {"blocksize": 2, "mode": "CRD"}),
    "slice": ("Slice", {"x": X, "b": np.array([1, -1], WHOLE), "e": np.array([3, -7], WHOLE),
                        "a": np.array([1, 3], WHOLE), "t": np.array([1, -2], WHOLE)}, 2, {}),
    "pool": ("MaxPool", {"x": X}, 4, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "mean": ("ReduceMean", {"x": X, "a": np.array([2, 3], WHOLE)}, 4, {"keepdims": 1}),
    "largest": ("ReduceMax", {"x": X, "a": np.array([3], WHOLE)}, 4, {"keepdims": 1}),
    "softmax": ("Softmax", {"x": X}, 4, {"axis": 1}),
    "transpose": ("Transpose", {"x": X}, 4, {"perm": [0, 1, 3, 2]}),
    "reshape": ("Reshape", {"x": X, "r": np.array([0, 2, -1, 8], WHOLE)}, 2, {}),
    "leaky": ("LeakyRelu", {"x": X}, 4, {"alpha": 0.2}),
    "spread": ("Conv", {"x": X, "w": RNG.normal(size=(4, 2, 3, 3)).astype(np.float32)}, 4,
               {"group": 2, "pads": [2, 0, 1, 1], "strides": [2, 1], "dilations": [1, 2], "kernel_shape": [3, 3]}),
    "transposed": ("ConvTranspose", {"x": X, "w": RNG.normal(size=(4, 3, 2, 2)).astype(np.float32)}, 3,
                   {"strides": [2, 2], "kernel_shape": [2, 2]}),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_that_of_the_runtime(name):
    operator, inputs, channels, attributes = STEPS[name]
    network = one_step(operator, inputs, [1, channels], **attributes)
    images = RNG.normal(size=(2, 4, 6, 8)).astype(np.float32)
    with torch.no_grad():
        found = GraphNetwork(network)(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(found, run_single(OnnxRuntimeEngine(network), images), atol=1e-4)


def test_gains_and_offsets_are_all_that_learns():
    learning = GraphNetwork(layered_network(0.3))
    assert sorted(name for name, _ in learning.named_parameters()) == ["gains.0", "offsets.0"]
    learning(torch.zeros(1, 1, 4, 4)).sum().backward()
    assert all(parameter.grad is not None for parameter in learning.parameters())


def test_a_step_that_is_not_known_is_refused_in_one_line():
    network = onnx.load_model_from_string(layered_network(0.3))
    network.graph.node[1].op_type = "Celu"
    with pytest.raises(ModelFileError, match="cannot be learned through: Celu"):
        GraphNetwork(network.SerializeToString())
