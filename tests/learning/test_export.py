import logging

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import WorkError
from cardiotrace.inference.engine import OnnxRuntimeEngine, run_single
from cardiotrace.learning import export
from cardiotrace.learning.models.catalog import ARCHITECTURES
from cardiotrace.learning.models.network import NetworkSpec
from cardiotrace.preprocessing import Preprocessing
from tests.fake.models import resize

SIZE = (32, 32)
WHOLE = Preprocessing([])
PADDED = Preprocessing([Choice("pad-to-multiple", {"multiple": 4}), Choice("z-score")])


def network(name="unet", **options):
    torch.manual_seed(0)
    if name == "unet":
        options = {"levels": 2, "width": 4, **options}
    model = ARCHITECTURES.make(Choice(name, options), NetworkSpec(1, 4))
    # As after some training: norms have counted, biases are not zero.
    with torch.no_grad():
        for key, value in (*model.named_parameters(), *model.named_buffers()):
            if value.is_floating_point() and value.ndim == 1:
                value.add_(0.2 * torch.rand_like(value) if "var" in key else 0.1 * torch.randn_like(value))
    return model


def images(count=3):
    return torch.randn(count, 1, *SIZE, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def graph():
    return export.to_onnx(network(), channels=1, size=SIZE)


@pytest.mark.parametrize(
    ("norm", "half_weights"), [("none", False), ("none", True), ("batch", True), ("instance", True)]
)
def test_file_computes_what_torch_does(norm, half_weights):
    model = network(norm=norm)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    exported = export.export_network(model, WHOLE, examples=images(), half_weights=half_weights)
    engine = OnnxRuntimeEngine(exported)
    difference = export.check_parity(model, engine, images(5), tolerance=0.02)  # any number of images
    assert difference < (5e-3 if half_weights else 1e-5)
    assert (engine.inputs, engine.outputs) == (("images",), ("logits",))
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_first_network_of_camus_fits_into_four_megabytes(caplog, capfd):
    model = network("unet1")
    with caplog.at_level(logging.WARNING):
        exported = export.export_network(model, WHOLE, examples=images(2))
    assert len(exported) < 4.2e6
    with torch.inference_mode():
        expected = model.eval()(images(2)).argmax(1).numpy()
    found = run_single(OnnxRuntimeEngine(exported), images(2).numpy()).argmax(1)
    assert (found == expected).mean() > 0.999
    assert "torchvision" not in caplog.text
    assert "torchvision" not in "".join(capfd.readouterr())


def test_only_weights_are_halved(graph):
    halved = onnx.ModelProto()
    halved.CopyFrom(graph)
    export.halve_weights(halved)
    kinds = {tensor.name.removesuffix(".half"): tensor.data_type for tensor in halved.graph.initializer}
    for tensor in graph.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            expected = onnx.TensorProto.FLOAT16 if len(tensor.dims) > 1 else onnx.TensorProto.FLOAT
            assert kinds[tensor.name] == expected, tensor.name
    onnx.checker.check_model(halved)


def test_nothing_of_the_machine_is_in_the_file(graph):
    text = graph.SerializeToString()
    for word in (b".py", b"/home", b"site-packages", b"stack_trace"):
        assert word not in text


def tampered(graph, change):
    """A copy whose last bias is changed."""
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    (bias,) = [tensor for tensor in copy.graph.initializer if tensor.name.endswith("head.bias")]
    bias.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(bias)), bias.name))
    return copy


@pytest.mark.parametrize("half_weights", [True, False])
@pytest.mark.parametrize(
    "change",
    [lambda bias: bias[::-1].copy(), lambda bias: bias + np.float32([0, 0, 0, 0.01]), lambda bias: bias * np.nan],
    ids=["classes swapped", "slightly off", "not a number"],
)
def test_graph_that_differs_is_refused(change, half_weights, graph, monkeypatch):
    monkeypatch.setattr(export, "to_onnx", lambda *_, **__: tampered(graph, change))
    with pytest.raises(WorkError, match=r"the exported model differs .*\n.*nothing was written"):
        export.export_network(network(), WHOLE, examples=images(), half_weights=half_weights)


def test_ties_may_fall_either_way():
    class Tie(torch.nn.Module):
        def forward(self, values):
            return values.expand(-1, 4, -1, -1).contiguous()

    class Turned:
        inputs, outputs = ("images",), ("logits",)

        def run(self, inputs):
            logits = np.repeat(inputs["images"], 4, axis=1)
            logits[:, 3] += 1e-6
            return {"logits": logits}

    assert export.check_parity(Tie(), Turned(), images()) < 1e-5


@pytest.mark.slow
def test_a_preparation_that_keeps_sizes_leaves_the_sides_free():
    model = network()
    engine = OnnxRuntimeEngine(export.export_network(model, PADDED, examples=images(2), half_weights=False))
    for size in ((32, 32), (44, 60), (100, 8)):
        other = torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(2))
        assert export.check_parity(model, engine, other) < 1e-5


@pytest.mark.slow
def test_a_network_that_halves_rows_and_columns_unlike_often_is_exported():
    """nnU-Net's, planned for pixels that are twice as high as wide."""
    model = network("nnunet2d", kernels=((1, 3), (3, 3), (3, 3)), strides=((1, 1), (1, 2), (2, 2)), widths=(4, 8, 8))
    assert model.divisor == (2, 4)
    engine = OnnxRuntimeEngine(export.export_network(model, PADDED, examples=images(2), half_weights=False))
    for size in ((32, 32), (34, 60), (6, 100)):
        other = torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(2))
        assert export.check_parity(model, engine, other) < 1e-5


def test_a_fixed_size_stays_fixed():
    exported = export.export_network(network(), resize(32, 32), examples=images(2))
    assert OnnxRuntimeEngine(exported)._session.get_inputs()[0].shape[1:] == [1, 32, 32]
